"""Roller blinds, awnings and screens: types 0x19 and 0x31. Knows their packets, ids, units and commands; no bus.

A blind's `down` is down and its `up` is up, whatever the number: T5, T8 and T10 count them the other way round than
blinds with `open` and `close`. Sources: layouts as pyRFXtrx, node-rfxcom and Domoticz have them; node-rfxcom's limits.
"""

from typing import Annotated, Final

from drivers.bits import Bits
from drivers.rfxtrx.addresses import Identity, Unit
from drivers.rfxtrx.kinds import Absent, Battery, Command, Kind, Rssi, Spare8
from drivers.rfxtrx.names import Choice
from drivers.rfxtrx.packet import NO_SIGNAL, Packet, Variant


def _commands(*names: str, first: int = 0, sends: frozenset[str] | None = None) -> Choice:
    return Choice(width=8, names=dict(enumerate(names, start=first)), sends=sends)


BASE: Final = ("open", "close", "stop", "confirm_pair")
FOUR: Final = _commands(*BASE)
LIMIT: Final = _commands(*BASE, "set_limit")
NO_UNIT: Final = Absent(width=8)
"""One remote, one blind."""
SIXTEEN: Final = Unit(width=8, low=1, high=16, plus=1, group=0x10)
FIFTEEN: Final = Unit(width=8, low=1, high=15, plus=1, group=0x0F)


def _units(low: int, high: int, width: int = 8) -> Unit:
    """Return units counted as on the wire."""
    return Unit(width=width, low=low, high=high)


def _fields(command: Choice, unit: Kind, **more: Kind) -> dict[str, Kind]:
    return {"command": command, "unit": unit, **more}


class Blinds1(Packet, kind=0x19, name="blinds1"):
    """Blinds whose id has 24 bits.

    09 19 ss nn  ii ii ii  uu  cc  rb      i id · u unit · c command · r signal · b battery
    """

    id: Annotated[int, Identity(width=24, low=1)]
    unit: Annotated[int | None, Unit(width=8, low=0)]
    command: Command
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (
        Variant(0x02, "BLINDS T2", "A-OK RF01", sends=True, fields=_fields(FOUR, NO_UNIT)),
        Variant(0x03, "BLINDS T3", "A-OK AC114", sends=True, fields=_fields(FOUR, SIXTEEN)),
        Variant(
            0x04, "BLINDS T4", "Raex YR1326", sends=True,
            fields=_fields(
                _commands(*BASE, "set_upper_limit", "set_lower_limit", "delete_limits", "change_direction", "left",
                          "right"),
                NO_UNIT,
            ),
        ),
        Variant(0x05, "BLINDS T5", "Media Mount", sends=True,
                fields=_fields(_commands("down", "up", "stop"), NO_UNIT)),
        Variant(0x08, "BLINDS T8", sends=True,
                fields=_fields(_commands("down", "up", "stop"), Unit(width=8, low=1, high=6, plus=1),
                               id=Identity(width=24, low=1, high=0xFFF))),
        Variant(
            0x0A, "BLINDS T10", sends=True,
            fields=_fields(
                _commands("down", "up", "stop", "confirm_pair", "learn_master", "erase_current_channel",
                          "change_direction"),
                NO_UNIT,
            ),
        ),
        Variant(0x0B, "BLINDS T11", sends=True, fields=_fields(FOUR, _units(0, 6))),
        Variant(0x0E, "BLINDS T14", sends=True, fields=_fields(FOUR, SIXTEEN)),
        Variant(
            0x11, "BLINDS T17", sends=True,
            fields=_fields(
                _commands(
                    *BASE, "set_limit", "intermediate_position", "erase_all_channels",
                    sends=frozenset((*BASE, "intermediate_position", "erase_all_channels")),
                ),
                _units(0, 5),
            ),
        ),
        Variant(
            0x12, "BLINDS T18", sends=True,
            fields=_fields(
                _commands(*BASE, "intermediate_position", "list_remotes", "erase_this_remote", "erase_all_remotes"),
                NO_UNIT,
                id=Identity(width=24, low=0x103000, high=0x103FFF),
            ),
        ),
        Variant(0x15, "BLINDS T21", "DDxxxx compatible", fields=_fields(FOUR, _units(0, 255))),
    )  # fmt: skip


