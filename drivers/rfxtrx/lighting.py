"""Switches and dimmers with house letters or learnt ids: types 0x10 to 0x13 and 0x15.

Knows their packets, ids, units and commands; no bus, no stick. Sources: layouts and limits as pyRFXtrx 0.34,
node-rfxcom 2.6.2 and Domoticz have them.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from drivers.bits import Bits, CodecError, Reason
from drivers.rfxtrx.addresses import Identity, Mask, Unit
from drivers.rfxtrx.kinds import U16, Battery, Command, Id16, Id24, Kind, Level, Rssi, Spare, Spare4, Spare8
from drivers.rfxtrx.names import Choice, letters
from drivers.rfxtrx.packet import NO_SIGNAL, Packet, Variant

HOUSES: Final = letters("P")


def house(last: str) -> Choice:
    """Return the house letter of a device that has those from A to `last`; all sixteen can be heard."""
    return Choice(width=8, names=HOUSES.names, strict=True, sends=frozenset(letters(last).names.values()))


def commands(names: dict[int, str], sends: str = "") -> Choice:
    """Return the commands a device shows, and those it takes: words with spaces between, or all."""
    return Choice(width=8, names=names, sends=frozenset(sends.split()) if sends else None)


def check_all(name: str, command: str, unit: int, to_all: frozenset[str]) -> None:
    """Refuse unit 0 for what is said to one unit, and one unit for what is said to all.

    Raises:
        CodecError: that.
    """
    if unit == 0 and command not in to_all:
        raise CodecError(Reason.VALUE, f"{name}: {command} goes to one unit; 0, all of them, takes {_listed(to_all)}")
    if unit != 0 and command in to_all:
        raise CodecError(Reason.VALUE, f"{name}: {command} goes to all units, which is unit 0, not {unit}")


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


_LIGHTING1: Final = {
    0: "off", 1: "on", 2: "dim", 3: "bright", 4: "program", 5: "all_off", 6: "all_on", 7: "chime",
    255: "illegal_command",
}  # fmt: skip


def _coded(units: int, *, last: str = "P", sends: str = "off on") -> dict[str, Kind]:
    group = 0 if "all_off" in sends else None
    return {
        "house": house(last),
        "unit": Unit(width=8, high=units, group=group),
        "command": commands(_LIGHTING1, sends),
    }


class Lighting1(Packet, kind=0x10, name="lighting1"):
    """Coded switches: a letter and a number, set with wheels or jumpers.

    07 10 ss nn  hh uu cc  r.      h house, ASCII "A".."P" · u unit from 1, 0 is all · c command · r signal
    """

    house: Annotated[str, HOUSES]
    unit: Annotated[int, Unit(width=8)]
    command: Command
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (
        Variant(0x00, "X10", "X10", sends=True, fields=_coded(16, sends="off on dim bright all_off all_on")),
        Variant(0x01, "ARC", "KlikAanKlikUit, Chacon, HomeEasy, Proove: with code wheels", sends=True,
                fields=_coded(16, sends="off on all_off all_on chime")),
        Variant(0x02, "ELRO", "ELRO AB400D, Flamingo", sends=True, fields=_coded(64)),
        Variant(0x03, "WAVEMAN", "Waveman", sends=True, fields=_coded(16)),
        Variant(0x04, "CHACON", "Chacon EMW200", sends=True, fields=_coded(4, last="C")),
        Variant(0x05, "IMPULS", "Impuls", sends=True, fields=_coded(64)),
        Variant(0x06, "RISING SUN", "Rising Sun", sends=True, fields=_coded(4, last="D")),
        Variant(0x07, "PHILIPS SBC", "Philips SBC", sends=True, fields=_coded(8, sends="off on all_off all_on")),
        Variant(0x08, "ENERGENIE ENER010", "Energenie ENER010", sends=True,
                fields=_coded(4, sends="off on all_off all_on")),
        Variant(0x09, "ENERGENIE 5 GANG", "Energenie with five sockets", sends=True, fields=_coded(10)),
        Variant(0x0A, "COCO", "COCO GDR2", sends=True, fields=_coded(4, last="D")),
        Variant(0x0B, "HQ", "HQ COCO-20", sends=True, fields=_coded(64, last="D")),
        Variant(0x0C, "OASE FM", "Oase InScenio FM Master", sends=True, fields=_coded(3, sends="off on program")),
    )  # fmt: skip

    def check(self) -> None:
        """Refuse unit 0 for what is said to one unit, and one unit for what is said to all."""
        check_all(self.name, self.command, self.unit, frozenset({"all_off", "all_on"}))


_AC: Final = {0: "off", 1: "on", 2: "set_level", 3: "group_off", 4: "group_on", 5: "set_group_level"}
_LEVEL16: Final = Level(width=8, high=15)
FULL: Final = ("on", "group_on")
"""Commands that go with the highest level, as AC's remotes send them; receivers go by the command."""


def _level(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"level": _LEVEL16.high} if fields.get("command") in FULL else {}


