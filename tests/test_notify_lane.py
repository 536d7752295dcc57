"""The way to one target, with what delivers made up: it fails as libraries do, hangs, or is asked too much."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import pytest

from hearthbus.clock import Clock
from hearthbus.config.schema import build
from services.notify import lane as module
from services.notify.lane import WAITING, Lane
from services.notify.note import Note
from services.notify.outcomes import Attempt, Receipt, Undelivered
from services.notify.settings import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from services.notify.note import Priority

SECRET: Final = "tk_not-to-be-seen"
FAULTS: Final = (ValueError, StopIteration, SystemExit, KeyboardInterrupt, asyncio.CancelledError, RecursionError)


@dataclass
class Made:
    """What delivers, as far as a lane can tell."""

    fault: type[BaseException] | None = None
    commits: bool = True
    go_on: threading.Event | None = None
    sent: list[str] = field(default_factory=list)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    most_bytes: int = 1000

    def prepare(self) -> None:
        """Fail as its sending does."""
        if self.fault is not None:
            raise self.fault(SECRET)

    def send(self, note: Note, to: Sequence[str], attempt: Attempt, *, at: float) -> Receipt:  # noqa: ARG002 - as Sender
        """Deliver, fail or hang."""
        if self.commits:
            attempt.commit()
        self.begun.release()
        if self.go_on is not None:
            self.go_on.wait(30)
        if self.fault is not None:
            raise self.fault(SECRET)
        attempt.left()
        self.sent.append(note.message)
        return Receipt()


def way(sender: Made, *, per_hour: int = 60) -> Lane:
    """The lane of a target."""
    house = {"kind": "email", "host": "mail.test", "sender": "a@b.test", "to": ["c@d.test"]}
    target = build(Target, {**house, "per_hour": per_hour})
    return Lane("made", target, sender=sender, zone=ZoneInfo("UTC"), clock=Clock())


async def deliver(lane: Lane, message: str = "hi", priority: Priority = "normal", *, seconds: float = 5.0) -> str:
    """Deliver a message; return nothing, or why not."""
    try:
        await lane.deliver(Note("", message, priority), (), deadline=asyncio.get_running_loop().time() + seconds)
    except Undelivered as failure:
        return f"{failure.fault}: {failure}"
    return ""


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what a thread does."""
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("commits", "said"), [(True, "it may arrive"), (False, "nothing was sent")])
async def test_whatever_a_library_raises_is_told(fault: type[BaseException], *, commits: bool, said: str) -> None:
    """By its name, without its text, and whether the message can have got away; the next one is sent."""
    sender = Made(fault, commits)
    lane = way(sender)
    why = await deliver(lane)
    sender.fault = None

    assert f"its sending fails: {fault.__name__}: {said}" in why
    assert ("unknown" if commits else "server") == why.partition(":")[0]
    assert "" == await deliver(lane)


@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_a_library_raises_when_it_is_loaded_is_trouble(fault: type[BaseException]) -> None:
    """And not the end of the service, nor of the other targets."""
    lane = way(Made(fault))
    await asyncio.wait_for(lane.prepare(), 5)

    assert f"its sending fails: {fault.__name__}" == lane.trouble


async def test_an_urgent_one_passes_those_who_wait() -> None:
    """A queue that is full for all others has room for it, and it goes next; of urgent ones no more than of others."""
    sender = Made(go_on=threading.Event())
    lane = way(sender)
    tasks = [asyncio.create_task(deliver(lane, str(number))) for number in range(WAITING)]
    await until(lambda: sender.begun.acquire(blocking=False))
    full = await deliver(lane, "more")
    tasks += [asyncio.create_task(deliver(lane, "fire", "urgent")) for _ in range(WAITING + 1)]
    assert sender.go_on is not None
    sender.go_on.set()
    said = await asyncio.gather(*tasks)

    assert f"busy: {WAITING} messages wait for it already" in full
    assert ["0", *["fire"] * WAITING, "1"] == sender.sent[: WAITING + 2]
    assert [""] * (2 * WAITING) == said[:-1]
    assert f"busy: {2 * WAITING} messages wait for it already" in said[-1]


async def test_an_urgent_one_takes_of_the_limit_what_there_is() -> None:
    """It passes, those after it pay; and where it fails, they get back no more than it took."""
    sender = Made(commits=False)
    lane = way(sender, per_hour=2)
    said = [await deliver(lane, priority="urgent") for _ in range(3)]
    sender.fault = ValueError
    said += [await deliver(lane, priority="urgent") for _ in range(3)]
    sender.fault = None

    assert ["", "", "", "server", "server", "server"] == [each.partition(":")[0] for each in said]
    assert "limit: more than 2 messages an hour" in await deliver(lane)


async def test_one_that_hangs_for_ever_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a minute, four at the most; what was told as not sent is not, when it goes on."""
    sender = Made(commits=False, go_on=threading.Event())
    lane = way(sender)
    hanging = [await deliver(lane, "a", seconds=0.05), await deliver(lane, "b", seconds=0.05)]
    monkeypatch.setattr(module, "_HANGS_S", 0.0)
    hanging += [await deliver(lane, "c", seconds=0.05) for _ in range(6)]
    assert sender.go_on is not None
    sender.go_on.set()
    await until(lambda: not any(thread.name == "notify made" for thread in threading.enumerate()))

    still = ["the message before it hangs still" in each for each in hanging]
    assert [False, True, False, False, False, False, True, True] == still
    assert [] == sender.sent
    assert "" == await deliver(lane)


async def test_who_is_stopped_while_he_loads_leaves_no_trace(caplog: pytest.LogCaptureFixture) -> None:
    """A service that ends before its plugin is there."""
    go_on = threading.Event()

    class Slow(Made):
        def prepare(self) -> None:
            self.begun.release()
            go_on.wait(30)

    sender = Slow()
    loading = asyncio.create_task(way(sender).prepare())
    await until(lambda: sender.begun.acquire(blocking=False))
    loading.cancel()
    await asyncio.gather(loading, return_exceptions=True)
    go_on.set()
    await until(lambda: not any(thread.name == "notify made" for thread in threading.enumerate()))
    await asyncio.sleep(0)

    assert "" == caplog.text
