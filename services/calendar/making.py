"""From a calendar's table to its source. What is heavy is imported here, in the thread that asks the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from services.calendar.settings import CalendarSettings, Config
    from services.calendar.sources import Source


def make_source(settings: CalendarSettings, config: Config, zone: ZoneInfo) -> Source:
    """Return the source of a calendar.

    Raises:
        Invalid: credentials that are none.
    """
    if settings.google is not None:
        from services.calendar.google.source import GoogleSource

        credentials, api_key = config.keys_of(settings)
        return GoogleSource(
            calendar=settings.google, credentials=credentials, api_key=api_key, endpoint=config.endpoint, zone=zone
        )
    from services.calendar.ics.source import IcsSource

    return IcsSource(address=settings.address if settings.ics is None else settings.ics, zone=zone)