class Lighting2(Packet, kind=0x11, name="lighting2"):
    """AC: self-learning switches and dimmers.

    0B 11 ss nn  ii ii ii ii  uu cc ll  r.      i id, 26 bits · u unit 1..16 · c command · l level 0..15 · r signal

    A group command goes to unit 1. `on` is sent with level 15 unless another is said, `off` with 0; what counts is the
    command.
    """

    spare_id: Annotated[int, Spare(width=6)] = 0
    id: Annotated[int, Identity(width=26, low=1)]
    unit: Annotated[int, Unit(width=8)]
    command: Annotated[str, commands(_AC)]
    level: Annotated[int, _LEVEL16] = 0
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (
        Variant(0x00, "AC", "KlikAanKlikUit, HomeEasy UK, Nexa, Chacon, Intertechno", sends=True),
        Variant(0x01, "HOMEEASY EU", "HomeEasy EU", sends=True),
        Variant(0x02, "ANSLUT", "Anslut", sends=True),
    )

    @classmethod
    def usual(cls, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the level that goes with a command."""
        return _level(fields)

    def check(self) -> None:
        """Refuse a group command to one unit: receivers take it with unit 1."""
        if self.command in {"group_off", "group_on", "set_group_level"} and self.unit != 1:
            raise CodecError(Reason.VALUE, f"{self.name}: {self.command} goes to unit 1, not {self.unit}")


class Kambrook(Packet, kind=0x11, name="lighting2"):
    """Kambrook sockets, which have a house letter besides the id of AC.

    0B 11 03 nn  hh  ii ii ii  uu cc ll  r.      h house A..D as 0..3 · i id · u unit 1..16 · c command · l level
                                                 r signal
    """

    house: Annotated[str, Choice(width=8, names={0: "A", 1: "B", 2: "C", 3: "D"}, strict=True)]
    id: Annotated[int, Identity(width=24, low=1)]
    unit: Annotated[int, Unit(width=8)]
    command: Annotated[str, commands(_AC, "off on")]
    level: Annotated[int, _LEVEL16] = 0
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (Variant(0x03, "KAMBROOK", "Kambrook RF3672", sends=True),)

    @classmethod
    def usual(cls, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the level that goes with a command."""
        return _level(fields)


class Lighting3(Packet, kind=0x12, name="lighting3"):
    """Ikea Koppla: dimmers on ten channels of a system.

    08 12 00 nn  ss  mm mm  cc  rb      s system, 1 is 0 on the wire · m channels, one bit each: first byte 1..8
                                        (1 is the lowest bit), second 9 and 10; 0x3FF is all · c command · r signal
                                        b battery
    """

    system: Annotated[int, Unit(width=8, plus=1)]
    channels: Annotated[int, Mask(width=16, low=1, high=0x3FF)]
    command: Annotated[
        str,
        commands({
            0x00: "bright", 0x08: "dim", 0x10: "on", **{0x10 + tenth: f"level_{tenth}" for tenth in range(1, 10)},
            0x1A: "off", 0x1B: "program_2", 0x1C: "program",
        }),
    ]  # fmt: skip
    """`level_7` is 7 tenths. Libraries that work send `program`; RFXCOM's own table has the number of `program_2`."""
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (Variant(0x00, "KOPPLA", "Ikea Koppla", sends=True),)


class Lighting4(Packet, kind=0x13, name="lighting4"):
    """PT2262 and its like: a chip's 12 pins, and which of them are an address only its owner knows.

    09 13 00 nn  dd dd dd  pp pp  r.      d code, 2 bits a pin · p pulse, µs · r signal
    """

    code: Id24
    pulse_us: U16 = 350
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (Variant(0x00, "PT2262", "PT2262, EV1527 and other code chips", sends=True),)


_LIGHTING6: Final = {0: "on", 1: "off", 2: "group_on", 3: "group_off"}


class Lighting6(Packet, kind=0x15, name="lighting6"):
    """Blyss and Cuveo.

    0B 15 ss nn  ii ii  gg uu cc qq xx  r.      i id · g group, ASCII "A".."P"; Cuveo 0..3 · u unit, 0 is the group
                                                c command · q counts commands: receivers take it for a repetition,
                                                if it stays · x zero · r signal

    Cuveo's group 0 has units 1 and 2, its others 1 to 8.
    """

    id: Id16
    group: Annotated[str, HOUSES]
    unit: Annotated[int, Unit(width=8, high=5, group=0)]
    command: Annotated[str, commands(_LIGHTING6)]
    command_sequence: Annotated[int, Bits(width=8, high=4)] = 0
    spare_sequence: Spare8 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (
        Variant(0x00, "BLYSS", "Blyss, Thomson", sends=True),
        Variant(
            0x01,
            "CUVEO",
            "Cuveo",
            sends=True,
            fields={
                "group": Choice(width=8, names={0: "0", 1: "1", 2: "2", 3: "3"}, strict=True),
                "unit": Unit(width=8, high=8, group=0),
                "command_sequence": Bits(width=8, high=254),
            },
        ),
    )

    def check(self) -> None:
        """Refuse unit 0 for what is said to one unit, and units that Cuveo's group 0 does not have."""
        if self.unit == 0:
            check_all(self.name, self.command, self.unit, frozenset({"group_on", "group_off"}))
        if self.subtype == 0x01 and self.group == "0" and self.unit > 2:
            raise CodecError(Reason.VALUE, f"{self.name}: group 0 has units 1 and 2, not {self.unit}")


PACKETS: Final = (Lighting1, Lighting2, Kambrook, Lighting3, Lighting4, Lighting6)
