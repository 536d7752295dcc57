"""Lamps, dimmers and colours with commands of their own: type 0x14. Knows its packets; no bus, no stick.

    0A 14 ss nn  ii ii ii  uu cc ll  r.      i id · u unit · c command · l level · r signal

Each subtype has its table of commands. Sources: layouts and limits as node-rfxcom 2.6.2 and Domoticz have them.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from drivers.bits import CodecError, Reason
from drivers.rfxtrx.addresses import Identity, Unit
from drivers.rfxtrx.kinds import Command, Id24, Kind, Level, Rssi, Spare4
from drivers.rfxtrx.lighting import check_all
from drivers.rfxtrx.names import Choice
from drivers.rfxtrx.packet import NO_SIGNAL, Packet, Variant

_TO_ALL: Final = frozenset({"group_off", "group_on", "all_lock"})
_SWITCH: Final = {0: "off", 1: "on", 2: "group_off", 3: "group_on"}
_LIGHTWAVE: Final = {
    0: "off", 1: "on", 2: "group_off", 3: "mood_1", 4: "mood_2", 5: "mood_3", 6: "mood_4", 7: "mood_5", 10: "unlock",
    11: "lock", 12: "all_lock", 13: "close", 14: "stop", 15: "open", 16: "set_level", 17: "colour_palette",
    18: "colour_tone", 19: "colour_cycle",
}  # fmt: skip
_LIVOLO: Final = {0: "group_off", 1: "toggle_gang_1", 2: "toggle_gang_2_bright", 3: "toggle_gang_3_dim"}
_APPLIANCE: Final = {
    0: "group_off", **{unit: f"toggle_{unit}" for unit in range(1, 8)}, 8: "bright_7", 9: "dim_7", 10: "toggle_8",
    11: "toggle_9", 12: "bright_9", 13: "dim_9", 14: "toggle_10", 15: "scene_1", 16: "scene_2", 17: "scene_3",
    18: "scene_4", 19: "ok_set",
}  # fmt: skip
_APPLIANCE_OLD: Final = {
    "toggle": 1, "bright_room_1": 2, "dim_room_1": 3, "scene_1_room_1": 4, "scene_2_room_1": 5, "bright_room_2": 6,
    "dim_room_2": 7, "scene_1_room_2": 8, "scene_2_room_2": 9,
}  # fmt: skip
"""What sticks with firmware before 1026 call the same numbers: there the unit is said besides, so that `toggle_3` of
another unit than 3 is one of these."""
_LED: Final = {
    0: "power", 1: "light", 2: "bright", 3: "dim", 4: "100_percent", 5: "50_percent", 6: "25_percent", 7: "mode_plus",
    8: "speed_minus", 9: "speed_plus", 10: "mode_minus",
}  # fmt: skip
_LED_107: Final = {
    0: "power", 1: "bright", 2: "dim", 3: "100_percent", 4: "80_percent", 5: "60_percent", 6: "40_percent",
    7: "20_percent", 8: "10_percent",
}  # fmt: skip
_COLOURED: Final = {0: "off", 1: "on", 2: "bright", 3: "dim", 4: "colour_plus", 5: "colour_minus"}


FULL: Final = (
    "on", "group_on", "light", "power", "toggle", "toggle_gang_1", *(f"mood_{number}" for number in range(1, 6)),
)  # fmt: skip
"""Commands that go with the highest level; receivers go by the command."""


class _Levelled(Packet, kind=0x14, name="lighting5"):
    """What knows the level that goes with a command."""

    @classmethod
    def usual(cls, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the level of a command: the colour's number, all of it, or none."""
        command = fields.get("command")
        colour = command.removeprefix("colour_") if isinstance(command, str) else ""
        if colour != command and colour.isascii() and colour.isdecimal() and len(colour) <= 3:
            return {"level": int(colour)}
        return {"level": 31} if command in FULL else {}


def _limits(id_bits: int, names: dict[int, str], units: Unit | None = None) -> dict[str, Kind]:
    """Return what differs in a device: how great its id may be, its commands, its units."""
    limits: dict[str, Kind] = {
        "id": Identity(width=24, low=1, high=(1 << id_bits) - 1),
        "command": Choice(width=8, names=names),
    }
    return limits if units is None else limits | {"unit": units}


def _colours(id_bits: int, last: int) -> dict[str, Kind]:
    names = _COLOURED | {6 + number: f"colour_{number}" for number in range(last + 1)}
    return _limits(id_bits, names) | {"level": Level(width=8, high=last)}


