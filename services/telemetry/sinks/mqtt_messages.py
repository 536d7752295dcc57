"""What a record looks like as messages of MQTT. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from services.instants import iso
from services.telemetry.naming import VALUE, Names, Parts, Template, parts_of, untold
from services.telemetry.units import converter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from services.telemetry.records import Record
    from services.telemetry.sinks.mqtt import MqttSettings

_BAD: Final = re.compile(r"[+#$\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message.

    Args:
        topic: the whole topic.
        payload: UTF-8 text.
        retain: whether the server keeps it for who comes late.
        ts: when it was published on the bus, ISO 8601 with milliseconds.
        id: the record's: the same in every repetition.
        time_ns: as `ts`, nanoseconds since 1970 UTC.
    """

    topic: str
    payload: bytes
    retain: bool
    ts: str
    id: str
    time_ns: int

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from every other message."""
        return self.id, self.topic


class Messages:
    """Makes messages of records, as a table says."""

    def __init__(self, settings: MqttSettings) -> None:
        self._base = [level for level in settings.base.split("/") if level]
        self._template = Template(settings.topic, key="topic")
        self._of_body = bool(self._template.placeholders & {"device", "unit"})
        self._retain = settings.retain
        self._units = {source: (target, converter(source, target)) for source, target in settings.units.items()}
        self._names = Names(self._topic, units=settings.units)
        self._as_json = settings.payload == "json"

    @property
    def state_topic(self) -> str:
        """Where it is said whether the bridge is there."""
        return "/".join((*self._base, "bridge", "state"))

    def of(self, record: Record) -> Iterator[Outgoing]:
        """Yield the messages of a record: one as JSON, or one for each of its numbers; none where it has nothing.

        State that the bus forgets, the server forgets too: a message without a payload.
        """
        seconds, rest = divmod(record.time_ns, _SECOND)
        ts = f"{iso(seconds)[:-1]}.{rest // 1_000_000:03}Z"
        retain = self._retain and record.retained
        found = self._whole(record, ts) if self._as_json else self._bare(record)
        if record.retained and not record.body:
            found = self._forgotten(record)
        for topic, payload in found:
            yield Outgoing(topic, payload.encode(errors="replace"), retain, ts, record.id, record.time_ns)

    def _forgotten(self, record: Record) -> Iterator[tuple[str, str]]:
        if self._as_json and not self._of_body:
            yield self._levels(parts_of(record.topic)), ""

    def _whole(self, record: Record, ts: str) -> Iterator[tuple[str, str]]:
        said = {key: value for key, value in record.body.items() if value is not None}
        if VALUE in record.body and VALUE not in said:
            return
        said = {**self._converted(said), "ts": said.get("ts", ts)}
        device, unit = said.get("device", ""), said.get("unit", "")
        parts = parts_of(record.topic, device=str(device), unit=str(unit))
        try:
            yield self._levels(parts), json.dumps(said, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        except ValueError:
            return

    def _converted(self, said: dict[str, Any]) -> Mapping[str, Any]:
        unit, value = said.get("unit"), said.get(VALUE)
        if not isinstance(unit, str) or unit not in self._units:
            return said
        if isinstance(value, bool) or not isinstance(value, int | float):
            return said
        target, convert = self._units[unit]
        return {**said, VALUE: convert(value), "unit": target}

    def _bare(self, record: Record) -> Iterator[tuple[str, str]]:
        yield from ((topic, json.dumps(value)) for topic, value in self._names.samples(record))

    def _topic(self, parts: Parts) -> str:
        """Return the topic; its last level is the key of one of several numbers, where the template lacks that."""
        key = untold(parts, self._template.placeholders)
        return "/".join(filter(None, (self._levels(parts), _clean(key).replace("/", "_"))))

    def _levels(self, parts: Parts) -> str:
        return "/".join((*self._base, *(level for level in self._template.fill(parts, _clean).split("/") if level)))


def _clean(part: str) -> str:
    return _BAD.sub("_", part)
