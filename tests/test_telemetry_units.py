"""Units: every conversion has its way back, and those a person knows by heart are right."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthbus import Invalid
from services.telemetry.units import KINDS, check_units, converter

WAYS = {
    (source, target): (converter(source, target), converter(target, source))
    for units in KINDS.values()
    for source in units
    for target in units
}
NUMBERS = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False)


def near(left: float, right: float, *, scale: float = 1.0) -> bool:
    return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9 * scale)


@pytest.mark.parametrize(
    ("source", "target", "number", "expected"),
    [
        ("°C", "°F", 100.0, 212.0),
        ("°C", "°F", -40.0, -40.0),
        ("°F", "°C", 32.0, 0.0),
        ("°C", "K", 0.0, 273.15),
        ("K", "°F", 0.0, -459.67),
        ("m/s", "km/h", 10.0, 36.0),
        ("m/s", "mph", 44.704, 100.0),
        ("km/h", "kn", 1.852, 1.0),
        ("hPa", "mbar", 1013.25, 1013.25),
        ("hPa", "inHg", 1013.25, 29.9212524),
        ("hPa", "kPa", 1013.25, 101.325),
        ("mm", "in", 25.4, 1.0),
        ("m", "ft", 0.3048, 1.0),
        ("W", "kW", 1500.0, 1.5),
        ("Wh", "kWh", 1500.0, 1.5),
        ("kWh", "MJ", 1.0, 3.6),
        ("V", "mV", 3.3, 3300.0),
        ("ratio", "%", 0.5, 50.0),
        ("l/min", "m³/h", 1000.0, 60.0),
    ],
)
def test_known_by_heart(source: str, target: str, number: float, expected: float) -> None:
    """What stands in every table of conversions."""
    found = converter(source, target)(number)

    assert math.isclose(expected, found, rel_tol=1e-7, abs_tol=1e-9)


@given(NUMBERS)
def test_there_and_back(number: float) -> None:
    """Every conversion and its way back give the number again, to the ninth digit."""
    wrong = []
    for (source, target), (there, back) in WAYS.items():
        zero = abs(back(0.0)) + abs(back(there(0.0)))
        if not near(number, back(there(number)), scale=max(1.0, abs(number), zero)):
            wrong.append((source, target))

    assert [] == wrong


@pytest.mark.parametrize("units", KINDS.values(), ids=KINDS)
def test_no_way_is_longer_than_another(units: dict[str, object]) -> None:
    """From one unit to another by a third is the same as going straight."""
    names = list(units)
    for first, second, third in zip(names, names[1:] + names[:1], names[2:] + names[:2], strict=True):
        by, straight = converter(second, third)(converter(first, second)(17.5)), converter(first, third)(17.5)

        assert near(straight, by)


def test_a_unit_stands_once() -> None:
    """No unit is of two kinds."""
    names = [unit for units in KINDS.values() for unit in units]

    assert sorted(set(names)) == sorted(names)


def test_unknown_unit_names_the_nearest() -> None:
    """A mistyped unit is told with what was probably meant."""
    with pytest.raises(Invalid, match="'kWH' is not known; did you mean 'kWh'"):
        converter("Wh", "kWH")


def test_different_things_do_not_convert() -> None:
    """Degrees do not become metres."""
    with pytest.raises(Invalid, match=r"°C is a temperature and m a length; °C converts to K, °F"):
        converter("°C", "m")


def test_every_fault_is_told() -> None:
    """The check of a table tells all its faults at once."""
    with pytest.raises(Invalid) as caught:
        check_units([("°C", "°F"), ("°C", "bananas"), ("W", "V")])

    assert 2 == len(caught.value.problems)
