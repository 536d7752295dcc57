"""Counters, scales, levels, clocks, and RFXCOM's own sensors: types 0x58, 0x5D, 0x70, 0x71, 0x73. No bus, no stick.

Sources: layouts as pyRFXtrx and node-rfxcom read them; where they differ, an RFXMeter's id has 16 bits and its counter
32.
"""

from datetime import datetime
from typing import Annotated, Final

from drivers.bits import Bits, CodecError, Reason
from drivers.fields import CENTI
from drivers.rfxtrx.addresses import Identity
from drivers.rfxtrx.kinds import U8, U16, U32, Battery, Celsius, Deci16, Id16, Rssi, Signed, Spare4, Spare8, Spare16
from drivers.rfxtrx.names import Echo
from drivers.rfxtrx.packet import NO_SIGNAL, Packet, Variant

WEEKDAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
Id8 = Annotated[int, Identity(width=8)]


class DateTime(Packet, kind=0x58, name="date_time", open=True):
    """Radio clock.

    0D 58 ss nn  ii ii  yy mm dd ww  hh mm ss  rb      i id · y year - 2000 · w 1 is Sunday · r signal · b battery
    """

    id: Id16
    year: Annotated[int, Bits(width=8, plus=2000)]
    month: U8
    day: U8
    weekday: Annotated[str, Echo(width=8, names=dict(enumerate(WEEKDAYS, 1)))]
    hour: U8
    minute: U8
    second: U8
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (Variant(0x01, "DT1", "RTGR328N, RTGR383"),)

    def moment(self) -> datetime:
        """Return the clock's local time; it does not say of which zone.

        Raises:
            CodecError: there is no such day or time.
        """
        try:
            return datetime(self.year, self.month, self.day, self.hour, self.minute, self.second)  # noqa: DTZ001 - as sent
        except ValueError as error:
            raise CodecError(Reason.VALUE, f"date_time: {error}") from None


class Weight(Packet, kind=0x5D, name="weight", open=True):
    """Bathroom scales.

    08 5D ss nn  ii ii  kk kk  rb      i id · k 0.1 kg · r signal · b battery
    """

    id: Id16
    kilograms: Deci16
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (
        Variant(0x01, "WEIGHT1", "BWR101, BWR102"),
        Variant(0x02, "WEIGHT2", "GR101"),
    )


class SensorTemperature(Packet, kind=0x70, name="rfxsensor"):
    """RFXSensor: temperature.

    07 70 00 nn  ii  tt tt  r.      i id · t sign and 0.01 degC · r signal
    """

    id: Id8
    celsius: Annotated[float, Signed(width=16, scale=CENTI)]
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (Variant(0x00, "RFX TEMPERATURE", "RFXSensor"),)


class SensorVoltage(Packet, kind=0x70, name="rfxsensor"):
    """RFXSensor: voltage of its converter, or of its supply.

    07 70 ss nn  ii  vv vv  r.      i id · v mV · r signal
    """

    id: Id8
    millivolts: U16
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (
        Variant(0x01, "RFX ADC", "RFXSensor"),
        Variant(0x02, "RFX V", "RFXSensor"),
    )


class SensorMessage(Packet, kind=0x70, name="rfxsensor"):
    """RFXSensor: how it is.

    07 70 03 nn  ii  ..  mm  r.      i id · m message · r signal
    """

    id: Id8
    spare_high: Spare8 = 0
    message: Annotated[
        str,
        Echo(
            width=8,
            names={
                0x01: "addresses_incremented",
                0x02: "battery_low",
                0x81: "no_1_wire_device",
                0x82: "rom_checksum_error",
                0x83: "wrong_1_wire_device",
                0x84: "no_end_of_read",
                0x85: "scratchpad_checksum_error",
            },
        ),
    ]
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (Variant(0x03, "RFX MESSAGE", "RFXSensor"),)


class Meter(Packet, kind=0x71, name="rfxmeter"):
    """RFXMeter: what it counted.

    0A 71 00 nn  ii ii  cc cc cc cc  r.      i id · c counter · r signal
    """

    id: Id16
    counter: U32
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (Variant(0x00, "RFX METER0", "RFXMeter count"),)


class MeterSetting(Packet, kind=0x71, name="rfxmeter", open=True):
    """RFXMeter: how it is set.

    0A 71 ss nn  ii ii  vv vv vv vv  r.      i id · v interval, calibration or address, by subtype · r signal
    """

    id: Id16
    value: U32
    rssi_dbm: Rssi = NO_SIGNAL
    spare: Spare4 = 0

    variants = (
        Variant(0x01, "RFX METER1", "RFXMeter interval"),
        Variant(0x02, "RFX METER2", "RFXMeter calibration"),
        Variant(0x03, "RFX METER3", "RFXMeter address"),
        Variant(0x04, "RFX METER4", "RFXMeter counter reset"),
        Variant(0x0B, "RFX METER11", "RFXMeter counter set"),
        Variant(0x0C, "RFX METER12", "RFXMeter set interval"),
        Variant(0x0D, "RFX METER13", "RFXMeter set calibration"),
        Variant(0x0E, "RFX METER14", "RFXMeter set address"),
        Variant(0x0F, "RFX METER15", "RFXMeter identification"),
    )


class LevelSensor(Packet, kind=0x73, name="level_sensor", open=True):
    """How far down the water or oil of a tank stands.

    0D 73 ss nn  ii ii  mm  dd dd  tt tt  .. ..  rb      i id · m message · d cm · t sign and 0.1 degC
                                                         r signal · b battery
    """

    id: Id16
    message: U8
    centimetres: U16
    celsius: Celsius
    spare: Spare16 = 0
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (Variant(0x00, "TS FT002", "TS-FT002"),)


PACKETS: Final = (
    DateTime,
    Weight,
    SensorTemperature,
    SensorVoltage,
    SensorMessage,
    Meter,
    MeterSetting,
    LevelSensor,
)
