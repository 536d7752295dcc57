"""What a body holds, for a table: a text, a number, how long ago. What is of another type counts as not there."""

from __future__ import annotations

from typing import Any, Protocol

from hearthbus.cli.durations import parse_moment
from hearthbus.errors import Invalid


class Body(Protocol):
    """A message, or its body."""

    def get(self, key: str, /) -> Any:
        """Return the value of a key; None where there is none."""


def text(body: Body, key: str) -> str:
    """Return a text; empty where there is none."""
    value = body.get(key)
    return value if isinstance(value, str) else ""


def number(body: Body, key: str) -> float | None:
    """Return a number; true and false are none."""
    value = body.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def seconds_since(body: Body, key: str, *, now: int) -> float | None:
    """Return how long ago an ISO time was; `now` is in nanoseconds since 1970 UTC."""
    value = body.get(key)
    try:
        return (now - parse_moment(value, now=now)) / 1e9 if isinstance(value, str) else None
    except Invalid:
        return None
