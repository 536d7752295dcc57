"""What a calendar's source is, whatever stands behind it: Google, a file, an address. Shapes only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from services.calendar.events import Event

Class = Literal["busy", "unreachable", "refused", "gone", "broken"]
"""Why a source gave nothing, and thereby when to ask again:

busy         it asks for patience (429, quota, 503): back off, `after_s` at the least
unreachable  network, time-out, 5xx: back off
refused      keys, a revoked grant, no right to this calendar (401, 403): ask rarely, somebody must act
gone         no such calendar or file (404): ask rarely, somebody must act
broken       it answered what cannot be read: back off
"""


@dataclass(frozen=True)
class Window:
    """The stretch of time a source is asked for, in seconds since 1970 UTC: events that touch it."""

    start: int
    end: int


class SourceFault(Exception):
    """A source gave nothing. The text is for people: what is wrong and what to do; it never holds a key or a token.

    Args:
        kind: why, as `Class` lists.
        text: for people.
        after_s: seconds the source asks to be left alone.
    """

    def __init__(self, kind: Class, text: str, *, after_s: float | None = None) -> None:
        super().__init__(text)
        self.kind = kind
        self.after_s = after_s


class Source(Protocol):
    """Where a calendar's events come from. Blocking; all calls come from one thread."""

    @property
    def unread(self) -> int:
        """How many events of the last answer could not be understood."""

    @property
    def unclear(self) -> Collection[str]:
        """The ids, or uids, of those, where they have any: what was known of them before goes on to hold."""

    def fetch(self, window: Window) -> Sequence[Event]:
        """Return every event that touches `window`, ordered by start, cancelled ones left out or with that status.

        Raises:
            SourceFault: there is nothing to be had now.
        """

    def close(self) -> None:
        """Let go of connections."""
