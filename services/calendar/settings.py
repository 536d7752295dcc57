"""The tables `[calendar]` and `[calendar.calendars.NAME]`: which calendars there are, and how often each is asked.

Whole and sound once made. Knows names and numbers: no network, no clock, and of files only whether keys can be keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path  # noqa: TC003 - a field has this type: the configuration looks at it
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from hearthbus import Invalid, Secret
from hearthbus.plugins import to_install
from services.checks import check_all, is_segment, refuse
from services.instants import LOCAL, find_zone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from services.calendar.polling import Cron

GOOGLE: Final = "https://www.googleapis.com/calendar/v3/"
DAY_S: Final = 86400
Ignored = Literal["declined", "free", "tentative"]

_PACKAGES: Final = {
    "google": (("googleapiclient", "google.oauth2", "google_auth_httplib2"), "hearthbus[calendar]"),
    "ics": (("icalendar", "recurring_ical_events"), "hearthbus[ics]"),
    "cron": (("croniter",), "hearthbus[schedule]"),
}
"""What a key needs, and the extra that brings it."""
_RHYTHM: Final = {"google": (300.0, 30.0), "address": (900.0, 60.0), "file": (60.0, 0.0)}
"""Seconds between two fetches, and the most that is added to them at random, where the table does not say."""
_BRISKEST_S: Final = {"google": 30.0, "address": 30.0, "file": 1.0}
_LONGEST_S: Final = 7 * DAY_S
_LONGEST_JITTER_S: Final = 3600.0


@dataclass(frozen=True)
class CalendarSettings:
    """A calendar; the name of its table is the middle of its topics.

    [calendar.calendars.family]             # calendar/family/start ...
    google = "family1234@group.calendar.google.com"
    """

    google: str | None = None
    """Google's name of the calendar, an address; its settings page shows it as "Calendar ID"."""
    ics: str | Secret | None = None
    """The https address of a calendar in iCalendar format; `{ file = }` where the address itself is the secret."""
    file: Path | None = None
    """An iCalendar file of this machine."""
    credentials: Secret | None = None
    """Google's keys for this calendar; default: those of `[calendar]`."""
    api_key: Secret | None = None
    """Google's API key for this calendar, if it is public; default: that of `[calendar]`."""
    every_s: float | None = None
    """Seconds from one fetch to the next; default: 300 for Google, 900 for an address, 60 for a file."""
    cron: str | None = None
    """When to fetch, instead: minute hour day month weekday."""
    jitter_s: float | None = None
    """Up to so many seconds later, drawn anew each time; default: 30 for Google, 60 for an address, 0 for a file."""
    ignore: tuple[Ignored, ...] = ("declined",)
    """Which events are not told: those the owner has declined, those that leave him free, those that are tentative."""
    on_missed: Literal["publish", "skip"] = "publish"
    """Whether a start that is more than two minutes late is told all the same, marked `missed`, and its end with it."""
    days_ahead: int = 14
    """Days ahead that are known; so long it goes on without its source."""
    days_back: int = 1
    """Days back that are looked after: what was missed longer ago is not told any more."""

    def __post_init__(self) -> None:
        check_all(
            lambda: refuse(self._faults()),
            lambda: self.cron is None or _missing("cron") or self.cron_of(find_zone("UTC")),
        )

    @property
    def kind(self) -> Literal["google", "address", "file"]:
        """What the calendar is."""
        if self.google is not None:
            return "google"
        return "address" if self.ics is not None else "file"

    @property
    def address(self) -> str:
        """Where the iCalendar file is, or its address, which may be a secret; empty for Google's."""
        if self.file is not None:
            return str(self.file)
        return self.ics.reveal() if isinstance(self.ics, Secret) else self.ics or ""

    @property
    def rhythm(self) -> tuple[float, float]:
        """Seconds from one fetch to the next, and the most that is added at random."""
        every, jitter = _RHYTHM[self.kind]
        return self.every_s or every, jitter if self.jitter_s is None else self.jitter_s

    def cron_of(self, zone: ZoneInfo) -> Cron | None:
        """Return the expression, read; None where there is none.

        Raises:
            Invalid: it is none.
        """
        if self.cron is None:
            return None
        from services.schedule.cron import parse_cron

        return parse_cron(self.cron, zone)

    def _faults(self) -> Iterator[str]:
        if sum(each is not None for each in (self.google, self.ics, self.file)) != 1:
            yield "a calendar has one of google, ics and file: the name of one of Google's, an address, or a file"
            return
        yield from self._google_faults() if self.google is not None else self._ics_faults()
        yield from self._rhythm_faults()
        for name, value, least, most in (
            ("days_ahead", self.days_ahead, 1, 366),
            ("days_back", self.days_back, 1, 31),
        ):
            if not least <= value <= most:
                yield f"{name} {value} is not within {least} and {most}"
        for needed in ("google" if self.google is not None else "ics", *(["cron"] if self.cron is not None else [])):
            if missing := _missing(needed):
                yield f"{needed} needs {missing}; {to_install(_PACKAGES[needed][1])}"

    def _google_faults(self) -> Iterator[str]:
        if self.google and "://" in self.google:
            yield "google is a calendar's name, not its address; a secret address stands in a file: ics = { file = }"
        elif not self.google or self.google != "".join(self.google.split()):
            yield f"google {self.google!r} is no calendar's name; write for example you@gmail.com"
        yield from _key_faults(self.credentials, self.api_key)

    def _ics_faults(self) -> Iterator[str]:
        if self.credentials is not None or self.api_key is not None:
            yield "credentials and api_key are for google; an address that is secret stands in a file: ics = { file = }"
        if self.file is not None and {"http:", "https:", "webcal:"} & set(self.file.parts):
            yield "file is a file of this machine; an address is written as ics"
        if self.ics is None:
            return
        scheme, separator, _ = self.address.partition("://")
        if not separator or scheme not in {"http", "https", "webcal"}:
            begins = f"begins with {scheme[:20]!r}" if separator else "is no address"
            yield f"ics {begins}; write https://HOST/PATH, or for a file of this machine: file ="
        elif not _host(self.address):
            yield "ics names no host; write https://HOST/PATH"

    def _rhythm_faults(self) -> Iterator[str]:
        if self.every_s is not None and self.cron is not None:
            yield "every_s and cron are both there; leave one"
        least = _BRISKEST_S[self.kind]
        if self.every_s is not None and not least <= self.every_s <= _LONGEST_S:
            yield f"every_s {self.every_s} is not within {least:.0f} and {_LONGEST_S}"
        if self.jitter_s is not None and not 0 <= self.jitter_s <= _LONGEST_JITTER_S:
            yield f"jitter_s {self.jitter_s} is not within 0 and {_LONGEST_JITTER_S:.0f}"


