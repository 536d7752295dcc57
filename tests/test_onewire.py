"""1-wire as files show it: addresses in both spellings, readings, and everything that is none."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from w1_tree import CRC_BAD, POWER_ON, SILENT, scratchpad, w1_slave

from drivers.onewire import (
    FAMILIES,
    Address,
    Channel,
    Fault,
    checked,
    crc8,
    parse_address,
    parse_owfs,
    parse_temperature,
    parse_w1_slave,
)

WARM = FAMILIES[0x28].channels[0]


def fault(text: str, family: int = 0x28) -> str:
    """Return why a `w1_slave` is no reading."""
    with pytest.raises(Fault) as raised:
        parse_w1_slave(text, family)
    return raised.value.kind


@pytest.mark.parametrize(
    ("family", "text", "celsius"),
    [
        (0x28, "4b 01 4b 46 7f ff 05 10 e1 : crc=e1 YES\n4b 01 4b 46 7f ff 05 10 e1 t=20687\n", 20.687),
        (0x28, "3f 00 4b 46 7f ff 01 10 47 : crc=47 YES\n3f 00 4b 46 7f ff 01 10 47 t=3937\n", 3.937),
        (0x22, "59 01 4b 01 1f ff 0c 10 39 : crc=39 YES\n59 01 4b 01 1f ff 0c 10 39 t=21562\n", 21.562),
        (0x10, "2a 00 4b 46 ff ff 0e 10 84 : crc=84 YES\n2a 00 4b 46 ff ff 0e 10 84 t=20875\n", 20.875),
        (0x28, "6a fe 4b 46 7f ff 0c 10 3f : crc=3f YES\n6a fe 4b 46 7f ff 0c 10 3f t=-25375\n", -25.375),
    ],
)
def test_what_kernels_show(family: int, text: str, celsius: float) -> None:
    """Lines of DS18B20 at 12 and 9 bits, of a DS18S20, and below zero."""
    assert celsius == parse_w1_slave(text, family)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (CRC_BAD, "crc"),
        (POWER_ON, "power_on"),
        (SILENT, "silent"),
        ("", "empty"),
        ("\n", "empty"),
        ("72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n", "format"),
        ("72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57\n", "format"),
        ("72 01 4b 46 7f ff 0e 10 57 t=23125\n", "format"),
        ("nonsense", "format"),
    ],
)
def test_what_is_no_reading(text: str, kind: str) -> None:
    """A sensor pulled off, one that has just got power, a shorted wire, half a file: each is an error of its kind."""
    assert kind == fault(text)


def test_a_real_85_degrees_can_be_told_from_power_on() -> None:
    """Byte 6 is 0x0C until the first conversion; a sensor that has measured is believed, if it was near before."""
    assert 85.0 == checked(WARM, parse_w1_slave(w1_slave(85.0), 0x28), before=84.4)
    assert "power_on" == fault(POWER_ON)


@pytest.mark.parametrize("before", [None, 21.0, 91.0])
def test_85_degrees_out_of_the_blue_is_an_error(before: float | None) -> None:
    """Whatever the scratchpad says: clones do not keep byte 6, and owfs does not show it."""
    with pytest.raises(Fault) as raised:
        checked(WARM, 85.0, before=before)

    assert "power_on" == raised.value.kind


@pytest.mark.parametrize(
    ("value", "kind"), [(127.937, "power"), (127.9, "power"), (-127.0, "power"), (126.0, "range"), (-55.1, "range")]
)
def test_values_no_sensor_can_mean(value: float, kind: str) -> None:
    """Too little power, a sensor that is not there, and numbers outside what it measures."""
    with pytest.raises(Fault) as raised:
        checked(WARM, value)

    assert kind == raised.value.kind


@pytest.mark.parametrize("value", [-55.0, 0.0, 84.937, 85.062, 125.0])
def test_values_it_can(value: float) -> None:
    """The ends of its range, zero, and the neighbours of 85."""
    assert value == checked(WARM, value)


def test_a_thermocouple_s_low_bits_are_no_temperature() -> None:
    """A MAX31850 (config byte 0xFx) keeps its fault in the lowest bit; 300 °C is within its range."""
    hot = bytes((0xC0, 0x12, 0, 0, 0xF0, 0xFF, 0xFF, 0xFF))
    text = "{0} : crc=00 YES\n{0} t=300000\n"
    broken = bytes((0xC1,)) + hot[1:]
    couple = FAMILIES[0x3B].channels[0]

    assert 300.0 == checked(couple, parse_w1_slave(text.format((hot + b"\1").hex(" ")), 0x3B))
    assert "thermocouple" == fault(text.format((broken + b"\1").hex(" ")), 0x3B)


@pytest.mark.parametrize(("text", "celsius"), [("21312\n", 21.312), ("-62\n", -0.062), ("0", 0.0)])
def test_the_kernel_s_bare_number(text: str, celsius: float) -> None:
    """`temperature` holds 1/1000 °C."""
    assert celsius == parse_temperature(text)


@pytest.mark.parametrize(("text", "number"), [("     21.3125", 21.3125), ("-0.5", -0.5), ("           1", 1.0)])
def test_owfs_numbers(text: str, number: float) -> None:
    """They are padded on the left."""
    assert number == parse_owfs(text)


def test_both_spellings_name_one_sensor() -> None:
    """The kernel writes the serial number as a number, owfs as bytes: one is the other backwards."""
    kernel, owfs = parse_address("28-0316a2794bff"), parse_address("28.FF4B79A21603")

    assert kernel == owfs
    assert "28-0316a2794bff" == str(owfs)


@pytest.mark.parametrize(("text", "crc"), [("28.4AEC29CDBAAB", 0x95), ("1D.54F81BE8E78D", 0x8D)])
def test_the_crc_is_owfs_own(text: str, crc: int) -> None:
    """Its file `crc8` says the same; a name with the CRC behind it is taken, and refused when it is wrong."""
    assert crc == parse_address(text).crc
    assert parse_address(text) == parse_address(f"{text}{crc:02X}") == parse_address(f"{text}.{crc:02x}")
    with pytest.raises(ValueError, match=f"ought to be {crc:02X}"):
        parse_address(f"{text}{crc ^ 1:02X}")


@pytest.mark.parametrize("text", ["", "hall", "28-0316a2794bf", "280316a2794bff", "28-0316A2794BFG", "28.FF4B79A2160"])
def test_what_is_no_address(text: str) -> None:
    """Fourteen digits without a mark could be either spelling, and are none."""
    with pytest.raises(ValueError, match=r"28-0316a2794bff, or 28\.FF4B79A21603"):
        parse_address(text)


def test_the_crc_of_application_note_27() -> None:
    """The example of Maxim's note: ROM 02 1C B8 01 00 00 00 has the CRC A2."""
    assert 0xA2 == crc8(bytes.fromhex("021CB801000000"))


