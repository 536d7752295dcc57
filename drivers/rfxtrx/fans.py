"""Fans and ventilation: types 0x17 and 0x1F. Knows their packets, ids and commands; no bus, no stick.

Sources: layouts as node-rfxcom and Domoticz have them; the newest two, Orcon and HRU 400, as Domoticz alone has them.
"""

from dataclasses import replace
from typing import Annotated, Final

from drivers.bits import CodecError, Reason
from drivers.rfxtrx.addresses import Gap, Identity, Split
from drivers.rfxtrx.kinds import Command, Id24, Kind, Rssi, Spare4, Tail
from drivers.rfxtrx.names import Choice
from drivers.rfxtrx.packet import NO_SIGNAL, Packet, Variant


def _commands(*names: str) -> Choice:
    """Return commands that are numbered from 1."""
    return Choice(width=8, names=dict(enumerate(names, start=1)))


BYTE_6: Final[dict[str, Kind]] = {
    "id": Split(width=24, gap=20, low_width=4, low=0), "spare_id": Gap(bits=20, at=4),
}  # fmt: skip
"""Four jumpers or switches, 0..15; what stands before them is noise."""
BYTES_5_6: Final[dict[str, Kind]] = {"id": Split(width=24, gap=8, low_width=16), "spare_id": Gap(bits=8, at=16)}
BYTES_4_6: Final = Identity(width=24, low=1)
SWITCHES: Final[dict[str, Kind]] = {
    "id": Split(width=24, gap=6, low_width=15, low=0), "spare_id": Gap(bits=6, at=15),
}  # fmt: skip
"""SEAV: see `seav`."""

SPEEDS: Final = _commands("hi", "med", "low", "off", "light")
ITHO_ECO: Final = replace(
    _commands(
        "low", "medium", "high", "timer_1", "timer_2", "timer_3", "standby", "full", "join", "leave", "temp", "co2",
        "battery",
    ),
    also={"away": 7, "newer_join": 8, "newer_leave": 9},
)  # fmt: skip
"""As node-rfxcom numbers them. Domoticz, with a newer description, has other names from 7 on: those are sent as
"away", "newer_join" and "newer_leave"; nothing tells which of the two a stick has."""
ORCON: Final = Choice(
    width=8,
    names={
        1: "low", 2: "medium", 3: "high", 4: "timer_1", 5: "timer_2", 6: "timer_3", 7: "auto", 8: "away", 9: "join",
        11: "state", 12: "temperature", 13: "co2", 14: "battery", 15: "filter", 16: "presence", 17: "speed",
        18: "status",
    },
    sends=frozenset({"low", "medium", "high", "timer_1", "timer_2", "timer_3", "auto", "away", "join"}),
)  # fmt: skip
"""From "state" on they are what the unit and its sensors tell, which nobody sends."""


