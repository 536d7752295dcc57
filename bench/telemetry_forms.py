"""What the protocols of telemetry over HTTP look like to their servers: bodies read, and answers given. Tables only.

An answer is a status, headers behind it, an empty line and a body.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Point = tuple[str, int, float, str]
"""Series, nanoseconds, value, and the message's id where the protocol has one."""
_SECOND: Final = 1_000_000_000
BUSY: Final = ("500 Broken", "503 Busy\r\nRetry-After: 1", "429 Too Many\r\nRetry-After: 1", "408 Slow")


@dataclass(frozen=True)
class Form:
    """One protocol.

    Args:
        read: finds the points of a body.
        yes: the answer to what is taken.
        no: the answer to a batch with something in it that is not.
        failures: answers of a server that has trouble of its own.
    """

    read: Callable[[bytes], Iterable[Point]]
    yes: str = "204 Taken"
    no: str = "400 Bad Point"
    failures: tuple[str, ...] = BUSY


def _lines(body: bytes) -> Iterable[Point]:
    for line in body.decode().splitlines():
        series, value, time = line.rsplit(" ", 2)
        yield series, int(time), float(value.partition("=")[2]), ""


def _messages(body: bytes) -> Iterable[Point]:
    for message in json.loads(body):
        yield message["topic"], int(message["id"].partition("-")[0]), float(message["body"]["value"]), message["id"]


def _rows(body: bytes) -> Iterable[Point]:
    for time, node, *inputs in json.loads(parse_qs(body.decode())["data"][0]):
        yield from ((f"{node}.{name}", time * _SECOND, value, "") for one in inputs for name, value in one.items())


def _datastreams(body: bytes) -> Iterable[Point]:
    for stream in json.loads(body)["datastreams"]:
        for point in stream["datapoints"]:
            yield stream["id"], _instant(point["at"]), float(point["value"]), ""


def _updates(body: bytes) -> Iterable[Point]:
    for row in json.loads(body)["updates"]:
        time = _instant(row.pop("created_at"))
        yield from ((f"room{int(name[5:]) - 1:02}", time, value, "") for name, value in row.items())


def _instant(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000) * 1000


INFLUXDB: Final = Form(_lines)
WEBHOOK: Final = Form(_messages)
EMONCMS: Final = Form(
    _rows, yes="200 OK\n\nok", no='200 OK\n\n{"success": false, "message": "Format error, value must be a number"}'
)
COSM: Final = Form(
    _datastreams,
    yes="200 OK",
    no='422 Unprocessable\n\n{"title": "Unprocessable Entity", "errors": "value is not accepted"}',
    failures=(*BUSY, "406 Not Acceptable\r\nRetry-After: 1", "403 Forbidden\r\nRetry-After: 1\n\nexceeded rate limit"),
)
THINGSPEAK: Final = Form(
    _updates,
    yes='202 Accepted\n\n{"success": true}',
    no='400 Bad Request\n\n{"status": "400", "error": {"error_code": "error_bad_request"}}',
)
