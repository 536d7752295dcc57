"""One calendar of Google as a `Source`: asks for a window of time, page by page, and gives events.

Google's packages are imported in the first `fetch`, in the thread that fetches: a Pi takes seconds for them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from hearthbus.errors import Invalid
from services.calendar.google.credentials import check_api_key, read_credentials
from services.calendar.google.parse import Zones, find_calendar_zone, parse_events, touches
from services.calendar.sources import SourceFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

    from hearthbus.config.secret import Secret
    from services.calendar.events import Event
    from services.calendar.google.wire import Http
    from services.calendar.sources import Window

ENDPOINT: Final = "https://www.googleapis.com/calendar/v3/"
PAGE: Final = 250
"""Events of one answer, Google's default; it may give fewer and say that there are more."""
MOST_PAGES: Final = 20
FIELDS: Final = (
    "kind,nextPageToken,timeZone,items(id,etag,status,iCalUID,recurringEventId,summary,description,location,start,end,"
    "endTimeUnspecified,transparency,attendees(self,responseStatus),extendedProperties)"
)
"""What is wanted of an answer: no guest's name or address leaves Google."""
_MARGIN: Final = timedelta(hours=26)
"""An all-day event is a day of the calendar's zone for Google, and one of the house's for us."""


class GoogleSource:
    """A calendar of Google. Implements `services.calendar.sources.Source`.

    Args:
        calendar: its id, such as `family1234@group.calendar.google.com`.
        credentials: JSON of a service account or of `hearthbus calendar login`; wins over `api_key`.
        api_key: for public calendars.
        endpoint: Google's API, `ENDPOINT`.
        zone: the house's; all-day events are its days.
        timeout_s: for a connection and for each piece of an answer.
        deadline_s: for one fetch in all.

    Raises:
        Invalid: the credentials are none that can be used.
    """

    def __init__(
        self,
        *,
        calendar: str,
        credentials: Secret | None,
        api_key: Secret | None,
        endpoint: str = ENDPOINT,
        zone: ZoneInfo,
        timeout_s: float = 10.0,
        deadline_s: float = 60.0,
    ) -> None:
        if credentials is None and api_key is None:
            raise Invalid(f"the calendar {calendar} needs credentials, or an api_key if it is public")
        self._calendar = calendar
        self._zone = zone
        self._endpoint = endpoint
        self._timeout_s, self._deadline_s = timeout_s, deadline_s
        self._credentials = None if credentials is None else read_credentials(credentials.reveal())
        self._api_key = api_key if credentials is None else None
        if self._api_key is not None:
            check_api_key(self._api_key.reveal())
        self._http: Http | None = None
        self._service: Any = None
        self.unread = 0
        """Events of the last fetch that could not be understood: no id, or no time."""
        self.unclear: frozenset[str] = frozenset()
        """The ids of those that have one."""

    @property
    def account(self) -> str:
        """Who asks: the robot's address, with which a calendar is shared, or what stands in its place."""
        if self._credentials is None:
            return "this API key"
        return self._credentials.robot or "this login"

    def fetch(self, window: Window) -> Sequence[Event]:
        """Return every event that touches `window`, ordered by start, without cancelled ones.

        Raises:
            SourceFault: there is nothing to be had now.
        """
        try:
            return self._fetch(window)
        except Exception as error:  # noqa: BLE001 - whatever Google's packages raise: a calendar never ends a service
            fault = self._fault(error)
        finally:
            self.close()  # Google lets go of an idle connection long before the next fetch
        raise fault  # here, so that the library's error, which may hold what nobody may see, is not its context

    def close(self) -> None:
        """Let go of connections."""
        if self._http is not None:
            self._http.close()

    def _fetch(self, window: Window) -> Sequence[Event]:
        from services.calendar.google.wire import Deadline

        http, service = self._set_up()
        with Deadline(http, self._deadline_s) as deadline:
            try:
                events, unread = self._read(self._pages(service, window))
            except Exception:
                if deadline.passed:
                    raise SourceFault(
                        "unreachable", f"{self._host} gave no whole answer within {self._deadline_s:g} s"
                    ) from None
                raise
        self.unread, self.unclear = len(unread), frozenset(filter(None, unread))
        return [event for event in events if touches(event, window)]

    def _read(self, pages: Iterator[dict[str, Any]]) -> tuple[list[Event], list[str]]:
        """Turn pages into events as they come, so that one page at a time is in memory."""
        first = next(pages)
        zones = Zones(self._zone, find_calendar_zone(first.get("timeZone")))
        return parse_events((item for page in chain([first], pages) for item in page["items"]), zones)

    def _set_up(self) -> tuple[Http, Any]:
        if self._http is None or self._service is None:
            from services.calendar.google.wire import Http, make_service

            self._http = Http(self._timeout_s)
            credentials = None if self._credentials is None else self._credentials.make()
            self._service = make_service(http=self._http, credentials=credentials, endpoint=self._endpoint)
        return self._http, self._service

    def _pages(self, service: Any, window: Window) -> Iterator[dict[str, Any]]:
        """Ask until there is no next page; a page may be empty and yet have one."""
        token: str | None = None
        for _ in range(MOST_PAGES):
            page = self._ask(service, window, token)
            yield page
            token = page.get("nextPageToken")
            if not token:
                return
        raise SourceFault(
            "broken",
            f"{self._calendar} has more than {MOST_PAGES} pages of events in these days; set days_ahead lower",
        )

    def _ask(self, service: Any, window: Window, token: str | None) -> dict[str, Any]:
        request = service.events().list(
            calendarId=self._calendar,
            singleEvents=True,
            orderBy="startTime",
            timeMin=_rfc3339(window.start, -_MARGIN),
            timeMax=_rfc3339(window.end, _MARGIN),
            maxResults=PAGE,
            maxAttendees=1,  # the calendar's owner alone
            pageToken=token,
            fields=FIELDS,
        )
        if self._api_key is not None:  # not in the address, where logs and errors would show it
            request.headers["x-goog-api-key"] = self._api_key.reveal()
        page: dict[str, Any] = request.execute(num_retries=0)
        # an object that is none of Google's pages would mean that every event was cancelled
        ours = isinstance(page, dict) and page.get("kind") == "calendar#events"
        if not ours or not isinstance(page.setdefault("items", []), list):
            raise SourceFault(
                "broken", f"{self._host} gave an answer that is no list of events; a login page of the network?"
            )
        return page

    @property
    def _host(self) -> str:
        return urlsplit(self._endpoint).hostname or "Google"

    def _fault(self, error: Exception) -> SourceFault:
        from services.calendar.google.faults import Asked, fault_of

        return fault_of(
            error,
            Asked(
                calendar=self._calendar,
                account=self.account,
                host=self._host,
                clock_off_s=None if self._http is None else self._http.clock_off_s,
            ),
        )


def _rfc3339(at: int, more: timedelta) -> str:
    return (datetime.fromtimestamp(at, UTC) + more).isoformat()
