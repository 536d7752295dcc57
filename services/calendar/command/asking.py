"""What `list` and `events` share: the configured calendars, each asked directly, one after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from hearthbus.errors import HearthbusError, Invalid
from services.calendar.making import make_source
from services.calendar.settings import DAY_S
from services.calendar.sources import SourceFault, Window
from services.instants import find_zone

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

    from services.calendar.events import Event
    from services.calendar.settings import CalendarSettings, Config

SERVICE: Final = "calendar"


@dataclass(frozen=True)
class Asked:
    """A calendar and what it answered."""

    name: str
    settings: CalendarSettings
    zone: ZoneInfo
    days: int
    events: Sequence[Event] = ()
    unread: int = 0
    """Events that could not be understood."""
    fault: SourceFault | None = None


def add_arguments(parser: ArgumentParser) -> None:
    """Declare which calendars, of which configuration."""
    parser.add_argument("names", metavar="CALENDAR", nargs="*", help="a calendar, by its table's name; default: all")
    parser.add_argument("--config", metavar="FILE", help="default: ./hearthbus.toml, then the user's, then /etc's")
    parser.add_argument("--service", metavar="NAME", default=SERVICE, help="the service's table; default: calendar")


def configured(args: Namespace) -> Config | None:
    """Return the calendars' table; where the configuration is bad say so and return None.

    Raises:
        Invalid: it is no table of calendars, or it has none of a name.
    """
    from hearthbus.cli.check import checked

    house = checked(args.config, only=(args.service,))
    if house is None:
        return None
    config: Any = house.services[args.service].config
    calendars = getattr(config, "calendars", None)
    if not isinstance(calendars, dict):
        raise Invalid(f"[{args.service}] of {house.path} is no table of calendars; name it with --service")
    if not calendars:
        raise Invalid(f"{house.path} has no calendars; a table [{args.service}.calendars.NAME] makes one")
    for name in args.names:
        if name not in calendars:
            raise Invalid(f"{house.path} has no calendar {name!r}; there is {', '.join(calendars)}")
    checked_config: Config = config
    return checked_config


def ask(config: Config, names: Sequence[str], *, days: int | None) -> Iterator[Asked]:
    """Ask each calendar for what comes from now on, or goes on now."""
    zone = find_zone(config.timezone)
    now = int(time.time())
    for name in names or list(config.calendars):
        settings = config.calendars[name]
        ahead = days or settings.days_ahead
        yield _ask(config, Asked(name, settings, zone, ahead), Window(now, now + ahead * DAY_S))


def origin(settings: CalendarSettings) -> str:
    """Return where a calendar comes from, for people; of an address only its host, the rest may be the secret."""
    if settings.kind == "google":
        return f"Google, {settings.google}"
    return settings.address if settings.kind == "file" else urlsplit(settings.address).hostname or "?"


def days_text(days: int) -> str:
    """Return a number of days for people."""
    return "1 day" if days == 1 else f"{days} days"


def _ask(config: Config, asked: Asked, window: Window) -> Asked:
    settings = asked.settings
    try:
        source = make_source(settings, config, asked.zone)
        try:
            events = source.fetch(window)
        finally:
            source.close()
    except SourceFault as fault:
        return Asked(asked.name, settings, asked.zone, asked.days, fault=fault)
    except HearthbusError as error:
        return Asked(asked.name, settings, asked.zone, asked.days, fault=SourceFault("refused", str(error)))
    return Asked(asked.name, settings, asked.zone, asked.days, events, source.unread)
