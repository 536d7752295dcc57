"""How messages and tables look."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthbus.cli.output import (
    Output,
    body_text,
    json_text,
    message_marks,
    message_object,
    size,
    table,
    wants_colour,
)
from hearthbus.message import REQUEST, RETAIN, Message, decode, encode_body, stamp

SECOND = 10**9


def message(body: dict[str, Any], *, flags: int = 0, replayed: bool = False, lost: int = 0) -> Message:
    frame = stamp(
        b"sensor/hall/temperature",
        encode_body(body),
        seq=7,
        offset=42,
        previous=41,
        time=100 * SECOND,
        flags=flags,
        origin=b"roomnode",
    )
    return decode(frame, replayed=replayed, lost=lost)


def test_a_message_as_an_object_has_six_fields() -> None:
    """--json: topic, seq, time in UTC, origin, retained, body."""
    expected = {
        "topic": "sensor/hall/temperature",
        "seq": 7,
        "time": "1970-01-01T00:01:40.000000Z",
        "origin": "roomnode",
        "retained": True,
        "body": {"value": 20.5},
    }

    assert expected == message_object(message({"value": 20.5}, flags=RETAIN))


def test_a_request_and_a_loss_are_marked() -> None:
    """What is special about a message stands there only where it is."""
    fields = message_object(message({}, flags=REQUEST, lost=3))

    assert (True, 3) == (fields["request"], fields["lost"])


def test_an_old_message_says_how_old() -> None:
    """A replayed message never looks fresh; a live one has no mark."""
    marks = [
        message_marks(message({}, replayed=replayed, flags=flags), now=220 * SECOND)
        for replayed, flags in [(False, 0), (True, RETAIN), (True, REQUEST)]
    ]

    assert ["", "2 min ago", "2 min ago, request"] == marks


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "{}"),
        ({"value": 20.5, "unit": "°C"}, "value=20.5 unit=°C"),
        ({"on": True, "rgb": [1, 2]}, "on=true rgb=[1, 2]"),
        ({"title": "two words"}, 'title="two words"'),
        ({"id": "007", "n": "7", "t": "true"}, 'id=007 n="7" t="true"'),
        ({"a b": 1, "": 2}, '"a b"=1 ""=2'),
        ({"raw": b"\x01\xff"}, 'raw="01ff"'),
    ],
)
def test_a_body_reads_like_what_pub_takes(body: dict[str, Any], text: str) -> None:
    """key=value, with quotes only where a bare word would mislead."""
    assert text == body_text(body)


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text()), max_size=3))
def test_a_body_is_one_printable_line(body: dict[str, Any]) -> None:
    """No body can move the cursor, ring the bell or begin a second line."""
    assert body_text(body).isprintable()
    assert json_text(body).isprintable()


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none(), max_size=3))
def test_json_is_true_to_the_body(body: dict[str, Any]) -> None:
    """Escaping changes how it is written, never what it says."""
    plain, ascii_text = json_text(body), json_text(body, ascii_only=True)

    assert body == json.loads(plain) == json.loads(ascii_text)
    assert ascii_text.isascii()


def test_columns_are_aligned() -> None:
    """Cells end or begin at the same place, and no line ends in blanks."""
    assert ["a      1  x", "long  22"] == table([("a", "1", "x"), ("long", "22", "")], right=frozenset({1}))


def test_colour_is_for_terminals_that_have_it() -> None:
    """A pipe, NO_COLOR and a dumb terminal get plain text."""
    wanted = [
        wants_colour(tty=tty, environ=environ)
        for tty, environ in [
            (True, {"TERM": "xterm"}),
            (True, {"NO_COLOR": ""}),
            (True, {"NO_COLOR": "1"}),
            (True, {"TERM": "dumb"}),
            (False, {}),
        ]
    ]

    assert [True, True, False, False, False] == wanted


def test_paint_leaves_plain_output_alone() -> None:
    """Without colour, text is text."""
    plain, coloured = (Output(line=print, note=print, colour=colour) for colour in (False, True))

    assert ("lost", "\x1b[31mlost\x1b[0m") == (plain.paint("bad", "lost"), coloured.paint("bad", "lost"))


def test_sizes_are_in_three_digits() -> None:
    """Bytes for a person."""
    assert ["512 B", "13.2 kB", "13.2 MB", "1.5 GB"] == [size(count) for count in (512, 13_200, 13_200_000, 1.5e9)]
