"""What the stick heard and could not decode: type 0x03. Knows which family it took it for; no bus, no stick."""

from typing import Final

from drivers.rfxtrx.kinds import Rest
from drivers.rfxtrx.packet import Packet, Variant

FAMILIES: Final = (
    "ac", "arc", "ati", "hideki/upm", "lacrosse/viking", "ad", "mertik", "oregon1", "oregon2", "oregon3", "proguard",
    "visonic", "nec", "fs20", "reserved", "blinds", "rubicson", "ae", "fineoffset", "rgb", "rts", "selectplus",
    "homeconfort", "edisio", "honeywell", "funkbus", "byronsx", "ddxxxx", "itho", "orcon",
)  # fmt: skip


class Undecoded(Packet, kind=0x03, name="undecoded", open=True):
    """Bits as received, up to 33 bytes; sent only while the protocol "undecoded" is enabled.

    .. 03 ff nn  bb bb bb ...      f family · b bits
    """

    payload: Rest

    variants = tuple(Variant(subtype, family) for subtype, family in enumerate(FAMILIES))


PACKETS: Final = (Undecoded,)
