"""What is fuzzed: the law of each target, the code whose branches guide the fuzzer, and what its corpus begins with.

    python tests/fuzz_targets.py message -max_total_time=30 NEW tests/corpora/message    libFuzzer's options, folders
    python tests/fuzz_targets.py --corpora                                    write what each corpus begins with

`scripts/fuzz` runs them. An input that breaks a law is kept as `crash-...`: put it into the corpus with the mend.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

TESTS: Final = Path(__file__).parent
CORPORA: Final = TESTS / "corpora"
_NUMBERS: Final = (0, 1, 255, 2**31, 2**63)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Target:
    """One reader of bytes.

    Args:
        law: its name in `fuzz_laws`, or "rfxtrx".
        guides: packages whose coverage guides the fuzzer.
        seeds: makes what the corpus begins with, by name.
        longest: bytes of an input.
    """

    law: str
    guides: tuple[str, ...]
    seeds: Callable[[], Mapping[str, bytes]]
    longest: int = 600

    def check(self) -> Callable[[bytes], None]:
        """Return the law."""
        if self.law == "rfxtrx":
            import rfxtrx_laws

            return rfxtrx_laws.check
        import fuzz_laws

        law: Callable[[bytes], None] = getattr(fuzz_laws, self.law)
        return law


def _vectors(name: str) -> dict[str, list[bytes]]:
    """Return the frames of a file of vectors by kind."""
    found: dict[str, list[bytes]] = {}
    for line in (TESTS / "vectors" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        words = line.split()
        if len(words) >= 3 and not line.startswith("#"):
            hexes = [word for word in words[1:3] if len(word) % 2 == 0 and set(word) <= set("0123456789abcdef")]
            found.setdefault(words[0], []).extend(map(bytes.fromhex, hexes[-1:]))
    return found


def _rfxtrx() -> dict[str, bytes]:
    """A stream for each packet: one frame of every subtype."""
    found: dict[str, dict[str, str]] = {}
    for line in (TESTS / "vectors" / "rfxtrx.txt").read_text(encoding="utf-8").splitlines():
        words = line.split()
        if len(words) >= 3 and not line.startswith("#"):
            found.setdefault(words[0], {}).setdefault(words[1], words[2])
    return {packet: bytes.fromhex("".join(frames.values())) for packet, frames in found.items()}


def _rf12() -> dict[str, bytes]:
    frames = {kind: each[0] for kind, each in _vectors("rf12").items() if each}
    return {
        **frames,
        "master": b'{"nodeid": 3, "temperature": 21.5, "voltage": 3120, "counter": 7}',
        "emonhub": b'[nodes]\n[[10]]\n nodename = "tx"\n [[[rx]]]\n  names = a, "b"\n  scales = 1,0.1\n',
    }


def _lines() -> dict[str, bytes]:
    from drivers.rf12.air import crc8

    texts = ("OK 5 33 5 3 0 0 128 255 255 255 255 0 0 0 (-38)", " ?   1 2 3", " -> ack", "K i1 g212 @ 868 MHz",
             "[RF12demo.14] A i1* g212 @ 868 MHz", "h 1", "ready", "-> 3 b", "0 ok")  # fmt: skip
    hearthy = b""
    for number, text in enumerate(texts):
        line = f"{text} #{number:02X}".encode()
        hearthy += b"%b*%02X\r\n" % (line, crc8(line))
    return {"plain": "\r\n".join(texts).encode() + b"\n", "hearth": hearthy, "long": b"x" * 410 + b"\nOK 5 1\n"}


def _stamped(topic: bytes, body: Mapping[str, Any]) -> bytes:
    from hearthbus import message as wire

    return wire.stamp(
        topic, wire.encode_body(body), seq=1, offset=2, previous=0, time=3, flags=wire.RETAIN, origin=b"hall"
    )


def _messages() -> dict[str, bytes]:
    from hearthbus import message as wire

    return {
        "reading": _stamped(b"sensor/hall/temperature", {"value": 21.5, "unit": "°C", "rssi_dbm": -70}),
        "nested": _stamped(b"a/b", {"a": [1, 2.5, None, True, {"b": {"c": "d"}}], "n": 2**40}),
        "sent": wire.encode_sent(b"light/desk", wire.encode_body({"on": True}), time=9, flags=wire.RETAIN),
        "body": wire.encode_body({"x": [[[[1]]]], "y": ""}),
    }


def _frames() -> dict[str, bytes]:
    """One frame of each verb, with plain values in its fields."""
    from hearthbus import protocol
    from hearthbus.message import encode_sent

    values: dict[type, Any] = {int: 3, str: "a/b", bytes: encode_sent(b"a/b", b"\x80", time=1), bool: True,
                               list: ["a/+"], dict: {"a": 1}}  # fmt: skip
    found = {}
    for side, table in (("client", protocol.CLIENT_SAYS), ("broker", protocol.BROKER_SAYS)):
        for verb, fields in table.items():
            said = {key: values.get(kind) for key, kind in fields.items()}
            found[f"{side}-{verb.hex()}"] = protocol.encode(verb, **said)
    found["batch"] = protocol.encode_batch(protocol.PUBLISH, 1, [values[bytes]] * 2)
    for number in _NUMBERS:
        found[f"number-{number}"] = protocol.encode_number(protocol.TAKEN, number)
    return found


def _talks() -> dict[str, bytes]:
    """What clients say, a frame each, and all of it after a greeting."""
    from fuzz_laws import greeting

    frames = {name: frame for name, frame in _frames().items() if name.startswith(("client", "batch"))}
    said = {name: bytes([0, len(frame)]) + frame for name, frame in frames.items() if len(frame) < 256}
    hello = greeting(b"\0c")
    return {**said, "all": bytes([2, len(hello)]) + hello + b"".join(said.values())}


def _houses() -> dict[str, bytes]:
    deploy = TESTS.parent / "deploy"
    house = (deploy / "house.toml").read_bytes()
    return {
        "house": house[:2000],
        "tables": b'[broker]\naddress = "ipc:///run/x"\n[broker.limits]\n[bus]\nurl = "tcp://127.0.0.1:7600"\n[sun]\n',
        "keys": b'[broker]\nnetwork = "tcp://0.0.0.0:7600"\nkeys = "/x"\n[broker.access.kitchen]\npublish = ["#"]\n',
        "entries": b'[schedule.entries.a]\ncron = "30 7 * * mon-fri"\nbody = {on = true, at = 07:30:00}\n',
        "trigger": b'[trigger.rules.a]\ntopic = "remote/#"\nrequest = "light/a/set"\nwhen = {button = "on"}\n',
    }


def _rules() -> dict[str, bytes]:
    from hearthbus.message import encode_body

    rule = (
        b'[rules.a]\ntopic = "remote/+"\nrequest = "light/a/set"\nwhen = {button = "on"}\nbody = {effect = "{name}"}\n'
    )
    number = b'[rules.b]\ntopic = "sensor/#"\nrequest = "fan/set"\nwhen = {value = 1.5}\nmax_age_s = 2\n'
    said = encode_body({"button": "on", "name": "fade", "value": 1.5})
    return {"text": rule + b"\0" + said, "number": number + b"\0" + said, "both": rule + number + b"\0" + said}


def _crons() -> dict[str, bytes]:
    texts = ("30 7 * * mon-fri", "*/5 8-18 * * *", "0 0 29 2 *", "0 0 l * *", "1,2,3 0-5/2 1-15 jan,jul 1#2")
    return {str(at): text.encode() for at, text in enumerate(texts)}


TARGETS: Final[Mapping[str, Target]] = {
    "message": Target("message", ("hearthbus.message", "hearthbus.topics"), _messages),
    "protocol": Target("protocol_frame", ("hearthbus.protocol",), _frames),
    "broker": Target("broker", ("broker", "hearthbus.protocol", "hearthbus.message", "hearthbus.topics"), _talks, 1500),
    "rf12": Target("rf12", ("drivers",), _rf12, 300),
    "rf12-lines": Target("rf12_lines", ("drivers",), _lines, 900),
    "rfxtrx": Target("rfxtrx", ("drivers",), _rfxtrx),
    "config": Target("config", ("hearthbus.config", "broker.config", "services.trigger"), _houses, 2000),
    "rules": Target("rules", ("services.trigger", "hearthbus.config", "hearthbus.topics"), _rules),
    "cron": Target("cron", ("services.schedule.cron", "croniter"), _crons, 100),
}


def corpus(name: str) -> dict[str, bytes]:
    """Return the corpus of a target by file name."""
    return {path.name: path.read_bytes() for path in sorted((CORPORA / name).iterdir())}


def write_corpora() -> None:
    """Write what each corpus begins with; what a crash has left there stays."""
    for name, target in TARGETS.items():
        (CORPORA / name).mkdir(parents=True, exist_ok=True)
        for seed, data in target.seeds().items():
            (CORPORA / name / f"{seed}.bin").write_bytes(data)


def fuzz(name: str) -> None:
    """Fuzz a target; ends with the process."""
    import atheris

    target = TARGETS[name]
    with atheris.instrument_imports(include=list(target.guides)):
        check = target.check()
    atheris.Setup([sys.argv[0], *sys.argv[2:], f"-max_len={target.longest}"], partial(_checked, check))
    atheris.Fuzz()


def _checked(check: Callable[[bytes], None], data: bytes) -> None:
    check(data)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--corpora"]:
            write_corpora()
        case [name, *_] if name in TARGETS:
            fuzz(name)
        case _:
            raise SystemExit(f"fuzz: name a target: {' '.join(TARGETS)}")
