"""Deliver a batch to one sink, however long it takes: what is done after each outcome.

    Delivered   it is settled                      Refused    halved, down to the one record at fault
    Later       again after a back-off             TooLarge   halved, and the next ones smaller
    Held        again every five minutes, with an alert

Knows neither where the records come from nor what settling them means: its `Source` does.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Protocol, TypeVar

from hearthbus.errors import Unavailable
from services.telemetry.outcomes import Delivered, Held, Later, Outcome, Refused, TooLarge
from services.telemetry.pace import HELD_S, Backoff, Rate, Size
from services.telemetry.waiting import happens

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Sequence

    from hearthbus.clock import Clock
    from services.telemetry.batch import Batch
    from services.telemetry.records import Record
    from services.telemetry.sinks import Sink
    from services.telemetry.standing import Fault, Standing

_Item = TypeVar("_Item")


class Source(Protocol[_Item]):
    """Where the items of a batch come from."""

    def record(self, item: _Item) -> Record:
        """Return what is sent of it."""

    async def begins(self, items: Sequence[_Item]) -> None:
        """They are about to be sent; raises `Unavailable` when they cannot be now."""

    async def delivered(self, items: Sequence[_Item]) -> None:
        """The sink has them."""

    async def refused(self, item: _Item, reason: str) -> Sequence[_Item]:
        """The sink refuses this one alone; return what has to come again because the sink itself must be at fault."""


class Carrier:
    """Delivers to one sink.

    Args:
        sink: where to.
        size: how many records at a time.
        rate: how often.
        standing: where it is noted how it goes.
        clock: what waiting is counted by.
        nudge: set by whoever wants the next attempt now.
        clean: takes secrets out of a text.
        tell: called when the standing has changed for better or worse.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        size: Size,
        rate: Rate,
        standing: Standing,
        clock: Clock,
        nudge: asyncio.Event,
        clean: Callable[[str], str],
        tell: Callable[[], Awaitable[None]],
    ) -> None:
        self._sink = sink
        self._size = size
        self._rate = rate
        self._standing = standing
        self._clock = clock
        self._nudge = nudge
        self._clean = clean
        self._tell = tell
        self._backoff = Backoff()

    async def carry(self, batch: Batch[_Item], source: Source[_Item], *, whole: bool = False) -> None:
        """Return when everything in `batch` is settled.

        Args:
            batch: the items.
            source: where they come from.
            whole: send it as it is first, whatever its size.

        Raises:
            Unavailable: the source cannot take back what was refused.
        """
        while len(batch):
            await self._turn()
            items = batch.piece(len(batch) if whole else self._size.now)
            outcome = await self._attempt(items, source)
            whole = whole and isinstance(outcome, Later | Held)
            match outcome:
                case Delivered():
                    batch.settle()
                    await self._worked(outcome, len(items))
                    await source.delivered(items)
                case Later():
                    wait = self._backoff.failed(asked=outcome.after_s, chance=random.random())  # noqa: S311 - no secret
                    await self._wait("retrying", outcome.reason, wait)
                case Held():
                    await self._wait("held", outcome.reason, HELD_S)
                case Refused() | TooLarge() if len(items) > 1:
                    if isinstance(outcome, TooLarge):
                        self._size.too_large(len(items))
                    batch.halve()
                case Refused() | TooLarge():
                    await self._alone(batch, items[0], source, self._clean(outcome.reason))

    async def _alone(self, batch: Batch[_Item], item: _Item, source: Source[_Item], reason: str) -> None:
        batch.settle()
        self._standing.note(reason, wall=self._clock.now())
        again = await source.refused(item, reason)
        if again:
            batch.put_back(again)
            await self._wait("held", f"it refuses one record after the other, {len(again)} of them: {reason}", HELD_S)

    async def _attempt(self, items: Sequence[_Item], source: Source[_Item]) -> Outcome:
        try:
            await source.begins(items)
        except Unavailable as error:
            return Later(str(error))
        self._standing.busy = True
        self._rate.called(self._clock.monotonic())
        try:
            return await self._sink.send([source.record(item) for item in items])
        except Exception as error:  # noqa: BLE001 - a third party's sink may raise anything, with a secret in its text
            return Later(f"a fault of the sink itself: {type(error).__name__} at {_where(error)}")
        finally:
            self._standing.busy = False

    async def _worked(self, outcome: Delivered, records: int) -> None:
        self._backoff.worked()
        self._size.worked()
        if outcome.dropped and outcome.reason:
            self._standing.note(self._clean(outcome.reason), wall=self._clock.now())
        dropped = min(outcome.dropped, records)
        if self._standing.delivered(records, dropped, now=self._clock.monotonic()):
            await self._tell()

    async def _turn(self) -> None:
        """Wait until the sink may be called again."""
        wait = self._rate.wait(self._clock.monotonic())
        if wait > 0:
            await self._clock.sleep(wait)

    async def _wait(self, fault: Fault, reason: str, seconds: float) -> None:
        if self._standing.failed(fault, self._clean(reason), wall=self._clock.now()):
            await self._tell()
        if await happens(self._nudge, within=seconds, clock=self._clock):
            self._nudge.clear()


def _where(error: BaseException) -> str:
    """Return the place in the code, `graphite.py:41`, without the error's own words."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