def _units(high: int) -> Unit:
    return Unit(width=8, high=high, group=0)


class Lighting5(_Levelled, kind=0x14, name="lighting5"):
    """Those with several units. Unit 0 is all of them; `on` is sent with level 31, which says nothing.

    0A 14 ss nn  ii ii ii  uu cc ll  r.      i id · u unit, Avantek's ASCII "A".."E" · c command · l level · r signal
    """

    id: Id24
    unit: Annotated[int, Unit(width=8)]
    command: Command
    level: Annotated[int, Level(width=8, high=31)] = 0
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (
        Variant(0x00, "LIGHTWAVERF", "LightwaveRF, Siemens", sends=True, fields=_limits(24, _LIGHTWAVE, _units(16))),
        Variant(0x01, "EMW100", "GAO/Everflourish EMW100", sends=True,
                fields=_limits(14, {0: "off", 1: "on", 2: "learn"}, Unit(width=8, high=4))),
        Variant(0x02, "BBSB", "BBSB, newer types", sends=True, fields=_limits(19, _SWITCH, _units(6))),
        Variant(0x04, "CONRAD", "Conrad RSL2", sends=True, fields=_limits(24, _SWITCH, _units(16))),
        Variant(0x05, "LIVOLO", "Livolo", sends=True, fields=_limits(15, _LIVOLO, _units(3))),
        Variant(0x09, "EURODOMEST", "Eurodomest", sends=True, fields=_limits(20, _SWITCH, _units(4))),
        Variant(0x0A, "LIVOLO APPLIANCE", "Livolo appliance", sends=True,
                fields=_limits(15, _APPLIANCE, _units(10))
                | {"command": Choice(width=8, names=_APPLIANCE, also=_APPLIANCE_OLD)}),
        Variant(0x0E, "AVANTEK", "Avantek", sends=True,
                fields=_limits(20, _SWITCH, Unit(width=8, high=5, plus=1 - ord("A"), group=0))),
        Variant(0x0F, "IT", "Intertechno, ProMax", sends=True,
                fields=_limits(16, _SWITCH | {16: "set_level"}, _units(4))
                | {"level": Level(width=8, low=1, high=8, beside=frozenset({0, 31}))}),
        Variant(0x11, "KANGTAI", "Kangtai, Cotech", sends=True, fields=_limits(16, _SWITCH, _units(30))),
    )  # fmt: skip

    def check(self) -> None:
        """Refuse unit 0 for what is said to one unit, and one unit for what is said to all."""
        check_all(self.name, self.command, self.unit, _TO_ALL)
        if self.subtype == 0x0F and self.command == "set_level" and not 1 <= self.level <= 8:
            raise CodecError(Reason.VALUE, f"{self.name}: level {self.level} is not from 1 to 8")


class Lighting5Single(_Levelled, kind=0x14, name="lighting5"):
    """Those that are one lamp. Their unit is 1, and a remote may say another; none is all.

    0A 14 ss nn  ii ii ii  uu cc ll  r.      i id · u unit · c command · l level or colour · r signal

    A step of a LED dimmer is a command: `50_percent`. A colour is one too: `colour_17`, sent with level 17.
    """

    id: Id24
    unit: Annotated[int, Unit(width=8, high=255)] = 1
    command: Command
    level: Annotated[int, Level(width=8, high=31)] = 0
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (
        Variant(0x03, "MDREMOTE", "MDREMOTE LED dimmer", sends=True, fields=_limits(16, _LED)),
        Variant(0x06, "TRC02", "TRC02, RGB", sends=True, fields=_colours(24, 126)),
        Variant(0x07, "AOKE", "Aoke relay", sends=True, fields=_limits(16, {0: "off", 1: "on"})),
        Variant(0x08, "TRC02 2", "TRC02, second type", sends=True, fields=_colours(15, 61)),
        Variant(0x0B, "RGB432W", "RGB432W", sends=True, fields=_colours(16, 126)),
        Variant(0x0C, "MDREMOTE 107", "MDREMOTE 107 LED dimmer", sends=True, fields=_limits(16, _LED_107)),
        Variant(0x0D, "LEGRAND", "Legrand CAD", sends=True, fields=_limits(16, {0: "toggle"})),
        Variant(0x10, "MDREMOTE 108", "MDREMOTE 108 LED dimmer", sends=True, fields=_limits(16, _LED)),
    )


PACKETS: Final = (Lighting5, Lighting5Single)
