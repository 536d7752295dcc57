"""One iCalendar file or address as a `Source`: got only when it has changed, read once, asked for any window."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from hearthbus.config.secret import Secret
from services.calendar.ics.fetch import Place, fetch
from services.calendar.ics.parse import Calendar
from services.calendar.sources import SourceFault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from zoneinfo import ZoneInfo

    from services.calendar.events import Event
    from services.calendar.sources import Window

_log: Final = logging.getLogger(__name__)


class IcsSource:
    """A calendar that is not Google's, or Google's by its private address. A `services.calendar.sources.Source`.

    Args:
        address: the path of a file, or `https://` (`webcal://` is the same; `http://` with a warning), which is often
            as good as a password.
        zone: the house's: of all-day events, and of times that name none.
        timeout_s: for a connection and for each piece of an answer.
        deadline_s: for one fetch in all.
    """

    def __init__(
        self, *, address: str | Secret, zone: ZoneInfo, timeout_s: float = 10.0, deadline_s: float = 60.0
    ) -> None:
        self._place = Place(address.reveal() if isinstance(address, Secret) else address)
        self._zone = zone
        self._timeout_s, self._deadline_s = timeout_s, deadline_s
        self._validators: Mapping[str, str] = {}
        self._data = b""
        self._calendar: Calendar | None = None
        if self._place.url.startswith("http://"):
            _log.warning("%s is asked over http: whoever is on the way reads and changes it; try https", self._place)

    @property
    def unread(self) -> int:
        """Events of the last fetch that could not be understood."""
        return self._calendar.unread if self._calendar is not None else 0

    @property
    def unclear(self) -> frozenset[str]:
        """The UIDs of those that have one."""
        return self._calendar.unclear if self._calendar is not None else frozenset()

    def fetch(self, window: Window) -> Sequence[Event]:
        """Return every event that touches `window`, ordered by start, without cancelled ones.

        Raises:
            SourceFault: there is nothing to be had now.
        """
        try:
            known = self._validators if self._calendar is not None else {}
            copy = fetch(self._place, known, timeout_s=self._timeout_s, deadline_s=self._deadline_s)
            if copy is not None and (self._calendar is None or copy.data != self._data):
                self._calendar = None
                self._calendar = Calendar(copy.data, house=self._zone)
                self._data = copy.data
            if copy is not None:
                self._validators = copy.validators
            assert self._calendar is not None  # noqa: S101 - for the type checker: None is said of what is known only
            return self._calendar.events(window)
        except SourceFault as fault:
            raise _named(fault, str(self._place)) from None
        except Exception:  # noqa: BLE001 - whatever a library does with hostile text: a calendar never ends a service
            raise SourceFault("broken", f"{self._place}: the calendar cannot be read") from None

    def close(self) -> None:
        """Nothing is kept open between two fetches."""


def _named(fault: SourceFault, place: str) -> SourceFault:
    text = str(fault)
    return fault if place in text else SourceFault(fault.kind, f"{place}: {text}", after_s=fault.after_s)
