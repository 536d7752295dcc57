"""A week of a calendar, drawn at random: its events, what becomes of them, and what goes wrong meanwhile.

What must have been told is reckoned here from the script alone, event by event, without the service's code. What is
changed within a minute of a start could count or not: then there are two stories. All other changes keep `MARGIN` from
the starts and ends of their event, and whatever goes wrong lasts shorter than that.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from services.calendar.sources import SourceFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calendar_scene import Scene

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86400
MARGIN: Final = 50 * MINUTE
LOOK: Final = 11 * MINUTE
"""The source is asked every ten minutes."""
SURE: Final = 26
"""Seconds before a start: what is changed earlier counts."""
KINDS: Final = ("unreachable", "busy", "broken", "gone", "refused")


@dataclass(frozen=True)
class Wanted:
    """A start or end that must have been told, within `within` seconds after `at` where nothing goes wrong."""

    edge: str
    event_id: str
    scheduled: int | None
    """The second it names; None where it was that at which a change was seen."""
    at: int
    reason: str = ""
    within: int = MINUTE


Story = list[Wanted]


@dataclass
class Week:
    """A script."""

    begin: int
    end: int
    actions: list[tuple[int, str, tuple[Any, ...]]] = field(default_factory=list)
    stories: dict[str, list[Story]] = field(default_factory=dict)
    """By event: what may have been told of it; the first of two is the only one if nothing went wrong just then."""
    late: set[str] = field(default_factory=set)
    """Events with a start or end that was known only when it was past: they stand in no order with others."""
    drawn: set[tuple[str, str]] = field(default_factory=set)
    """When and how events are changed in it."""
    unsure: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Events of two stories: the start, and how many seconds before it they were changed."""
    disturbed: list[tuple[int, int]] = field(default_factory=list)


def draw_week(begin: int, seed: int, *, events: int = 60) -> Week:
    """Draw a week from `begin` on."""
    chance = random.Random(seed)
    week = Week(begin, begin + 7 * DAY)
    for number in range(events):
        _draw_event(week, f"event{number:02d}", chance)
    at = begin + HOUR
    while at < week.end - 2 * HOUR:
        length = chance.randint(1, 20 * MINUTE)
        _draw_trouble(week, at, length, chance)
        at += length + chance.randint(80 * MINUTE, 10 * HOUR)
    week.actions.sort(key=lambda action: action[0])
    return week


def _draw_event(week: Week, name: str, chance: random.Random) -> None:
    """Draw an event and what becomes of it, and reckon what must be told."""
    start = week.begin + chance.randrange(2 * HOUR, 7 * DAY - 12 * HOUR, chance.choice((1, 60, 900, 3600)))
    end = start + chance.choice((0, 1, 600, 1800, HOUR, 3 * HOUR, 5 * HOUR))
    known = max(week.begin, chance.choice((week.begin, start - MARGIN - chance.randrange(DAY), start - MARGIN)))
    if known > start - MARGIN:
        known = week.begin
    event = (name, start, end)
    fitting = [("never", ""), ("after", ""), ("diary", "")]
    fitting += [("before", how) for how in BEFORE] if start - 4 * MARGIN - known > HOUR else []
    fitting += 3 * [("during", how) for how in DURING] if end - start >= 3 * MARGIN + HOUR else []
    fitting += 3 * [("late", ""), ("unsure", "")] if end - start >= HOUR else []
    moment, how = chance.choice(fitting)
    week.drawn.add((moment, how))
    if moment == "diary":  # written down when it was long over
        week.actions.append((end + MARGIN + chance.randrange(HOUR), "put", event))
        week.stories[name] = [[]]
        return
    whole = _whole(name, start, end)
    if moment == "late":  # written seconds before its start, or while it should be on
        known = chance.randrange(start - 5 * MINUTE, end - MARGIN)
        whole[0] = Wanted("start", name, start, max(start, known), within=LOOK)
        week.late.add(name)
    week.actions.append((known, "put", event))
    if moment == "before":
        at = chance.randrange(known + 60, start - 3 * MARGIN)
        week.stories[name] = [_before(week, event, at, how, chance)]
    elif moment == "during":
        week.stories[name] = [_during(week, event, chance.randrange(start + MARGIN, end - 2 * MARGIN), how)]
    elif moment == "unsure":
        _unsure(week, event, chance)
    else:
        week.stories[name] = [whole]
        if moment == "after":
            week.actions.append((end + MARGIN, chance.choice(("cancel", "rename")), (name,)))


BEFORE: Final = ("cancel", "decline", "move", "rename", "sooner", "begun", "back", "longer")
DURING: Final = ("cancel", "decline", "move", "rename", "longer", "shorter", "over", "on", "back")


def _whole(name: str, start: int, end: int) -> Story:
    return [Wanted("start", name, start, start), Wanted("end", name, end, end)]


