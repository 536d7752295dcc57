"""Say when a calendar's events start and end."""

from __future__ import annotations

from dataclasses import dataclass

from hearthbus import Service


class Calendar(Service):
    """The calendars of a house."""

    @dataclass(frozen=True)
    class Config:
        """Nothing yet."""
