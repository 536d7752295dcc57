"""What a request has transmitted, as frames: given in hex, by its fields, as pulses, or a question. Knows no stick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from drivers.bits import CodecError
from drivers.rfxtrx import codec, rawrf
from hearthbus import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_REPEATS: Final = 10
LISTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "rfy": {"packet": "rfy", "subtype": 0, "id": 1, "unit": 0},
    "asa": {"packet": "rfy", "subtype": 3, "id": 1, "unit": 1},
    "cherubini": {"packet": "blinds1", "subtype": 0x12, "id": 0x103000},
    "ozroll": {"packet": "blinds1", "subtype": 0x14, "id": 1, "unit": 1},
}
"""Makes whose remotes a stick holds, and whom the question for them is addressed to: anybody."""


def frames(request: Mapping[str, Any]) -> tuple[tuple[bytes, ...], int]:
    """Return the frames a request names, which belong together, and how often they are sent.

    Raises:
        Invalid: it names none, or one that cannot be.
    """
    repeats = request.get("repeats", 1)
    if type(repeats) is not int or not 1 <= repeats <= MOST_REPEATS:
        raise Invalid(f"repeats is {repeats!r}; write a whole number from 1 to {MOST_REPEATS}")
    text, packet, pulses = request.get("hex"), request.get("packet"), request.get("pulses")
    try:
        if isinstance(packet, dict):
            return (codec.from_plain(packet).encode(),), repeats
        if isinstance(pulses, list):  # the stick itself repeats a raw signal: between two there is no pause then
            return tuple(part.encode() for part in rawrf.split(pulses, repeats=request.get("repeats", 5))), 1
    except CodecError as error:
        raise Invalid(f"{'pulses' if packet is None else 'packet'}: {error}") from None
    try:
        return (bytes.fromhex(text if isinstance(text, str) else "-"),), repeats
    except ValueError:
        raise Invalid(f"hex is {text!r}; write the bytes of a frame in hex, with its length byte") from None


def question(make: object) -> bytes:
    """Return the frame that asks a stick which remotes of a make it knows.

    Raises:
        Invalid: it holds none of that make.
    """
    if not isinstance(make, str) or make not in LISTS:
        raise Invalid(f"make is {make!r}; write one of {', '.join(LISTS)}")
    return codec.from_plain({**LISTS[make], "command": "list_remotes"}).encode()


def remotes(answers: Iterable[bytes]) -> list[dict[str, Any]]:
    """Return what a stick has said of its remotes."""
    found: list[dict[str, Any]] = []
    for frame in answers:
        try:
            plain = codec.to_plain(codec.decode(frame))
        except CodecError:
            continue
        found.append({key: plain[key] for key in ("index", "id", "unit", "rolling_code") if key in plain})
    return found
