"""The table [rfxtrx]: what can be, and what is refused with its place and the right spelling."""

from __future__ import annotations

from typing import Any

import pytest

from hearthbus import Invalid
from hearthbus.config.schema import build
from services.rfxtrx.settings import Settings

DESK = {"id": "lighting2.ac.123abcd.5"}
CODE = {"id": "lighting4.pt2262.515500", "data_mask": 0xFF}


def table(**config: Any) -> Settings:
    """Return a table, checked as a file's is."""
    return build(Settings, {"port": "/dev/nowhere", **config})


def test_a_place_is_the_name_unless_it_says_so() -> None:
    """Two sensors can be at one place."""
    settings = table(devices={"desk": DESK, "garden": {"id": "temperature.temp1.2f00", "place": "outside"}})

    assert ["desk", "outside"] == [settings.place(name) for name in settings.devices]


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"port": "ftp://x"}, "port"),
        ({"protocols": ["ac", "oregano"]}, "protocol 'oregano': no stick has one of that name; did you mean 'oregon'?"),
        ({"silence_s": 1}, "silence_s 1"),
        ({"heard_times": 0}, "heard_times 0 is not from 1 to 100"),
        ({"heard_within_s": 0}, "heard_within_s 0"),
        ({"devices": {"The Desk": DESK}}, "devices.The Desk: a name is one part of a topic"),
        ({"devices": {"a": DESK, "b": DESK}}, "devices.b: lighting2.ac.123abcd.5 is a already"),
        ({"devices": {"a": CODE, "b": {**CODE, "id": "lighting4.pt2262.515501"}}}, "is a already"),
        ({"devices": {"a": {"id": "lighting2.ac.1"}}}, "write it as lighting2.ac.<id>.<unit>"),
        ({"devices": {"a": {**DESK, "kind": "lamp"}}}, "kind"),
        ({"devices": {"a": {"id": "temperature.temp1.2f00", "kind": "light"}}}, "temperature.temp1.2f00 only measures"),
        ({"devices": {"a": {**DESK, "place": "a/b"}}}, "place 'a/b' is not one part of a topic"),
        ({"devices": {"a": {**DESK, "off_delay_s": 0}}}, "off_delay_s 0"),
        ({"devices": {"a": {**DESK, "repeats": 11}}}, "repeats 11 is not from 1 to 10"),
        ({"devices": {"a": {**DESK, "mm_per_count": 0}}}, "mm_per_count 0"),
        ({"devices": {"a": {**DESK, "offset": {"temperture": 1.0}}}}, "did you mean 'temperature'"),
        ({"devices": {"a": {**DESK, "data_mask": 1}}}, "go with lighting4 (PT2262), and with no other"),
        ({"devices": {"a": {**CODE, "on_value": 0x100}}}, "on_value 0x100 has bits that data_mask 0xff has not"),
        ({"devices": {"a": {**CODE, "data_mask": 1 << 24}}}, "has more than 24 bits"),
    ],
)
def test_what_cannot_be_is_refused(config: dict[str, Any], complaint: str) -> None:
    """Before a port is opened; the text says what to write."""
    with pytest.raises(Invalid) as caught:
        table(**config)

    assert complaint in "; ".join(caught.value.problems)
