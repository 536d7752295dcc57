"""What holds of any bytes, given to the RFXtrx codec: shared by the fuzzer and by the tests that need no fuzzer.

`check(data)` raises AssertionError, or whatever the codec must never raise; it uses neither clock nor chance.
"""

from __future__ import annotations

import json
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

from drivers.bits import CodecError
from drivers.rfxtrx.codec import Unknown, decode, from_plain, to_plain
from drivers.rfxtrx.frames import Frames, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.rfxtrx.packet import Packet

COARSEST: Final = 10
"""The widest step that a field has: Revolt's energy, in 10 Wh."""
STRANGE: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 255, 256, 65_536, 1 << 24, 1 << 32, 1 << 200, -(1 << 200), 0.5, -0.1, 21.5, 1e308,
    float("inf"), float("nan"), "", "on", "0x10", "0x", "-1", "unknown_35", "A", "zz", "00", "00ff", "\x00", "é", [],
    [1], {}, {"a": 1},
)  # fmt: skip
"""Values for a field that people or programs may write."""


def check(data: bytes) -> None:
    """Hold the codec to its laws with some bytes."""
    for frame in (data, *split(data)):
        try:
            packet = decode(frame)
        except CodecError:
            continue
        _there_and_back(packet, frame)
        if not isinstance(packet, Unknown):  # a type that is written into it may be a known one, of another shape
            _written(to_plain(packet), data)


def split(data: bytes) -> list[bytes]:
    """Return the frames in a stream: none is lost or made up, however the stream is cut into pieces."""
    whole, cut = (list(_framed(data, size)) for size in (len(data), 1 + len(data) % 7))
    assert _size(whole) == _size(cut) == len(data), "the reader lost bytes, or made some up"
    frames = [each for each in whole if isinstance(each, bytes)]
    assert frames == [each for each in cut if isinstance(each, bytes)], "the pieces a stream comes in matter"
    for frame in frames:
        assert frame[0] == len(frame) - 1
    return frames


def _framed(data: bytes, size: int) -> Iterator[bytes | Skipped]:
    reader = Frames()
    for at in range(0, len(data), max(1, size)):
        yield from reader.feed(data[at : at + max(1, size)], at=0.0)
    yield from reader.tick(at=60.0)


def _size(found: list[bytes | Skipped]) -> int:
    return sum(len(each) if isinstance(each, bytes) else each.count for each in found)


def _there_and_back(packet: Packet, frame: bytes) -> None:
    """What was read can be shown, and read again once it was written."""
    plain = json.loads(json.dumps(to_plain(packet), allow_nan=False))
    try:
        written = packet.encode()
    except CodecError:
        return  # what is read may be what no device is ever sent
    assert packet == decode(written), f"{frame.hex()}: {written.hex()} reads differently"
    made = from_plain(plain)
    try:
        again = _numbers(to_plain(decode(made.encode())))
    except CodecError:
        assert type(made) is not type(packet), f"{frame.hex()}: {plain} is refused"
        return  # an older form of the packet, which goes out as the newer one
    assert _numbers(plain).items() <= again.items(), f"{frame.hex()}: {plain} comes back as {again}"


def _numbers(plain: dict[str, Any]) -> dict[str, Any]:
    """Return an object with its ids as numbers: a newer form of a packet may have longer ones."""
    return {name: int(value, 16) if name == "id" else value for name, value in plain.items()}


def _written(plain: dict[str, Any], data: bytes) -> None:
    """Any object gives a frame that reads as that object, or the typed error."""
    choose = cycle(data)
    for name in (*plain, "extra"):
        value = STRANGE[next(choose) % len(STRANGE)]
        try:
            packet = from_plain({**plain, name: value})
            frame = packet.encode()
        except CodecError:
            continue
        assert len(frame) == frame[0] + 1
        _same(packet, decode(frame))


def _same(written: Packet, read: Packet) -> None:
    """What was written is what is read, but for a number between two that the wire has."""
    assert type(read) is type(written), f"{written} reads as {read}"
    for name, value in vars(written).items():
        again = vars(read)[name]
        near = isinstance(value, int | float) and isinstance(again, int | float) and abs(value - again) < COARSEST
        assert near or value == again, f"{written} reads as {read}"
