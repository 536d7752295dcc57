"""What a gateway is told: the bytes of every command, and that a stock gateway is told nothing it does not know."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bits import CodecError, Reason
from drivers.rf12 import commands
from drivers.rf12.air import Header, crc8, header
from drivers.rf12.commands import HEARTH, STOCK, command

RF12DEMO = set("ibogctaslqxvzfkdrew>")
"""The letters of RF12demo v12, from its help and its source."""


def test_the_table_is_what_a_stock_gateway_knows() -> None:
    """The table holds exactly the letters of RF12demo, and ours are beyond it."""
    assert set(STOCK) == RF12DEMO
    assert set("hun") == set(HEARTH)
    assert not STOCK.keys() & HEARTH.keys()


@given(st.sampled_from(sorted(STOCK)), st.data())
def test_every_command_for_a_stock_gateway_is_one_it_knows(letter: str, data: st.DataObject) -> None:
    """Its bytes are numbers below 65536, joined by commas, and one letter of its own; its parser reads no more."""
    known = STOCK[letter]
    payload = data.draw(st.binary(max_size=66)) if known.data else b""
    numbers = [data.draw(st.sampled_from(limits)) for _, limits in known.numbers]
    if known.numbers and known.numbers[0][0] == "band":
        numbers[0] = data.draw(st.sampled_from([4, 8, 9]))
    written = command(letter, *numbers, data=payload).decode()

    assert re.fullmatch(r"(?:\d{1,5},)*(?:\d{1,5})?[a-z>]\n", written)
    assert written[-2] in RF12DEMO
    assert all(int(word) < 65536 for word in re.findall(r"\d+", written))


@given(st.binary(max_size=66), st.integers(0, 31), st.booleans())
def test_sending_uses_stock_commands_only(payload: bytes, node: int, ack: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    """`send` writes a command every RF12demo since v8 has, with the data and the node it was given."""
    written = commands.send(payload, node=node, ack=ack).decode()

    assert f"{','.join(map(str, [*payload, node]))}{'a' if ack else 's'}\n" == written


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (command("i", 5), b"5i\n"),
        (command("b", 8), b"8b\n"),
        (command("o", 1620), b"1620o\n"),
        (command("v"), b"v\n"),
        (command("t"), b"t\n"),
        (command("z", 123), b"123z\n"),
        (command(">", 8, 212, 1, 65, data=b"\1\2"), b"8,212,1,65,1,2>\n"),
        (command("w", 12, 34), b"12,34w\n"),
        (commands.send(b"\0\xff\x80\x40\0\0", node=1), b"0,255,128,64,0,0,1s\n"),
        (commands.send(b"", node=2, ack=True), b"2a\n"),
        (commands.send(b"\7"), b"7,0s\n"),
        (commands.hearth_mode(), b"1h\n"),
        (commands.hearth_mode(on=False), b"0h\n"),
        (commands.send_hearth(b"\1\2", node=3, tag=4), b"1,2,3,4,%du\n" % crc8(b"\1\2\3\4")),
        (commands.send_hearth(b"", node=0, tag=255, ack=False), b"0,255,%dn\n" % crc8(b"\0\xff")),
    ],
)
def test_the_bytes_of_a_command(written: bytes, expected: bytes) -> None:
    """Numbers, commas, a letter, a newline."""
    assert expected == written


@pytest.mark.parametrize(
    ("letter", "numbers", "data", "reason", "text"),
    [
        ("y", (), b"", Reason.KIND, "no gateway knows the command 'y'"),
        ("i", (), b"", Reason.VALUE, "i takes 1 numbers, not 0"),
        ("i", (32,), b"", Reason.VALUE, "i: node 32 is not from 1 to 31"),
        ("b", (5,), b"", Reason.VALUE, "b: band 5"),
        ("o", (95,), b"", Reason.VALUE, "o: offset 95 is not from 96 to 3903"),
        ("z", (1,), b"", Reason.VALUE, "z: sure 1"),
        ("v", (), b"x", Reason.VALUE, "v takes no data"),
        ("s", (1,), bytes(67), Reason.LENGTH, "at most 66 bytes, not 67"),
        ("u", (1, 256, 0), b"", Reason.VALUE, "u: tag 256"),
    ],
)
def test_a_command_that_cannot_be(
    letter: str, numbers: tuple[int, ...], data: bytes, reason: Reason, text: str
) -> None:
    """It is refused before a byte is written, by name and limit."""
    with pytest.raises(CodecError, match=re.escape(text)) as caught:
        command(letter, *numbers, data=data)

    assert reason is caught.value.reason


@given(st.integers(0, 255))
def test_every_header_comes_back(byte: int) -> None:
    """All 256 headers are values with the same byte."""
    assert byte == header(byte).byte


def test_who_acks_whom() -> None:
    """The ack to a broadcast names its sender as destination; the ack of an addressed node names itself."""
    broadcast, addressed = Header(ack=True, node=5), Header(dst=True, ack=True, node=2)

    assert (0xC5, 0x82) == (broadcast.reply().byte, addressed.reply().byte)
    assert (5, None) == (broadcast.sender, addressed.sender)
    assert (None, 2) == (broadcast.reply().sender, addressed.reply().sender)
    assert [False, True] == [broadcast.is_ack, broadcast.reply().is_ack]
