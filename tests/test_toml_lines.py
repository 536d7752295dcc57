"""On which line of a TOML file each key stands."""

from __future__ import annotations

import textwrap
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hearthbus.config.toml_lines import KeyPath, key_lines

SCALARS = st.sampled_from(
    [
        "1",
        "-2.5",
        "true",
        '"a = [b] # c"',
        "'[x]'",
        '"""one\ntwo = 2\n"""',
        "'''\n[no]\n'''",
        "07:30:00",
        "1979-05-27 07:32:00",
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3).map(lambda items: "[ # [\n" + " , # ]\n".join(items) + "\n]"),
    max_leaves=4,
)
KEYS = st.sampled_from(["a", "b-c", "d_1", '"e.f"', "'g=h'", '"i\\"j"', '"\\u006b"'])


def read(key: str) -> str:
    """Return what a written key means."""
    return next(iter(tomllib.loads(f"{key} = 1")))


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[KeyPath, int]]:
    """Draw a document, and where its keys are."""
    lines: list[str] = []
    expected: dict[KeyPath, int] = {}
    for table in draw(st.lists(KEYS, unique_by=read, max_size=3)):
        lines += draw(st.lists(st.sampled_from(["", "# [x]", "  "]), max_size=2))
        expected[read(table),] = len(lines) + 1
        lines.append(draw(st.sampled_from([f"[{table}]", f"[ {table} ]  # [y]"])))
        for key in draw(st.lists(KEYS, unique_by=read, max_size=3)):
            expected[read(table), read(key)] = len(lines) + 1
            lines += f"{key} = {draw(VALUES)}  # = 1".split("\n")
    return "\n".join(lines), expected


@given(documents())
def test_every_key_is_found_on_its_line(document: tuple[str, dict[KeyPath, int]]) -> None:
    """Whatever stands in values and comments, a key's line is right."""
    text, expected = document
    tomllib.loads(text)
    found = key_lines(text)

    assert expected == {path: line for path, line in found.items() if len(path) <= 2 and int not in map(type, path)}


@given(documents())
def test_every_value_has_a_line(document: tuple[str, dict[KeyPath, int]]) -> None:
    """Each path that tomllib reads, down to the elements of arrays, is known."""
    text, _ = document

    assert set() == set(paths(tomllib.loads(text))) - key_lines(text).keys()


def paths(values: Any, path: KeyPath = ()) -> list[KeyPath]:
    """Return every path into a value."""
    items = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    return [deeper for key, value in items for deeper in [(*path, key), *paths(value, (*path, key))]]


def test_tables_in_tables_and_arrays_of_tables() -> None:
    """Headers with dots, repeated tables, dotted keys and inline tables all lead to their lines."""
    text = textwrap.dedent("""\
        top = 1
        [a.b]
        c.d = 1
        [[jobs]]
        name = "one"
        [jobs.when]
        at = 1
        [[jobs]]
        name = { first = 1, last = [ { x = 1 }, 2 ] }
        [[jobs.steps]]
        do = 1
        [[jobs.steps]]
        do = 2
    """)

    assert {
        ("top",): 1,
        ("a", "b"): 2,
        ("a", "b", "c"): 3,
        ("a", "b", "c", "d"): 3,
        ("jobs",): 4,
        ("jobs", 0): 4,
        ("jobs", 0, "name"): 5,
        ("jobs", 0, "when"): 6,
        ("jobs", 0, "when", "at"): 7,
        ("jobs", 1): 8,
        ("jobs", 1, "name"): 9,
        ("jobs", 1, "name", "first"): 9,
        ("jobs", 1, "name", "last"): 9,
        ("jobs", 1, "name", "last", 0): 9,
        ("jobs", 1, "name", "last", 0, "x"): 9,
        ("jobs", 1, "name", "last", 1): 9,
        ("jobs", 1, "steps"): 10,
        ("jobs", 1, "steps", 0): 10,
        ("jobs", 1, "steps", 0, "do"): 11,
        ("jobs", 1, "steps", 1): 12,
        ("jobs", 1, "steps", 1, "do"): 13,
    } == key_lines(text)
