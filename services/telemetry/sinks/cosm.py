"""The API of Pachube, Cosm and Xively, version 2: `PUT /v2/feeds/FEED.json` with what each datastream measured when.

Their service has ended; servers that speak as they did have not. A datastream has one value for an instant: a batch may
come twice, and a datastream that is not there is made.
Source: Xively, "API reference", and the answers of Cosm as its users saw them: 403, and 406 with a Retry-After, when
asked more often than some 25 times a minute.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from hearthbus.config.secret import Secret  # noqa: TC001 - the configuration's reader asks for it
from services.telemetry.naming import Names, Parts, Template
from services.telemetry.outcomes import Delivered, Outcome, TooLarge
from services.telemetry.sinks.exchange import Answer, Outgoing, later, ordinary, told
from services.telemetry.sinks.series import fitted, full_name
from services.telemetry.sinks.web import WebSettings, gathered, header_value, parse_url
from services.telemetry.units import check_units

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from services.telemetry.records import Record
    from services.telemetry.sinks import Sink

MOST: Final = 500
"""Values of a datastream in one call; a batch has no more records, so that it seldom has more."""
_MAX_ID: Final = 64
_LETTERS: Final = re.compile(r"[A-Za-z0-9_.+-]")
_LIMIT: Final = re.compile(r"rate|limit|too many|exceed|quota", re.IGNORECASE)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Cosm(WebSettings):
    """A server that speaks as Cosm did.

    [telemetry.cosm.feed]
    url = "https://cosm.example"
    feed = 12345
    key = { file = "secrets/cosm" }
    """

    url: str
    """Where it is: what stands before `/v2/feeds`."""
    feed: int | str
    """The feed's number."""
    key: Secret
    """The API key that may write to it."""
    id: str = "{quantity}-{place}"
    """What a datastream is called: a template; `_` and the key of one of several numbers follow where it lacks that."""
    units: dict[str, str] = field(default_factory=dict)
    """By the unit that is published, the unit that is stored: `{ "°C" = "°F" }`."""
    batch: int = MOST
    """Messages sent at a time, at most."""
    every_s: float = 30.0
    """Seconds a message waits for others to be sent with."""
    per_minute: float = 20.0
    """How often a minute something is sent, at most; Cosm took some 25; 0: as often as there is something."""

    def faults(self) -> Iterator[str]:
        """Add what is wrong with address, feed, key, names and units."""
        yield from super().faults()
        if not str(self.feed).strip():
            yield "feed is empty"
        yield from gathered(
            lambda: parse_url(self.url),
            lambda: header_value(self.key.reveal(), key="key"),
            lambda: Template(self.id, key="id"),
            lambda: check_units(self.units.items()),
        )

    def sink(self, name: str) -> Sink:
        """Make what carries records to it."""
        return self.carrier(name, FeedFormat(self), parse_url(self.url))


class FeedFormat:
    """Datastreams with their datapoints in, 200 out."""

    merges = True
    most = MOST

    def __init__(self, settings: Cosm) -> None:
        self._id = Template(settings.id)
        self._names = Names(self._name, units=settings.units)
        self._path = f"/v2/feeds/{quote(str(settings.feed), safe='')}.json"
        self._headers = {"X-ApiKey": settings.key.reveal(), "Content-Type": "application/json"}

    def encode(self, records: Sequence[Record], now: float) -> Outgoing | Outcome:
        """Write the datastreams; the newest value of each is its current one."""
        del now
        streams: dict[str, dict[str, str]] = {}
        for record in records:
            for name, value in self._names.samples(record):
                streams.setdefault(name, {})[_at(record.time_ns)] = _text(value)
        if not streams:
            return Delivered()
        if any(len(points) > MOST for points in streams.values()):
            return TooLarge(f"a datastream would have more than {MOST} values in one call")
        body = {"version": "1.0.0", "datastreams": [_datastream(name, points) for name, points in streams.items()]}
        return Outgoing("PUT", self._path, self._headers, json.dumps(body, separators=(",", ":")).encode())

    def judge(self, answer: Answer) -> Outcome:
        """403 and 406 are also how it says that it is asked too often."""
        if answer.status == 406 or (
            answer.status == 403 and ("retry-after" in answer.headers or _LIMIT.search(answer.text))
        ):
            return later(answer, told(answer, "it is asked too often"))
        return ordinary(answer)

    def _name(self, parts: Parts) -> str:
        return fitted(full_name(self._id, parts), allowed=_LETTERS, most=_MAX_ID)


def _datastream(name: str, points: dict[str, str]) -> dict[str, Any]:
    newest = max(points)
    return {
        "id": name,
        "current_value": points[newest],
        "at": newest,
        "datapoints": [{"at": at, "value": value} for at, value in points.items()],
    }


def _at(time_ns: int) -> str:
    moment = _EPOCH + timedelta(microseconds=time_ns // 1000)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


def _text(value: float) -> str:
    return str(int(value)) if isinstance(value, bool) else repr(value)
