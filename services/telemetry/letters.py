"""The form of a dead letter: a line of JSON with the record a sink refused, why, and when it was set aside. Pure.

    {"topic": "sensor/hall/temperature", "body": {"value": 20.5}, "time_ns": 1767268800000000000, "offset": 4711,
     "time": "2026-01-01T12:00:00Z", "reason": "...", "set_aside": "2026-01-01T12:00:10Z"}

`time` is `time_ns` for people and is not read. Whether the record was state is not kept: when it is sent again, newer
state has been sent, and a server must not retain the older.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hearthbus.errors import Invalid
from services.instants import iso
from services.telemetry.records import Record


@dataclass(frozen=True)
class Letter:
    """One record that was refused.

    Args:
        record: the record.
        reason: why, in the sink's words.
        set_aside: when, seconds since 1970 UTC.
    """

    record: Record
    reason: str
    set_aside: float


def write_letter(letter: Letter) -> bytes:
    """Return its line."""
    record = letter.record
    line = {
        "topic": record.topic,
        "body": dict(record.body),
        "time_ns": record.time_ns,
        "offset": record.offset,
        "time": iso(record.time_ns / 1e9),
        "reason": letter.reason,
        "set_aside": iso(letter.set_aside),
    }
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode(errors="replace") + b"\n"


def read_letter(line: bytes) -> Record:
    """Return the record of a line.

    Raises:
        Invalid: torn, or changed into something else.
    """
    try:
        found: Any = json.loads(line)
        topic, body, time_ns, offset = (found[key] for key in ("topic", "body", "time_ns", "offset"))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Invalid("no dead letter: not JSON with topic, body, time_ns and offset") from None
    if not (isinstance(topic, str) and isinstance(body, dict) and type(time_ns) is int and type(offset) is int):
        raise Invalid("no dead letter: topic is text, body a map, time_ns and offset whole numbers")
    return Record(topic, body, time_ns, offset)
