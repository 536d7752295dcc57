"""Temperature, humidity and air pressure: types 0x4D to 0x54. Knows their packets; no bus, no stick.

Sources: layouts as pyRFXtrx, node-rfxcom and Domoticz read them. Where they differ: the id of a barbecue thermometer
has 16 bits and its temperatures 16 each; humidity status 0 is normal and 2 is dry.
"""

from typing import Annotated, Final

from drivers.bits import Bits
from drivers.fields import DECI
from drivers.rfxtrx.kinds import U8, U16, Battery, Celsius, Id16, Rest, Rssi
from drivers.rfxtrx.names import Echo
from drivers.rfxtrx.packet import NO_SIGNAL, Packet, Variant

HumidityStatus = Annotated[str, Echo(width=8, names={0: "normal", 1: "comfort", 2: "dry", 3: "wet"})]
"""What the sensor's own display says."""
Forecast = Annotated[str, Echo(width=8, names={0: "none", 1: "sunny", 2: "partly_cloudy", 3: "cloudy", 4: "rain"})]
"""What the sensor's own display says."""


class Davis(Packet, kind=0x4D, name="davis", open=True):
    """Davis stations of some firmwares: only the type is known, not what the bytes mean.

    .. 4D ss nn  ...
    """

    payload: Rest

    variants = (
        Variant(0x01, "DAVIS TEMP", "Davis temperature"),
        Variant(0x02, "DAVIS HUM", "Davis humidity"),
        Variant(0x03, "DAVIS RAIN", "Davis rain"),
    )


class Bbq(Packet, kind=0x4E, name="bbq", open=True):
    """Barbecue thermometer: food and grill, in whole degrees above zero.

    0A 4E ss nn  ii ii  ff ff  gg gg  rb      i id · f food degC · g grill degC · r signal · b battery
    """

    id: Id16
    celsius_1: U16
    celsius_2: U16
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (Variant(0x01, "MAVERICK", "Maverick ET-732"),)


class TemperatureRain(Packet, kind=0x4F, name="temperature_rain", open=True):
    """Thermometer and rain gauge in one.

    0A 4F ss nn  ii ii  tt tt  mm mm  rb      i id · t sign and 0.1 degC · m 0.1 mm in all · r signal · b battery
    """

    id: Id16
    celsius: Celsius
    mm: Annotated[float, Bits(width=16, scale=DECI)]
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (Variant(0x01, "ALECTO WS1200", "Alecto WS1200"),)


class Temperature(Packet, kind=0x50, name="temperature", open=True):
    """Thermometer.

    08 50 ss nn  ii ii  tt tt  rb      i id · t sign and 0.1 degC · r signal · b battery
    """

    id: Id16
    celsius: Celsius
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (
        Variant(0x01, "TEMP1", "THR128/138, THC138"),
        Variant(0x02, "TEMP2", "THC238/268, THN129, THN132, THWR288, THRN122, THN122, AW129/131"),
        Variant(0x03, "TEMP3", "THWR800"),
        Variant(0x04, "TEMP4", "RTHN318"),
        Variant(0x05, "TEMP5", "La Crosse TX2, TX3, TX4, TX17"),
        Variant(0x06, "TEMP6", "TS15C"),
        Variant(0x07, "TEMP7", "Viking 02811"),
        Variant(0x08, "TEMP8", "La Crosse WS2300"),
        Variant(0x09, "TEMP9", "Rubicson"),
        Variant(0x0A, "TEMP10", "TFA 30.3133"),
        Variant(0x0B, "TEMP11", "WT0122 pool sensor"),
        Variant(0x0C, "TEMP12"),
    )


class Humidity(Packet, kind=0x51, name="humidity", open=True):
    """Hygrometer.

    08 51 ss nn  ii ii  hh  ss  rb      i id · h % · s status · r signal · b battery
    """

    id: Id16
    percent: U8
    humidity_status: HumidityStatus
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (
        Variant(0x01, "HUM1", "La Crosse TX3"),
        Variant(0x02, "HUM2", "La Crosse WS2300"),
        Variant(0x03, "HUM3", "Inovalley S80"),
    )


class TemperatureHumidity(Packet, kind=0x52, name="temperature_humidity", open=True):
    """Thermometer and hygrometer.

    0A 52 ss nn  ii ii  tt tt  hh  ss  rb      i id · t sign and 0.1 degC · h % · s status · r signal · b battery
    """

    id: Id16
    celsius: Celsius
    percent: U8
    humidity_status: HumidityStatus
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (
        Variant(0x01, "TH1", "THGN122/123, THGN132, THGR122/228/238/268"),
        Variant(0x02, "TH2", "THGR810, THGN800"),
        Variant(0x03, "TH3", "RTGR328"),
        Variant(0x04, "TH4", "THGR328"),
        Variant(0x05, "TH5", "WTGR800"),
        Variant(0x06, "TH6", "THGR918/928, THGRN228, THGN500"),
        Variant(0x07, "TH7", "TFA TS34C, Cresta"),
        Variant(0x08, "TH8", "WT260, WT260H, WT440H, WT450, WT450H"),
        Variant(0x09, "TH9", "Viking 02035, 02038"),
        Variant(0x0A, "TH10", "Rubicson"),
        Variant(0x0B, "TH11", "EW109"),
        Variant(0x0C, "TH12", "Imagintronix soil sensor"),
        Variant(0x0D, "TH13", "Alecto WS1700"),
        Variant(0x0E, "TH14", "Alecto"),
    )


class Barometer(Packet, kind=0x53, name="barometer", open=True):
    """Barometer.

    09 53 ss nn  ii ii  pp pp  ff  rb      i id · p hPa · f forecast · r signal · b battery
    """

    id: Id16
    hpa: U16
    forecast: Forecast
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (Variant(0x01, "BARO1", "any"),)


class TemperatureHumidityBarometer(Packet, kind=0x54, name="temperature_humidity_barometer", open=True):
    """Thermometer, hygrometer and barometer.

    0D 54 ss nn  ii ii  tt tt  hh  ss  pp pp  ff  rb      i id · t sign and 0.1 degC · h % · s status
                                                          p hPa · f forecast · r signal · b battery
    """

    id: Id16
    celsius: Celsius
    percent: U8
    humidity_status: HumidityStatus
    hpa: U16
    forecast: Forecast
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (
        Variant(0x01, "THB1", "BTHR918, BTHGN129"),
        Variant(0x02, "THB2", "BTHR918N, BTHR968"),
    )


PACKETS: Final = (
    Davis,
    Bbq,
    TemperatureRain,
    Temperature,
    Humidity,
    TemperatureHumidity,
    Barometer,
    TemperatureHumidityBarometer,
)
