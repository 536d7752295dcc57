"""What a calendar service has told in a week, held against what it must have told."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from calendar_week import MARGIN, SURE, Story, Wanted, Week

from services.instants import instant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hearthbus.message import Message

Told = tuple[str, dict[str, Any], int]
"""Start or end, its body, and the second it was told."""


def faults(week: Week, messages: list[Message]) -> Iterator[str]:
    """Say where what was told is not what must have been."""
    found = [(message.topic.rpartition("/")[2], message.body, round(message.time / 1e9)) for message in messages]
    for name in sorted(week.stories.keys() | {body["id"] for _, body, _ in found}):
        told = [each for each in found if each[1]["id"] == name]
        stories = week.stories.get(name, [[]])
        story = next((story for story in stories if _shape(story) == _told_shape(told)), None)
        if story is None:
            yield f"{name}: wanted {stories}, told {told}"
            continue
        start, before = week.unsure.get(name, (0, 0))
        if story is not stories[0] and before >= SURE and _is_quiet(week, start):
            yield f"{name}: started though it was changed {before} s before"
        for want, (_, body, at) in zip(story, told, strict=True):
            yield from _timing(week, want, body, at)
    yield from _order([(edge, body) for edge, body, _ in found if body["id"] not in week.late])


def _shape(story: Story) -> list[tuple[str, str]]:
    return [(each.edge, each.reason) for each in story]


def _told_shape(told: list[Told]) -> list[tuple[str, str]]:
    return [(edge, body.get("reason", "")) for edge, body, _ in told]


def _is_quiet(week: Week, at: int, seconds: int = 0) -> bool:
    """Whether nothing goes wrong from `at` on for so many seconds."""
    return not any(first <= at + seconds and at <= last for first, last in week.disturbed)


def _timing(week: Week, want: Wanted, body: dict[str, Any], at: int) -> Iterator[str]:
    scheduled = instant(body["scheduled"])
    if want.scheduled is not None and scheduled != want.scheduled:
        yield f"{want}: says {scheduled}"
    if not 0 <= at - want.at <= (want.within if _is_quiet(week, want.at, want.within) else MARGIN):
        yield f"{want}: told {at - want.at} s late"
    if body["missed"] != (at - scheduled > 120):
        yield f"{want}: missed is {body['missed']}, {at - scheduled} s late"


def _order(bodies: list[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    """What was known in time stands in the order of its instants, ends before starts, by id."""
    places = [
        (instant(body["scheduled"]), (2 if body["start"] == body["end"] else 0) if edge == "end" else 1, body["id"])
        for edge, body in bodies
        if "reason" not in body
    ]
    for before, after in pairwise(places):
        if before > after:
            yield f"{before} before {after}"
