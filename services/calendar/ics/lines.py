r"""iCalendar text cut into its events, unread: one that is broken takes no other with it, and most need no reading.

    BEGIN:VCALENDAR            X-WR-TIMEZONE, X-WR-CALNAME
    BEGIN:VTIMEZONE ... END    kept whole, by TZID
    BEGIN:VEVENT               of its lines, those that say something of interest
    DTSTART;TZID=Europe/London:20261024T180000
    BEGIN:VALARM ... END       not kept
    END:VEVENT
    END:VCALENDAR              without it, the text is not whole: half a calendar would end half the events

A long line goes on in the next, which begins with a blank (RFC 5545, 3.1). Pure; knows no times and no zones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from services.calendar.sources import SourceFault

MOST_EVENTS: Final = 50_000
MOST_ZONES: Final = 200
LONGEST_LINE: Final = 65_536
"""Characters, unfolded. A description is cut there; any other line of an event that long makes it unreadable."""
MOST_LINES: Final = 2_000
"""Of one event, of those kept; a series with more exceptions than that is unreadable."""
_KEPT: Final = frozenset((
    "UID", "DTSTART", "DTEND", "DURATION", "RRULE", "EXRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "SEQUENCE", "SUMMARY",
    "DESCRIPTION", "LOCATION", "STATUS", "TRANSP", "ATTENDEE",
))  # fmt: skip
_TIMES: Final = frozenset(("DTSTART", "DTEND", "RDATE", "EXDATE", "RECURRENCE-ID"))
_TEXTS: Final = frozenset(("SUMMARY", "DESCRIPTION", "LOCATION"))
_FOLD: Final = re.compile(r"\n[ \t]")
_ZONE: Final = re.compile(r';TZID=("[^"]*"|[^;:]*)', re.IGNORECASE)
_NAME: Final = re.compile(r"[A-Za-z0-9-]+")


@dataclass
class RawEvent:
    """One VEVENT as it stands, its end included or not."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    """Name and whole line of each."""
    sound: bool = True
    """False: it has far too many lines, or a far too long one."""

    def value(self, name: str) -> str:
        """Return what stands behind the colon of the first line of that name; empty where there is none."""
        return next((value_of(line) for each, line in self.lines if each == name), "")

    def has(self, *names: str) -> bool:
        """Whether it has a line of any of these names."""
        return any(each in names for each, _ in self.lines)

    def zones(self, name: str) -> list[str]:
        """Return the TZID of each line of that name, empty where it has none."""
        heads = [line.removesuffix(value_of(line)) for each, line in self.lines if each == name]
        return [found[1].strip('"') if (found := _ZONE.search(head)) else "" for head in heads]

    def text(self) -> str:
        """Return it for a reader of iCalendar, its times without their zones: those are found elsewhere."""
        body = "".join(f"{_without_zone(line) if name in _TIMES else line}\r\n" for name, line in self.lines)
        return f"BEGIN:VEVENT\r\n{body}END:VEVENT\r\n"


@dataclass
class RawCalendar:
    """A whole text."""

    events: list[RawEvent] = field(default_factory=list)
    zones: dict[str, str] = field(default_factory=dict)
    """The text of each VTIMEZONE, by TZID."""
    name: str = ""
    zone: str = ""
    """Its X-WR-TIMEZONE."""
    unread: int = 0
    """Events that had no end."""


def value_of(line: str) -> str:
    """Return what stands behind a line's colon; one within quotes is no such."""
    if '"' not in line:
        return line.partition(":")[2]
    quoted = False
    for at, char in enumerate(line):
        if char == '"':
            quoted = not quoted
        elif char == ":" and not quoted:
            return line[at + 1 :]
    return ""


def _without_zone(line: str) -> str:
    value = value_of(line)
    return _ZONE.sub("", line.removesuffix(value)) + value


