"""Wind, sun, lightning and whole weather stations: types 0x56, 0x57, 0x74, 0x76, 0x77. No bus, no stick.

Sources: layouts as pyRFXtrx, node-rfxcom and Domoticz read them. Rain has its own file.
"""

from fractions import Fraction
from typing import Annotated, Final

from drivers.bits import Bits
from drivers.fields import DECI
from drivers.rfxtrx.climate import HumidityStatus
from drivers.rfxtrx.kinds import (
    U8,
    U16,
    Absent,
    Battery,
    Celsius,
    Centi16,
    Deci16,
    Id16,
    Id24,
    Rssi,
    Signed,
    Spare4,
    Spare8,
    Spare16,
)
from drivers.rfxtrx.names import Echo
from drivers.rfxtrx.packet import NO_SIGNAL, Packet, Variant

_NONE16: Final = Absent(width=16)
_CELSIUS: Final = Signed(width=16, scale=DECI)
Degrees = Annotated[int | None, Bits(width=16)]
"""Where the wind comes from: 0 and 360 are north, 90 is east."""
Speed = Annotated[float | None, Bits(width=16, scale=DECI)]
Index = Annotated[float, Bits(width=8, scale=DECI)]
NoCelsius = Annotated[float | None, _NONE16]


class Wind(Packet, kind=0x56, name="wind"):
    """Anemometer.

    10 56 ss nn  ii ii  dd dd  vv vv  gg gg  tt tt  cc cc  rb      i id · d degrees · v mean 0.1 m/s · g gust 0.1 m/s
                                                                   t sign and 0.1 degC · c chill likewise
                                                                   r signal · b battery
    """

    id: Id16
    degrees: Degrees = None
    metres_per_second: Speed = None
    gust_metres_per_second: Deci16
    celsius: NoCelsius = None
    chill_celsius: NoCelsius = None
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (
        Variant(0x01, "WIND1", "WTGR800"),
        Variant(0x02, "WIND2", "WGR800"),
        Variant(0x03, "WIND3", "STR918, WGR918, WGR928"),
        Variant(0x04, "WIND4", "TFA", fields={"celsius": _CELSIUS, "chill_celsius": _CELSIUS}),
        Variant(0x05, "WIND5", "UPM WDS500, Davis", fields={"metres_per_second": _NONE16}),
        Variant(0x06, "WIND6", "La Crosse WS2300"),
        Variant(0x07, "WIND7", "Alecto WS4500"),
        Variant(0x08, "WIND8", "of old firmwares", fields={"degrees": _NONE16, "celsius": _CELSIUS}),
        Variant(0x09, "WIND9", "of old firmwares", fields={"celsius": _CELSIUS}),
    )


class Uv(Packet, kind=0x57, name="uv"):
    """Ultraviolet index.

    09 57 ss nn  ii ii  uu  tt tt  rb      i id · u 0.1 · t sign and 0.1 degC · r signal · b battery
    """

    id: Id16
    uv_index: Index
    celsius: NoCelsius = None
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (
        Variant(0x01, "UV1", "UVN128, UV138, Davis"),
        Variant(0x02, "UV2", "UVN800"),
        Variant(0x03, "UV3", "TFA", fields={"celsius": _CELSIUS}),
    )


class Lightning(Packet, kind=0x74, name="lightning", open=True):
    """Lightning detector. RFXCOM's header numbers it 0, and node-rfxcom has heard it as 1.

    0C 74 ss nn  ii ii ii  tt  dd  cc  .. ..  rb      i id · t what it was · d km, 63 is none · c strikes
                                                      r signal · b battery
    """

    id: Id24
    status: Annotated[str, Echo(width=8, names={0: "start_up", 1: "interference", 4: "noise", 8: "strike"})]
    kilometres: Annotated[int | None, Bits(width=8, missing=63)] = None
    strikes: U8
    spare: Spare16 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (
        Variant(0x00, "WH57", "Ecowitt WH57"),
        Variant(0x01, "WH57", "Ecowitt WH57"),
    )


