"""What the packets of RFXtrx sensors mean where it is easy to read them wrong."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

import pytest

from drivers.bits import CodecError
from drivers.rfxtrx.climate import Temperature
from drivers.rfxtrx.codec import decode, from_plain, to_plain
from drivers.rfxtrx.lighting import Lighting2
from drivers.rfxtrx.meters import DateTime
from drivers.rfxtrx.packet import Packet
from drivers.rfxtrx.rain import INCH_CARTRIDGE, Rain, RainCount, RainDavis, RainTx5, fallen
from drivers.rfxtrx.teleinfo import Linky, Tic
from drivers.rfxtrx.weather import Lightning, Wind, Ws90

Kind = TypeVar("Kind", bound=Packet)


def packet(kind: type[Kind], text: str) -> Kind:
    """Return the packet of a frame in hex, which is of that kind."""
    found = decode(bytes.fromhex(text))
    assert isinstance(found, kind)
    return found


def plain(text: str) -> dict[str, Any]:
    """Return what a frame in hex says, as a plain object."""
    return to_plain(decode(bytes.fromhex(text)))


@pytest.mark.parametrize(
    ("wire", "celsius"), [("0141", 32.1), ("8141", -32.1), ("0000", 0.0), ("8001", -0.1), ("7fff", 3276.7)]
)
def test_a_temperature_has_its_sign_apart(wire: str, celsius: float) -> None:
    """Bit 15 is the sign and the rest the amount: 8141 is -32.1, and not -3244.7 as in two's complement."""
    assert celsius == packet(Temperature, f"0850010012 34{wire}79").celsius


def test_minus_zero_degrees_are_zero() -> None:
    """A thermometer near freezing sends minus zero: it is a temperature, and no noise."""
    assert Temperature(subtype=1, id=0x1234, celsius=0.0, rssi_dbm=-64, battery_level=9) == packet(
        Temperature, "0850010012 34800079"
    )


def test_a_sensor_of_a_new_kind_is_read_as_the_others() -> None:
    """A subtype that came after this was written has the same shape, as all have had; it has no name yet."""
    assert {"subtype_name": "unknown_119", "celsius": 21.5} == {
        key: plain("08507700123400d779")[key] for key in ("subtype_name", "celsius")
    }


def test_a_longer_frame_keeps_what_is_new() -> None:
    """Bytes that a newer firmware adds are kept, and written again."""
    frame = bytes.fromhex("0a5001001234 00d779 abcd")

    assert (b"\xab\xcd", frame) == (decode(frame).extra, decode(frame).encode())


def test_a_shorter_frame_is_an_error() -> None:
    """A frame that ends before its temperature does is none."""
    with pytest.raises(CodecError, match="TEMP1: 7 bytes, not 9"):
        decode(bytes.fromhex("06500100123400"))


ENERGY = {
    "ELEC2, count 0": ("115a0100123400000003f6 0000000369b2 89", 1000.0),
    "ELEC2, count 7": ("115a0100123407000003f6 0000000369b2 89", 1000.0),
    "ELEC3, count 0": ("115a0200123400000003f6 0000000369b2 89", 1000.0),
    "ELEC3, count 7": ("115a0200123407000003f6 0000000369b2 89", None),
    "ELEC3, count 0, no energy": ("115a0200123400000003f6 000000000000 89", None),
    "ELEC4, count 0": ("135b01001234 00 001600000000 0000000369b2 89", 1000.0),
    "ELEC4, count 1": ("135b01001234 01 001600000000 0000000369b2 89", None),
}


@pytest.mark.parametrize(("frame", "watt_hours"), ENERGY.values(), ids=ENERGY)
def test_energy_is_there_only_with_count_0(frame: str, watt_hours: float | None) -> None:
    """A CM180 and a CM180i have energy in packets of count 0 alone, and never zero; a CM119 has it in all."""
    assert watt_hours == plain(frame).get("watt_hours")


def test_energy_with_another_count_cannot_be_written() -> None:
    """A packet that would not be read again as it was is refused, and the text says when it is not."""
    told = plain("135b01001234 00 001600000000 0000000369b2 89") | {"count": 1}

    with pytest.raises(CodecError, match="watt_hours means something only with count = 0"):
        from_plain(told).encode()