def test_the_fake_sensor_speaks_as_a_real_one() -> None:
    """Its nine bytes at 20.6875 °C are those of a real sensor's reading, CRC included."""
    assert "4b 01 4b 46 7f ff 05 10 e1" == scratchpad(20.6875).hex(" ")


@settings(deadline=None)
@given(st.integers(0, 255), st.binary(min_size=6, max_size=6))
def test_an_address_is_read_as_it_is_written(family: int, serial: bytes) -> None:
    """In either spelling."""
    address = Address(family, serial)

    assert address == parse_address(str(address)) == parse_address(f"{family:02X}.{serial.hex().upper()}")


@settings(deadline=None)
@given(st.integers(-55 * 16, 125 * 16))
def test_every_temperature_is_read_as_the_kernel_writes_it(raw: int) -> None:
    """To a thousandth; 85 °C too, where a conversion made it."""
    assert raw / 16 == pytest.approx(parse_w1_slave(w1_slave(raw / 16), 0x28), abs=0.001)


@settings(deadline=None)
@given(
    st.one_of(st.binary(max_size=200), st.from_regex(r"([0-9a-f]{2} ){9}: crc=[0-9a-f]{2} (YES|NO)\n.{0,40}t=-?\d*"))
)
@example(b"\xff" * 80)
@example("t=" + "9" * 60)
def test_any_bytes_are_a_reading_or_a_fault(given_text: bytes | str) -> None:
    """Nothing but `Fault` is ever raised, and what is believed is within the sensor's range."""
    text = given_text.decode("ascii", errors="replace") if isinstance(given_text, bytes) else given_text
    for parse in (lambda text: parse_w1_slave(text, 0x3B), parse_temperature, parse_owfs):
        try:
            value = checked(WARM, parse(text))
        except Fault:
            continue

        assert -55.0 <= value <= 125.0


def test_every_family_measures_something() -> None:
    """Each has channels, and no two of one sensor are told on one topic."""
    for family in FAMILIES.values():
        topics = [(channel.part, channel.quantity) for channel in family.channels]

        assert topics
        assert len(topics) == len(set(topics))
    assert isinstance(WARM, Channel)