class Ws90(Packet, kind=0x76, name="weather_station"):
    """Ecowitt WS90. The unit of its sun is not known for sure: Domoticz takes 0.079 of what, node-rfxcom leaves it.

    1F 76 00 nn  ii ii  dd dd  vv vv  gg gg  tt tt  .. ..  hh  ss  .. ..  mm mm mm  uu  ll ll  .. ..  ..  .. ..  rb
        i id · d degrees · v mean 0.1 m/s · g gust 0.1 m/s · t sign and 0.1 degC · h % · s status
        m 0.1 mm in all · u ultraviolet 0.1 · l sun · r signal · b battery
    """

    id: Id16
    degrees: U16
    metres_per_second: Deci16
    gust_metres_per_second: Deci16
    celsius: Celsius
    spare_chill: Spare16 = 0
    percent: U8
    humidity_status: HumidityStatus
    spare_rate: Spare16 = 0
    mm: Annotated[float, Bits(width=24, scale=DECI)]
    uv_index: Index
    solar_raw: U16
    spare_pressure: Spare16 = 0
    spare_forecast: Spare8 = 0
    spare: Spare16 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (Variant(0x00, "WS90", "Ecowitt WS90"),)


class Ach2010(Packet, kind=0x76, name="weather_station"):
    """Alecto ACH2010.

    1F 76 01 nn  ii ii  .. ..  vv vv  gg gg  tt tt  .. ..  ..  ..  .. ..  mm mm mm  ..  .. ..  .. ..  ..  .. ..  r.
        i id · v mean 0.1 m/s · g gust 0.1 m/s · t sign and 0.1 degC · m 0.3 mm in all · r signal
    """

    id: Id16
    spare_direction: Spare16 = 0
    metres_per_second: Deci16
    gust_metres_per_second: Deci16
    celsius: Celsius
    spare_chill: Spare16 = 0
    spare_humidity: Spare16 = 0
    spare_rate: Spare16 = 0
    mm: Annotated[float, Bits(width=24, scale=Fraction(3, 10))]
    spare_uv: Spare8 = 0
    spare_sun: Spare16 = 0
    spare_pressure: Spare16 = 0
    spare_forecast: Spare8 = 0
    spare: Spare16 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    spare_battery: Spare4 = 0

    variants = (Variant(0x01, "ACH2010", "Alecto ACH2010"),)


class Ws5500(Packet, kind=0x76, name="weather_station"):
    """Alecto WS5500.

    1F 76 02 nn  ii ii  dd dd  vv vv  gg gg  tt tt  .. ..  hh  ss  .. ..  mm mm mm  uu  ll ll  .. ..  ..  .. ..  r.
        i id · d degrees · v mean 0.1 m/s · g gust 0.1 m/s · t sign and 0.1 degC · h % · s status
        m 0.254 mm in all · u ultraviolet 0.1 · l sun W/m2 · r signal
    """

    id: Id16
    degrees: U16
    metres_per_second: Deci16
    gust_metres_per_second: Deci16
    celsius: Celsius
    spare_chill: Spare16 = 0
    percent: U8
    humidity_status: HumidityStatus
    spare_rate: Spare16 = 0
    mm: Annotated[float, Bits(width=24, scale=Fraction(254, 1000))]
    uv_index: Index
    watts_per_square_metre: U16
    spare_pressure: Spare16 = 0
    spare_forecast: Spare8 = 0
    spare: Spare16 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    spare_battery: Spare4 = 0

    variants = (Variant(0x02, "WS5500", "Alecto WS5500"),)


class Solar(Packet, kind=0x77, name="solar", open=True):
    """Pyranometer.

    0A 77 ss nn  ii ii  ll ll  .. ..  rb      i id · l 0.01 W/m2 · r signal · b battery
    """

    id: Id16
    watts_per_square_metre: Centi16
    spare: Spare16 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (Variant(0x01, "DAVIS", "Davis"),)


PACKETS: Final = (Wind, Uv, Lightning, Ws90, Ach2010, Ws5500, Solar)
