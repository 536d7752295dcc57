"""Descriptions as calendar pages store them, and the plain text of them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.calendar.commands import parse
from services.calendar.plain import plain


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("one<br>two<BR/>three", "one\ntwo\nthree"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<ul><li>a</li><li>b</li></ul>", "a\n\nb"),
        ('see <a href="https://x/?a=1&amp;b=2">the page</a>', "see the page"),
        ("<b>loud</b> &amp; <i>clear</i>&nbsp;&#8364;5", "loud & clear €5"),
        ("&lt;br&gt; is a tag", "<br> is a tag"),
        ("ann <ann@example.org>, a < b > c", "ann <ann@example.org>, a < b > c"),
        ("R&D, AT&T, x&copy=1", "R&D, AT&T, x&copy=1"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("<script>alert(1)</script>x<style>y</style><!-- z -->", "x"),
        ("bell\x07 &#7;&#xD800;!", "bell \ufffd!"),
        ("", ""),
    ],
)
def test_html_becomes_text(stored: str, expected: str) -> None:
    """Breaks become lines, links their text, entities characters; what only looks like HTML stays."""
    assert expected == plain(stored)


def test_a_command_of_googles_page_is_found() -> None:
    """What a person types on Google's page as a line of its own is one after all that HTML."""
    stored = '<p>Guests</p><span>#hb heat=21&nbsp;note=&quot;a b&quot;</span><br>Bring <a href="x">wine</a>'

    assert {"heat": 21, "note": "a b"} == parse(plain(stored), {})


@given(st.text())
def test_no_control_characters_are_left(stored: str) -> None:
    """Whatever is stored, what comes out is printable text, lines and tabs, and can be sent."""
    text = plain(stored)
    text.encode()

    assert not {char for char in text if ord(char) < 32} - {"\n", "\t"}


@given(st.text(alphabet=st.characters(exclude_characters="<&\xa0\u2028\u2029", exclude_categories=["C"])))
def test_plain_text_stays(stored: str) -> None:
    """Text without tags and entities is not touched, but for space at its ends."""
    assert stored.strip() == plain(stored)


@pytest.mark.parametrize(
    "stored", ["<a " * 300_000, "<script>" * 100_000, "<!--" * 200_000, "&" * 10**6, "\n \n" * 300_000]
)
def test_a_hostile_description_costs_little(stored: str) -> None:
    """A megabyte made to be slow is read at once."""
    began = time.process_time()
    plain(stored)

    assert time.process_time() - began < 1.0
