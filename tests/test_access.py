"""What a table of access decides: topics, patterns, prefixes on the fan-out. Laws, and the cases people think of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.access import RESERVED, Table, Verb
from broker.config import Grant
from hearthbus.topics import matches, prefixes

SEGMENTS = st.sampled_from(["a", "b", "ab", "lamp", "lamp2"])
TOPICS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)
PARTS = st.lists(st.one_of(SEGMENTS, st.just("+")), max_size=3)
PATTERNS = st.one_of(PARTS.filter(bool).map("/".join), PARTS.map(lambda parts: "/".join([*parts, "#"])), TOPICS)
GRANTED = st.lists(PATTERNS, max_size=3).map(tuple)


def table(**grant: tuple[str, ...]) -> Table:
    """A table for one key, kitchen."""
    return Table({"kitchen": Grant(**grant)}, keys={"kitchen", "phone"})  # type: ignore[arg-type]  # patterns only


@given(GRANTED, TOPICS, st.integers(0, 60))
def test_a_held_prefix_delivers_nothing_else(granted: tuple[str, ...], topic: str, length: int) -> None:
    """Whatever prefix may be held: each topic it delivers is one that may be read."""
    prefix = (topic.encode() + b"\0")[:length]
    if table(subscribe=granted).may_hold("kitchen", prefix):
        delivered = [topic, f"{topic}/a", f"{topic}/b/a", f"{topic}2"] if not prefix.endswith(b"\0") else [topic]

        assert [] == [each for each in delivered if not any(matches(pattern, each) for pattern in granted)]


@given(GRANTED, PATTERNS, TOPICS)
def test_a_pattern_is_read_only_as_granted(granted: tuple[str, ...], pattern: str, topic: str) -> None:
    """Whatever pattern may be read: each topic it covers is one that may be read."""
    if matches(pattern, topic) and table(subscribe=granted).allows("kitchen", "read", pattern):
        assert any(matches(each, topic) for each in granted)


@given(GRANTED, PATTERNS)
def test_what_may_be_watched_may_be_held(granted: tuple[str, ...], pattern: str) -> None:
    """A pattern that may be subscribed can be: each of its prefixes may be held, and the past may be read."""
    rules = table(subscribe=granted)
    if rules.allows("kitchen", "subscribe", pattern):
        assert all(rules.may_hold("kitchen", prefix) for prefix in prefixes(pattern))
        assert rules.allows("kitchen", "read", pattern)


@pytest.mark.parametrize(
    ("granted", "prefix", "holds"),
    [
        ("cmd/lamp/#", b"cmd/lamp/", True),
        ("cmd/lamp/#", b"cmd/lamp\0", True),
        ("cmd/lamp/#", b"cmd/lamp/set\0", True),
        ("cmd/lamp/#", b"cmd/lamp/set", True),
        ("cmd/lamp/#", b"cmd/lamp", False),
        ("cmd/lamp/#", b"cmd/lamp2\0", False),
        ("cmd/lamp/#", b"cmd/", False),
        ("cmd/lamp/#", b"", False),
        ("cmd/lamp", b"cmd/lamp\0", True),
        ("cmd/lamp", b"cmd/lamp\0\0\0", True),
        ("cmd/lamp", b"cmd/lamp", False),
        ("cmd/lamp", b"cmd/lamp/", False),
        ("cmd/+/set", b"cmd/lamp/set\0", True),
        ("cmd/+/set", b"cmd/", False),
        ("cmd/+/#", b"cmd/", True),
        ("cmd/+/set/#", b"cmd/lamp/set/", True),
        ("cmd/+/set/#", b"cmd/", False),
        ("+/#", b"a", True),
        ("#", b"", True),
        ("#", b"\xff", False),
        ("cmd/#", b"cmd/\xff", False),
        ("cmd/#", b"\0", False),
        ("cmd/#", b"/", False),
    ],
)
def test_prefixes(granted: str, prefix: bytes, *, holds: bool) -> None:
    """The rule of the fan-out, in cases: everything that begins so has to be granted, by whole segments."""
    assert holds == table(subscribe=(granted,)).may_hold("kitchen", prefix)


@pytest.mark.parametrize("verb", ["publish", "subscribe", "request", "serve", "read"])
@pytest.mark.parametrize("who", ["kitchen", "phone", "nobody"])
def test_nothing_that_is_not_said(who: str, verb: Verb) -> None:
    """Neither an empty table nor none allows anything."""
    assert not table().allows(who, verb, "a/b")
    assert not table().may_hold(who, b"a/b\0")


@pytest.mark.parametrize("topic", [*RESERVED, "service/kitchen", "service/phone"])
@pytest.mark.parametrize("who", ["kitchen", "local", "local:0"])
def test_nobody_speaks_for_the_broker(who: str, topic: str) -> None:
    """Presence and the broker's own topics are its alone, whatever is granted."""
    assert not table(publish=("#",)).allows(who, "publish", topic)


@pytest.mark.parametrize(
    ("who", "topic", "may"),
    [
        ("kitchen", "service/kitchen/health", True),
        ("kitchen", "service/kitchen.oven/health", True),
        ("kitchen", "service/hall/health", True),
        ("kitchen", "service/kitchen2/health", False),
        ("phone", "service/kitchen/health", False),
    ],
)
def test_below_its_presence_a_service_says_what_it_likes(who: str, topic: str, *, may: bool) -> None:
    """A key's own services publish below service/<name>, and no others."""
    assert may == table(names=("hall",)).allows(who, "publish", topic)


@pytest.mark.parametrize(
    ("who", "name", "may"),
    [
        ("kitchen", "kitchen", True),
        ("kitchen", "kitchen.oven", True),
        ("kitchen", "hall", True),
        ("kitchen", "kitchen2", False),
        ("kitchen", "phone", False),
        ("kitchen", "hall.one", False),
        ("phone", "hall", False),
        ("local", "phone", True),
        ("local:0", "phone.x", True),
    ],
)
def test_names(who: str, name: str, *, may: bool) -> None:
    """A key is its own name, what follows that after a dot, and those it was given; a local client anybody."""
    assert may == table(names=("hall",)).may_be(who, name)


def test_a_table_of_this_machine_narrows_it() -> None:
    """With a table of their own local clients may do what it says, and be nobody who has a key, unless it is named."""
    rules = Table({"local": Grant(publish=("a/#",))}, keys={"phone"})
    named = Table({"local": Grant(names=("phone",))}, keys={"phone"})
    may = [rules.allows("local:0", "publish", topic) for topic in ("a/b", "b", "service/x/health")]

    assert [True, False, False] == may
    assert [True, False, False] == [rules.may_be("local", name) for name in ("x", "phone", "phone.x")]
    assert [False, True, False] == [named.may_be("local", name) for name in ("x", "phone", "phone.x")]
    assert not rules.may_hold("local", b"")


A, WIDE = Grant(publish=("a/b",)), Grant(publish=("a/#",), names=("x",))


@pytest.mark.parametrize(
    ("before", "after", "less"),
    [
        ({"kitchen": A}, {"kitchen": WIDE}, False),
        ({"kitchen": WIDE}, {"kitchen": A}, True),
        ({"kitchen": A}, {}, True),
        ({}, {"kitchen": A}, False),
        ({}, {"local": WIDE}, True),
        ({"local": A}, {}, False),
        ({"kitchen": A}, {"kitchen": A}, False),
    ],
)
def test_who_may_do_less_is_noticed(before: dict[str, Grant], after: dict[str, Grant], *, less: bool) -> None:
    """A new table tells whether it takes something away: then connections have to end."""
    assert less == Table(before).load(after, keys=())
