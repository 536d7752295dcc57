"""ThingSpeak: `POST /channels/ID/bulk_update.json`, up to eight fields a channel, one row for a second.

A channel has one row for a second, so the values of a second are put together. Of two for the same field the later one
is sent and the other counted as dropped; so is what comes for the last second of the batch before. A row whose second
is there already is not stored again: a batch may come twice. Free accounts: one call in 15 seconds, 960 rows each.
Source: MathWorks, "Bulk-Write JSON Data" and "Error Codes" of the ThingSpeak documentation.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hearthbus.config.secret import Secret  # noqa: TC001 - the configuration's reader asks for it
from hearthbus.errors import Invalid
from hearthbus.topics import check_topic
from services.instants import iso
from services.telemetry.naming import VALUE, Names, Parts
from services.telemetry.outcomes import Delivered, Held, Later, Outcome, Refused
from services.telemetry.sinks.exchange import Answer, Outgoing, ordinary, told
from services.telemetry.sinks.web import WebSettings, gathered, header_value, parse_url
from services.telemetry.units import check_units

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from services.telemetry.records import Record
    from services.telemetry.sinks import Sink

MOST: Final = 960
"""Rows of one call for a free account, and therefore records: each makes one row at most."""
PAUSE_S: Final = 15.0
"""Between two calls of a free account."""
CONFLICTS: Final = 3
"""How often a conflict is taken for one that passes; then for something in the batch."""
_FIELD: Final = re.compile(r"field[1-8]")
_CODES: Final = {
    "error_bad_request": 400,
    "error_auth_required": 401,
    "error_payment_required": 402,
    "error_resource_not_found": 404,
    "error_method_invalid": 405,
    "error_conflict": 409,
    "error_request_too_large": 413,
    "error_no_action": 421,
    "error_invalid_byte_sequence": 422,
    "error_too_many_requests": 429,
}
"""Statuses of the codes it answers with as text, whatever the status of that answer."""


@dataclass(frozen=True, kw_only=True)
class ThingSpeak(WebSettings):
    """A channel of ThingSpeak.

    [telemetry.thingspeak.garden]
    channel = 1234567
    key = { file = "secrets/thingspeak" }
    fields = { field1 = "sensor/garden/temperature", field2 = "light/desk:brightness" }
    """

    channel: int
    """The channel's number."""
    key: Secret
    """Its write API key."""
    fields: dict[str, str]
    """By field, `field1` to `field8`, the topic it shows; `topic:key` where the message has no `value`."""
    url: str = "https://api.thingspeak.com"
    """Where ThingSpeak is."""
    units: dict[str, str] = field(default_factory=dict)
    """By the unit that is published, the unit that is stored: `{ "°C" = "°F" }`."""
    topics: tuple[str, ...] = ()
    """What is sent: topics, and patterns with `+` and `#`; default: the topics of `fields`."""
    batch: int = MOST
    """Messages sent at a time, at most."""
    every_s: float = 15.0
    """Seconds a message waits for others to be sent with."""
    per_minute: float = 4.0
    """How often a minute something is sent, at most; a free account has 4; 0: as often as there is something."""

    def __post_init__(self) -> None:
        if not self.topics:
            named = dict.fromkeys(source.partition(":")[0] for source in self.fields.values())
            object.__setattr__(self, "topics", tuple(named))
        super().__post_init__()

    def faults(self) -> Iterator[str]:
        """Add what is wrong with channel, key, fields and units."""
        if not self.fields:
            yield 'fields is empty; write for example { field1 = "sensor/garden/temperature" }'
            return
        yield from super().faults()
        if self.channel < 1:
            yield f"channel {self.channel} is not above 0"
        yield from (f"fields.{name}: it is field1 to field8" for name in self.fields if not _FIELD.fullmatch(name))
        if len(set(self.fields.values())) < len(self.fields):
            yield "fields: two show the same"
        yield from gathered(
            lambda: parse_url(self.url),
            lambda: header_value(self.key.reveal(), key="key"),
            *(lambda name=name, source=source: _check_source(name, source) for name, source in self.fields.items()),
            lambda: check_units(self.units.items()),
        )

    def sink(self, name: str) -> Sink:
        """Make what carries records to it."""
        return self.carrier(name, ChannelFormat(self), parse_url(self.url))