def cut(data: bytes) -> RawCalendar:
    """Return the events of a text.

    Raises:
        SourceFault: it is no iCalendar text, not whole, or has too many events.
    """
    text = data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if "BEGIN:VCALENDAR" not in text[:100_000].upper():
        raise SourceFault("broken", f"it holds no calendar but {_looks(text)}")
    cutter = _Cutter()
    for line in _FOLD.sub("", text).split("\n"):
        cutter.take(line.strip(" \t") if len(line) < LONGEST_LINE else line)
    if not cutter.whole:
        raise SourceFault("broken", "the calendar stops in the middle: END:VCALENDAR is missing")
    return cutter.made


class _Cutter:
    """Takes a text line by line."""

    def __init__(self) -> None:
        self.made = RawCalendar()
        self.whole = False
        self._event: RawEvent | None = None
        self._zone: list[str] | None = None
        self._within: list[str] = []
        """Components begun inside the event or zone."""

    def take(self, line: str) -> None:
        """Take the next line, unfolded."""
        found = _NAME.match(line)
        if found is None:
            return
        name = found[0].upper()
        if name in {"BEGIN", "END"}:
            component = line[found.end() + 1 :].strip().upper()[:40]
            (self._begin if name == "BEGIN" else self._end)(component, line)
        elif self._zone is not None:
            self._zone.append(line[:LONGEST_LINE])
        elif self._event is not None:
            self._keep(self._event, name, line)
        elif name == "X-WR-CALNAME":
            self.made.name = value_of(line[:1000])
        elif name == "X-WR-TIMEZONE":
            self.made.zone = value_of(line[:1000])

    def _keep(self, event: RawEvent, name: str, line: str) -> None:
        if self._within or name not in _KEPT:
            return
        if name == "ATTENDEE" and (len(line) > LONGEST_LINE or "@" not in self.made.name or self._not_owner(line)):
            return
        if len(line) > LONGEST_LINE and name in _TEXTS:
            line = line[:LONGEST_LINE]
        if len(line) > LONGEST_LINE or len(event.lines) >= MOST_LINES:
            event.sound = False
            return
        event.lines.append((name, line))

    def _not_owner(self, line: str) -> bool:
        return self.made.name.lower() not in line.lower()

    def _begin(self, component: str, line: str) -> None:
        if component == "VEVENT":
            self._lose()
            if len(self.made.events) >= MOST_EVENTS:
                raise SourceFault("broken", f"the calendar has more than {MOST_EVENTS} events")
            self._event = RawEvent()
        elif component == "VCALENDAR":
            self._lose()
            self.whole = False
        elif component == "VTIMEZONE" and self._event is None:
            self._zone = [line]
        else:
            if self._zone is not None:
                self._zone.append(line)
            if self._event is not None:
                self._within.append(component)

    def _end(self, component: str, line: str) -> None:
        if component == "VCALENDAR":
            self._lose()
            self.whole = True
        elif component == "VEVENT" and self._event is not None:
            self.made.events.append(self._event)
            self._event = None
            self._within.clear()
        elif component == "VTIMEZONE" and self._zone is not None:
            self._finish_zone([*self._zone, line])
        elif self._zone is not None:
            self._zone.append(line)
        elif self._within and self._within[-1] == component:
            self._within.pop()

    def _finish_zone(self, lines: list[str]) -> None:
        name = next((value_of(line) for line in lines if line.upper().startswith("TZID")), "")
        if name and len(self.made.zones) < MOST_ZONES and len(lines) < MOST_LINES:
            self.made.zones[name] = "".join(f"{line}\r\n" for line in lines)
        self._zone = None

    def _lose(self) -> None:
        """What was begun has no end."""
        self.made.unread += self._event is not None
        self._event = self._zone = None
        self._within.clear()


def _looks(text: str) -> str:
    begin = text[:2000].lstrip().lower()
    if not begin:
        return "nothing"
    return "a web page; is it the address of the calendar itself?" if begin.startswith("<") else "something else"
