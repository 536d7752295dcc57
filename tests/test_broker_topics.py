"""What the broker knows of topics: whose place is taken where there is no more room."""

from __future__ import annotations

from broker.topics import TALKING, Topics


def test_a_topic_that_speaks_keeps_its_place() -> None:
    """A flood of others makes room by what was silent for a while, not by what spoke a moment ago."""
    topics = Topics(limit=2, journal=("#",))
    topics.start_at(0)
    silent, speaks = topics.add("sensor/attic/motion"), topics.add("sensor/hall/motion")
    silent.offset = 1
    topics.note(silent)
    for offset in range(2, 2 + TALKING + 1):
        topics.hand_over()
        topics.next_generation(offset - 1)
        speaks.offset = offset
        topics.note(speaks)
    topics.hand_over()

    assert 1 == topics.forget_quiet(committed=99)
    assert (True, False) == (silent.gone, speaks.gone)
    assert 0 == topics.forget_quiet(committed=100)
