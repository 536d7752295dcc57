"""Commands in events: which lines and properties are read, and as what."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthbus.message import encode_body
from services.calendar.commands import LONGEST, MOST, parse


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("#hb heat=21.5", {"heat": 21.5}),
        ("#hb heat=21 on=true off=False", {"heat": 21, "on": True, "off": False}),
        ('Dinner\n  #hb note="the blue room" who=ann\nBring wine', {"note": "the blue room", "who": "ann"}),
        ("#hb note=“two words”", {"note": "two words"}),
        ("#hb note=„zwei Worte“", {"note": "zwei Worte"}),
        ("#HB Heat=-3", {"heat": -3}),
        ("#hb code=007 phone=+4420", {"code": "007", "phone": "+4420"}),
        ('#hb level="5" flag="true" empty=""', {"level": "5", "flag": "true", "empty": ""}),
        ("#hb a=1\n#hb a=2", {"a": 2}),
        ("#hb at=http://x/?y=1", {"at": "http://x/?y=1"}),
        ("#hb big=1e999 not=nan", {"big": "1e999", "not": "nan"}),
        ("Talk of #hb heat=21", {}),
        ("#hbheat=21", {}),
        ("#hb heat = 21", {}),
        ("#hb sch\xf6n=1 a/b=1 =1 bare", {}),
        ('#hb note="not closed', {}),
        ("#hb long=" + "x" * (LONGEST + 1), {}),
        ("#hb bell=\x07", {}),
    ],
)
def test_a_line_is_read(content: str, expected: dict[str, object]) -> None:
    """Keys are small, values true, false, numbers or text; what follows no rule is left out."""
    assert expected == parse(content, {})
    assert [type(value) for value in expected.values()] == [type(value) for value in parse(content, {}).values()]


def test_properties_are_read_and_a_line_wins() -> None:
    """A program writes properties, a person lines."""
    private = {"Heat": "19", "mode": "two words", "bad key": "1"}

    assert {"heat": 21, "mode": "two words"} == parse("#hb heat=21", private)


def test_no_more_than_twenty() -> None:
    """A calendar's writer cannot fill the bus."""
    line = "#hb " + " ".join(f"k{number}={number}" for number in range(MOST + 5))

    assert [f"k{number}" for number in range(MOST)] == list(parse(line, {"late": "1"}))


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_anything_can_be_sent(content: str, private: dict[str, str]) -> None:
    """Whatever stands in an event, its commands fit a message."""
    encode_body(parse("#hb " + content, private))


@pytest.mark.parametrize("content", ["#hb " + "x" * 10**6, "#hb " * 250_000, '#hb a="' * 150_000, "#hb a=“" * 150_000])
def test_a_hostile_description_costs_little(content: str) -> None:
    """A megabyte made to be slow is read at once."""
    began = time.process_time()
    parse(content, {})

    assert time.process_time() - began < 1.0