def _before(week: Week, event: tuple[str, int, int], at: int, how: str, chance: random.Random) -> Story:
    """Change an event hours before its start."""
    name, start, end = event
    if how == "begun":  # moved to where it is on already
        start, end = at - 10 * MINUTE, at + 2 * HOUR
        week.actions.append((at, "put", (name, start, end)))
        week.late.add(name)
        return [Wanted("start", name, start, at, within=LOOK), Wanted("end", name, end, end)]
    later = {"move": end - start + chance.randrange(2 * HOUR, 6 * HOUR), "sooner": -MARGIN}.get(how, 0)
    if how in {"move", "sooner", "longer"}:
        start, end = start + later, end + later + (HOUR if how == "longer" else 0)
        week.actions.append((at, "put", (name, start, end)))
    else:
        week.actions.append((at, "cancel" if how == "back" else how, (name,)))
    if how == "back":
        week.actions.append((at + MARGIN, "put", event))
    return [] if how in {"cancel", "decline"} else _whole(name, start, end)


def _during(week: Week, event: tuple[str, int, int], at: int, how: str) -> Story:
    """Change an event that is on."""
    name, start, end = event
    first = Wanted("start", name, start, start)
    if how in {"cancel", "decline", "back"}:  # ended because it was cancelled, it does not start a second time
        week.actions.append((at, "decline" if how == "decline" else "cancel", (name,)))
        if how == "back":
            week.actions.append((at + MARGIN, "put", event))
        return [first, Wanted("end", name, None, at, "cancelled", LOOK)]
    if how == "rename":
        week.actions.append((at, "rename", (name,)))
        return _whole(*event)
    if how == "move":
        again, until = end + 3 * HOUR, end + 4 * HOUR
        week.actions.append((at, "put", (name, again, until)))
        return [first, Wanted("end", name, None, at, "moved", LOOK), *_whole(name, again, until)]
    if how == "over":  # it should have ended already
        new = at - 10 * MINUTE
        week.actions.append((at, "put", (name, start, new)))
        week.late.add(name)
        return [first, Wanted("end", name, new, at, within=LOOK)]
    new = at + MARGIN if how == "shorter" else end + HOUR
    week.actions.append((at, "put", (name, at - 10 * MINUTE if how == "on" else start, new)))
    return [first, Wanted("end", name, new, new)]


def _unsure(week: Week, event: tuple[str, int, int], chance: random.Random) -> None:
    """Cancel or move an event within the minute before its start: it has not started, or it ends again."""
    name, start, end = event
    before = chance.randrange(1, MINUTE)
    how = chance.choice(("cancel", "decline", "move"))
    again = _whole(name, end + HOUR, end + 2 * HOUR) if how == "move" else []
    action = ("put", (name, end + HOUR, end + 2 * HOUR)) if how == "move" else (how, (name,))
    week.actions.append((start - before, *action))
    reason = "moved" if how == "move" else "cancelled"
    ended = Wanted("end", name, None, start, reason, LOOK)
    week.stories[name] = [again, [Wanted("start", name, start, start), ended, *again]]
    week.unsure[name] = (start, before)


def _draw_trouble(week: Week, at: int, length: int, chance: random.Random) -> None:
    what = chance.choice(("kill", "kill", "kill", "broker", "source", "bug", "lost file", "both"))
    week.disturbed.append((at - MINUTE, at + length + MARGIN))
    pairs = {
        "kill": (("kill", ()), ("start", ())),
        "lost file": (("kill", ()), ("lose and start", ())),
        "broker": (("broker off", ()), ("broker on", ())),
        "source": (("fault", (chance.choice(KINDS[:3]),)), ("well", ())),
        "bug": (("fault", ("bug",)), ("well", ())),
        "both": (("broker off", ()), ("broker on", ())),
    }
    if what == "lost file":  # an event that came and went while service and file are gone is known to nobody
        length = 0
    (first, arguments), (last, _) = pairs[what]
    week.actions += [(at, first, arguments), (at + length, last, ())]
    if what == "both":
        week.actions += [(at + length // 3, "kill", ()), (at + length, "start", ())]


async def play(week: Week, scene: Scene) -> None:
    """Let the week pass."""
    await scene.start()
    for at, what, arguments in week.actions:
        await scene.until(float(at))
        await _act(scene, what, arguments)
    await scene.until(float(week.end + DAY))


async def _act(scene: Scene, what: str, arguments: tuple[Any, ...]) -> None:  # noqa: C901 - a table in all but name
    calendar = scene.calendar
    if what == "put":
        calendar.put(*arguments)
    elif what == "cancel":
        calendar.cancel(*arguments)
    elif what == "decline":
        calendar.change(*arguments, response="declined")
    elif what == "rename":
        calendar.change(*arguments, title="renamed")
    elif what == "fault":
        (kind,) = arguments
        calendar.fault = RuntimeError("bug") if kind == "bug" else SourceFault(kind, "not there")
    elif what == "well":
        calendar.fault = None
    elif what == "broker off":
        scene.hub.stop()
    elif what == "broker on":
        scene.hub.start()
    elif what == "kill":
        await scene.kill()
    else:
        if what == "lose and start":
            (scene.folder / "family.json").unlink(missing_ok=True)
        await scene.start()


def losses(seed: int) -> Iterator[str]:
    """Yield what happens to each confirmation: most arrive."""
    chance = random.Random(seed)
    while True:
        yield chance.choice(("", "", "", "", "before", "after"))
