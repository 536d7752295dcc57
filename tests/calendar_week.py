"""A week of a calendar, drawn at random: its events, what becomes of them, and what goes wrong meanwhile.

What must have been told is reckoned here from the script alone, event by event, without the service's code: a change
that is made within `MARGIN` of a start or end of its event could count or not, so none is made there, and whatever goes
wrong lasts shorter than that.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from services.calendar.sources import SourceFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calendar_scene import Scene

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86400
MARGIN: Final = 50 * MINUTE
KINDS: Final = ("unreachable", "busy", "broken", "gone", "refused")


@dataclass(frozen=True)
class Wanted:
    """A start or end that must have been told: within `late` seconds after `at`."""

    edge: str
    event_id: str
    scheduled: int | None
    """The second it names; None where it was that at which a change was seen."""
    at: int
    reason: str = ""


@dataclass
class Week:
    """A script."""

    begin: int
    end: int
    actions: list[tuple[int, str, tuple[Any, ...]]] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)
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
    """Draw an event and at most one change, and reckon what must be told of it."""
    start = week.begin + chance.randrange(2 * HOUR, 7 * DAY - 12 * HOUR, chance.choice((1, 60, 900, 3600)))
    end = start + chance.choice((0, 1, 600, 1800, HOUR, 3 * HOUR, 5 * HOUR))
    known = chance.choice((week.begin, week.begin, start - MARGIN - chance.randrange(DAY), start - MARGIN))
    known = max(week.begin, known)
    if known > start - MARGIN:
        known = week.begin
    put = (known, "put", (name, start, end))
    what = chance.choice(("nothing", "nothing", "before", "before", "during", "during", "during", "after", "diary"))
    if what == "during" and end - start < 2 * MARGIN + MINUTE:
        what = "nothing"
    told = [Wanted("start", name, start, start), Wanted("end", name, end, end)]
    if what == "diary":  # written down when it was long over
        week.actions.append((end + MARGIN + chance.randrange(HOUR), "put", (name, start, end)))
        return
    week.actions.append(put)
    later = end + chance.randrange(2 * HOUR, 6 * HOUR)
    if what == "before" and start - MARGIN - known > HOUR:
        at = chance.randrange(known + 60, start - MARGIN)
        how = chance.choice(("cancel", "decline", "move", "rename"))
        told = _before(week, (name, start, end), at, how, later) or told if how not in {"cancel", "decline"} else []
        if how in {"cancel", "decline"}:
            week.actions.append((at, how, (name,)))
    elif what == "during":
        at = chance.randrange(start + MARGIN, end - MARGIN)
        told = _during(week, (name, start, end), at, chance.choice(("cancel", "decline", "move", "longer", "shorter")))
    elif what == "after":
        week.actions.append((end + MARGIN, chance.choice(("cancel", "rename")), (name,)))
    week.wanted += told


def _before(week: Week, event: tuple[str, int, int], at: int, how: str, later: int) -> list[Wanted]:
    name, start, end = event
    if how == "rename":
        week.actions.append((at, "rename", (name,)))
        return []
    new = later + (end - start)
    week.actions.append((at, "put", (name, later, new)))
    return [Wanted("start", name, later, later), Wanted("end", name, new, new)]


def _during(week: Week, event: tuple[str, int, int], at: int, how: str) -> list[Wanted]:
    name, start, end = event
    first = Wanted("start", name, start, start)
    if how in {"cancel", "decline"}:
        week.actions.append((at, how, (name,)))
        return [first, Wanted("end", name, None, at, "cancelled")]
    if how == "move":
        again, until = end + 3 * HOUR, end + 4 * HOUR
        week.actions.append((at, "put", (name, again, until)))
        moved = Wanted("end", name, None, at, "moved")
        return [first, moved, Wanted("start", name, again, again), Wanted("end", name, until, until)]
    new = end + HOUR if how == "longer" else at + MARGIN
    week.actions.append((at, "put", (name, start, new)))
    return [first, Wanted("end", name, new, new)]


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


def faults(week: Week, scene: Scene) -> Iterator[str]:
    """Say where what was told is not what must have been."""
    found = scene.fired()
    bodies = [(message.topic.rpartition("/")[2], message.body, round(message.time / 1e9)) for message in found]
    for name in sorted({wanted.event_id for wanted in week.wanted} | {body["id"] for _, body, _ in bodies}):
        wanted = [each for each in week.wanted if each.event_id == name]
        told = [each for each in bodies if each[1]["id"] == name]
        if [(each.edge, each.reason) for each in wanted] != [(edge, body.get("reason", "")) for edge, body, _ in told]:
            yield f"{name}: wanted {wanted}, told {told}"
            continue
        for want, (_, body, at) in zip(wanted, told, strict=True):
            yield from _timing(week, want, body, at)
    yield from _order(bodies)


def _timing(week: Week, want: Wanted, body: dict[str, Any], at: int) -> Iterator[str]:
    from services.instants import instant

    scheduled = instant(body["scheduled"])
    quiet = not any(first <= want.at <= last for first, last in week.disturbed)
    if want.scheduled is not None and scheduled != want.scheduled:
        yield f"{want}: says {scheduled}"
    latest = MINUTE if quiet and want.scheduled is not None else 11 * MINUTE if quiet else MARGIN
    if not 0 <= at - want.at <= latest:
        yield f"{want}: told {at - want.at} s late"
    if body["missed"] != (at - scheduled > 120):
        yield f"{want}: missed is {body['missed']}, {at - scheduled} s late"


def _order(bodies: list[tuple[str, dict[str, Any], int]]) -> Iterator[str]:
    """What is told at all stands in the order of its instants, ends before starts, by id."""
    from services.instants import instant

    places = [
        (instant(body["scheduled"]), (2 if body["start"] == body["end"] else 0) if edge == "end" else 1, body["id"])
        for edge, body, _ in bodies
    ]
    for before, after in pairwise(places):
        if before > after:
            yield f"{before} before {after}"


def losses(seed: int) -> Iterator[str]:
    """Yield what happens to each confirmation: most arrive."""
    chance = random.Random(seed)
    while True:
        yield chance.choice(("", "", "", "", "before", "after"))
