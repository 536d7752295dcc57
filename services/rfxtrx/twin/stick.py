"""A simulated RFXtrx433: what its firmware does with bytes from the host and with packets from the air.

    power ─▶ boot loader ──a byte in it: stays, says zeros──▶ firmware: deaf until told to receive
    firmware ◀─ reset, status, set mode, save, start; frames to transmit, each answered when it has been on the air

Pure: bytes in, bytes out, its time counts from 0; what is wrong with it is in `faults`. Nothing in it is measured.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, Final

from drivers.bits import CodecError
from drivers.rfxtrx import modes
from drivers.rfxtrx.codec import decode
from drivers.rfxtrx.interface import RECEIVERS, Greeting, Response, Status, StatusShort

if TYPE_CHECKING:
    from random import Random

    from drivers.rfxtrx.packet import Packet

BUFFER: Final = 400
"""Bytes from the host it holds; what does not fit is lost without a word."""
ZEROS_S: Final = 0.05
BURST: Final = 23
LETTERS_S: Final = 0.002
"""How far apart its bytes are when it stutters."""
GAP_S: Final = 0.2
"""After such a pause the host's half frame is forgotten."""
HOUR_S: Final = 3600.0


class Fault(Enum):
    """What can be wrong with it; several can at once."""

    DEAF = "deaf"
    """It answers, and hears nothing."""
    HUNG = "hung"
    """It says nothing at all, until its plug is pulled."""
    NO_ACK = "no_ack"
    """Its answers to transmissions are lost; the packets are not."""
    NAK = "nak"
    DELAYED = "delayed"
    """The channel is busy: it answers three seconds later, and says so."""
    OTHER_NUMBER = "other_number"
    """Its answers count for themselves."""
    STUTTER = "stutter"
    """Its bytes come one at a time."""
    GARBAGE = "garbage"
    """Its bytes come with others between the frames."""
    NO_GREETING = "no_greeting"
    """It receives when it is told to, and does not say so."""


