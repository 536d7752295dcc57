"""InfluxDB's line protocol: `measurement,tag=value field=1.0,other=2.0 1764000000000000000`. Pure.

Numbers are floats, always: the first one written decides a field's type for good. Bools are 1.0 and 0.0, or `true` and
`false` where that is asked for. Source: InfluxData, "Line protocol reference" of InfluxDB 1.8 and 2.7.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from services.telemetry.naming import Names, untold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from services.telemetry.naming import Parts, Template
    from services.telemetry.records import Record

DIVISORS: Final = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
"""Nanoseconds of each precision."""
_UNWRITABLE: Final = re.compile(r"[\\\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_OF_NAMES: Final = re.compile(r"[, ]")
_OF_KEYS: Final = re.compile(r"[,= ]")
_RESERVED: Final = frozenset({"time"})


class LineWriter:
    """Writes records as lines; what a topic's lines begin with is made once.

    Args:
        measurement: template of the measurement.
        tags: templates by tag; one that comes out empty is left out.
        field: template of the field.
        units: as `Names`.
        booleans: write bools as such.
        precision: of the times: ns, us, ms or s.
    """

    def __init__(
        self,
        *,
        measurement: Template,
        tags: Mapping[str, Template],
        field: Template,
        units: Mapping[str, str],
        booleans: bool,
        precision: str,
    ) -> None:
        self._measurement = measurement
        self._tags = sorted(((key_name(key), template) for key, template in tags.items()), key=_unescaped)
        self._field = field
        self._booleans = booleans
        self._divisor = DIVISORS[precision]
        self._names = Names(self._series, units=units)
        templates = (measurement, field, *tags.values())
        self._placeholders = frozenset().union(*(template.placeholders for template in templates))

    def write(self, records: Iterable[Record]) -> bytes:
        """Return the lines of `records`; nothing where they hold no number."""
        samples, booleans, divisor = self._names.samples, self._booleans, self._divisor
        lines: list[str] = []
        for record in records:
            found = samples(record)
            time = record.time_ns // divisor
            if len(found) == 1:
                ((head, key), value) = found[0]
                shown = _shown(value) if booleans else repr(float(value))
                lines.append(f"{head}{key}{shown} {time}\n")
                continue
            heads: dict[str, list[str]] = {}
            for (head, key), value in found:
                heads.setdefault(head, []).append(key + (_shown(value) if booleans else repr(float(value))))
            lines += [f"{head}{','.join(fields)} {time}\n" for head, fields in heads.items()]
        return "".join(lines).encode()

    def _series(self, parts: Parts) -> tuple[str, str]:
        """Return what a line begins with, and the field with its `=`."""
        tags = ((key, _written(template.fill(parts), _OF_KEYS)) for key, template in self._tags)
        named = "".join(f",{key}={value}" for key, value in tags if value)
        measurement = _named(self._measurement.fill(parts), _OF_NAMES)
        key = untold(parts, self._placeholders)
        return f"{measurement}{named} ", f"{key_name(self._field.fill(parts) + (f'_{key}' if key else ''))}="


def _unescaped(tag: tuple[str, Template]) -> str:
    return tag[0].replace("\\", "")


def key_name(text: str) -> str:
    """Return `text` as the key of a tag or field."""
    return _named(text, _OF_KEYS)


def _named(text: str, escaped: re.Pattern[str]) -> str:
    """As `_written`, clear of what InfluxDB has for its own: `_...`, `time`, and `#` that makes a comment of a line."""
    name = _written(text, escaped).lstrip("_#") or "value"
    return f"{name}_" if name in _RESERVED else name


def _written(text: str, escaped: re.Pattern[str]) -> str:
    """Escape by the book. A backslash cannot be told from an escape, nor a line's end from the line's: both are `_`."""
    return escaped.sub(r"\\\g<0>", _UNWRITABLE.sub("_", text))


def _shown(value: float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(float(value))
