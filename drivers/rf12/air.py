"""What flies: the classic RF12 packet, its header byte, its checks.

    AA AA AA AA AA 2D | group | header | length | payload 0..66 | check low, high

    header:  C D A n n n n n     C control (an ack), D the node is the destination, A an ack is wanted, n node

With D clear, the node is the sender and all are meant; with D set, the sender is not told. Knows no payload.
Source: the RF12 driver of JeeLib, protocol version 2.
"""

from dataclasses import dataclass

from drivers.bits import CodecError, Reason
from drivers.fields import U5, Flag, Packet

MOST_DATA = 66
"""Longest payload in bytes."""
EVERYBODY = 31
"""The node id that receives what is sent to any other."""
_BYTE_S = 8 / (10e6 / 29 / 7)
"""Seconds a byte takes: 10 MHz / 29 / (R + 1), R = 6."""
_START_S = 0.25e-3
"""Seconds the RFM12B's synthesiser needs before the first bit (data sheet)."""


class Header(Packet, byte_order="big"):
    """The header byte as a value."""

    ctl: Flag = False
    dst: Flag = False
    ack: Flag = False
    node: U5

    @property
    def byte(self) -> int:
        """The header byte, 0..255."""
        return self.encode()[0]

    @property
    def is_ack(self) -> bool:
        """Whether the packet acknowledges one; acks that ask for an ack have no meaning."""
        return self.ctl and not self.ack

    @property
    def sender(self) -> int | None:
        """The node that sent it, where the header says so."""
        return None if self.dst else self.node

    def reply(self) -> "Header":
        """Return the header of the ack to a packet with this one."""
        return Header(ctl=True, dst=not self.dst, node=self.node)


def header(byte: int) -> Header:
    """Return the header of a byte 0..255."""
    return Header.decode(bytes([byte]))


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One packet on the air, from its group on."""

    group: int
    header: int
    payload: bytes

    def encode(self) -> bytes:
        """Return the bytes from the group to the check.

        Raises:
            CodecError: a payload above 66 bytes, or a number that is no byte.
        """
        if len(self.payload) > MOST_DATA:
            raise CodecError(Reason.LENGTH, f"a payload has at most {MOST_DATA} bytes, not {len(self.payload)}")
        if not (0 <= self.group <= 255 and 0 <= self.header <= 255):
            raise CodecError(Reason.VALUE, f"group {self.group} or header {self.header} is no byte")
        start = bytes([self.group, self.header, len(self.payload)]) + self.payload
        return start + crc16(start).to_bytes(2, "little")

    @classmethod
    def decode(cls, data: bytes) -> "Frame":
        """Return the frame of `data`, which begins with the group and ends with the check.

        Raises:
            CodecError: the length or the check is wrong.
        """
        if len(data) < 5 or data[2] > MOST_DATA or len(data) != data[2] + 5:
            raise CodecError(Reason.LENGTH, f"{len(data)} bytes are no frame, or not the length it states")
        if crc16(data):
            raise CodecError(Reason.CHECK, "the frame's check is wrong")
        return cls(group=data[0], header=data[1], payload=data[3:-2])


def air_time(size: int) -> float:
    """Return the seconds a packet of `size` payload bytes keeps the air busy."""
    return (5 + 1 + 3 + size + 2) * _BYTE_S + _START_S  # preamble, sync, head, payload, check


def crc16(data: bytes) -> int:
    """Return the check of RF12 packets and settings blocks: polynomial 0xA001 reflected, from 0xFFFF."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def crc8(data: bytes) -> int:
    """Return the check of lines and commands in hearth mode: polynomial 0x07, from 0."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (0x07 if crc & 0x80 else 0)) & 0xFF
    return crc
