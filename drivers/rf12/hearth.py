"""The payloads of our own nodes: little-endian, fixed width, no bit fields, no floats.

    byte 0: type << 4 | version    byte 1: sender    byte 2: sequence, one more for each new packet; a retry keeps it

A class is a payload, a line a field. Knows neither radio nor gateway; which node a packet was for stands in the header.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Annotated, Final

from drivers.bits import Bits, CodecError, Reason
from drivers.fields import (
    CENTI,
    U8,
    U16,
    CentiI16OrNone,
    CentiU16OrNone,
    Flag8,
    Packet,
    U16OrNone,
    U16OrZero,
)
from drivers.rf12.air import crc16

VERSION: Final = 1
"""The version of all payloads here."""


class NodeKind(IntEnum):
    """What an announcing node is."""

    GATEWAY = 1
    LED = 2
    ROOM = 3
    ONEWIRE = 4


class Effect(IntEnum):
    """What a light does with its colour."""

    FADE = 0
    CANDLE = 1
    RAINBOW = 2
    BREATHE = 3


class Key(IntEnum):
    """A node's settings."""

    NODE = 1
    GROUP = 2
    BAND = 3
    REPORT_S = 4
    HOLD_S = 5
    OFFSET = 6


class AckCode(IntEnum):
    """What a node says to what it was sent."""

    DONE = 0
    UNKNOWN = 1
    BAD_VALUE = 2
    NOT_COMMITTED = 3


class Payload(Packet):
    """What all have in common: the sender's node id, and the sequence that tells a retry from a new packet."""

    sender: U8
    sequence: U8


class Announce(Payload, prefix=b"\x11"):
    """A node has started, until it is acked; after it a light says with every report what it is.

    11 ss qq  KK  mm MM  RR  SS  cc cc      K kind · m.M firmware minor, major · R reset cause (MCUSR) · S settings
                                            (1 copy A sound, 2 copy B sound, 4 defaults in use) · c their CRC-16
    """

    kind: U8
    firmware_minor: U8
    firmware_major: U8
    reset: U8
    settings: U8
    settings_crc: U16


class Room(Payload, prefix=b"\x21"):
    """What a room node measures, every few minutes.

    21 ss qq  MM  tt tt  hh hh  ll ll  bb bb  gg      M motion · t 0.01 degC · h 0.01 % · l 0..1023 · b mV
                                                      g acked packets given up since the start, wraps
    """

    motion: Flag8
    temperature: CentiI16OrNone
    humidity: CentiU16OrNone
    light: U16OrNone
    battery_mv: U16OrZero
    given_up: U8


class Motion(Payload, prefix=b"\x31"):
    """Somebody moves, or nobody has for the hold time; an ack is wanted.

    31 ss qq  MM  ll ll  bb bb  gg      M 1 began, 0 ended · l light · b mV · g given up, as in `Room`
    """

    motion: Flag8
    light: U16OrNone
    battery_mv: U16OrZero
    given_up: U8


class Temperature(Payload, prefix=b"\x41"):
    """One DS18B20.

    41 ss qq  ii  tt tt  bb bb      i which · t 0.01 degC · b mV
    """

    index: U8
    temperature: CentiI16OrNone
    battery_mv: U16OrZero


class Light(Payload, prefix=b"\x51"):
    """What a light shall show.

    51 ss qq  EE  rr gg bb  BB  ff ff      E effect · r g b colour · B brightness, 0 is off · f fade, 10 ms
    """

    effect: U8
    red: U8
    green: U8
    blue: U8
    brightness: U8
    fade_s: Annotated[float, Bits(width=16, scale=CENTI)]


class Set(Payload, prefix=b"\x61"):
    """One setting for a node to stage; nothing changes before `Commit`.

    61 ss qq  kk  vv vv      k key · v value
    """

    key: U8
    value: U16


class Commit(Payload, prefix=b"\x71"):
    """Make the staged settings the node's own, if their CRC-16 is this one.

    71 ss qq  cc cc
    """

    check: U16


class Ack(Payload, prefix=b"\xf1"):
    """The answer to a packet that wanted one; its sequence is the one answered.

    F1 ss qq  cc      c code
    """

    code: U8


class Settings(Packet, prefix=b"\x01"):
    """A node's settings as they lie in EEPROM before their CRC-16.

    01  ii gg bb  rr rr  hh hh  oo oo      i node · g group · b band 4, 8, 9 · r report, s · h hold, s · o offset
    """

    node: U8
    group: U8
    band: U8
    report_s: U16
    hold_s: U16
    offset: U16

    @property
    def check(self) -> int:
        """The CRC-16 that lies behind the block, stands in `Announce`, and that `Commit` must carry."""
        return crc16(self.encode())


BANDS: Final = {433: 4, 868: 8, 915: 9}
"""RF12's number of each band, by its MHz."""
LIMITS: Final[dict[str, Sequence[int]]] = {
    "node": range(1, 31),
    "group": range(1, 213),
    "band": tuple(BANDS.values()),
    "report_s": range(1, 65536),
    "hold_s": range(65536),
    "offset": range(96, 3904),
}
"""What a node takes for each of its settings; a gateway may also be node 31, or of group 0."""

AnyPayload = Announce | Room | Motion | Temperature | Light | Set | Commit | Ack
PAYLOADS: Final[tuple[type[AnyPayload], ...]] = (Announce, Room, Motion, Temperature, Light, Set, Commit, Ack)
"""Every payload of ours."""
_BY_FIRST: Final = {kind.layout.prefix[0]: kind for kind in PAYLOADS}
_BY_TYPE: Final = {kind.layout.prefix[0] >> 4: kind for kind in PAYLOADS}


def decode(data: bytes) -> AnyPayload:
    """Return the payload of `data`.

    Raises:
        CodecError: it is empty, of a type or version that is not known, or not what its type says.
    """
    if not data:
        raise CodecError(Reason.LENGTH, "the payload is empty")
    if kind := _BY_FIRST.get(data[0]):
        return kind.decode(data)
    if kind := _BY_TYPE.get(data[0] >> 4):
        name, version = kind.__name__.lower(), data[0] & 0x0F
        raise CodecError(Reason.KIND, f"{name} of version {version}; version {VERSION} is known")
    raise CodecError(Reason.KIND, f"type {data[0] >> 4} is none of ours")
