"""The gateway as the host meets it: RF12demo's lines and commands, and hearth mode where it is one of ours.

Bytes in by `write`, bytes out by `read`; an `Ether` gives it time. What a real gateway says is in docs of the firmware;
here stands as much of it as a house needs: sending, acks, results, the queue, numbers and checks.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.rf12.air import MOST_DATA, Header, crc8

if TYPE_CHECKING:
    from services.jeenode.twin.ether import Ether

TRIES: Final = 8
ACK_WINDOW_S: Final = 0.020
BACK_OFF_S: Final = (0.010, 0.080)
QUEUE: Final = 4
BOOT_S: Final = 0.1
"""Seconds from a reset to the first byte."""
_LONGEST: Final = 300
_HELP: Final = "Available commands: i b g c o q x v s a"


@dataclass
class _Packet:
    """A packet that waits to be sent, or flies."""

    payload: bytes
    node: int
    tag: int
    ack: bool
    tries: int = 0


class Board:
    """A gateway.

    Args:
        ether: where it lives.
        stock: be an RF12demo as JeeLabs left it, which knows no hearth mode.
        node: its id.
        group: what it says its net group is; an ether is one group.
    """

    def __init__(self, ether: Ether, *, stock: bool = False, node: int = 30, group: int = 212) -> None:
        self.ether = ether
        self.stock = stock
        self.node = node
        self.group = group
        self.on = False
        self.boot_s = BOOT_S
        self.collect = False
        """Whether it leaves acks to others; kept over resets, as in EEPROM."""
        self.said = 0
        """Lines since it started."""
        self._swallow = False
        self._boots = 0
        self._out = bytearray()
        self._text = ""
        self._number = 0
        self._hearth = False
        self._queue: deque[_Packet] = deque()
        ether.stations.append(self)

    def boot(self) -> None:
        """Reset: everything it held is gone, and it introduces itself."""
        self.on = True
        self._boots += 1
        self.said = 0
        self._hearth = False
        self._number = 0
        self._text = ""
        self._queue.clear()
        boots = self._boots
        self.ether.after(self.boot_s, lambda: self._greet() if boots == self._boots else None)

    def read(self) -> bytes:
        """Return what it has said since the last time."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def write(self, data: bytes) -> None:
        """Take what the host says."""
        for byte in data if self.on else b"":
            char = chr(byte)
            if char.isdigit() or char == ",":
                self._text = (self._text + char)[-_LONGEST:]
            elif char > " ":
                text, self._text = self._text, ""
                self._command(char, text)
            else:
                self._text = ""

    def hear(self, header: Header, payload: bytes) -> None:
        """Take a packet off the air: an ack for what flies, or news for the host."""
        if not self.on or (header.dst and header.node != self.node):
            return
        if header.ctl and self._hearth and self._queue and header.node == self._queue[0].node:
            packet = self._queue[0]
            if len(payload) < 3 or payload[2] == packet.payload[2:3][0]:
                self._settle(" ".join(map(str, ("ACK", packet.tag, packet.node, packet.tries, *payload))))
            return
        self.say(" ".join(map(str, ("OK", header.byte, *payload))))
        if header.ack and not header.ctl and not self.collect:
            answer = bytes([0xF1, self.node, payload[2], 0]) if not self.stock and len(payload) > 2 else b""
            self.ether.send(self, header.reply(), answer)
            self.say(" -> ack")

    def say(self, text: str) -> None:
        """Print a line."""
        if self._hearth:
            text = f"{text} #{self._number:02X}"
            text = f"{text}*{crc8(text.encode()):02X}"
            self._number = (self._number + 1) & 0xFF
        self.said += 1
        if not self._swallow:
            self._out += f"{text}\r\n".encode()
        self._swallow = False

    def garble(self, data: bytes) -> None:
        """Put noise on the line."""
        self._out += data

    def swallow(self) -> None:
        """Lose the next line on its way to the host."""
        self._swallow = True

    @property
    def busy(self) -> int:
        """How many packets it holds."""
        return len(self._queue)

    def _greet(self) -> None:
        self.say("")
        self.say(f"[RF12demo.12{'' if self.stock else '+hearth.1'}] {self._config()}")
        self.say(_HELP)

    def _config(self) -> str:
        letter = chr(64 + self.node) if self.node < 27 else "_"
        star, option = ("*", " c1") if self.collect else ("", "")
        return f"{letter} i{self.node}{star} g{self.group} @ 868 MHz{option}"

    def _command(self, letter: str, text: str) -> None:
        numbers = [int(word) & 0xFFFF for word in text.split(",") if word]
        if letter == "v":
            self._greet()
        elif letter == "c":
            self.collect = numbers == [1]
            self.say(f" {self._config()}")
        elif letter == "h" and not self.stock:
            self._hearth = numbers == [1]
            if self._hearth:
                self.say(f"# hearth 1 fw=1.0 radio=twin reset=1 queue={QUEUE}")
        elif letter in "sa" and numbers and max(numbers) <= 255:
            self._send_plain(bytes(numbers[:-1]), numbers[-1], ack=letter == "a", text=f"{text}{letter}")
        elif letter in "un" and self._hearth and len(numbers) > 2:
            self._send_tagged(numbers, ack=letter == "u")
        else:
            self.say(_HELP)

    def _send_plain(self, payload: bytes, node: int, *, ack: bool, text: str) -> None:
        self.say(f"> {text}")
        header = Header(dst=node != 0, ack=ack, node=node or self.node)
        self.ether.send(self, header, payload[:MOST_DATA])
        self.say(f" -> {len(payload)} b")

    def _send_tagged(self, numbers: list[int], *, ack: bool) -> None:
        *data, node, tag, check = numbers
        reason = self._refusal(data, node, tag, check)
        if reason:
            self.say(f"BAD {tag} {reason}")
            return
        self.say(f"Q {tag}")
        self._queue.append(_Packet(bytes(data), node, tag, ack and node != 0))
        if len(self._queue) == 1:
            self._fly(self._queue[0])

    def _refusal(self, data: list[int], node: int, tag: int, check: int) -> str:
        if max(*data, node, tag) > 255 or check != crc8(bytes([*data, node, tag])):
            return "check"
        if len(data) > MOST_DATA:
            return "length"
        return "dest" if node > 31 else "full" if len(self._queue) >= QUEUE else ""

    def _fly(self, packet: _Packet) -> None:
        if not self._queue or self._queue[0] is not packet:
            return
        if packet.tries == TRIES:
            self._settle(f"NAK {packet.tag} {packet.node} {packet.tries}")
            return
        packet.tries += 1
        header = Header(dst=packet.node != 0, ack=packet.ack, node=packet.node or self.node)
        heard_in = self.ether.send(self, header, packet.payload)
        if not packet.ack:
            self.ether.after(heard_in, lambda: self._settle(f"SENT {packet.tag}"))
            return
        back_off = self.ether.chance.uniform(*BACK_OFF_S) * packet.tries
        self.ether.after(heard_in + ACK_WINDOW_S + back_off, lambda: self._fly(packet))

    def _settle(self, line: str) -> None:
        """Say what became of the packet in flight, and go on with the next."""
        if self._queue:
            self.say(line)
            self._queue.popleft()
        if self._queue:
            self._fly(self._queue[0])
