"""What of a sensor's packet is believed: its battery, and whether it can be true at all."""

from __future__ import annotations

import pytest
from test_topics_page import QUANTITIES

from drivers.rfxtrx import battery
from drivers.rfxtrx.codec import decode
from services.rfxtrx import quantities


def implausible(data: bytes) -> str:
    """Return why a frame is noise."""
    packet = decode(data)
    return quantities.implausible(packet.name, vars(packet))


def frame(text: str) -> bytes:
    """Return the bytes of hex."""
    return bytes.fromhex(text)


COUNTED = {
    "RAIN1": "0b5501001234 0000 000064 5{}",
    "RAIN9": "0b5509001234 0000 00 0100 5{}",
    "WIND3": "105603001234 0087 0014 0021 0000 0000 5{}",
    "TH8": "0a5208001234 00d7 32 00 5{}",
}


@pytest.mark.parametrize("text", COUNTED.values(), ids=COUNTED)
def test_some_count_tenths_of_their_battery(text: str) -> None:
    """0 is 10 %, 9 is full; with 20 % left or less it is low."""
    packets = [decode(frame(text.format(level))) for level in (0, 1, 2, 9)]

    assert [(0.1, True), (0.2, True), (0.3, False), (1.0, False)] == [
        (battery.part(each), battery.is_low(each)) for each in packets
    ]


@pytest.mark.parametrize(("level", "low"), [(0, True), (1, False), (9, False)])
def test_the_others_know_low_and_not_low(level: int, low: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """0 is low, and every other number says nothing of how full it is."""
    packet = decode(frame(f"0850010012 3400d75{level}"))

    assert (None, low) == (battery.part(packet), battery.is_low(packet))


@pytest.mark.parametrize("text", ["0f5c0104002de40002002f0003643280", "1f7601000007" + "00" * 25 + "90"])
def test_what_runs_on_mains_has_no_battery(text: str) -> None:
    """A metering plug, and a station whose nibble means nothing, say neither."""
    packet = decode(frame(text))

    assert (None, None) == (battery.part(packet), battery.is_low(packet))


TRUE = {
    "a frost": "085001001234812c79",
    "a grill": "0a4e01001234 0013 017c 79",
    "full of damp": "0851010012346403 79",
    "north": "105601001234 0168 0014 0021 0000 0000 59",
    "a calm, of old": "105601001234 0000 0000 0000 0000 0000 59",
    "a lamp": "0b11000012345678 01 01 0f 70",
    "low pressure": "0953010012340320 00 79",
}


@pytest.mark.parametrize("text", TRUE.values(), ids=TRUE)
def test_what_can_be_is_believed(text: str) -> None:
    """Values at the edges of what there is are no noise."""
    assert "" == implausible(frame(text))


NOISE = {
    "0850010012 34 0fa1 79": "temperature 400.1 is not from -90 to 400",
    "0850010012 34 8385 79": "temperature -90.1 is not from -90 to 400",
    "0a4e01001234 0013 0191 79": "temperature 401 is not from -90 to 400",
    "0851010012346500 79": "humidity 101 is not from 0 to 100",
    "095301001234012b 00 79": "pressure 299 is not from 300 to 1100",
    "095301001234044d 00 79": "pressure 1101 is not from 300 to 1100",
    "105601001234 0169 0014 0021 0000 0000 59": "wind_direction 361 is not from 0 to 360",
    "105601001234 0168 04b1 0021 0000 0000 59": "wind_speed 120.1 is not from 0 to 120",
    "115a01001234 00 000186a1 000000000000 79": "power 100001 is not from -100000 to 100000",
}


@pytest.mark.parametrize(("text", "why"), NOISE.items())
def test_what_cannot_be_says_why(text: str, why: str) -> None:
    """The reason names the quantity, its value and its limits."""
    assert why == implausible(frame(text))


def test_what_can_be_is_as_the_page_says() -> None:
    """One table of limits here, and the same in docs/topics.md."""
    page = {name: QUANTITIES[name][0].range for name in quantities.RANGES}

    assert page == {name: f"{low}..{high:.0f}" for name, (low, high) in quantities.RANGES.items()}
    assert {name for name in quantities.QUANTITIES if QUANTITIES[name][0].type == "number"} <= quantities.RANGES.keys()
