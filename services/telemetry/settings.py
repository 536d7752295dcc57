"""What every sink's table may say: which messages it gets, and how many at a time.

Each kind has its own frozen dataclass in `services/telemetry/sinks/<kind>.py`, derived from `Common`, and says with
`sink` what carries its records. All kinds are imported with the configuration, therefore lightly: what speaks HTTP, TLS
or MQTT is imported by `sink` itself, when a house has such a sink.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from hearthbus.config.secret import Secret
from hearthbus.errors import Invalid
from hearthbus.topics import check_pattern
from services.checks import refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services.telemetry.sinks import Sink

MOST: Final = 10_000
"""Messages of one batch, at most."""


@dataclass(frozen=True, kw_only=True)
class Patterns:
    """Which messages."""

    topics: tuple[str, ...] = ("sensor/#",)
    """What is sent: topics, and patterns with `+` and `#`."""
    skip: tuple[str, ...] = ()
    """What of that is not sent."""

    def __post_init__(self) -> None:
        refuse(self.faults())

    def faults(self) -> Iterator[str]:
        """Tell what makes no sense, a text each; a kind with rules of its own yields from this one first."""
        if not self.topics:
            yield 'topics is empty; "#" stands for everything'
        for key, patterns in (("topics", self.topics), ("skip", self.skip)):
            for pattern in patterns:
                try:
                    check_pattern(pattern)
                except Invalid as error:
                    yield f"{key}: {error}"

    def secrets(self) -> tuple[Secret, ...]:
        """Return every secret of the table, for what must never show one."""
        values = (getattr(self, field.name) for field in fields(self))
        each = (one for value in values for one in (value.values() if isinstance(value, dict) else (value,)))
        return tuple(value for value in each if isinstance(value, Secret))


@dataclass(frozen=True, kw_only=True)
class Common(Patterns):
    """Which messages, how many at a time, and how often."""

    batch: int = 1000
    """Messages sent at a time, at most."""
    every_s: float = 10.0
    """Seconds a message waits for others to be sent with."""
    requests: bool = False
    """Whether what is asked of others, such as `light/hall/set`, is sent too."""
    per_minute: float = 0.0
    """How often a minute something is sent, at most; 0: as often as there is something."""

    def faults(self) -> Iterator[str]:
        """Add what is wrong with numbers."""
        yield from super().faults()
        if not 1 <= self.batch <= MOST:
            yield f"batch {self.batch} is not within 1 to {MOST}"
        if not 0 <= self.every_s <= 3600:
            yield f"every_s {self.every_s} is not within 0 to 3600"
        if not 0 <= self.per_minute <= 6000:
            yield f"per_minute {self.per_minute} is not within 0 to 6000"

    def sink(self, name: str) -> Sink:
        """Make what carries the records of the sink called `name`; nothing is connected yet."""
        raise NotImplementedError(f"{type(self).__name__} of {name} has no sink")