@pytest.mark.parametrize(("subtype", "rate"), [(1, 592), (2, 5.92), (3, None), (7, None)])
def test_each_gauge_has_its_own_rate(subtype: int, rate: float | None) -> None:
    """Rates are in mm/h with one, in hundredths with another, and not there with the rest."""
    assert rate == packet(Rain, f"0b55{subtype:02x}001234 0250 012345 57").mm_per_hour


def test_a_tx5_counts_with_four_bits() -> None:
    """The high bits of a TX5's count are kept, and are no rain."""
    gauge = packet(RainTx5, "0b5506001234 0000 0000 7f 69")

    assert (7, 3.99) == (gauge.spare_count, gauge.counter_mm)


FALLEN = {
    "a total": ("0b5502001234 0000 000064 59", "0b5502001234 0000 000069 59", 0.5),
    "a total of new batteries": ("0b5502001234 0000 000064 59", "0b5502001234 0000 000001 59", 0.0),
    "TX5 past its end": ("0b5506001234 0000 0000 0f 59", "0b5506001234 0000 0000 01 59", 0.532),
    "Davis": ("0b5508001234 0000 0000 10 59", "0b5508001234 0000 0000 13 59", 0.6),
    "Davis past its end": ("0b5508001234 0000 0000 ff 59", "0b5508001234 0000 0000 01 59", 0.4),
    "Davis with new batteries": ("0b5508001234 0000 0000 64 59", "0b5508001234 0000 0000 00 59", 0.0),
    "TFA past its end": ("0b5509001234 0000 00 ffff 59", "0b5509001234 0000 00 0001 59", 0.508),
    "Ecowitt": ("0b550a001234 0000 00 0100 59", "0b550a001234 0000 00 0100 59", 0.0),
}


@pytest.mark.parametrize(("before", "now", "mm"), FALLEN.values(), ids=FALLEN)
def test_rain_between_two_packets(before: str, now: str, mm: float) -> None:
    """What fell is the difference, also past the end of a counter, and nothing where the gauge began anew."""
    first, second = (decode(bytes.fromhex(each)) for each in (before, now))
    assert isinstance(first, Rain | RainTx5 | RainDavis | RainCount)
    assert isinstance(second, Rain | RainTx5 | RainDavis | RainCount)

    assert mm == fallen(first, second)


def test_a_davis_may_have_an_inch_cartridge() -> None:
    """Three tips of a Davis with the cartridge for inches are 0.762 mm."""
    before, now = (packet(RainDavis, f"0b5508001234 0000 0000 {count} 59") for count in ("10", "13"))

    assert 0.762 == fallen(before, now, mm_per_count=INCH_CARTRIDGE)


def test_rain_of_two_gauges_is_an_error() -> None:
    """Packets of different subtypes are not of one gauge."""
    with pytest.raises(CodecError, match="not one gauge"):
        fallen(packet(RainDavis, "0b55080012340000000010 59"), packet(Rain, "0b5502001234 0000 000069 59"))


WIND = "0087 0014 0021 0049 813a"


@pytest.mark.parametrize(
    ("subtype", "lacks"),
    [
        (1, {"celsius", "chill_celsius"}),
        (4, set()),
        (5, {"metres_per_second", "celsius", "chill_celsius"}),
        (8, {"degrees", "chill_celsius"}),
        (9, {"chill_celsius"}),
    ],
)
def test_an_anemometer_says_only_what_it_measures(subtype: int, lacks: set[str]) -> None:
    """Bytes where others have a direction, a mean or a temperature are not shown for those that have none."""
    wind = packet(Wind, f"1056{subtype:02x}001234{WIND}79")

    assert lacks == {name for name, value in vars(wind).items() if value is None}


def test_stations_have_their_own_rain_scales() -> None:
    """The same count is 0.1, 0.3 or 0.254 mm a piece."""
    body = "0007010e00430072801700003a0100000003e81f00da000000000093"
    told = [plain(f"1f76{subtype:02x}00{body}")["mm"] for subtype in (0, 1, 2)]

    assert [100.0, 300.0, 254.0] == told


