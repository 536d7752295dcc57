"""The way to one target: its limits, its turn, its thread, its tries. One that hangs delays no other.

A message is sent within its caller's time or not at all: nothing waits for better weather, so what was told as failed
does not arrive an hour later. The exception is told as such: a server that took the text and did not answer.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from services.notify.limits import Bucket, Quiet
from services.notify.note import fit
from services.notify.outcomes import NOT_LATER, Attempt, Fault, GivenUp, Receipt, Undelivered
from services.notify.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo

    from hearthbus.clock import Clock
    from services.notify.note import Note
    from services.notify.settings import Target

WAITING: Final = 20
"""Messages that may wait for their turn at one target, and as many urgent ones; more are refused at once."""
_LAST_S: Final = 1.5
"""Seconds a message that is on its way when the service stops may take; after two the service is cut off."""
_HANGS_S: Final = 60.0
"""Seconds after which a delivery that was given up and hangs still is left behind."""
_MOST_LEFT: Final = 4
"""So many at one target, each a thread; then one must end before another is begun."""
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 8.0
_WORTH_S: Final = 0.3
"""Seconds without which no other try is begun."""


class Broken(Exception):
    """What delivers has failed in a way nobody has foreseen; which kind is said, for its text may hold anything."""


class Sender(Protocol):
    """What delivers to a target; blocking."""

    most_bytes: int

    def prepare(self) -> None: ...

    def send(self, note: Note, to: Sequence[str], attempt: Attempt, *, at: float) -> Receipt: ...


@dataclass
class Counts:
    """What became of the messages to one target."""

    delivered: int = 0
    failed: int = 0
    unknown: int = 0
    limited: int = 0
    quiet: int = 0
    busy: int = 0


_COUNTED: Final[dict[Fault, str]] = {
    "server": "failed", "again": "failed", "unknown": "unknown", "limit": "limited", "quiet": "quiet", "busy": "busy",
}  # fmt: skip


class Lane:
    """One target's.

    Args:
        name: the target's.
        target: its table.
        sender: what delivers.
        zone: the house's, for quiet hours.
        clock: for limits and quiet hours; how long a delivery may take is real time.
    """

    def __init__(self, name: str, target: Target, *, sender: Sender, zone: ZoneInfo, clock: Clock) -> None:
        self.name = name
        self.counts = Counts()
        self.trouble = ""
        """How the newest delivery failed; empty after one that did not."""
        self._quiet = Quiet.parse(target.quiet) if target.quiet else None
        self._bucket = Bucket(target.per_hour) if target.per_hour else None
        self._sender = sender
        self._zone = zone
        self._clock = clock
        self._turn = Turn()
        self._waiting = 0
        self._running: asyncio.Future[Receipt] | None = None
        self._begun = 0.0
        self._left: set[asyncio.Future[Receipt]] = set()

    async def deliver(self, note: Note, to: Sequence[str], *, deadline: float) -> Receipt:
        """Deliver a message, trying again as long as that makes sense. Cancelled, it says what it knows all the same.

        Args:
            note: what to say.
            to: e-mail addresses, where they are not those of the table.
            deadline: event loop time by which the caller is answered.

        Raises:
            Undelivered: why not.
        """
        try:
            receipt = await self._unless_stopped(note, to, deadline)
        except Undelivered as failure:
            count = _COUNTED[failure.fault]
            setattr(self.counts, count, getattr(self.counts, count) + 1)
            if failure.fault not in {"limit", "quiet"}:
                self.trouble = str(failure)
            raise
        self.counts.delivered += 1
        self.trouble = ""
        return receipt

    async def prepare(self) -> None:
        """Load what delivers, so that a fault of the table is known before the first message."""
        try:
            async with self._turn.taken():
                await self._started(self._prepared)
        except (Undelivered, Broken) as failure:
            self.trouble = str(failure)

    def health(self) -> dict[str, int]:
        """Return the figures."""
        return {**asdict(self.counts), "waiting": self._waiting}

    async def _unless_stopped(self, note: Note, to: Sequence[str], deadline: float) -> Receipt:
        try:
            return await self._admitted(note, to, deadline)
        except asyncio.CancelledError:  # before the message was on its way
            raise Undelivered(f"the service stops: not sent, {NOT_LATER}", "busy") from None

    async def _admitted(self, note: Note, to: Sequence[str], deadline: float) -> Receipt:
        urgent = note.priority == "urgent"
        if self._quiet and not urgent and self._quiet.covers(self._clock.now(), self._zone):
            raise Undelivered(f"quiet hours until {self._quiet.end:%H:%M}: not sent, {NOT_LATER}", "quiet")
        most = 2 * WAITING if urgent else WAITING
        if self._waiting >= most:
            raise Undelivered(f"{most} messages wait for it already: not sent, {NOT_LATER}", "busy")
        wait = self._bucket.take(self._clock.monotonic()) if self._bucket else 0.0
        if self._bucket and wait and not urgent:
            often = f"{self._bucket.per_hour} messages an hour"
            raise Undelivered(f"more than {often}; the next in {wait:.0f} s: not sent, {NOT_LATER}", "limit")
        text, cut = fit(note.message, self._sender.most_bytes)
        self._waiting += 1
        try:
            receipt = await self._in_turn(replace(note, message=text), to, deadline)
        except Undelivered as failure:
            if self._bucket and not wait and failure.fault != "unknown":
                self._bucket.give_back()
            raise
        finally:
            self._waiting -= 1
        return replace(receipt, cut=cut)

    async def _in_turn(self, note: Note, to: Sequence[str], deadline: float) -> Receipt:
        """Wait for those before; urgent ones do for urgent ones only, and for the one that is being sent."""
        try:
            async with self._turn.taken(deadline=deadline, first=note.priority == "urgent"):
                await self._free(deadline)
                return await self._tries(note, to, deadline)
        except TimeoutError:
            raise Undelivered(f"others before it took all its time: not sent, {NOT_LATER}", "busy") from None

    async def _free(self, deadline: float) -> None:
        """Wait for a delivery that was given up and hangs still, or leave it behind."""
        now = asyncio.get_running_loop().time
        self._left = {each for each in self._left if not each.done()}
        if self._running is None or self._running.done():
            return
        if now() - self._begun >= _HANGS_S and len(self._left) < _MOST_LEFT:
            self._left.add(self._running)
            return
        await asyncio.wait({self._running}, timeout=max(0.0, deadline - now()))
        if not self._running.done():
            raise Undelivered(f"the message before it hangs still: not sent, {NOT_LATER}", "busy")

    async def _tries(self, note: Note, to: Sequence[str], deadline: float) -> Receipt:
        now = asyncio.get_running_loop().time
        pause, tries = _FIRST_PAUSE_S, 0
        while True:
            tries += 1
            try:
                return await self._once(note, to, deadline - now())
            except Undelivered as failure:
                if failure.fault != "again":
                    raise
                left = deadline - now()
                if left < 2 * _WORTH_S:
                    raise failure.after(tries) from None
            await asyncio.sleep(min(pause, left - _WORTH_S))
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    async def _once(self, note: Note, to: Sequence[str], seconds: float) -> Receipt:
        attempt = Attempt(seconds)
        at = self._clock.now()
        running = self._started(lambda: self._sender.send(note, to, attempt, at=at))
        try:
            await asyncio.wait({running}, timeout=seconds)
        except asyncio.CancelledError:
            if not attempt.give_up():
                raise
            with suppress(asyncio.CancelledError):
                await asyncio.wait({running}, timeout=_LAST_S)
        if running.done():
            try:
                return running.result()
            except Undelivered:
                raise
            except GivenUp:
                pass
            except Broken as error:
                if attempt.give_up():
                    raise Undelivered(f"{error}: it may arrive, and is not sent again", "unknown") from None
                raise Undelivered(f"{error}: nothing was sent, {NOT_LATER}") from None
        if attempt.give_up():
            raise Undelivered(
                "its server has not said in time whether it took the message: it may arrive, and is not sent again",
                "unknown",
            )
        raise Undelivered(f"its server does not answer: nothing was sent, {NOT_LATER}")

    def _prepared(self) -> Receipt:
        self._sender.prepare()
        return Receipt()

    def _started(self, work: Callable[[], Receipt]) -> asyncio.Future[Receipt]:
        """Run it in a thread that the end of the program does not wait for."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Receipt] = loop.create_future()
        done.add_done_callback(lambda future: future.cancelled() or future.exception())

        def tell(result: Receipt | Exception) -> None:
            if done.done():
                return
            if isinstance(result, Exception):
                done.set_exception(result)
            else:
                done.set_result(result)

        def run() -> None:
            try:
                result: Receipt | Exception = work()
            except (Undelivered, GivenUp) as error:
                result = error
            except BaseException as error:  # noqa: BLE001 - libraries raise anything, and a SystemExit ends a loop
                result = Broken(f"its sending fails: {type(error).__name__}")
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(tell, result)

        try:
            threading.Thread(target=run, name=f"notify {self.name}", daemon=True).start()
        except RuntimeError:
            tell(Broken("the machine has no room for another thread"))
        self._running, self._begun = done, loop.time()
        return done
