"""Electricity meters: types 0x59 to 0x5C. Knows their packets; no bus, no stick.

Sources: layouts as pyRFXtrx, node-rfxcom and Domoticz read them. CM180 and CM180i send their energy only in every tenth
packet or so, and there with count 0: otherwise, and where it is zero, there is none, and it must not be read as zero.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Final

from drivers.bits import Bits
from drivers.fields import CENTI
from drivers.rfxtrx.kinds import U8, U32, Battery, Centi16, Deci16, Id16, Rssi, Spare4
from drivers.rfxtrx.packet import NO_SIGNAL, Packet, Variant

PULSE: Final = Fraction(1000, 223666)
"""Wh of what an OWL counts."""
SometimesWh = Annotated[float | None, Bits(width=48, scale=PULSE, missing=0)]


class Current(Packet, kind=0x59, name="current", open=True):
    """Current of three phases.

    0D 59 ss nn  ii ii  nn  11 11  22 22  33 33  rb      i id · n counts packets · 1 2 3 0.1 A · r signal · b battery
    """

    id: Id16
    count: U8
    amperes_1: Deci16
    amperes_2: Deci16
    amperes_3: Deci16
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (Variant(0x01, "ELEC1", "CM113, Electrisave, cent-a-meter"),)


class Energy(Packet, kind=0x5A, name="energy"):
    """Power, and energy in all.

    11 5A 01 nn  ii ii  nn  pp pp pp pp  ee ee ee ee ee ee  rb      i id · n counts packets · p W · e 1/223.666 Wh
                                                                    r signal · b battery
    """

    id: Id16
    count: U8
    watts: U32
    watt_hours: Annotated[float, Bits(width=48, scale=PULSE)]
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (Variant(0x01, "ELEC2", "OWL CM119, CM160"),)


class EnergySometimes(Packet, kind=0x5A, name="energy"):
    """Power, and energy in all in those packets that have count 0; as `Energy` else."""

    id: Id16
    count: U8
    watts: U32
    watt_hours: SometimesWh = None
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    only_when: ClassVar[Mapping[str, tuple[str, Any]]] = {"watt_hours": ("count", 0)}
    variants = (Variant(0x02, "ELEC3", "OWL CM180"),)


class CurrentEnergy(Packet, kind=0x5B, name="current_energy", open=True):
    """Current of three phases, and energy in all in those packets that have count 0.

    13 5B ss nn  ii ii  nn  11 11  22 22  33 33  ee ee ee ee ee ee  rb      i id · n counts packets · 1 2 3 0.1 A
                                                                            e 1/223.666 Wh · r signal · b battery
    """

    id: Id16
    count: U8
    amperes_1: Deci16
    amperes_2: Deci16
    amperes_3: Deci16
    watt_hours: SometimesWh = None
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    only_when: ClassVar[Mapping[str, tuple[str, Any]]] = {"watt_hours": ("count", 0)}
    variants = (Variant(0x01, "ELEC4", "OWL CM180i"),)


class Power(Packet, kind=0x5C, name="power", open=True):
    """Metering plug.

    0F 5C ss nn  ii ii  vv  aa aa  pp pp  ee ee  ff  hh  r.      i id · v V · a 0.01 A · p 0.1 W · e 10 Wh
                                                                 f power factor 0.01 · h Hz · r signal
    """

    id: Id16
    volts: U8
    amperes: Centi16
    watts: Deci16
    watt_hours: Annotated[float, Bits(width=16, scale=Fraction(10))]
    power_factor: Annotated[float, Bits(width=8, scale=CENTI)]
    hertz: U8
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (Variant(0x01, "REVOLT", "Revolt NC-5461"),)


PACKETS: Final = (Current, Energy, EnergySometimes, CurrentEnergy, Power)