class Blinds16(Packet, kind=0x19, name="blinds1"):
    """Blinds whose id has 16 bits.

    09 19 ss nn  .. ii ii  uu  cc  rb      i id · u unit · c command · r signal · b battery
    """

    spare_id: Spare8 = 0
    id: Annotated[int, Identity(width=16, low=1)]
    unit: Annotated[int, Unit(width=8, low=0)]
    command: Command
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (
        Variant(0x00, "BLINDS T0", "RollerTrol, Hasta new", sends=True, fields=_fields(LIMIT, _units(0, 15))),
        Variant(0x01, "BLINDS T1", "Hasta old", sends=True, fields=_fields(LIMIT, _units(0, 15))),
        Variant(0x0C, "BLINDS T12", sends=True, fields=_fields(FOUR, FIFTEEN)),
        Variant(
            0x0D, "BLINDS T13", sends=True,
            fields=_fields(
                Choice(
                    width=8,
                    names={0: "open", 1: "close", 2: "confirm_pair", 3: "confirm_pair",
                           4: "venetian_change_angle_plus", 5: "venetian_change_angle_minus"},
                ),
                _units(0, 99),
            ),
        ),
        Variant(0x0F, "BLINDS T15", sends=True, fields=_fields(FOUR, FIFTEEN)),
        Variant(
            0x10, "BLINDS T16", sends=True,
            fields=_fields(_commands(*BASE, "erase_current_channel", "change_direction"), _units(0, 6)),
        ),
        Variant(
            0x13, "BLINDS T19", sends=True,
            fields=_fields(
                _commands("close_cw", "close_ccw", "45_degrees", "90_degrees", "135_degrees", "confirm_pair"),
                _units(0, 15),
            ),
        ),
        Variant(
            0x14, "BLINDS T20", sends=True,
            fields=_fields(_commands(*BASE, "list_remotes", "erase_this_remote", "erase_all_remotes"), _units(1, 9)),
        ),
    )  # fmt: skip


class Blinds28(Packet, kind=0x19, name="blinds1"):
    """Blinds whose id has 28 bits, or 20, and shares a byte with the unit.

    09 19 ss nn  ii ii ii  iu  cc  rb      i id · u unit · c command · r signal · b battery
    """

    id: Annotated[int, Identity(width=28, low=1)]
    unit: Annotated[int, _units(0, 15, width=4)]
    command: Command
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (
        Variant(
            0x06, "BLINDS T6", "DC106, Rohrmotor24-RMF, Yooda", sends=True,
            fields={"command": _commands(*BASE, "intermediate_position", "light")},
        ),
        Variant(0x07, "BLINDS T7", "Forest", sends=True, fields={"command": FOUR}),
        Variant(
            0x09, "BLINDS T9", sends=True,
            fields={
                "id": Identity(width=28, low=1, high=0xFFFFF),
                "unit": _units(0, 6, width=4),
                "command": _commands(
                    *BASE, "set_upper_limit", "set_lower_limit", "change_direction", "intermediate_position_a",
                    "intermediate_position_centre", "intermediate_position_b", "erase_current_channel",
                    "erase_all_channels",
                ),
            },
        ),
    )  # fmt: skip


class Blinds2(Packet, kind=0x31, name="blinds2"):
    """Brel and Dooya motors that know where they stand: DDxxxx.

    0C 31 00 nn  ii ii ii ii  uu  cc  pp aa  rb      i id · u unit less one, 10 for all · c command · p percent
                                                     a angle in degrees · r signal · b battery
    """

    id: Annotated[int, Identity(width=32, low=1)]
    unit: Annotated[int, SIXTEEN]
    command: Annotated[
        str, _commands("up", "down", "stop", "pair", "set_percent", "set_angle", "set_percent_and_angle")
    ]
    percent: Annotated[int, Bits(width=8, high=100)] = 0
    angle: Annotated[int, Bits(width=8, high=180)] = 0
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (Variant(0x00, "BREL DOOYA", "Brel, Dooya DDxxxx", sends=True),)


PACKETS: Final = (Blinds1, Blinds16, Blinds28, Blinds2)