@dataclass(frozen=True)
class Config:
    """The calendars of a house; their days are those of its time zone."""

    calendars: dict[str, CalendarSettings] = field(default_factory=dict)
    """The calendars, by name."""
    credentials: Secret | None = None
    """Google's keys: the JSON of a service account, or what `hearthbus calendar login` has stored."""
    api_key: Secret | None = None
    """Google's API key: for public calendars only."""
    endpoint: str = GOOGLE
    """Google's address; another one for a proxy."""
    folder: Path | None = None
    """Folder of what is known of each calendar; default: $STATE_DIRECTORY/calendar, else
    ~/.local/state/hearthbus/calendar."""
    timezone: str = LOCAL
    """Zone of all-day events, cron expressions and the times that are told; default: the house's."""

    def __post_init__(self) -> None:
        check_all(lambda: find_zone(self.timezone), lambda: refuse(self._faults()))

    def keys_of(self, calendar: CalendarSettings) -> tuple[Secret | None, Secret | None]:
        """Return the credentials and the API key Google is asked with; the calendar's own come first."""
        if calendar.credentials is not None or calendar.api_key is not None:
            return calendar.credentials, calendar.api_key
        return self.credentials, self.api_key

    def _faults(self) -> Iterator[str]:
        if not _host(self.endpoint) or urlsplit(self.endpoint).scheme not in {"http", "https"}:
            yield "endpoint is no address; write https://HOST/PATH/"
        elif not {"@", "?", "#"}.isdisjoint(self.endpoint):
            yield "endpoint is https://HOST/PATH/ and nothing else; a key is written as api_key, and is a secret"
        yield from _key_faults(self.credentials, self.api_key)
        for name, calendar in self.calendars.items():
            if not is_segment(name):
                yield f"calendars.{name}: a name is one part of a topic, of a-z 0-9 _ . -"
            if calendar.google is not None and self.keys_of(calendar) == (None, None):
                yield f"calendars.{name}: Google asks for credentials, or for an api_key if the calendar is public"


def _key_faults(credentials: Secret | None, api_key: Secret | None) -> Iterator[str]:
    """Yield what is wrong with Google's keys, as far as their files alone can tell."""
    from services.calendar.google.credentials import check_api_key, read_credentials

    for key, check in ((credentials, read_credentials), (api_key, check_api_key)):
        try:
            if key is not None:
                check(key.reveal())
        except Invalid as error:
            yield str(error)


def _host(address: str) -> bool:
    try:
        return bool(urlsplit(address).hostname)
    except ValueError:
        return False


def _missing(needed: str) -> str:
    """Return the packages a key needs and this machine has not, as words."""
    return ", ".join(name.replace("_", "-") for name in _PACKAGES[needed][0] if not _is_there(name))


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False