@dataclass(frozen=True)
class _Border:
    """Where a batch ended: what comes for its last second with a later batch finds the row made already."""

    second: int = -1
    offset: int = -1


class ChannelFormat:
    """Rows in, `{"success": true}` out."""

    merges = True
    most = MOST

    def __init__(self, settings: ThingSpeak) -> None:
        self._fields = {
            (topic, key or VALUE): name
            for name, (topic, _, key) in ((name, source.partition(":")) for name, source in settings.fields.items())
        }
        self._names = Names(self._name, units=settings.units)
        self._path = f"/channels/{settings.channel}/bulk_update.json"
        self._key = settings.key
        self._conflicts = 0
        self._stored = self._sent = _Border()

    def encode(self, records: Sequence[Record], now: float) -> Outgoing | Outcome:
        """Write the rows, by their seconds."""
        del now
        rows: dict[int, dict[str, float]] = {}
        found = 0
        for record in records:
            second, samples = record.time_ns // 1_000_000_000, self._names.samples(record)
            found += len(samples)
            if second == self._stored.second and record.offset > self._stored.offset:
                continue
            row = rows.setdefault(second, {})
            for name, value in samples:
                row[name] = int(value) if isinstance(value, bool) else value
        dropped = found - sum(len(row) for row in rows.values())
        reason = "a channel has one row for a second, and one value in each field of it" if dropped else ""
        updates = [{"created_at": iso(second), **row} for second, row in sorted(rows.items()) if row]
        if not updates:
            return Delivered(dropped, reason)
        self._sent = _Border(max(rows), records[-1].offset)
        body = json.dumps({"write_api_key": self._key.reveal(), "updates": updates}, separators=(",", ":"))
        headers = {"Content-Type": "application/json"}
        return Outgoing("POST", self._path, headers, body.encode(), dropped=dropped, reason=reason)

    def judge(self, answer: Answer) -> Outcome:
        """Say what an answer means: also one of status 200 that is none."""
        said = answer.text.strip()
        if answer.status < 300 and said in ("0", "-1"):
            return Later(f"it took nothing (HTTP {answer.status}: {said})", PAUSE_S)
        if answer.status < 300:
            code = next((code for code in _CODES if code in said), "")
            answer = Answer(_CODES.get(code, answer.status), answer.headers, answer.body, answer.at)
        if answer.status == 409:
            return self._conflict(answer)
        self._conflicts = 0
        if answer.status == 402:
            return Held(told(answer, "the messages of the licence are used up"))
        outcome = ordinary(answer)
        if isinstance(outcome, Delivered):
            self._stored = self._sent
        if answer.status == 429 and isinstance(outcome, Later) and outcome.after_s is None:
            return Later(outcome.reason, PAUSE_S)
        return outcome

    def _conflict(self, answer: Answer) -> Outcome:
        """Try again, as ThingSpeak advises, and not for ever: rows that are there already may be why."""
        self._conflicts += 1
        reason = told(answer, "it conflicts with what the channel does or has")
        return Later(reason, PAUSE_S) if self._conflicts <= CONFLICTS else Refused(reason)

    def _name(self, parts: Parts) -> str | None:
        key = parts.field if parts.topic.count("/") > 1 else parts.quantity
        return self._fields.get((parts.topic, key))


def _check_source(name: str, source: str) -> None:
    topic, colon, key = source.partition(":")
    try:
        check_topic(topic)
    except Invalid as error:
        raise Invalid(f"fields.{name}: {error}") from None
    if colon and not key:
        raise Invalid(f"fields.{name}: after : comes a key of the message")
