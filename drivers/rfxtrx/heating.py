"""Thermostats, stoves and radiators: types 0x40 to 0x44, 0x48 and 0x72. Knows their packets and limits; no bus.

Sources: layouts as node-rfxcom and Domoticz have them. FS20's command numbers are the maker's.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from drivers.bits import Bits
from drivers.rfxtrx.addresses import Identity, Unit
from drivers.rfxtrx.kinds import U8, Absent, Command, Halves, Id16, Id24, Rssi, Spare, Spare4, Spare16
from drivers.rfxtrx.names import Choice
from drivers.rfxtrx.packet import NO_SIGNAL, Packet, Variant


def _commands(*names: str) -> Choice:
    return Choice(width=8, names=dict(enumerate(names)))


class Thermostat1(Packet, kind=0x40, name="thermostat1"):
    """Digimax room thermostats.

    09 40 ss nn  ii ii  tt pp  m.....ss  r.      i id · t temperature, p set point, whole degrees · m mode, highest bit
                                                 s status, lowest two · r signal
    """

    id: Id16
    celsius: Annotated[int, Bits(width=8, high=50)]
    setpoint_celsius: Annotated[int | None, Bits(width=8, low=5, high=45)]
    mode: Annotated[str, Choice(width=1, names={0: "heating", 1: "cooling"})]
    spare_status: Annotated[int, Spare(width=5)] = 0
    status: Annotated[str, Choice(width=2, names={0: "none", 1: "demand", 2: "no_demand", 3: "initialising"})]
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (
        Variant(0x00, "DIGIMAX TLX7506", "Digimax, TLX7506", sends=True),
        Variant(0x01, "DIGIMAX SHORT", "Digimax with a short message", sends=True,
                fields={"setpoint_celsius": Absent(width=8)}),
    )  # fmt: skip


class Thermostat2(Packet, kind=0x41, name="thermostat2"):
    """HE105 and RTS10.

    06 41 ss nn  uu  cc  r.      u unit 0..31 · c command · r signal
    """

    unit: Annotated[int, Unit(width=8, low=0, high=31)]
    command: Command
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (
        Variant(0x00, "HE105", "HE105", sends=True, fields={"command": _commands("off", "on")}),
        Variant(0x01, "RTS10 RFS10 TLX1206", "RTS10, RFS10, TLX1206", sends=True,
                fields={"command": _commands("off", "on", "program")}),
    )  # fmt: skip


UP_DOWN: Final = ("off", "on", "up", "down")


MERTIK_2: Final = Choice(
    width=8,
    names={**dict(enumerate(UP_DOWN)), 4: "2nd_off", 5: "2nd_on", 7: "newer_2nd_off", 8: "newer_2nd_on"},
)
"""A second output: off is 4 and on is 5, and since a certain firmware 7 and 8, which have names of their own."""


class Thermostat3(Packet, kind=0x42, name="thermostat3"):
    """Mertik gas fires.

    08 42 ss nn  ii ii ii  cc  r.      i id · c command · r signal
    """

    id: Id24
    command: Command
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (
        Variant(0x00, "G6R H4T1", "Mertik G6R-H4T1", sends=True,
                fields={"id": Identity(width=24, high=0xFF),
                        "command": _commands(*UP_DOWN, "run_up", "run_down", "stop")}),
        Variant(0x01, "G6R H4TB", "Mertik G6R-H4TB, G6R-H4T, G6R-H4T21-Z22", sends=True,
                fields={"id": Identity(width=24, high=0x3FFFF),
                        "command": MERTIK_2}),
        Variant(0x02, "G6R H4TD", "Mertik G6R-H4TD, G6R-H4T16", sends=True,
                fields={"id": Identity(width=24, high=0xFFFF), "command": _commands(*UP_DOWN, "run_up", "run_down")}),
        Variant(0x03, "G6R H4S", "Mertik G6R-H4S", sends=True,
                fields={"id": Identity(width=24, high=0x3FFFF), "command": _commands(*UP_DOWN)}),
        Variant(0x04, "G6R H3T1", "Mertik G6R-H3T1", sends=True,
                fields={"id": Identity(width=24, high=0xFF),
                        "command": _commands(*UP_DOWN, "run_up", "run_down", "stop")}),
    )  # fmt: skip


SPEEDS: Final = {**{speed: str(speed) for speed in range(6)}, 6: "auto"}
NO_FAN: Final = Absent(width=4, fill=1)
FAN: Final = Choice(width=4, names=SPEEDS)


class Thermostat4(Packet, kind=0x43, name="thermostat4"):
    """MCZ pellet stoves with one to three fans.

    0C 43 ss nn  ii ii ii  bb  f1 32  pp  mm  r.      i id · b beep · 1, 2, 3 speeds of the fans · p flame power 1..5
                                                      m mode · r signal
    """

    id: Annotated[int, Identity(width=24, low=1)]
    beep: Annotated[int, Bits(width=8, high=1)] = 1
    fan_1: Annotated[str, Choice(width=8, names=SPEEDS)] = "auto"
    fan_3: Annotated[str | None, FAN]
    fan_2: Annotated[str | None, FAN]
    flame_power: Annotated[int, Bits(width=8, low=1, high=5)]
    mode: Annotated[str, _commands("off", "manual", "auto", "eco")]
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (
        Variant(0x00, "MCZ PELLET STOVE 1 FAN", "MCZ", sends=True, fields={"fan_2": NO_FAN, "fan_3": NO_FAN}),
        Variant(0x01, "MCZ PELLET STOVE 2 FAN", "MCZ", sends=True, fields={"fan_3": NO_FAN}),
        Variant(0x02, "MCZ PELLET STOVE 3 FAN", "MCZ", sends=True),
    )


class Thermostat5(Packet, kind=0x44, name="thermostat5"):
    """Gazco electric fires.

    0D 44 00 nn  ii ii  mm  fc fb  uc ub  .. ..  r.      i id · m mode · f flame, u fuel bed: c colour, b brightness
                                                         r signal
    """

    id: Annotated[int, Identity(width=16, low=1)]
    mode: Annotated[str, _commands("off", "led_only", "standby", "low", "high")]
    flame_colour: Annotated[int, Bits(width=8, low=1, high=3)] = 1
    flame_brightness: Annotated[int, Bits(width=8, high=5)] = 0
    fuel_colour: Annotated[int, Bits(width=8, low=1, high=14)] = 14
    fuel_brightness: Annotated[int, Bits(width=8, high=5)] = 0
    spare_rfu: Spare16 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (Variant(0x00, "GAZCO RF290A", "Gazco RF290A", sends=True),)


class Radiator1(Packet, kind=0x48, name="radiator1"):
    """Smartwares radiator valves.

    0C 48 00 nn  ii ii ii ii  uu  cc  tt hh  r.      i id, 26 bits · u unit 1..16 · c command · t whole degrees
                                                     h tenths, 0 or 5 · r signal
    """

    spare_id: Annotated[int, Spare(width=6)] = 0
    id: Annotated[int, Identity(width=26, low=1)]
    unit: Annotated[int, Unit(width=8)]
    command: Annotated[str, _commands("night", "day", "set_temperature")]
    setpoint_celsius: Annotated[float | None, Halves(low=5, high=28)]
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    only_when: ClassVar[Mapping[str, tuple[str, Any]]] = {"setpoint_celsius": ("command", "set_temperature")}
    variants = (Variant(0x00, "SMARTWARES", "Smartwares", sends=True),)


FS20: Final = {
    0x00: "off", **{level: f"level_{level}" for level in range(1, 16)}, 0x10: "level_16", 0x11: "on", 0x12: "toggle",
    0x13: "dim_up", 0x14: "dim_down", 0x15: "dim_up_down", 0x16: "timer", 0x17: "status_request",
    0x18: "off_for_timer", 0x19: "on_for_timer", 0x1A: "on_old_for_timer", 0x1B: "reset",
}  # fmt: skip
"""Sixteen levels; 16 is full."""
FHT8V: Final = {
    0x00: "synchronise_now", 0x01: "open", 0x02: "close", 0x06: "set_level", 0x08: "offset", 0x0A: "decalcify",
    0x0C: "synchronise", 0x0E: "test", 0x0F: "pair",
}  # fmt: skip
FHT80: Final = {0x01: "opened", 0x02: "closed", 0x0C: "synchronise"}


class Fs20(Packet, kind=0x72, name="fs20"):
    """ELV FS20 switches, FHT8V radiator valves, FHT80 window contacts.

    09 72 ss nn  hh hh  aa  fffccccc  tt  r.      h house code, a address: the device · f flags · c command
                                                  t time or level, as the command says · r signal
    """

    id: Id24
    spare_flags: Annotated[int, Spare(width=3)] = 0
    command: Annotated[str, Choice(width=5, names=FS20)]
    level: U8 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (
        Variant(0x00, "FS20", "ELV FS20"),
        Variant(0x01, "FHT8V", "ELV FHT8V", fields={"command": Choice(width=5, names=FHT8V)}),
        Variant(0x02, "FHT80", "ELV FHT80", fields={"command": Choice(width=5, names=FHT80)}),
    )


PACKETS: Final = (Thermostat1, Thermostat2, Thermostat3, Thermostat4, Thermostat5, Radiator1, Fs20)
