"""One line of a gateway, without its end and its check: which value it is. A table of patterns, tried in order.

Holds RF12demo v8 to v12 as on JeeNodes, JeeLinks, RFM2Pi and RFM69Pi boards, and hearth mode. Knows no stream.
Source: RF12demo's own output, whose odd leading and trailing blanks are real.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from drivers.rf12.air import MOST_DATA, header
from drivers.rf12.values import (
    Acked,
    Banner,
    Broken,
    Config,
    Delivered,
    Echo,
    Fault,
    Heard,
    Letters,
    Line,
    Notice,
    Queued,
    Ready,
    Rejected,
    Sending,
    Sent,
    Text,
    Undelivered,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Match = re.Match[str]

_CONFIG: Final = (
    r" ?[@-_] i(?P<node>\d{1,2})(?P<star>\*?) g(?P<group>\d{1,3}) @ (?P<band>433|868|9\d\d) MHz(?P<rest>.*)"
)
_HEX: Final = r"[\dA-F]{2}"
_OPTION: Final = re.compile(r" ([coqx])(\d{1,4})(?= |$)")


def parse(text: str) -> Line:
    """Return the value of a line; total: what is nothing else is `Text`."""
    for pattern, build in _RULES:
        if match := pattern.fullmatch(text):
            return build(match)
    return Text(text=text)


def _heard(match: Match) -> Line:
    return _packet(match, base=10, numbers=match["data"].split(), rssi=_rssi_decimal(match["rssi"]))


def _heard_hex(match: Match) -> Line:
    digits = match["data"]
    pairs = [digits[at : at + 2] for at in range(0, len(digits), 2)]
    raw = match["rssi"]
    return _packet(match, base=16, numbers=pairs, rssi=-int(raw, 16) / 2 if raw else None)


def _packet(match: Match, *, base: int, numbers: list[str], rssi: float | None) -> Line:
    group = None if match["group"] is None else int(match["group"], base)
    head, *data = (int(number, base) for number in numbers)
    if max(head, group or 0, *data) > 255 or len(data) > MOST_DATA:
        return _no_packet(match)
    return Heard(header=header(head), payload=bytes(data), good=match["good"] == "OK", group=group, rssi_dbm=rssi)


def _rssi_decimal(text: str | None) -> float | None:
    """Return the signal in dBm; a `-0` is a radio that measured nothing."""
    return float(text) if text and int(text) else None


def _no_packet(match: Match) -> Line:
    return Broken(fault=Fault.PACKET, text=match[0][:40])


def _config(match: Match) -> Config:
    options = {letter: int(number) for letter, number in _OPTION.findall(match["rest"])}
    return Config(
        node=int(match["node"]),
        group=int(match["group"]),
        band_mhz=int(match["band"]),
        collect=bool(match["star"]) or bool(options.get("c", 0)),
        offset=options.get("o", 1600),
        quiet=bool(options.get("q", 0)),
        hex_output=options.get("x", 0),
    )


def _banner(match: Match) -> Banner:
    version, _, hearth = match["version"].partition("+hearth.")
    config = re.fullmatch(_CONFIG, match["rest"])
    return Banner(
        firmware=match["name"], version=version, hearth=hearth or None, config=_config(config) if config else None
    )


def _ready(match: Match) -> Line:
    words = dict(word.split("=", 1) for word in match["rest"].split() if "=" in word)
    return Ready(
        protocol=int(match["protocol"]),
        firmware=words.get("fw", ""),
        radio=words.get("radio", ""),
        reset=_number(words.get("reset", "")),
        queue=_number(words.get("queue", "")),
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _delivered(match: Match) -> Line:
    data = [int(number) for number in match["data"].split()]
    if max(data, default=0) > 255:
        return _no_packet(match)
    return Delivered(tag=int(match[1]), node=int(match[2]), tries=int(match[3]), ack=bytes(data))


_RULES: Final[tuple[tuple[re.Pattern[str], Callable[[Match], Line]], ...]] = tuple(
    (re.compile(pattern, re.ASCII), build)
    for pattern, build in (
        (
            r"(?P<good>OK| ?\?)(?: G(?P<group>\d{1,3}))?(?P<data>(?: \d{1,3}){1,80})(?: \((?P<rssi>-?\d{1,3})\))? *",
            _heard,
        ),
        (
            rf"(?P<good>OK| ?\?)X(?: G(?P<group>{_HEX}))? (?P<data>(?:{_HEX}){{1,80}})(?: \((?P<rssi>{_HEX})\))? *",
            _heard_hex,
        ),
        (r" ?-> ack", lambda _: Acked()),
        (r" ?-> (\d{1,3}) b", lambda match: Sending(size=int(match[1]))),
        (r"> (.*[a-z])", lambda match: Echo(command=match[1])),
        (r"ASC (.*)", lambda match: Letters(text=match[1])),
        (r"Q (\d{1,3})", lambda match: Queued(tag=int(match[1]))),
        (r"ACK (\d{1,3}) (\d{1,2}) (\d{1,3})(?P<data>(?: \d{1,3}){0,66})", _delivered),
        (
            r"NAK (\d{1,3}) (\d{1,2}) (\d{1,3})",
            lambda match: Undelivered(tag=int(match[1]), node=int(match[2]), tries=int(match[3])),
        ),
        (r"SENT (\d{1,3})", lambda match: Sent(tag=int(match[1]))),
        (r"BAD (\d{1,3}) (\w+)", lambda match: Rejected(tag=int(match[1]), reason=match[2])),
        (r"# hearth (?P<protocol>\d{1,3})(?P<rest>(?: .*)?)", _ready),
        (r"! (.+)", lambda match: Notice(text=match[1])),
        (_CONFIG, _config),
        (r"\[(?P<name>[A-Za-z]\w*)\.(?P<version>[\w.+-]+)\](?P<rest>.*)", _banner),
        (r"(?:OK| ?\?X?) ?[\d(G].*|OK.*", _no_packet),
    )
)
