"""What a gateway can be told: numbers with commas, then one letter. Every command, in two tables.

The bytes end in a newline, which a gateway passes over, so that a command is never joined with what follows. After a
setting a stock gateway writes its EEPROM for 50 ms and hears nothing: wait for `Config` before the next one. It holds
one packet to send; wait for `Sending`. A gateway of ours queues, checks, and tells what became of each packet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drivers.bits import CodecError, Reason
from drivers.rf12.air import MOST_DATA, crc8

BYTE: Final = range(256)
_NODE: Final = range(32)


@dataclass(frozen=True)
class Command:
    """A command: its letter, what its numbers may be, what it does, and whether payload bytes stand beside them."""

    letter: str
    numbers: tuple[tuple[str, range], ...]
    does: str
    data: bool = False


def _bytes(*names: str) -> tuple[tuple[str, range], ...]:
    return tuple((name, BYTE) for name in names)


STOCK: Final = {
    command.letter: command
    for command in (
        Command("i", (("node", range(1, 32)),), "set the gateway's node id"),
        Command("b", (("band", range(4, 10)),), "set the band: 4, 8, 9 for 433, 868, 915 MHz; the offset becomes 1600"),
        Command("o", (("offset", range(96, 3904)),), "set the frequency within the band"),
        Command("g", (("group", BYTE),), "set the net group; 0 is any"),
        Command("c", (("on", range(2)),), "collect: leave packets that want an ack without one"),
        Command("q", (("on", range(2)),), "quiet: keep packets with a wrong CRC to itself"),
        Command("x", (("format", range(3)),), "show packets in decimal, in hex, in hex and ASCII"),
        Command("l", (("on", range(2)),), "switch the activity LED"),
        Command("v", (), "say version and settings"),
        Command("t", (), "send 66 bytes of test to all, ask for an ack"),
        Command("s", (("node", _NODE),), "send to a node, 0 is all", data=True),
        Command("a", (("node", _NODE),), "send to a node and ask for an ack", data=True),
        Command(">", (("band", range(4, 10)), ("group", BYTE), ("node", _NODE), ("header", BYTE)),
                "send once to another band and group; the header comes as it is", data=True),
        Command("z", (("sure", range(123, 124)),), "sleep until reset"),
        Command("f", _bytes("house1", "house0", "address", "command"), "FS20, 868 MHz"),
        Command("k", (("address", range(1, 17)), ("device", range(1, 5)), ("on", range(2))), "KlikAanKlikUit, 433 MHz"),
        Command("d", (), "list the marks in a JeeLink's flash log"),
        Command("r", _bytes("s1", "s0", "t3", "t2", "t1", "t0"), "replay a JeeLink's flash log"),
        Command("e", (("sure", range(123, 124)), ("high", BYTE), ("low", BYTE)), "erase 4 KB of a JeeLink's flash log"),
        Command("w", (("sure", range(12, 13)), ("sure", range(34, 35))), "wipe a JeeLink's flash log"),
    )
}  # fmt: skip
"""What RF12demo v12 knows, and v8 and later but for v, o, x and q."""

HEARTH: Final = {
    command.letter: command
    for command in (
        Command("h", (("on", range(2)),), "hearth mode: numbers, checks and results in every line, until reset"),
        Command("u", (("node", _NODE), ("tag", BYTE), ("check", BYTE)), "send until acked, say the result", data=True),
        Command("n", (("node", _NODE), ("tag", BYTE), ("check", BYTE)), "send without ack, say when", data=True),
    )
}
"""What our own gateway knows beyond, in hearth mode."""


def command(letter: str, *numbers: int, data: bytes = b"") -> bytes:
    """Return the bytes of a command of either table.

    Raises:
        CodecError: there is no such command, or its numbers or its data are not what it takes.
    """
    known = STOCK.get(letter) or HEARTH.get(letter)
    if known is None:
        raise CodecError(Reason.KIND, f"no gateway knows the command {letter!r}")
    if len(numbers) != len(known.numbers):
        raise CodecError(Reason.VALUE, f"{letter} takes {len(known.numbers)} numbers, not {len(numbers)}")
    for (name, limits), number in zip(known.numbers, numbers, strict=True):
        if number not in limits or (name == "band" and number not in {4, 8, 9}):
            raise CodecError(Reason.VALUE, f"{letter}: {name} {number} is not from {limits[0]} to {limits[-1]}")
    if data and not known.data:
        raise CodecError(Reason.VALUE, f"{letter} takes no data")
    if len(data) > MOST_DATA:
        raise CodecError(Reason.LENGTH, f"a payload has at most {MOST_DATA} bytes, not {len(data)}")
    words = [*numbers, *data] if letter == ">" else [*data, *numbers]
    return f"{','.join(map(str, words))}{letter}\n".encode()


def send(payload: bytes, *, node: int = 0, ack: bool = False) -> bytes:
    """Return the command of any RF12demo that sends `payload` to a node, or to all.

    Raises:
        CodecError: a payload above 66 bytes, or no such node.
    """
    return command("a" if ack else "s", node, data=payload)


def send_hearth(payload: bytes, *, node: int, tag: int, ack: bool = True) -> bytes:
    """Return the command of a gateway in hearth mode that sends `payload`; its answers carry `tag`, 0..255.

    Raises:
        CodecError: a payload above 66 bytes, no such node, or no such tag.
    """
    check = crc8(payload + bytes([node & 0xFF, tag & 0xFF]))
    return command("u" if ack else "n", node, tag, check, data=payload)


def hearth_mode(*, on: bool = True) -> bytes:
    """Return the command that turns hearth mode on or off; a stock gateway answers it with its help."""
    return command("h", int(on))
