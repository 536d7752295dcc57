"""Frames in any stream of bytes: split, joined, behind garbage, cut off. The laws of the reader."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from drivers.rfxtrx.codec import PACKETS
from drivers.rfxtrx.frames import SILENCE_S, Frames, Skipped, Why

TH1 = bytes.fromhex("0a520100ab0100d7290189")
AC = bytes.fromhex("0b11000000d5a0e201010f70")
ACK = bytes.fromhex("0402010000")
STATUS = bytes.fromhex("1401000102532b000c2f010102001c030000000000")


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """Return a frame of any declared type and length, its content anything."""
    packet = draw(st.sampled_from(PACKETS))
    subtype, shape = draw(st.sampled_from(sorted(packet.shapes.items())))
    size = max(shape.size, 5)
    if shape.tail is not None:
        size += draw(st.integers(shape.tail[1].least, max(shape.tail[1].least, min(shape.tail[1].most, 20))))
    body = draw(st.binary(min_size=size - 3, max_size=size - 3))
    return bytes((size - 1, packet.kind, subtype)) + body


@st.composite
def cut(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """Return the pieces of data, cut anywhere."""
    at = sorted(draw(st.lists(st.integers(0, len(data)), max_size=12)))
    return [data[begin:end] for begin, end in zip([0, *at], [*at, len(data)], strict=True)]


def whole(found: list[bytes | Skipped]) -> list[bytes]:
    """Return the frames alone."""
    return [each for each in found if isinstance(each, bytes)]


def count(found: list[bytes | Skipped]) -> int:
    """Return the bytes of everything found."""
    return sum(each.count if isinstance(each, Skipped) else len(each) for each in found)


@given(st.lists(frames(), max_size=8), st.data())
def test_any_split_and_join(sent: list[bytes], data: st.DataObject) -> None:
    """Frames come out as they were, wherever the stream was cut."""
    reader, found = Frames(), []
    for piece in data.draw(cut(b"".join(sent))):
        found += reader.feed(piece, at=0.0)

    assert sent == found


@given(st.binary(max_size=80), st.lists(frames(), min_size=1, max_size=4), st.data())
def test_garbage_and_a_silence(garbage: bytes, sent: list[bytes], data: st.DataObject) -> None:
    """After a silence every frame is found, whatever was before; every byte is either in a frame or counted."""
    reader, found = Frames(), []
    for piece in data.draw(cut(garbage)):
        found += reader.feed(piece, at=0.0)
    for piece in data.draw(cut(b"".join(sent))):
        found += reader.feed(piece, at=SILENCE_S)

    assert sent == whole(found)[-len(sent) :]
    assert len(garbage) + len(b"".join(sent)) == count(found)
    assert count(found) == reader.zeros + reader.garbage + len(b"".join(whole(found)))


@given(frames(), frames(), st.data())
def test_a_frame_cut_off(first: bytes, second: bytes, data: st.DataObject) -> None:
    """One that was never finished is dropped at the next silence, said, and costs nothing but itself."""
    size = data.draw(st.integers(1, len(first) - 1))
    reader = Frames()
    nothing = reader.feed(first[:size], at=0.0)
    dropped = reader.tick(at=reader.due() or 0.0)

    assert [] == whole(nothing)
    assert size == count(nothing + dropped)
    assert [second] == reader.feed(second, at=1.0)


def test_a_byte_lost() -> None:
    """A stream that has lost its place finds it again at a frame that is declared to the byte, without a silence."""
    reader = Frames()
    found = reader.feed(TH1[:4] + TH1[5:] + TH1 + AC + TH1 + ACK, at=0.0)

    assert [AC, TH1, ACK] == whole(found)[-3:]


def test_frames_swallowed_by_half_a_frame() -> None:
    """Garbage that looks like the beginning of a long frame gives back, at the silence, the frames it has swallowed."""
    reader = Frames()
    swallowed = reader.feed(bytes((0x24, 0x03)) + TH1 + AC, at=0.0)
    found = reader.tick(at=1.0)

    assert [] == swallowed
    assert [TH1, AC] == whole(found)


def test_the_zeros_of_a_boot_loader() -> None:
    """They are passed over, told from garbage, and what follows is read."""
    reader = Frames()
    found = reader.feed(bytes(46) + STATUS, at=0.0)

    assert [Skipped(why=Why.ZEROS, count=46, data=bytes(46)), STATUS] == found
    assert (46, 0) == (reader.zeros, reader.garbage)


def test_a_length_its_type_cannot_have() -> None:
    """An answer to a transmission has four bytes: one of forty is none, and is not waited for."""
    reader = Frames()
    found = reader.feed(bytes((0x28, 0x02)) + ACK, at=0.0)

    assert [Skipped(why=Why.GARBAGE, count=2, data=bytes((0x28, 0x02))), ACK] == found


def test_a_newer_firmware_s_longer_frame() -> None:
    """A few bytes more than declared are taken where a frame must begin."""
    longer = bytes((0x0C, *TH1[1:], 0, 0))

    assert [longer, TH1] == Frames().feed(longer + TH1, at=0.0)


def test_an_unknown_type() -> None:
    """It has any length up to 42."""
    unknown = bytes((0x06, 0xF0, 0, 1, 2, 3, 4))

    assert [unknown] == Frames().feed(unknown, at=0.0)
