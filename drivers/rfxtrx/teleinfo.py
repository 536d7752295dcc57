"""Cartelectronic: what French electricity meters say, and pulses counted: type 0x60. No bus, no stick.

Sources: layouts as pyRFXtrx and node-rfxcom read them. Whether Linky's bit 2 says that the meter's own data are there
or are not, they disagree: read here as in the older packet, where it says they are not. Not checked on a meter yet.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from drivers.bits import Bits, Switch
from drivers.fields import Flag
from drivers.rfxtrx.addresses import Identity
from drivers.rfxtrx.kinds import U4, U8, U32, Battery, Id32, Rssi, Spare
from drivers.rfxtrx.names import Choice, Echo
from drivers.rfxtrx.packet import NO_SIGNAL, Packet, Variant

COLOURS: Final = {0: "none", 1: "blue", 2: "white", 3: "red"}
"""Prices of a day with the Tempo contract; with EJP red is a warning, of dear hours tomorrow."""
METER_TYPES: Final = ("61", "62", "64", "67", "70", "75")

Colour = Annotated[str, Choice(width=2, names=COLOURS)]
VoltAmperes = Annotated[int | None, Bits(width=16)]
Spare1 = Annotated[int, Spare(width=1)]


class Tic(Packet, kind=0x60, name="cartelectronic"):
    """Meter of before Linky.

    15 60 01 nn  ii ii ii ii ii  cp  11 11 11 11  22 22 22 22  vv vv  st  rb
        i id · c contract · p its period · 1 Wh of one counter · 2 Wh of the other · v VA · r signal · b battery
        st: bit 1 VA are valid · bit 2 nothing heard of the meter · bits 3, 4 colour of tomorrow
    """

    id: Annotated[int, Identity(width=40)]
    contract: Annotated[str, Echo(width=4, names={1: "base", 2: "two_tariffs", 3: "ejp", 4: "tempo"})]
    period: U4
    watt_hours_1: U32
    watt_hours_2: U32
    volt_amperes: VoltAmperes = None
    spare: Annotated[int, Spare(width=3)] = 0
    colour_tomorrow: Colour
    meter_absent: Flag
    volt_amperes_valid: Flag
    spare_low: Spare1 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    only_when: ClassVar[Mapping[str, tuple[str, Any]]] = {"volt_amperes": ("volt_amperes_valid", True)}
    variants = (Variant(0x01, "CARTELECTRONIC TIC", "Cartelectronic teleinfo transmitter"),)


class Encoder(Packet, kind=0x60, name="cartelectronic"):
    """Counter of pulses.

    11 60 02 nn  ii ii ii ii  11 11 11 11  22 22 22 22  st  rb      i id · 1 2 pulses · st state · r signal · b battery
    """

    id: Id32
    counter_1: U32
    counter_2: U32
    state: U8
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (Variant(0x02, "CARTELECTRONIC ENCODER", "Cartelectronic pulse counter"),)


class Linky(Packet, kind=0x60, name="cartelectronic"):
    """Linky meter.

    15 60 03 nn  ii ii ii ii  11 11 11 11  22 22 22 22  .t  uu  vv vv  st  rb
        i id, see `meter_number` · 1 Wh consumed · 2 Wh produced · t tariff · u V - 200 · v VA · r signal · b battery
        st: bit 1 it produces · bit 2 nothing heard of the meter · bits 3, 4 colour of today · bits 5, 6 of tomorrow
    """

    id: Id32
    watt_hours: U32
    production_watt_hours: Annotated[int | None, Bits(width=32)] = None
    spare_tariff: Annotated[int, Spare(width=4)] = 0
    tariff: U4
    volts: Annotated[int, Bits(width=8, plus=200)]
    volt_amperes: Annotated[int, Bits(width=16)]
    spare_high: Spare1 = 0
    colour_tomorrow: Colour
    colour_today: Colour
    meter_absent: Flag
    produces: Annotated[bool, Switch(width=1)]
    spare_low: Spare1 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    only_when: ClassVar[Mapping[str, tuple[str, Any]]] = {"production_watt_hours": ("produces", True)}
    told = frozenset({"meter_number"})
    variants = (Variant(0x03, "CARTELECTRONIC LINKY", "Cartelectronic Linky transmitter"),)

    def tells(self) -> dict[str, Any]:
        """Return the number on the meter."""
        return {"meter_number": self.meter_number()}

    def meter_number(self) -> str:
        """Return the number as it is printed on the meter: maker, year, type, serial number; twelve digits.

        A type nobody knows is written "??".
        """
        maker, year, kind, serial = self.id >> 28, self.id >> 23 & 31, self.id >> 20 & 7, self.id & 0xFFFFF
        return f"{maker:02}{year:02}{METER_TYPES[kind] if kind < len(METER_TYPES) else '??'}{serial:06}"


PACKETS: Final = (Tic, Encoder, Linky)
