"""A sink that does what a test says, and the service with a table for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hearthbus.config.secret import Secret  # noqa: TC001 - the configuration's reader asks for it
from services.telemetry import Telemetry
from services.telemetry.outcomes import Delivered, Outcome, Refused, TooLarge
from services.telemetry.settings import Common

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from services.telemetry.records import Record

SINKS: dict[str, ScriptedSink] = {}
"""Those of the test that runs, by name; `fresh_sinks` empties it."""


class ScriptedSink:
    """Holds what it was given; `answer` decides how an attempt ends."""

    def __init__(self, *, merges: bool, most: int) -> None:
        self.merges = merges
        self.most = most
        self.calls: list[list[Record]] = []
        self.held: list[Record] = []
        self.closed = False
        self.answer: Callable[[Sequence[Record]], Outcome] = lambda _: Delivered()

    async def send(self, records: Sequence[Record]) -> Outcome:
        """Answer as the test wants."""
        self.calls.append(list(records))
        await asyncio.sleep(0)
        outcome = self.answer(records)
        if isinstance(outcome, Delivered):
            self.held += records
        return outcome

    async def close(self) -> None:
        """Note it."""
        self.closed = True

    @property
    def values(self) -> list[object]:
        """The values it holds, in the order they came."""
        return [record.body["value"] for record in self.held]


@dataclass(frozen=True, kw_only=True)
class Scripted(Common):
    """Its table."""

    merges: bool = True
    most: int = 1000
    token: Secret | None = None

    def sink(self, name: str) -> ScriptedSink:
        """Return the sink of that name, the same after a restart of the service."""
        sink = SINKS.get(name) or ScriptedSink(merges=self.merges, most=self.most)
        SINKS[name] = sink
        return sink


class House(Telemetry):
    """The service, with scripted sinks."""

    @dataclass(frozen=True)
    class Config(Telemetry.Config):
        """One more kind."""

        scripted: dict[str, Scripted] = field(default_factory=dict)

    config: Config


def refuses(*values: object) -> Callable[[Sequence[Record]], Outcome]:
    """Refuse every batch with one of `values`."""
    return lambda records: (
        Refused("bad value") if any(record.body["value"] in values for record in records) else Delivered()
    )


def takes_at_most(count: int) -> Callable[[Sequence[Record]], Outcome]:
    """Find more than `count` too many."""
    return lambda records: TooLarge("too much") if len(records) > count else Delivered()
