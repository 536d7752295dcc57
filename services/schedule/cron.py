"""When a cron expression fires: pure functions of the expression, its time zone and an instant.

    minute hour day-of-month month day-of-week          30 7 * * mon-fri

Five fields as in Vixie cron: lists, ranges, steps, names, day or weekday where both are given; and croniter's `L`
(last day), `mon#1` (first Monday) and `15W` (nearest weekday). An instant is a whole second since 1970 UTC.

Where the clock changes (as Debian's cron does it): a job at a fixed time that the clock leaps over runs at once after
the leap, and in an hour that comes twice it runs the first time only. A job whose minute or hour begins with `*`
follows real time: every hour of an hour that comes twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from croniter import croniter
from croniter.croniter import CroniterError

from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

_FIELDS = (
    ("minute", "0-59", 59),
    ("hour", "0-23", 23),
    ("day", "1-31", 31),
    ("month", "1-12 or jan-dec", 12),
    ("weekday", "0-7 (0 and 7: Sunday) or sun-sat", 7),
)
_LONGEST = 200
_RANDOM = re.compile(r"(?i)(?:^|,)[rh](?:$|[(/,])")
"""croniter draws a number for R, and needs a seed for H: neither says when it fires."""
_STEP = re.compile(r"/0*([0-9]+)")
_RANGE = re.compile(r"0*(\w+)-0*(\w+)", re.ASCII)
_LONG_AGO = 946_684_800  # 2000-01-01: what never fires after it never fires


@dataclass(frozen=True)
class Cron:
    """A checked expression and the zone its times are meant in; made by `parse_cron`."""

    text: str
    zone: ZoneInfo

    def next(self, after: float) -> int:
        """Return the first instant later than `after` at which it fires."""
        return next(self.fires(after))

    def fires(self, after: float) -> Iterator[int]:
        """Yield every instant later than `after` at which it fires, in order, without end."""
        schedule = croniter(self.text, datetime.fromtimestamp(after, self.zone))
        while True:
            at = int(schedule.get_next(float))
            if not (self._fixed and datetime.fromtimestamp(at, self.zone).fold):
                yield at

    @property
    def _fixed(self) -> bool:
        """Whether it names times of the clock, and not a rhythm."""
        minute, hour = self.text.split()[:2]
        return not minute.startswith("*") and not hour.startswith("*")


def parse_cron(text: str, zone: ZoneInfo) -> Cron:
    """Check `text`.

    Raises:
        Invalid: naming the field, what stands there and what may.
    """
    shown = repr(text if len(text) <= 60 else text[:57] + "...")
    fields = text.split()
    if len(fields) != len(_FIELDS) or len(text) > _LONGEST:
        how = "write five, minute hour day month weekday: 30 7 * * mon-fri"
        raise Invalid(f"bad cron expression {shown}: it has {len(fields)} fields; {how}")
    for place, (field, (name, allowed, highest)) in enumerate(zip(fields, _FIELDS, strict=True)):
        fault = _fault(field, place=place, highest=highest)
        if fault:
            raise Invalid(f"bad cron expression {shown}: {name} {field!r} {fault}; {name} is {allowed}, or * for each")
    try:
        croniter.expand(" ".join(fields), strict=True)
        cron = Cron(" ".join(fields), zone)
        cron.next(_LONG_AGO)
    except CroniterError:
        raise Invalid(
            f"bad cron expression {shown}: it never fires; day {fields[2]!r} does not come in month {fields[3]!r}"
        ) from None
    return cron


def _fault(field: str, *, place: int, highest: int) -> str:
    """Say what is wrong with one field, by itself; empty when nothing is."""
    if _RANDOM.search(field):
        return "is random or hashed: it does not say when it fires"
    if any(not 0 < int(step) <= highest for step in _STEP.findall(field)):
        return "steps by nothing, or past its end"
    names = croniter.ALPHACONV[place]
    if any(str(names.get(one, one)) == str(names.get(end, end)) for one, end in _RANGE.findall(field.lower())):
        return "is a range from a value to itself; write the one value"  # croniter takes it for the whole cycle
    alone = ["*"] * len(_FIELDS)
    alone[place] = field
    try:
        croniter.expand(" ".join(alone))
    except CroniterError:
        return "cannot be read"
    return ""
