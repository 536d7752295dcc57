"""The newest values of a house, as a page in Prometheus' text format 0.0.4. Pure; knows no sockets and no clock.

Values carry no times of their own, or Prometheus would drop what is older than five minutes and take what is fresh for
stale; how old a topic is is a series beside it, `hearthbus_last_seen_timestamp_seconds`. What two topics call the same
is the newer one's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from services.telemetry.naming import Names, parts_of
from services.telemetry.records import Record
from services.telemetry.sinks.prometheus_names import Series, labels_of, series_of
from services.telemetry.sinks.prometheus_own import FAILING, HELP, THERE, is_own, samples_of, service_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_Samples = dict[tuple[str, str], "float | bool"]


@dataclass(frozen=True, slots=True)
class _Seen:
    time_ns: int
    samples: _Samples


class Board:
    """What was heard last.

    Args:
        prefix: what every name begins with.
        limit: values shown at most.
    """

    def __init__(self, *, prefix: str, limit: int) -> None:
        self._prefix = prefix
        self._limit = limit
        self._names: Names[Series] = Names(lambda parts: series_of(parts, prefix=prefix))
        self._topics: dict[str, _Seen] = {}
        self._away: set[str] = set()
        """Services that are not online: their figures are of before."""
        self._count = 0
        self._dropped = 0

    def hear(self, topic: str, body: Mapping[str, Any], time_ns: int) -> None:
        """Take a message: it replaces all that its topic showed; one that says nothing takes it away."""
        if name := service_of(topic, health=False):
            (self._away.discard if body.get("status") == "online" else self._away.add)(name)
        before = self._topics.pop(topic, None)
        self._count -= 0 if before is None else len(before.samples) + 1
        samples = self._samples(topic, body, time_ns)
        if not samples:
            return
        if self._count + len(samples) + 1 > self._limit:
            self._dropped += len(samples)
            return
        self._count += len(samples) + 1
        self._topics[topic] = _Seen(time_ns, samples)

    def page(self, *, broker: bool = True) -> str:
        """Return the page: each family in one block, ended by a new line.

        Args:
            broker: whether the broker is there. Without it nobody knows who is, and nothing of the bus' own is shown.
        """
        families: dict[str, dict[str, tuple[int, str]]] = {}
        seen_name = f"{self._prefix}_last_seen_timestamp_seconds"
        for topic, seen in self._topics.items():
            if not broker and is_own(topic):
                continue
            away = service_of(topic, health=True) in self._away
            for (name, labels), value in seen.samples.items():
                if away and not name.endswith(FAILING):
                    continue
                _put(families, name, labels, seen.time_ns, _number(value))
            parts = parts_of(topic)
            quantity = parts.quantity if topic.count("/") > 1 else ""
            where = labels_of({"kind": parts.kind, "place": parts.place, "quantity": quantity})
            _put(families, seen_name, where, seen.time_ns, f"{seen.time_ns // 1_000_000 / 1000:.3f}")
        _put(families, f"{self._prefix}_{THERE}", "", 0, _number(broker))
        _put(families, f"{self._prefix}_exporter_series", "", 0, str(self._count))
        _put(families, f"{self._prefix}_exporter_dropped_total", "", 0, str(self._dropped))
        return "".join(self._block(name, families[name]) for name in sorted(families))

    def _samples(self, topic: str, body: Mapping[str, Any], time_ns: int) -> _Samples:
        own = samples_of(topic, body, prefix=self._prefix)
        if own is not None:
            return own
        found: _Samples = {}
        for series, value in self._names.samples(Record(topic, body, time_ns, 0)):
            converted = series.convert(value) if series.convert and not isinstance(value, bool) else value
            if converted - converted == 0:
                found[series.name, series.labels] = converted
        return found

    def _block(self, name: str, samples: dict[str, tuple[int, str]]) -> str:
        counts = name.endswith("_total")
        lines = [f"# HELP {name} {self._help(name)}\n# TYPE {name} {'counter' if counts else 'gauge'}\n"]
        lines += [f"{name}{labels} {text}\n" for labels, (_, text) in samples.items()]
        return "".join(lines)

    def _help(self, name: str) -> str:
        words = name.removeprefix(f"{self._prefix}_")
        return _HELP.get(words) or f"Last {words.removesuffix('_total').replace('_', ' ')} heard."


_HELP: Final = {
    "last_seen_timestamp_seconds": "When a topic was published last, seconds since 1970.",
    **HELP,
    "exporter_series": "Values on this page.",
    "exporter_dropped_total": "Values heard that had no room on this page.",
}


def _put(families: dict[str, dict[str, tuple[int, str]]], name: str, labels: str, time_ns: int, text: str) -> None:
    family = families.setdefault(name, {})
    if labels not in family or family[labels][0] <= time_ns:
        family[labels] = time_ns, text


def _number(value: float | bool) -> str:  # noqa: FBT001 - a bool is one of the values
    return str(int(value)) if isinstance(value, bool) else str(value)
