"""Topics and patterns: the grammar, and matching held against a reference that is too simple to be wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthbus.errors import Invalid
from hearthbus.topics import MAX_TOPIC_BYTES, check_pattern, check_topic, covers, matches, overlaps, prefixes

SEGMENTS = st.sampled_from(["a", "b", "hall", "hallway", "x.1", "_", "-"])
TOPICS = st.lists(SEGMENTS, min_size=1, max_size=5).map("/".join)


@st.composite
def patterns(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.one_of(SEGMENTS, st.just("+")), min_size=0, max_size=5))
    if draw(st.booleans()) or not parts:
        parts.append("#")
    return "/".join(parts)


def reference(pattern: list[str], topic: list[str]) -> bool:
    """MQTT's rules, a segment at a time."""
    if pattern == ["#"]:
        return True
    if not pattern or not topic:
        return not pattern and not topic
    return pattern[0] in {"+", topic[0]} and reference(pattern[1:], topic[1:])


@given(patterns(), TOPICS)
def test_matching_is_mqtts(pattern: str, topic: str) -> None:
    """A pattern matches exactly the topics MQTT's rules say."""
    expected = reference(pattern.split("/"), topic.split("/"))

    assert expected == matches(pattern, topic)
    assert expected == covers((pattern, "nobody/says/this"))(topic)


@given(patterns(), TOPICS)
def test_a_prefix_lets_through_what_matches(pattern: str, topic: str) -> None:
    """What ZeroMQ filters by never holds back a topic that the pattern matches."""
    wire = topic.encode() + b"\0"
    passes = any(wire.startswith(prefix) for prefix in prefixes(pattern))

    assert passes or not matches(pattern, topic)


@given(TOPICS, TOPICS)
def test_a_topics_prefix_is_exact(pattern: str, topic: str) -> None:
    """Of a pattern without wildcards, ZeroMQ lets nothing else through: `hall` is not `hallway`."""
    wire = topic.encode() + b"\0"

    assert (pattern == topic) == any(wire.startswith(prefix) for prefix in prefixes(pattern))


@given(patterns(), patterns(), TOPICS)
def test_what_is_covered_is_matched(outer: str, inner: str, topic: str) -> None:
    """If one pattern covers another, it matches every topic of it."""
    if overlaps(outer, inner) and matches(inner, topic):
        assert matches(outer, topic)


@given(TOPICS)
def test_topics_are_topics(topic: str) -> None:
    """Every topic is a topic, and a pattern that matches itself."""
    assert topic == check_topic(topic) == check_pattern(topic)
    assert matches(topic, topic)


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("", "it is empty"),
        ("/hall", "empty segment"),
        ("hall/", "empty segment"),
        ("hall//light", "empty segment"),
        ("Hall/light", "upper case in 'Hall'; write 'hall'"),
        ("hall/light bulb", "' ' is not allowed"),
        ("hall/stra\u00dfe", "'\u00df' is not allowed"),
        ("sensor/+", "wildcards are for patterns"),
        ("sensor/#", "wildcards are for patterns"),
        ("$up/sun", "'$' is not allowed"),
        ("a" * (MAX_TOPIC_BYTES + 1), "longer than 200 bytes"),
        ("/".join("a" * 40), "more than 32 segments"),
        ("hall\n", "is not allowed"),
    ],
)
def test_bad_topics(topic: str, words: str) -> None:
    """A bad topic is refused with the rule it breaks, in words."""
    with pytest.raises(Invalid) as refused:
        check_topic(topic)

    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [("sensor/#/x", "'#' stands only at the end"), ("sensor/h+", "mixes a wildcard with text"), ("", "it is empty")],
)
def test_bad_patterns(pattern: str, words: str) -> None:
    """A bad pattern is refused with the rule it breaks."""
    with pytest.raises(Invalid) as refused:
        check_pattern(pattern)

    assert words in str(refused.value)


@given(st.text(max_size=30))
def test_any_text_is_judged(text: str) -> None:
    """Any text is a topic or is refused in words; nothing else happens."""
    try:
        judged = check_topic(text)
    except Invalid as refused:
        judged = str(refused)

    assert judged == text or judged.startswith("bad topic")
