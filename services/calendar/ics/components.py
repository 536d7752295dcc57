"""One VEVENT read, and its times made such that a library can reckon with them: each a date, or a time with a zone.

What cannot be read is said, not guessed: an event without its rule, or with half of its exceptions, would come when
nobody wants it. Pure but for `icalendar`, which it imports.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from icalendar import Event
from icalendar.prop import vDDDLists, vDDDTypes

from services.calendar.ics.rules import fault_of

if TYPE_CHECKING:
    from services.calendar.ics.lines import RawEvent
    from services.calendar.ics.zones import Zones

Component: TypeAlias = Any
"""A VEVENT of `icalendar`: a map of names to values of thirty types, of which `read` has made sure."""

_TIMES: Final = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
_ONCE: Final = ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID")
_LASTS: Final = "X-HEARTHBUS-LASTS"
"""Of a component: how long it lasts by the clock on the wall, and its DURATION."""
_YEARS: Final = range(1900, 2200)


class Unreadable(Exception):
    """An event that cannot be understood; the text says why."""


def read(raw: RawEvent, uid: str, zones: Zones) -> Component:
    """Return a component whose times all have a zone, with `DTEND` instead of `DURATION`.

    Raises:
        Unreadable: its times make no sense.
    """
    event = _component(raw)
    event["UID"] = uid
    start = _moment(event, raw, "DTSTART", zones)
    if start is None:
        raise Unreadable("it has no DTSTART")
    lasts = _duration(event)
    start, end = _span(start, _moment(event, raw, "DTEND", zones), lasts, zones)
    event["DTSTART"], event["DTEND"] = vDDDTypes(start), vDDDTypes(end)
    event.pop("DURATION", None)
    if lasts is not None:
        event[_LASTS] = (end - start, lasts)
    original = _moment(event, raw, "RECURRENCE-ID", zones)
    if original is not None:
        spread = event["RECURRENCE-ID"].params.get("RANGE")
        event["RECURRENCE-ID"] = vDDDTypes(original)
        if spread:
            event["RECURRENCE-ID"].params["RANGE"] = str(spread).upper()
    for name in ("EXDATE", "RDATE"):
        if name in event:
            event[name] = vDDDLists(_listed(event[name], raw.zones(name), zones))
    if "RRULE" in event:
        _mend_rules(event, start)
    return event


def mend_end(time: Component) -> None:
    """Mend the end of one time of a series: the library that made it adds lengths to what the clock on the wall shows.

    A DURATION's hours are hours, its days are days (RFC 5545, 3.3.6). What has a DTEND ends when the clock shows that
    time, as everybody expects of a night; unless the clock leaves out its start, which would leave no time to it.
    """
    start, end = time["DTSTART"].dt, time["DTEND"].dt
    if is_date(start) or is_date(end):
        return
    shown, lasts = time.get(_LASTS, (None, None))
    if lasts is not None and shown == end - start:
        time["DTEND"] = vDDDTypes(_after(start, lasts))
    elif start.astimezone(UTC).astimezone(start.tzinfo).replace(tzinfo=None) != start.replace(tzinfo=None):
        time["DTEND"] = vDDDTypes((start.astimezone(UTC) + (end - start)).astimezone(start.tzinfo))


def _component(raw: RawEvent) -> Component:
    if not raw.sound:
        raise Unreadable("it is far too long")
    if raw.has("EXRULE"):
        raise Unreadable("it has an EXRULE, which nobody writes any more and nothing here can follow")
    event: Component = Event.from_ical(raw.text())
    broken = {name for name, _ in event.errors}
    for name in _TIMES:
        if name in broken or raw.has(name) != (name in event):
            raise Unreadable(f"its {name} cannot be understood")
    for name in _ONCE:
        if isinstance(event.get(name), list):
            raise Unreadable(f"it has more than one {name}")
    sequence = event.pop("SEQUENCE", 0)
    event["SEQUENCE"] = sequence if isinstance(sequence, int) and "SEQUENCE" not in broken else 0
    return event


def is_date(moment: date) -> bool:
    """Whether it is a day and no time."""
    return not isinstance(moment, datetime)


def _moment(event: Component, raw: RawEvent, name: str, zones: Zones) -> date | None:
    return _zoned(getattr(event[name], "dt", None), raw.zones(name)[0], zones) if name in event else None


def _zoned(moment: Any, zone: str, zones: Zones) -> date:
    """Return a date as it is, and a time with its zone, which no `TZID` changes where it is UTC.

    Raises:
        Unreadable: it is neither, or ages away.
    """
    if not isinstance(moment, date) or moment.year not in _YEARS:
        raise Unreadable(f"{str(moment)[:40]!r} is no time")
    if not isinstance(moment, datetime):
        return moment
    return moment.astimezone(UTC) if moment.tzinfo is not None else zones.instant(moment, zone)


def _duration(event: Component) -> timedelta | None:
    if "DURATION" not in event:
        return None
    lasts = getattr(event["DURATION"], "dt", None)
    if not isinstance(lasts, timedelta) or lasts < timedelta(0) or lasts.days > 366 * 10:
        raise Unreadable("its DURATION is no length of time")
    return lasts


def _span(start: date, end: date | None, lasts: timedelta | None, zones: Zones) -> tuple[date, date]:
    """Return start and end, both days or both times; an end before the start is the start."""
    if end is None and lasts is not None:
        if is_date(start) and lasts.seconds:
            start = zones.instant(start)
        end = _after(start, lasts)
    if end is not None and is_date(start) != is_date(end):
        start, end = zones.instant(start), zones.instant(end)
    if is_date(start):
        return start, max(end or start, start + timedelta(days=1))
    return start, max(end or start, start)


def _after(start: date, lasts: timedelta) -> date:
    """Return when what begins at `start` and lasts so many days, by the calendar, and hours, by the second, ends."""
    end = start + timedelta(days=lasts.days)
    if isinstance(end, datetime) and lasts.seconds:
        return (end.astimezone(UTC) + timedelta(seconds=lasts.seconds)).astimezone(end.tzinfo)
    return end


def _listed(values: Any, names: list[str], zones: Zones) -> list[Any]:
    """Return the times of several lines, each of which has a zone of its own."""
    listed: list[Any] = []
    for each, zone in zip(values if isinstance(values, list) else [values], names, strict=True):
        for one in each.dts:
            if isinstance(one.dt, tuple):
                first, until = one.dt
                begin = _zoned(first, zone, zones)
                listed.append((begin, until if isinstance(until, timedelta) else _zoned(until, zone, zones) - begin))
            else:
                listed.append(_zoned(one.dt, zone, zones))
    return listed


def _mend_rules(event: Component, start: date) -> None:
    """Check each rule, and give its UNTIL the shape that RFC 5545, 3.3.10 asks for and many programs do not write.

    Raises:
        Unreadable: a rule cannot be expanded.
    """
    rules = event["RRULE"]
    for rule in rules if isinstance(rules, list) else [rules]:
        fault = fault_of(rule)
        if fault:
            raise Unreadable(f"its rule cannot be told: {fault}")
        if rule.get("UNTIL"):
            rule["UNTIL"] = [_until(rule["UNTIL"][0], start)]


def _until(until: Any, start: date) -> date:
    if not isinstance(until, date):
        raise Unreadable("its UNTIL is no time")
    if not isinstance(start, datetime):
        return date(until.year, until.month, until.day)
    if not isinstance(until, datetime):  # the whole of that day
        until = datetime(until.year, until.month, until.day, 23, 59, 59, tzinfo=start.tzinfo)
    if until.tzinfo is None:
        until = until.replace(tzinfo=start.tzinfo)
    whole: datetime = until.astimezone(UTC)
    return whole