class SimulatedStick:
    """One stick.

    Args:
        chance: makes garbage.
        boot_s: how long its boot loader waits for a byte.
        loader_s: how long it stays there after the last one.
        answer_s: how long it takes to answer a command.
        air_s: how long a packet is on the air.
        version: of its firmware; below 1000 it gives the short status.
        old: whether it does not know the command to receive, and always does.
    """

    def __init__(
        self,
        chance: Random,
        *,
        boot_s: float = 0.0,
        loader_s: float = 5.0,
        answer_s: float = 0.01,
        air_s: float = 0.1,
        version: int = 1043,
        old: bool = False,
    ) -> None:
        self.faults: set[Fault] = set()
        self.answer_s, self.air_s, self.boot_s = answer_s, air_s, boot_s
        self.mask: modes.Mask = (0, 0, 0, 0, 0)
        self.saved: modes.Mask = modes.mask(("ac", "arc", "x10", "oregon", "homeeasy_eu"), RECEIVERS[0x53])
        """What its own memory has; how often it was written is in `wear`."""
        self.code, self.power_code = 0x53, 0x1C
        self.remotes: set[int] = set()
        """Ids of the RFY remotes it knows."""
        self.receives = False
        self.sent: deque[bytes] = deque(maxlen=1000)
        """What it has transmitted, the last last."""
        self.wear = self.resets = self.heard = self.said = self.lost = 0
        self.on_air: deque[float] = deque(maxlen=10000)
        self.now = 0.0
        self._chance, self._loader_s, self._version, self._old = chance, loader_s, version, old
        self._boots_until = self._loader_until = -1.0
        self._zeros_at = 0.0
        self._in = bytearray()
        self._in_at = 0.0
        self._busy_until = 0.0
        self._number = 0
        self._later: list[tuple[float, int, bytes]] = []
        self._out = bytearray()
        self._next_letter = 0.0
        self.power()

    @property
    def protocols(self) -> frozenset[str]:
        """Which are on."""
        return modes.names(self.mask, RECEIVERS[self.code])

    @property
    def duty(self) -> float:
        """Part of the last hour that it was transmitting, 0..1."""
        while self.on_air and self.on_air[0] < self.now - HOUR_S:
            self.on_air.popleft()
        return len(self.on_air) * self.air_s / HOUR_S

    def opened(self) -> None:
        """Somebody has opened its port: no line of that resets it."""

    def power(self) -> None:
        """It gets power: its plug is put in."""
        self._boots_until = self.now + self.boot_s
        self._loader_until = -1.0
        self.faults.discard(Fault.HUNG)
        self._restart()

    def run(self, until: float) -> None:
        """Let time pass up to `until`, seconds."""
        self.now = max(self.now, until)
        self._later.sort()
        while self._later and self._later[0][0] <= self.now:
            self._say(self._later.pop(0)[2])
        while self._loader_until > self._zeros_at and self._zeros_at <= self.now:
            self._zeros_at += ZEROS_S
            self._say(bytes(BURST))

    def due(self) -> float | None:
        """Return when it has something to do next."""
        times = [each[0] for each in self._later]
        if self._loader_until > self._zeros_at:
            times.append(self._zeros_at)
        if self._out and Fault.STUTTER in self.faults:
            times.append(self._next_letter)
        return min(times, default=None)

    def write(self, data: bytes) -> None:
        """Take what the host has written."""
        if self.now < max(self._boots_until, self._loader_until):
            if self.now >= self._loader_until:
                self._zeros_at = self.now
            self._loader_until = self.now + self._loader_s
            return
        if self.now > self._in_at + GAP_S:
            self._in.clear()
        self._in_at = self.now
        self.lost += max(0, len(self._in) + len(data) - BUFFER)
        self._in = (self._in + data)[:BUFFER]
        while self._in:
            size = self._in[0] + 1
            if size <= 4:
                del self._in[0]
                continue
            if len(self._in) < size:
                break
            frame = bytes(self._in[:size])
            del self._in[:size]
            self._command(frame) if frame[1] == 0x00 else self._transmit(frame)

    def read(self) -> bytes:
        """Return what it has said since the last time."""
        if Fault.STUTTER in self.faults and self._out:
            if self.now < self._next_letter:
                return b""
            self._next_letter = self.now + LETTERS_S
            data = bytes(self._out[:1])
        else:
            data = bytes(self._out)
        del self._out[: len(data)]
        return data

    def hear(self, frame: bytes, protocol: str = "") -> bool:
        """Take a packet from the air; return whether it was heard. Without a protocol the modes do not matter."""
        if not self.receives or Fault.DEAF in self.faults or (protocol and protocol not in self.protocols):
            return False
        self.heard += 1
        self._say(frame[:3] + bytes((self._count(),)) + frame[4:])
        return True

    def inject(self, data: bytes) -> None:
        """Say bytes as they are."""
        self._out += data

    def forget(self) -> None:
        """Lose power for a moment: its modes are those saved again, and it does not receive."""
        self._restart()
        self.receives = self._old

    def packets(self) -> list[Packet]:
        """Return what it has transmitted, decoded; what does not decode is left out."""
        found = []
        for frame in self.sent:
            try:
                found.append(decode(frame))
            except CodecError:
                continue
        return found

    def _restart(self) -> None:
        self.mask, self.receives = self.saved, self._old
        self._in.clear()
        self._later.clear()
        self._out.clear()
        self._busy_until = 0.0

    def _command(self, frame: bytes) -> None:
        command = frame[4]
        if command == 0:
            self.resets += 1
            self._restart()
        elif command == 3:
            self.code, self.power_code = frame[5], frame[6]
            self.mask = (frame[7], frame[8], frame[9], frame[10], 0)
        elif command == 6:
            self.wear += 1
            undecoded = 0x80
            self.saved = (self.mask[0] & ~undecoded, *self.mask[1:])
        elif command == 7 and not self._old:
            self.receives = True
            if Fault.NO_GREETING in self.faults:
                return
            self._after(self.answer_s, Greeting(subtype=7, sequence=self._count()).encode())
            return
        elif command != 2:
            self._after(self.answer_s, bytes((0x14, 1, 0xFF, self._count())) + bytes(17))
            return
        if command:
            self._after(self.answer_s, self._status(command))

    def _status(self, command: int) -> bytes:
        names = {2: "status", 3: "set_mode", 6: "save_modes"}
        common = {
            "command": names[command], "receiver": RECEIVERS.get(self.code, f"unknown_{self.code}"),
            "power_dbm": self.power_code - 18 if self.power_code else None, "subtype": 0,
            "hardware_major": 1, "hardware_minor": 2,
            "msg3": self.mask[0], "msg4": self.mask[1], "msg5": self.mask[2], "msg6": self.mask[3],
            "sequence": self._count(), "firmware_byte": self._version % 1000,
        }  # fmt: skip
        if self._version < 1000:
            return StatusShort.made(common).encode()
        return Status.made(common | {"firmware_type": "ext"}).encode()

    def _transmit(self, frame: bytes) -> None:
        delayed = Fault.DELAYED in self.faults
        begins = max(self.now, self._busy_until) + (3.0 if delayed else 0.0)
        self._busy_until = begins + self.air_s
        number = self._count() if Fault.OTHER_NUMBER in self.faults else frame[3]
        in_s = self._busy_until - self.now
        if frame[1] == 0x1A and frame[8:9] == b"\x06":
            for index, remote in enumerate(sorted(self.remotes)):
                entry = bytes((0x14, 1, 0x03, self._count(), 0, index, *remote.to_bytes(3, "big"), 0, 1, 0, index))
                self._after(in_s + 0.25 * index, entry + bytes(8))
            return
        if frame[1] == 0x1A and int.from_bytes(frame[4:7], "big") not in self.remotes and frame[8:9] != b"\x07":
            self._after(in_s, bytes((0x14, 1, 0x01, number)) + bytes(17))
            return
        if frame[1] == 0x1A:
            self.remotes.add(int.from_bytes(frame[4:7], "big"))
        response = "ack_delayed" if delayed else "ack"
        if Fault.NAK in self.faults:
            response = "nak_no_lock"
        elif frame[1] == 0x11 and not int.from_bytes(frame[4:8], "big") & 0x3FFFFFF:
            response = "nak_ac_id_zero"
        else:
            self.sent.append(frame)
            self.on_air.append(self._busy_until)
        if Fault.NO_ACK not in self.faults:
            self._after(in_s, Response(response=response, subtype=1, sequence=number).encode())

    def _after(self, seconds: float, data: bytes) -> None:
        self._later.append((self.now + seconds, len(self._later), data))

    def _say(self, data: bytes) -> None:
        if Fault.HUNG in self.faults:
            return
        if Fault.GARBAGE in self.faults:
            self._out += self._chance.randbytes(self._chance.randrange(1, 9))
        self._out += data
        self.said += len(data)

    def _count(self) -> int:
        self._number = (self._number + 1) & 0xFF
        return self._number
