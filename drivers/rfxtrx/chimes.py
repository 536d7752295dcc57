"""Door bells: type 0x16. Knows their packets; no bus, no stick.

A frame has 8 bytes, or 9 since firmware 1045; the signal is in the last. Sources: layouts as node-rfxcom 2.6.2 and
pyRFXtrx 0.34 have them; where node-rfxcom's reading and sending differ (Byron BY's id), as it sends.
"""

from typing import Annotated, Any, ClassVar, Final

from drivers.bits import Bits, CodecError, Reason
from drivers.rfxtrx.addresses import Identity, Jumpers
from drivers.rfxtrx.kinds import U8, Absent, Id16, Id24, Id32, Rssi, Spare4
from drivers.rfxtrx.packet import NO_SIGNAL, Packet, Variant

_SOUNDED: Final = (
    Variant(0x00, "BYRON SX", "Byron SX", sends=True,
            fields={"id": Identity(width=16, high=0xFF), "sound": Bits(width=8, high=15)}),
    Variant(0x01, "BYRON MP001", "Byron MP001", sends=True,
            fields={"id": Jumpers(width=16, high=0x3F, places=(14, 12, 10, 8, 6, 4), fill=0x0F),
                    "sound": Absent(width=8, fill=0x54)}),
)  # fmt: skip
TUNES: Final = {
    1: "tubular_3_notes", 2: "solo", 3: "big_ben", 5: "tubular_2_notes", 6: "tubular_2_notes", 9: "solo",
    13: "tubular_3_notes", 14: "big_ben",
}  # fmt: skip
"""What a Byron SX plays; each twice, for two buttons."""
_QH_A19: Final = "QH A19"
_BYRON_DBY: Final = "BYRON DBY"
_NUMBERED: Final = (
    Variant(0x02, "SELECT PLUS", "Select Plus", sends=True, fields={"id": Identity(width=24, high=0x3FFFF)}),
    Variant(0x04, "ENVIVO", "Envivo", sends=True),
    Variant(0x05, "ALFAWISE", "Alfawise", sends=True),
    Variant(0x08, "FRIEDLAND", "Friedland, which RFXCOM has reserved a number for"),
)
_BY: Final = (Variant(0x03, "BYRON BY", "Byron BY, Select Plus 3", sends=True),)
_OfBy = Annotated[int, Identity(width=17)]
_SoundOfBy = Annotated[int, Bits(width=7, high=7)]


class _Sounded(Packet, kind=0x16, name="chime"):
    """What tells the tune of a sound."""

    told: ClassVar[frozenset[str]] = frozenset({"tune"})

    def tells(self) -> dict[str, Any]:
        """Return the tune, where the sound is known for one."""
        sound = vars(self)["sound"]
        return {"tune": TUNES[sound]} if sound in TUNES else {}


class ChimeSound(_Sounded, kind=0x16, name="chime"):
    """Byron SX: a bell that is told what to play. Byron MP001: one whose id is six jumpers.

    07 16 ss nn  ii ii  ss  r.      i id: SX one byte · s sound 0..15, see `TUNES` · r signal

    MP001's id has a binary digit for each jumper, the first the highest; a jumper that is 1 is a 0 on the wire.
    """

    id: Id16
    sound: U8
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = _SOUNDED


class ChimeSoundLong(_Sounded, kind=0x16, name="chime"):
    """08 16 ss nn  ii ii  ss  xx  r.      as `ChimeSound`, and x, a byte of id that these do not use."""

    id: Id16
    sound: U8
    id_4: U8 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = _SOUNDED


class ChimeNumber(Packet, kind=0x16, name="chime"):
    """Bells that just ring; those of `ChimeLong` too, as an old firmware tells them.

    07 16 ss nn  ii ii ii  rx      i id · r signal · x zero, or more of the id
    """

    id: Id24
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (*_NUMBERED, Variant(0x06, _QH_A19), Variant(0x07, _BYRON_DBY))


class ChimeNumberLong(Packet, kind=0x16, name="chime"):
    """08 16 ss nn  ii ii ii  xx  r.      as `ChimeNumber`, and x, a byte of id that these do not use."""

    id: Id24
    id_4: U8 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = _NUMBERED


class ChimeBy(Packet, kind=0x16, name="chime"):
    """07 16 03 nn  ii ii is  r.      i id, 17 bits · s sound, 7 bits: 0..7 · r signal."""

    id: _OfBy
    sound: _SoundOfBy
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = _BY


class ChimeByLong(Packet, kind=0x16, name="chime"):
    """08 16 03 nn  ii ii is  xx  r.      as `ChimeBy`, and x, a byte of id that these do not use."""

    id: _OfBy
    sound: _SoundOfBy
    id_4: U8 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = _BY


class ChimeLong(Packet, kind=0x16, name="chime"):
    """08 16 ss nn  ii ii ii ii  r.      i id, an A19's last byte 0..3 · r signal."""

    id: Id32
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (
        Variant(0x06, _QH_A19, "Quhwa A19", sends=True),
        Variant(0x07, _BYRON_DBY, "Byron DBY", sends=True),
    )

    def check(self) -> None:
        """Refuse an id that an A19 cannot have."""
        if self.subtype == 0x06 and type(self.id) is int and self.id & 0xFF > 3:
            raise CodecError(
                Reason.VALUE, f"{self.name}: an id of {_QH_A19} ends in 00 to 03, not {self.id & 0xFF:02X}"
            )


PACKETS: Final = (ChimeSound, ChimeLong, ChimeNumber, ChimeBy, ChimeSoundLong, ChimeNumberLong, ChimeByLong)
