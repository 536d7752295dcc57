"""Which events can touch a window of time, by a look at their digits: years of past events need no reading. Pure.

In doubt an event is relevant; then it is read.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.calendar.ics.lines import RawEvent
    from services.calendar.sources import Window

_DIGITS: Final = re.compile(r"\s*(\d{4})(\d\d)(\d\d)", re.ASCII)
_UNTIL: Final = re.compile(r"UNTIL=([^;]*)", re.IGNORECASE)
_MARGIN: Final = timedelta(days=2)
"""Whatever zones its times are in."""


def relevant(group: Sequence[RawEvent], window: Window) -> bool:
    """Whether any of the events of one UID can touch the window."""
    first = datetime.fromtimestamp(window.start, UTC).date() - _MARGIN
    last = datetime.fromtimestamp(window.end, UTC).date() + _MARGIN
    return any(_can_touch(event, first, last) for event in group)


def _can_touch(event: RawEvent, first: date, last: date) -> bool:
    start = _day(event.value("DTSTART"))
    if start is None or event.has("RDATE"):
        return True
    if start > last and not event.has("RECURRENCE-ID"):
        return False
    end = _day(event.value("DTEND"))
    if event.has("DURATION") or (event.has("DTEND") and end is None):
        return True
    lasts = max((end or start) - start, timedelta(0)) + timedelta(days=1)
    final = start
    if event.has("RRULE"):
        untils = [_UNTIL.search(line) for name, line in event.lines if name == "RRULE"]
        days = [None if until is None else _day(until[1]) for until in untils]
        if None in days:
            return True
        final = max(day for day in days if day is not None)
    return _later(final, lasts) >= first or (event.has("RECURRENCE-ID") and "RANGE" in event.text().upper())


def _later(day: date, by: timedelta) -> date:
    try:
        return day + by
    except OverflowError:
        return date.max


def _day(text: str) -> date | None:
    found = _DIGITS.match(text)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None
