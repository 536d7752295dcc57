"""Bodies as a person types them."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthbus.cli.output import body_text
from hearthbus.cli.values import parse_body, parse_object
from hearthbus.errors import Invalid

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("v=21.5", 21.5),
        ("v=-3", -3),
        ("v=true", True),
        ("v=null", None),
        ("v=on", "on"),
        ("v=", ""),
        ("v=a=b", "a=b"),
        ("v=°C", "°C"),
        ("v=[255,0,0]", [255, 0, 0]),
        ("v=[255,0", "[255,0"),
        ('v="007"', "007"),
        ("v=007", "007"),
        ("v=NaN", "NaN"),
        ("v=Infinity", "Infinity"),
        ("v=True", "True"),
    ],
)
def test_a_value_is_json_where_it_is_json_and_else_a_string(word: str, value: object) -> None:
    """key=value: what JSON knows has its type, all else is text."""
    assert {"v": value} == parse_body([word])
    assert type(value) is type(parse_body([word])["v"])


def test_words_and_json_make_the_same_body() -> None:
    """Words and one JSON object are two ways to write the same."""
    expected = {"on": True, "rgb": [1, 2, 3], "name": "hall"}

    assert expected == parse_body(["on=true", "rgb=[1,2,3]", "name=hall"])
    assert expected == parse_body([json.dumps(expected)])


def test_no_words_are_the_empty_body() -> None:
    """Nothing typed is a body without values."""
    assert {} == parse_body([])


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["21.5"], "write for example value=21.5"),
        (["=5"], "write for example value=5"),
        (["a=1", "a=2"], "'a' is given twice"),
        (['{"a": 1}', "b=2"], "put the JSON in single quotes"),
        (['{"a": }'], "bad JSON: Expecting value at column 7"),
        (["[1]"], "a body is an object"),
        (['{"a": NaN}'], "NaN is no JSON value"),
        (['{"a":' * 3000], "bad JSON: "),
    ],
)
def test_a_bad_body_is_refused_with_the_fault(words: list[str], fault: str) -> None:
    """What is wrong is said, and what to write instead where that is known."""
    with pytest.raises(Invalid) as refused:
        parse_body(words)

    assert fault in str(refused.value)


def test_a_bad_line_names_its_place() -> None:
    """JSON that came from elsewhere is blamed by where it stood."""
    with pytest.raises(Invalid, match="bad JSON on line 3: Expecting"):
        parse_object('{"a": ', place="on line 3")


def test_deep_json_is_an_error_and_no_crash() -> None:
    """A hundred thousand brackets are bad JSON."""
    with pytest.raises(Invalid, match="bad JSON"):
        parse_object("[" * 100_000)


@given(st.dictionaries(st.from_regex(r"[a-z_]+", fullmatch=True), PLAIN, min_size=1, max_size=4))
def test_what_is_printed_can_be_typed(body: dict[str, object]) -> None:
    """body_text writes each pair so that parse_body gives the same value back."""
    words = [body_text({key: value}) for key, value in body.items()]

    assert body == parse_body(words)


@given(st.text())
def test_any_word_gives_a_body_or_an_error(word: str) -> None:
    """There is no word that ends in another exception, or in a number that is none."""
    try:
        values = parse_body([word]).values()
    except Invalid:
        return

    assert not any(isinstance(value, float) and math.isnan(value) for value in values)
