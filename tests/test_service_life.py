"""The life of a service: its start, its end, and the faults it survives in between."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from hearthbus import Message, Service, on

if TYPE_CHECKING:
    from hearthbus.testing import Bench


class Diary(Service):
    """Writes down what it is called with."""

    @dataclass(frozen=True)
    class Config:
        room: str = "hall"

    async def on_start(self) -> None:
        self.pages: list[Any] = ["start"]

    @on("sensor/{room}/temperature")
    async def note(self, reading: Message) -> None:
        self.pages.append(reading["value"])

    async def on_stop(self) -> None:
        self.pages.append("stop")


async def test_on_stop_comes_last(bench: Bench) -> None:
    """A service tidies up after its last message."""
    diary = await bench.run(Diary)
    await bench.publish("sensor/hall/temperature", value=1)
    await bench.stop()

    assert ["start", 1, "stop"] == diary.pages


async def test_a_failing_handler_is_logged_counted_and_survived(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """The log names topic and place; the trace comes once; the service goes on."""
    diary = await bench.run(Diary)
    with caplog.at_level(logging.ERROR, "diary"):
        await bench.publish("sensor/hall/temperature", valu=1)
        await bench.publish("sensor/hall/temperature", valu=2)
        await bench.publish("sensor/hall/temperature", value=3)
    line = diary.note.__func__.__code__.co_firstlineno + 2  # type: ignore[attr-defined]  # a method has one
    text = "note failed on sensor/hall/temperature (test_service_life.py:"

    assert ["start", 3] == diary.pages
    assert (1, 2) == (diary.counts.handled, diary.counts.errors)
    assert [f"{text}{line}): KeyError: 'value' is missing"] * 2 == [record.getMessage() for record in caplog.records]
    assert [True, False] == [record.exc_info is not None for record in caplog.records]
    assert f'{__file__}", line {line}' in caplog.text


async def test_an_error_of_the_bus_in_a_handler_is_one_line(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """What hearthbus raises on purpose explains itself: no trace."""

    class Asking(Service):
        @on("a")
        async def ask(self, _message: Message) -> None:
            await self.request("switch/hall/set", on=True)

    await bench.run(Asking)
    await bench.publish("a")

    assert ["ask failed on a (test_service_life.py:"] == [record.getMessage()[:38] for record in caplog.records]
    assert [None] == [record.exc_info for record in caplog.records]


async def test_health_tells_the_counts(bench: Bench) -> None:
    """The figures a service gives of itself can be extended."""

    class Extended(Diary):
        def health(self) -> dict[str, Any]:
            return {**super().health(), "pages": len(self.pages)}

    extended = await bench.run(Extended)
    await bench.publish("sensor/hall/temperature", value=1)

    assert {"handled": 1, "errors": 0, "skipped": 0, "lost": 0, "pages": 2} == extended.health()


async def test_what_on_start_raises_is_not_swallowed(bench: Bench) -> None:
    """A service that cannot start says so to who starts it."""

    class Broken(Service):
        async def on_start(self) -> None:
            raise RuntimeError("no device")

    with pytest.raises(RuntimeError, match="no device"):
        await bench.run(Broken)


async def test_what_main_raises_ends_the_service(bench: Bench) -> None:
    """A stream that breaks is not survived silently."""

    class Broken(Diary):
        async def main(self) -> None:
            await self.sleep(5)
            raise RuntimeError("the port is gone")

    broken = await bench.run(Broken)
    await bench.advance(5)
    await bench.publish("sensor/hall/temperature", value=1)

    assert ["start", "stop"] == broken.pages

    with pytest.raises(RuntimeError, match="the port is gone"):
        await bench.stop()


async def test_main_runs_beside_the_handlers_and_ends_with_the_service(bench: Bench) -> None:
    """A stream may be read for ever; the end of the service is the end of the stream."""
    ended = asyncio.Event()

    class Reader(Diary):
        async def main(self) -> None:
            try:
                async for message in self.subscribe("raw/#"):
                    self.pages.append(message.topic)
            finally:
                ended.set()

    reader = await bench.run(Reader)
    await bench.publish("raw/1")
    await bench.publish("sensor/hall/temperature", value=1)
    await bench.stop()

    assert ["start", "raw/1", 1, "stop"] == reader.pages
    assert ended.is_set()


async def test_a_handler_at_work_finishes_before_the_end(bench: Bench) -> None:
    """Stopping lets a handler finish what it does, and gives it no more."""
    begun, go_on = asyncio.Event(), asyncio.Event()
    heard: list[int] = []

    class Worker(Service):
        @on("job")
        async def work(self, message: Message) -> None:
            begun.set()
            await go_on.wait()
            heard.append(message["n"])

    await bench.run(Worker)
    await bench.bus.publish("job", n=1)
    await bench.bus.publish("job", n=2)
    await begun.wait()
    stopping = asyncio.create_task(bench.stop())
    while not bench._runtimes[0]._stopping:
        await asyncio.sleep(0)
    go_on.set()
    await stopping

    assert [1] == heard


async def test_a_handler_that_never_ends_is_cut_off(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Stopping takes a bounded time."""
    monkeypatch.setattr("hearthbus.running.runtime.GRACE", 0.01)
    begun = asyncio.Event()

    class Stuck(Service):
        @on("job")
        async def work(self, _message: Message) -> None:
            begun.set()
            await asyncio.get_running_loop().create_future()

    await bench.run(Stuck)
    await bench.bus.publish("job")
    await begun.wait()
    await bench.stop()

    assert ["dispatch did not finish within 0.01 s: cut off"] == [record.getMessage() for record in caplog.records]
