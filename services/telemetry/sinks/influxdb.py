"""InfluxDB: `POST /write` of version 1 and all that speak it (VictoriaMetrics, QuestDB), `/api/v2/write` of 2 and 3.

Knows the tables of the configuration and what the answers mean. A value written twice is one: measurement, tags, field
and time are its identity. Source: InfluxData, "InfluxDB API reference" 1.8 and 2.7; answers of InfluxDB 1.6.7 as seen.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlencode

from hearthbus.config.secret import Secret  # noqa: TC001 - the configuration's reader asks for it
from services.telemetry.naming import Template
from services.telemetry.outcomes import Delivered, Held, Outcome
from services.telemetry.sinks.exchange import Answer, Outgoing, ordinary, told, words
from services.telemetry.sinks.lines import LineWriter
from services.telemetry.sinks.web import WebSettings, gathered, header_value, parse_url
from services.telemetry.units import check_units

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from services.telemetry.records import Record
    from services.telemetry.sinks import Sink

MOST: Final = 10_000
"""Records of one call: InfluxData advises 5,000 to 10,000 lines."""
_TOO_OLD: Final = re.compile(r"beyond retention policy|outside (?:of )?(?:the )?retention policy", re.IGNORECASE)
_DROPPED: Final = re.compile(r"dropped[ =](\d+)", re.IGNORECASE)
_NO_POLICY: Final = "retention policy not found"
_V1_PRECISION: Final = {"ns": "n", "us": "u", "ms": "ms", "s": "s"}


@dataclass(frozen=True, kw_only=True)
class Lines(WebSettings):
    """How messages become lines: what both versions share."""

    url: str
    """Where it listens, for example `http://127.0.0.1:8086`."""
    measurement: str = "{quantity}"
    """What the measurement is called: a template."""
    tags: dict[str, str] = field(default_factory=lambda: {"kind": "{kind}", "place": "{place}"})
    """By tag, its template; one that comes out empty is left out; default: `kind` and `place`."""
    units: dict[str, str] = field(default_factory=dict)
    """By the unit that is published, the unit that is stored: `{ "°C" = "°F" }`."""
    bools: Literal["number", "boolean"] = "number"
    """How true and false are stored: 1.0 and 0.0, which Grafana draws and averages, or as booleans."""
    precision: Literal["ns", "us", "ms", "s"] = "ns"
    """Of the times; what is coarser takes less room, and two values within one such step become one."""
    gzip: bool = False
    """Whether batches are packed on their way: less traffic, more work."""
    batch: int = 5000
    """Messages sent at a time, at most."""
    field: str = "{field}"
    """What the field is called: a template."""

    def faults(self) -> Iterator[str]:
        """Add what is wrong with address, templates and units."""
        yield from super().faults()
        yield from gathered(
            lambda: parse_url(self.url),
            lambda: Template(self.measurement, key="measurement"),
            *(lambda tag=tag, text=text: Template(text, key=f"tags.{tag}") for tag, text in self.tags.items()),
            lambda: Template(self.field, key="field"),
            lambda: check_units(self.units.items()),
        )

    def writer(self) -> LineWriter:
        """Return what writes its lines."""
        return LineWriter(
            measurement=Template(self.measurement),
            tags={tag: Template(text) for tag, text in self.tags.items()},
            field=Template(self.field),
            units=self.units,
            booleans=self.bools == "boolean",
            precision=self.precision,
        )


@dataclass(frozen=True, kw_only=True)
class InfluxDb(Lines):
    """InfluxDB 1.

    [telemetry.influxdb.archive]
    url = "http://127.0.0.1:8086"
    database = "house"
    """

    database: str
    """Which database; it must be there: `influx -execute 'CREATE DATABASE house'`."""
    retention_policy: str = ""
    """Which of its retention policies; default: its default."""
    user: str = ""
    """Who writes, where InfluxDB asks for that."""
    password: Secret | None = None
    """And the password."""

    def faults(self) -> Iterator[str]:
        """Add what is wrong with database and user."""
        yield from super().faults()
        if not self.database:
            yield "database is empty"
        if bool(self.user) != (self.password is not None):
            yield "user and password go together: set both, or none"
        if ":" in self.user:
            yield "user cannot have a colon"

    def sink(self, name: str) -> Sink:
        """Make what carries records to it."""
        query = {"db": self.database, "rp": self.retention_policy, "precision": _V1_PRECISION[self.precision]}
        headers = {}
        if self.password is not None:
            pair = f"{self.user}:{self.password.reveal()}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        path = "/write?" + urlencode({key: value for key, value in query.items() if value})
        return self.carrier(name, LineFormat(self.writer(), path, headers, zipped=self.gzip), parse_url(self.url))


@dataclass(frozen=True, kw_only=True)
class InfluxDb2(Lines):
    """InfluxDB 2, 3 and InfluxDB Cloud.

    [telemetry.influxdb2.cloud]
    url = "https://eu-central-1-1.aws.cloud2.influxdata.com"
    org = "home"
    bucket = "house"
    token = { file = "secrets/influxdb" }
    """

    bucket: str
    """Which bucket; it must be there."""
    token: Secret
    """A token that may write to it."""
    org: str = ""
    """Whose it is: the organisation's name; InfluxDB 3 asks for none."""

    def faults(self) -> Iterator[str]:
        """Add what is wrong with bucket and token."""
        yield from super().faults()
        if not self.bucket:
            yield "bucket is empty"
        yield from gathered(lambda: header_value(self.token.reveal(), key="token"))

    def sink(self, name: str) -> Sink:
        """Make what carries records to it."""
        query = {"org": self.org, "bucket": self.bucket, "precision": self.precision}
        path = "/api/v2/write?" + urlencode({key: value for key, value in query.items() if value})
        headers = {"Authorization": f"Token {self.token.reveal()}"}
        return self.carrier(name, LineFormat(self.writer(), path, headers, zipped=self.gzip), parse_url(self.url))


class LineFormat:
    """Lines in, 204 out, or what else InfluxDB says.

    Args:
        writer: writes the lines.
        path: where they go, with the query.
        headers: who writes.
        zipped: send them packed.
    """

    merges = True
    most = MOST

    def __init__(self, writer: LineWriter, path: str, headers: Mapping[str, str], *, zipped: bool) -> None:
        self._writer = writer
        self._path = path
        self._headers = {**headers, "Content-Type": "text/plain; charset=utf-8"}
        self._zipped = zipped

    def encode(self, records: Sequence[Record], now: float) -> Outgoing | Outcome:
        """Write the lines; records without a number are delivered by that."""
        del now
        body = self._writer.write(records)
        if not body:
            return Delivered()
        outgoing = Outgoing("POST", self._path, self._headers, body)
        return outgoing.zipped() if self._zipped else outgoing

    def judge(self, answer: Answer) -> Outcome:
        """Say what an answer means.

        Points beyond the retention are gone, and no repetition helps; the others of the batch are stored. A partial
        write for any other reason is refused, so that the record at fault is found: writing the rest again changes
        nothing.
        """
        if answer.status in (400, 422) and _TOO_OLD.search(answer.text):
            count = _DROPPED.search(answer.text)
            return Delivered(int(count[1]) if count else 1, f"older than the retention: {words(answer)}")
        if answer.status == 500 and _NO_POLICY in answer.text:
            return Held(told(answer, "there is no such retention policy"))
        return ordinary(answer)