def test_the_sun_of_a_ws90_has_no_unit() -> None:
    """Others disagree by a factor of 13 about it: it is told raw."""
    station = packet(Ws90, "1f7600f50007010e00430072801700003a0100000001a01f00da03fd00000093")

    assert (218, False) == (station.solar_raw, "watts_per_square_metre" in vars(station))


@pytest.mark.parametrize("subtype", [0, 1])
def test_lightning_63_km_away_has_no_distance(subtype: int) -> None:
    """63 says that the distance is not valid, in both numberings of the subtype."""
    told = [packet(Lightning, f"0c74{subtype:02x}03123456 08 {km} 06 0000 58").kilometres for km in ("0c", "3f")]

    assert [12, None] == told


@pytest.mark.parametrize(("state", "volt_amperes"), [("02", 1882), ("00", None), ("06", 1882)])
def test_apparent_power_is_valid_by_its_bit(state: str, volt_amperes: int | None) -> None:
    """Bit 1 of a teleinfo transmitter's state says that the power is true."""
    tic = packet(Tic, f"1560010001234567891112345678 00000000 075a {state} 79")

    assert volt_amperes == tic.volt_amperes


def test_bit_2_says_that_the_meter_is_silent() -> None:
    """Set is absent, in both packets that have the bit."""
    states = ("00", "04")
    told = [packet(Tic, f"1560010001234567891112345678 00000000 075a {state} 79").meter_absent for state in states]
    told += [
        packet(Linky, f"15600300288a70a4 00000001 00000002 01 1e 075a {state} 79").meter_absent for state in states
    ]

    assert [False, True, False, True] == told


@pytest.mark.parametrize(("state", "produced"), [("00", None), ("02", 2)])
def test_production_is_there_only_in_use(state: str, produced: int | None) -> None:
    """A house without solar panels does not produce 2 Wh: its counter is not in use."""
    assert produced == packet(Linky, f"15600300288a70a4 00000001 00000002 01 1e 075a {state} 79").production_watt_hours


def test_a_linky_has_the_number_that_is_printed_on_it() -> None:
    """Maker 2, of 2017, type 61, number 684196."""
    meter = packet(Linky, "15600300288a70a4 00000001 00000002 01 1e 075a 00 79")

    assert "021761684196" == meter.meter_number()


def test_a_linky_of_an_unknown_type_has_a_number_too() -> None:
    """Six types are known; the other two numbers that fit are written as question marks."""
    meter = packet(Linky, "15600300 28fa70a4 00000001 00000002 01 1e 075a 00 79")

    assert "0217??684196" == meter.meter_number()


def test_a_clock_tells_its_time() -> None:
    """Years are counted from 2000, months and days from 1."""
    clock = packet(DateTime, "0d580100123411081105141b1179")

    assert (datetime(2017, 8, 17, 20, 27, 17), "thursday") == (clock.moment(), clock.weekday)  # noqa: DTZ001 - as sent


def test_a_clock_with_a_day_that_is_none_is_read_and_tells_no_time() -> None:
    """The 31st of February is decoded, so that one sees it, and is no moment."""
    clock = packet(DateTime, "0d5801001234 11021f 05141b1179")

    with pytest.raises(CodecError, match="date_time: day"):
        clock.moment()


def test_a_meter_says_what_its_subtype_is_about() -> None:
    """Only subtype 0 is a counter: an interval or an address must not be taken for one."""
    told = [set(plain(f"0a71{subtype:02x}0012340000000470")) & {"counter", "value"} for subtype in (0, 1, 15)]

    assert [{"counter"}, {"value"}, {"value"}] == told


def test_a_counter_told_in_words_is_written_as_one() -> None:
    """The two shapes of one type are kept apart by their fields."""
    told = plain("0a7100001234 00000004 70")

    assert from_plain(told).encode() == bytes.fromhex("0a7100001234 00000004 70")


def test_undecoded_bits_have_no_signal_at_their_end() -> None:
    """All bytes belong to what was heard."""
    assert {"subtype_name": "arc", "payload": "280ab7660470"} == {
        key: plain("09030104280ab7660470")[key] for key in ("subtype_name", "payload")
    }


def test_a_lamp_has_no_battery_field() -> None:
    """What sensors have at their end, switches have not."""
    assert "battery_level" not in vars(packet(Lighting2, "0b11000012345678 01 01 0f 70"))
