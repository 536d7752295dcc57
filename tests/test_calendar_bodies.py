"""What the calendar service says: never more than a message holds, and always as the page of topics has it."""

from __future__ import annotations

import pytest
from calendar_scene import LONDON, Scene
from hypothesis import given, settings
from hypothesis import strategies as st
from test_topics_page import faults

from hearthbus import Invalid
from hearthbus.message import encode_body
from services.calendar.bodies import event_of, firing_body, next_body, now_body
from services.calendar.due import Firing
from services.calendar.events import Event
from services.calendar.sources import SourceFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

LONG = st.sampled_from(["", "x", "ä" * 70_000, "\ud800", "🍵" * 20_000])
EVENTS = st.builds(
    Event,
    id=st.text(min_size=1, max_size=1024),
    etag=st.text(),
    uid=st.text(max_size=1024),
    start=st.integers(0, 4 * 10**9),
    end=st.just(4 * 10**9),
    title=LONG,
    where=LONG,
    content=LONG,
    all_day=st.booleans(),
    extended=st.dictionaries(st.text(max_size=44), LONG, max_size=3),
    commands=st.dictionaries(st.text(max_size=40), st.booleans() | st.integers(-5, 5) | st.text(max_size=200)),
)


@settings(max_examples=40, deadline=None)
@given(EVENTS, st.lists(EVENTS, max_size=30))
def test_every_body_can_be_sent(event: Event, others: list[Event]) -> None:
    """However long its texts are and however many events there are; what is left out is said."""
    start = firing_body(Firing("start", event.start, event), LONDON, missed=False)
    encode_body(start)
    encode_body(next_body(others, LONDON))
    state = now_body(others, LONDON)
    encode_body(state)
    whole = event.body(LONDON).keys() <= start.keys() and len(start.get("content", "")) == len(event.content)

    assert whole or start["cut"]
    assert len(others) == len(state["events"]) + state.get("more", 0)


def test_what_is_cut_first() -> None:
    """The description goes before everything else; an event is itself to its last."""
    event = Event(id="a", etag="", uid="u", start=0, end=60, title="tea", content="x" * 70_000, commands={"heat": 21})
    body = firing_body(Firing("start", 0, event), LONDON, missed=False)

    assert ("tea", "x" * 2000, {"heat": 21}, True) == (body["title"], body["content"], body["commands"], body["cut"])


@settings(deadline=None)
@given(EVENTS)
def test_an_event_is_found_again_in_its_start(event: Event) -> None:
    """Who has lost the stored file can end what the journal has started."""
    again = event_of(firing_body(Firing("start", event.start, event), LONDON, missed=False))

    assert (event.start, event.end, event.all_day) == (again.start, again.end, again.all_day)


@pytest.mark.parametrize("body", [{}, {"id": 1}, {"id": "a", "uid": "a", "title": 1, "start": "x", "end": "y"}])
def test_what_is_no_start_is_none(body: dict[str, object]) -> None:
    """Whoever wrote it."""
    with pytest.raises(Invalid):
        event_of(body)


async def test_what_is_said_is_on_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every message of a day with all that can happen to an event is as docs/topics.md says."""
    scene = Scene(monkeypatch, tmp_path, "2026-06-01T00:00")
    more = {"where": "hall", "content": "y" * 70_000, "response": "accepted", "extended": {"a": "b"}}
    scene.calendar.put("whole", "2026-06-01T02:00", "2026-06-01T03:00", commands={"heat": 21, "on": True}, **more)
    scene.calendar.put("day", "2026-06-01T00:00", "2026-06-02T00:00", all_day=True, transparency="free")
    scene.calendar.put("moved", "2026-06-01T04:00", "2026-06-01T06:00")
    scene.calendar.put("cancelled", "2026-06-01T04:00", "2026-06-01T06:00", status="tentative")
    await scene.start()
    await scene.until("2026-06-01T05:00")
    scene.calendar.put("moved", "2026-06-01T08:00", "2026-06-01T09:00")
    scene.calendar.cancel("cancelled")
    await scene.until("2026-06-01T06:00")
    scene.calendar.fault = SourceFault("busy", "too many requests")
    await scene.until("2026-06-02T00:30")
    await scene.kill()
    reasons = {message["reason"] for message in scene.fired() if "reason" in message}

    assert {"moved", "cancelled"} == reasons
    assert {"start", "end", "now", "next", "source"} == {
        message.topic.rpartition("/")[2] for message in scene.hub.journal
    }
    assert [] == [fault for message in scene.hub.journal for fault in faults(message)]