class Fan(Packet, kind=0x17, name="fan"):
    """Remote controls of fans, cooker hoods and ventilation.

    08 17 ss nn  ii ii ii  cc  r.      i id, of which many have only the last byte or two · c command · r signal
    """

    id: Id24
    spare_id: Annotated[int, Gap(bits=0)] = 0
    command: Command
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (
        Variant(
            0x00, "SIEMENS SF01", "Siemens SF01", sends=True,
            fields={**BYTES_5_6, "command": _commands("timer", "minus", "learn", "plus", "confirm", "light")},
        ),
        Variant(
            0x01, "ITHO CVE RFT", "Itho CVE RFT", sends=True,
            fields={
                "id": BYTES_4_6,
                "command": _commands("1", "2", "3", "timer", "not_at_home", "learn", "erase_all_remotes"),
            },
        ),
        Variant(0x02, "LUCCI AIR", "Lucci Air", sends=True, fields={**BYTE_6, "command": SPEEDS}),
        Variant(
            0x03, "SEAV TXS4", "SEAV TXS4", sends=True,
            fields={**SWITCHES, "command": _commands("t1", "t2", "t3", "t4")},
        ),
        Variant(0x04, "WESTINGHOUSE 7226640", "Westinghouse 7226640", sends=True,
                fields={**BYTE_6, "command": SPEEDS}),
        Variant(
            0x05, "LUCCI AIR DC", "Lucci Air DC", sends=True,
            fields={
                **BYTE_6,
                "command": _commands(
                    "power", "plus", "minus", "light", "reverse", "natural_flow", "pair", "1", "2", "3", "4", "5", "6"
                ),
            },
        ),
        Variant(0x06, "CASAFAN", "CasaFan", sends=True, fields={**BYTE_6, "command": SPEEDS}),
        Variant(
            0x07, "FT1211R", "FT1211R", sends=True,
            fields={
                **BYTES_5_6,
                "command": _commands("power", "light", "1", "2", "3", "4", "5", "f_r", "1h", "4h", "8h"),
            },
        ),
        Variant(
            0x08, "FALMEC", "Falmec", sends=True,
            fields={
                **BYTE_6,
                "command": _commands(
                    "power_off", "speed_1", "speed_2", "speed_3", "speed_4",
                    "timer_1", "timer_2", "timer_3", "timer_4", "light_on", "light_off",
                ),
            },
        ),
        Variant(
            0x09, "LUCCI AIR DCII", "Lucci Air DC II", sends=True,
            fields={**BYTE_6, "command": _commands("off", "1", "2", "3", "4", "5", "6", "light", "reverse")},
        ),
        Variant(0x0A, "ITHO CVE ECO RFT", "Itho CVE ECO RFT", sends=True,
                fields={"id": BYTES_4_6, "command": ITHO_ECO}),
        Variant(
            0x0B, "NOVY", "Novy", sends=True,
            fields={
                **BYTE_6,
                "id": Split(width=24, gap=20, low_width=4, low=0, high=9),
                "command": _commands("power", "plus", "minus", "light", "learn", "reset_filter", "mood_mode"),
            },
        ),
        Variant(0x0C, "Orcon", "Orcon", sends=True, fields={"id": BYTES_4_6, "command": ORCON}),
        Variant(0x0D, "Itho CVE-S/HRU400", "Itho CVE-S, HRU 400", sends=True,
                fields={"id": BYTES_4_6, "command": ORCON}),
    )  # fmt: skip


class FanTells(Packet, kind=0x17, name="fan"):
    """What Orcon and HRU 400 units say to one another: whom it is meant for, and more.

    11 17 ss nn  ii ii ii  cc  r.  dd dd dd  xx xx xx ...      d id of the receiver · x 6 bytes (length 11) or
                                                               31 (length 2A) whose meaning is not known
    """

    id: Annotated[int, BYTES_4_6]
    command: Annotated[str, ORCON]
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0
    receiver_id: Id24
    payload: Annotated[bytes, Tail(most=31)] = bytes(6)

    variants = (
        Variant(0x0C, "Orcon", "Orcon", sends=True),
        Variant(0x0D, "Itho CVE-S/HRU400", "Itho CVE-S, HRU 400", sends=True),
    )


class HunterFan(Packet, kind=0x1F, name="hunter_fan"):
    """Ceiling fans of Hunter.

    0B 1F 00 nn  ii ii ii ii ii ii  cc  r.      i id, 48 bits · c command · r signal
    """

    id: Annotated[int, Identity(width=48, low=1)]
    command: Annotated[str, _commands("off", "light", "speed_1", "speed_2", "speed_3", "program")]
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (Variant(0x00, "HUNTER FAN", "Hunter fan", sends=True),)


def seav(*, jumper: int, switches_2: str, switches_1: str, remote: int) -> int:
    """Return the id of a SEAV TXS4 whose jumper J, switches SW2 (two) and SW1 (ten) are set as told, 1 for on.

    Raises:
        CodecError: it has not so many switches, or `remote` is not from 0 to 31.
    """
    told = f"{jumper}{switches_2}{switches_1}"
    if len(switches_2) != 2 or len(switches_1) != 10 or len(told) != 13 or set(told) - {"0", "1"}:
        raise CodecError(Reason.VALUE, "a SEAV TXS4 has a jumper, 2 switches SW2 and 10 switches SW1, each 0 or 1")
    if not 0 <= remote < 32:
        raise CodecError(Reason.VALUE, f"a SEAV TXS4's remote id is from 0 to 31, not {remote}")
    return int(told, 2) << 5 | remote


PACKETS: Final = (Fan, FanTells, HunterFan)
