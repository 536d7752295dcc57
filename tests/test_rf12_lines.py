"""What a gateway says: transcripts of stock firmware, hearth mode with its numbers and checks, and any damage."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.rf12.air import Header, crc8, header
from drivers.rf12.lines import LONGEST, Lines
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
    Missing,
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
    from drivers.rf12.values import Line

V12 = b"""\r
[RF12demo.12] B i2 g19 @ 868 MHz\r
\r
Available commands:\r
  <nn> i     - set node ID (standard node ids are 1..30)\r
  ...,<nn> a - send data packet to node <nn>, request ack\r
  <n> q      - set quiet mode (1 = don't report bad packets)\r
Remote control commands:\r
  <hchi>,<hclo>,<addr>,<cmd> f     - FS20 command (868 MHz)\r
Current configuration:\r
 B i2 g19 @ 868 MHz\r
OK 37 162 199 225 0\r
 -> ack\r
 ? 37 101 199 225 0\r
> 0,255,128,64,0,0,1s\r
 -> 6 b\r
OK 194\r
"""
"""What RF12demo v12 said in the simulator, with a part of its help."""

NODE5_ASKS = Header(ack=True, node=5)


def said(data: bytes) -> list[Line]:
    """Return the values of a whole transcript."""
    return Lines().feed(data)


def hearth(text: str, number: int, *, flip: int = 0) -> bytes:
    """Return a line of hearth mode; `flip` damages its check."""
    line = f"{text} #{number:02X}"
    return f"{line}*{crc8(line.encode()) ^ flip:02X}\r\n".encode()


def test_a_transcript_of_a_stock_gateway() -> None:
    """Banner, settings, packets, acks and echoes are values; the help is text, and nothing is broken."""
    values = said(V12)
    config = Config(node=2, group=19, band_mhz=868)

    assert [
        Banner(firmware="RF12demo", version="12", config=config),
        config,
        Heard(header=NODE5_ASKS, payload=bytes([162, 199, 225, 0])),
        Acked(),
        Heard(header=NODE5_ASKS, payload=bytes([101, 199, 225, 0]), good=False),
        Echo(command="0,255,128,64,0,0,1s"),
        Sending(size=6),
        Heard(header=Header(ctl=True, dst=True, node=2), payload=b""),
    ] == [value for value in values if not isinstance(value, Text)]
    assert 7 == sum(isinstance(value, Text) for value in values)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("OK G19 37 1 2", Heard(header=NODE5_ASKS, payload=b"\1\2", group=19)),
        ("OKX 2501FF", Heard(header=NODE5_ASKS, payload=b"\1\xff")),
        ("OKX G13 2501FF", Heard(header=NODE5_ASKS, payload=b"\1\xff", group=19)),
        (" ?X 2501FF", Heard(header=NODE5_ASKS, payload=b"\1\xff", good=False)),
        ("OK 5 1 2 (-52) ", Heard(header=header(5), payload=b"\1\2", rssi_dbm=-52.0)),
        ("OK 5 1 2 (-52)", Heard(header=header(5), payload=b"\1\2", rssi_dbm=-52.0)),
        ("OK 5 1 2 (-0)", Heard(header=header(5), payload=b"\1\2")),
        ("OKX 0501 (3B) ", Heard(header=header(5), payload=b"\1", rssi_dbm=-29.5)),
        ("? 5 1", Heard(header=header(5), payload=b"\1", good=False)),
        ("ASC <E . a", Letters(text="<E . a")),
        ("ASC  II <E . a", Letters(text=" II <E . a")),
        (" B i2* g19 @ 868 MHz c1 o1620 q1 x2",
         Config(node=2, group=19, band_mhz=868, collect=True, offset=1620, quiet=True, hex_output=2)),
        ("O i15 g210 @ 433 MHz q1 USA 0", Config(node=15, group=210, band_mhz=433, quiet=True)),
        ("@ i0 g212 @ 915 MHz  Lock: 1", Config(node=0, group=212, band_mhz=915)),
        ("_ i31 g0 @ 868 MHz", Config(node=31, group=0, band_mhz=868)),
        ("[RF12demo.8] A i1* g5 @ 868 MHz",
         Banner(firmware="RF12demo", version="8", config=Config(node=1, group=5, band_mhz=868, collect=True))),
        ("[RF12demo.10]", Banner(firmware="RF12demo", version="10")),
        ("[RF12demo.12] Tiny", Banner(firmware="RF12demo", version="12")),
        ("[emonPi.2.8] E i5 g210 @ 433 MHz",
         Banner(firmware="emonPi", version="2.8", config=Config(node=5, group=210, band_mhz=433))),
        ("[RF12demo.12+hearth.1] ^ i30 g212 @ 868 MHz",
         Banner(firmware="RF12demo", version="12", hearth="1", config=Config(node=30, group=212, band_mhz=868))),
        ("DF I 12 34", Text(text="DF I 12 34")),
        ("868.0000 MHz", Text(text="868.0000 MHz")),
        ("New Node 5", Text(text="New Node 5")),
        ("?", Text(text="?")),
        ('{"nodeid": 3}', Text(text='{"nodeid": 3}')),
        ("# hearth 1 fw=1.0 radio=rfm12b reset=2 queue=4",
         Ready(protocol=1, firmware="1.0", radio="rfm12b", reset=2, queue=4)),
        ("# hearth 2 new=word", Ready(protocol=2)),
        ("Q 7", Queued(tag=7)),
        ("ACK 7 2 1", Delivered(tag=7, node=2, tries=1)),
        ("ACK 255 30 8 241 2 0 0", Delivered(tag=255, node=30, tries=8, ack=b"\xf1\2\0\0")),
        ("NAK 7 2 8", Undelivered(tag=7, node=2, tries=8)),
        ("SENT 0", Sent(tag=0)),
        ("BAD 7 full", Rejected(tag=7, reason="full")),
        ("! radio restarted silent", Notice(text="radio restarted silent")),
    ],
)  # fmt: skip
def test_one_line(line: str, value: Line) -> None:
    """Every line a gateway is known to say, of RF12demo v8 to v12, JeeLink, RFM2Pi, RFM69Pi, emonPi and ours."""
    assert [value] == said(f"{line}\r\n".encode())


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"OK 256", Fault.PACKET),
        (b"OK 5 999", Fault.PACKET),
        (b"OK 5 1 2x", Fault.PACKET),
        (b"OK", Fault.PACKET),
        (b"OKX 2", Fault.PACKET),
        (b"OK G300 5 1", Fault.PACKET),
        (b"OK" + b" 1" * 68, Fault.PACKET),
        (b"ACK 1 2 3 256", Fault.PACKET),
        (b"OK 5 \xff", Fault.GARBAGE),
        (b"\0OK 5", Fault.GARBAGE),
        (b"\x1b[2J", Fault.GARBAGE),
        (b"x" * (LONGEST + 1), Fault.OVERLONG),
    ],
)
def test_a_line_that_is_dropped(line: bytes, fault: Fault) -> None:
    """It is told with the reason, counted, and the next line is read."""
    reader = Lines()
    values = reader.feed(line + b"\nOK 5\n")

    assert [fault, b""] == [
        value.fault if isinstance(value, Broken) else getattr(value, "payload", 0) for value in values
    ]
    assert 1 == reader.broken


def test_the_longest_lines_pass() -> None:
    """66 bytes in decimal, with number and check, and the echo of such a command, are no overlong lines."""
    numbers = " ".join(["255"] * 66)
    packet, echo = said(
        hearth(f"OK G255 255 {numbers} (-100)", 0) + hearth(f"> {numbers.replace(' ', ',')},255,255,255u", 1)
    )

    assert isinstance(packet, Heard)
    assert bytes([255] * 66) == packet.payload
    assert isinstance(echo, Echo)


def test_a_line_without_end_is_bounded() -> None:
    """Noise that never ends a line costs no memory, and is told once."""
    reader = Lines()
    values = [value for _ in range(1000) for value in reader.feed(b"\x55" * 1000)]

    assert [Fault.OVERLONG] == [value.fault for value in values if isinstance(value, Broken)]
    assert LONGEST + 1 >= len(reader._line)


def test_hearth_mode_counts_what_is_missing() -> None:
    """A gap in the numbers, also over the wrap, is told before the line that shows it."""
    reader = Lines()
    lines = [hearth("Q 1", 254), hearth("Q 2", 255), hearth("Q 3", 0), hearth("Q 4", 3)]
    values = reader.feed(b"".join(lines))

    assert [Queued(tag=1), Queued(tag=2), Queued(tag=3), Missing(count=2), Queued(tag=4)] == values
    assert (True, 2, 0) == (reader.hearth, reader.missing, reader.broken)


def test_a_wrong_check_is_dropped_and_not_missing_too() -> None:
    """A damaged line counts as broken; its number is not counted as lost a second time."""
    reader = Lines()
    values = reader.feed(hearth("Q 1", 1) + hearth("Q 2", 2, flip=1) + hearth("Q 3", 3))

    assert [Queued, Broken, Queued] == [type(value) for value in values]
    assert (0, 1) == (reader.missing, reader.broken)


def test_a_damaged_tail_is_not_believed() -> None:
    """In hearth mode a line without a check is no packet, although it reads as one."""
    values = said(hearth("Q 1", 1) + b"OK 5 1\r\n" + hearth("Q 3", 3))

    assert [Queued(tag=1), Broken(fault=Fault.UNCHECKED, text="OK 5 1"), Queued(tag=3)] == values


def test_a_reset_ends_hearth_mode() -> None:
    """The banner ends it, in the midst of a line as well; numbers begin anew with the next answer to `1h`."""
    reader = Lines()
    values = reader.feed(hearth("Q 1", 9) + b"OK 37 16\r\n[RF12demo.12+hearth.1] ^ i30 g212 @ 868 MHz\r\n")
    again = reader.feed(b"OK 5 1\r\n" + hearth("# hearth 1 fw=1.0", 0) + hearth("Q 2", 1))

    assert [Queued, Broken, Banner] == [type(value) for value in values]
    assert [Heard, Ready, Queued] == [type(value) for value in again]
    assert 0 == reader.missing


@pytest.mark.parametrize("last", [b"# hearth 0\r\n", hearth("# hearth 0", 2)])
def test_the_answer_to_0h_ends_hearth_mode(last: bytes) -> None:
    """After it lines carry no checks, and the first is read."""
    values = said(hearth("Q 1", 1) + last + b"OK 5 1\r\n")

    assert [Queued(tag=1), Ready(protocol=0)] == values[:2]
    assert [Heard] == [type(value) for value in values[2:]]


def test_hearth_mode_ends_where_no_line_has_a_check() -> None:
    """A gateway that was exchanged for a stock one is understood after a few lines, though no banner was seen."""
    values = said(hearth("Q 1", 1) + b"OK 5 1\r\n" * 4)

    assert [Queued, Broken, Broken, Heard, Heard] == [type(value) for value in values]


LINES = st.one_of(
    st.sampled_from([line + b"\n" for line in V12.split(b"\n")]),
    st.builds(hearth, st.sampled_from(["Q 1", "OK 37 1 2", " -> ack", "# hearth 1"]), st.integers(0, 255)),
    st.binary(max_size=40),
    st.just(b"z" * (LONGEST - 1)),
)


@given(st.lists(LINES, max_size=12), st.data())
def test_bytes_may_be_cut_anywhere(lines: list[bytes], data: st.DataObject) -> None:
    """However a stream is cut into chunks, its values and its counts are the same."""
    stream = b"".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    whole, cut = Lines(), Lines()
    expected = whole.feed(stream)
    found = [value for start, end in pairwise([0, *cuts, len(stream)]) for value in cut.feed(stream[start:end])]

    assert expected == found
    assert (whole.missing, whole.broken, whole.hearth) == (cut.missing, cut.broken, cut.hearth)


@given(st.binary(max_size=600))
def test_any_bytes_are_survived(data: bytes) -> None:
    """Noise never raises, and what comes after the end of its line is understood."""
    reader = Lines()
    reader.feed(data + b"\n")

    assert isinstance(reader.feed(b"[RF12demo.12]\n")[-1], Banner)


@given(st.binary(max_size=66), st.integers(0, 255), st.integers(0, 255), st.booleans())
def test_every_packet_is_heard(payload: bytes, head: int, group: int, in_hex: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    """Whatever header, group and payload a gateway prints, in decimal or hex, is what comes back."""
    numbers = bytes([head]) + payload
    line = f"OKX G{group:02X} {numbers.hex().upper()}" if in_hex else f"OK G{group} {' '.join(map(str, numbers))}"

    assert [Heard(header=header(head), payload=payload, group=group)] == said(f"{line}\n".encode())


@given(st.integers(0, 255), st.integers(1, 6))
def test_any_damage_of_one_byte_is_seen(where: int, by: int) -> None:
    """In hearth mode a line with one wrong byte is never taken for what it was not."""
    good = hearth("OK 37 49 5 9 1 0 2 128 12 0", 31)
    at = where % (len(good) - 2)
    bad = good[:at] + bytes([good[at] ^ by]) + good[at + 1 :]
    values = Lines().feed(hearth("Q 1", 30) + bad)[1:]

    assert not any(isinstance(value, Heard) for value in values)
