"""What the verbs do on a bus in memory: what they print, what they say beside it, and their exit codes."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from hearthbus.bus import Bus
from hearthbus.cli import call, get, log, pub, sub, top
from hearthbus.cli.output import Output
from hearthbus.cli.rates import rate_object
from hearthbus.cli.session import tell_outages
from hearthbus.cli.sub import Wish
from hearthbus.errors import HandlerError, Invalid, NoResponder, Timeout
from hearthbus.testing import MemoryHub, MemoryTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

TOPIC = "sensor/hall/temperature"


class Told:
    """An output that remembers, and tells when there is something to see."""

    def __init__(self, *, json: bool = False) -> None:
        self.lines: list[str] = []
        self.notes: list[str] = []
        self._news = asyncio.Event()
        self.output = Output(line=self._keeper(self.lines), note=self._keeper(self.notes), json=json)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not holds():
                self._news.clear()
                await self._news.wait()

    def _keeper(self, kept: list[str]) -> Callable[[str], None]:
        def keep(text: str) -> None:
            kept.append(text)
            self._news.set()

        return keep


class House:
    """A bus in memory with one client on it."""

    def __init__(self) -> None:
        self.hub = MemoryHub()

    @asynccontextmanager
    async def client(self, name: str = "tester") -> AsyncIterator[Bus]:
        async with Bus(name=name, transport=MemoryTransport(self.hub, name=name)) as bus:
            yield bus

    async def listening(self) -> None:
        """Return when somebody has subscribed."""
        async with asyncio.timeout(5):
            while not self.hub.streams:  # noqa: ASYNC110 - the hub is no place for a test's event
                await asyncio.sleep(0)


@pytest.fixture
def house() -> House:
    return House()


async def lines_of(stream: list[str]) -> AsyncIterator[str]:
    for line in stream:
        yield line


async def test_sub_prints_the_state_then_live(house: House) -> None:
    """Without -v a line is the body; -C ends with 0."""
    told = Told()
    async with house.client() as bus:
        await bus.publish(TOPIC, value=1, retain=True)
        following = asyncio.create_task(sub.follow(bus, Wish(patterns=("sensor/#",), count=2), told.output))
        await house.listening()
        await bus.publish(TOPIC, value=2)

        assert 0 == await following
    assert ["value=1", "value=2"] == told.lines


async def test_sub_verbose_tells_topic_and_age(house: House) -> None:
    """With -v the topic comes first, and what is not live says how old it is."""
    told = Told()
    async with house.client() as bus:
        await bus.publish(TOPIC, value=1, retain=True)
        await sub.follow(bus, Wish(patterns=("#",), verbose=True, count=1), told.output)

    assert [f"{TOPIC} value=1  (just now)"] == told.lines


async def test_sub_wait_ends_with_27(house: House) -> None:
    """-W stops after its time, whether or not something came."""
    told = Told()
    async with house.client() as bus:
        await bus.publish(TOPIC, value=1, retain=True)

        assert 27 == await sub.follow(bus, Wish(patterns=("#",), wait=0.01), told.output)
    assert ["value=1"] == told.lines


async def test_sub_live_only_leaves_out_old_messages(house: House) -> None:
    """-R prints what is published from now on."""
    told = Told()
    async with house.client() as bus:
        await bus.publish(TOPIC, value=1, retain=True)
        following = asyncio.create_task(sub.follow(bus, Wish(patterns=("#",), live_only=True, count=1), told.output))
        await house.listening()
        await bus.publish(TOPIC, value=2, retain=True)
        await following

    assert ["value=2"] == told.lines


async def test_sub_retained_only_ends_by_itself(house: House) -> None:
    """--retained-only prints the state and stops, an empty one too."""
    told = Told()
    async with house.client() as bus:
        await bus.publish(TOPIC, value=1, retain=True)
        await bus.publish("remote/hall", button="on")

        assert 0 == await sub.follow(bus, Wish(patterns=("#",), retained_only=True), told.output)
        assert 0 == await sub.follow(bus, Wish(patterns=("nothing",), retained_only=True), told.output)
    assert ["value=1"] == told.lines


async def test_sub_since_goes_from_journal_to_live_without_gap_or_duplicate(house: House) -> None:
    """What is published while the journal is read is printed once."""
    told = Told()
    async with house.client() as bus:
        for number in range(3):
            await bus.publish(TOPIC, n=number)
        replay = bus.replay

        async def slow_replay(*patterns: str, since: int = 0) -> AsyncIterator[object]:
            await bus.publish(TOPIC, n=3)
            async for message in replay(*patterns, since=since):
                yield message
            await bus.publish(TOPIC, n=4)

        bus.replay = slow_replay  # type: ignore[method-assign, assignment]  # a journal that is read slowly
        await sub.follow(bus, Wish(patterns=("#",), since=0, count=5), told.output)

    assert [f"n={number}" for number in range(5)] == told.lines


async def test_sub_as_json(house: House) -> None:
    """--json prints one object a line, with everything there is to know."""
    told = Told(json=True)
    async with house.client("roomnode") as bus:
        await bus.publish(TOPIC, value=20.5, unit="°C", retain=True)
        await sub.follow(bus, Wish(patterns=("#",), count=1), told.output)

    read = json.loads(told.lines[0])
    expected = {"topic": TOPIC, "seq": 1, "origin": "roomnode", "retained": True, "replayed": True}
    assert expected == {key: read[key] for key in expected}
    assert {"value": 20.5, "unit": "°C"} == read["body"]


async def test_outages_are_told_beside_the_messages(house: House) -> None:
    """Standard error hears when the broker goes away and when it is back."""
    told = Told()
    async with house.client() as bus:
        telling = asyncio.create_task(tell_outages(bus, told.output))
        house.hub.stop()
        await told.until(lambda: len(told.notes) == 1)
        house.hub.start()
        await told.until(lambda: len(told.notes) == 2)
        telling.cancel()

    assert [f"the broker at {bus.url} is away; waiting for it", "the broker is back"] == told.notes
    assert [] == told.lines


async def test_pub_publishes_each_line_of_standard_input(house: House) -> None:
    """One JSON object a line; empty lines are nothing."""
    async with house.client() as bus:
        code = await pub.publish_lines(bus, TOPIC, lines_of(['{"n": 1}', "", ' {"n": 2}']), retain=True, confirm=True)
        state = await bus.get(TOPIC)

    assert 0 == code
    assert [{"n": 1}, {"n": 2}] == [message.body for message in house.hub.journal]
    assert [{"n": 2}] == [message.body for message in state]


@pytest.mark.parametrize(("line", "fault"), [("21.5", "bad JSON on line 2 of"), ('{"v": 1e999}', "line 2 of standard")])
async def test_pub_stops_at_a_bad_line(house: House, line: str, fault: str) -> None:
    """A bad line is named by its number, and those before it are published."""
    async with house.client() as bus:
        with pytest.raises(Invalid, match=fault):
            await pub.publish_lines(bus, TOPIC, lines_of(['{"n": 1}', line]), retain=False, confirm=False)

    assert 1 == len(house.hub.journal)


async def test_get_shows_age_and_origin(house: House) -> None:
    """Columns: topic, age, origin, body."""
    told = Told()
    async with house.client("roomnode") as bus:
        await bus.publish("a/b", value=1, retain=True)
        await bus.publish("a/bcd", value=2, retain=True)

        assert 0 == await get.show(bus, ("a/+",), told.output)
    assert ["a/b    now  roomnode  value=1", "a/bcd  now  roomnode  value=2"] == told.lines


async def test_get_of_nothing_is_1(house: House) -> None:
    """Nothing retained: exit code 1 and a word on standard error."""
    told = Told()
    async with house.client() as bus:
        assert 1 == await get.show(bus, ("a/+",), told.output)
    assert ([], ["nothing is retained on a/+"]) == (told.lines, told.notes)


async def test_call_prints_the_answer(house: House) -> None:
    """The answer is printed as a body, or as one JSON object."""
    plain, for_programs = Told(), Told(json=True)
    async with house.client() as bus, bus.serve("light/hall/set") as responder:

        async def answer() -> None:
            async for request in responder:
                await request.reply({"confirmed": True, **request.message.body})

        answering = asyncio.create_task(answer())
        for told in (plain, for_programs):
            assert 0 == await call.ask(bus, "light/hall/set", {"on": False}, told.output, timeout=5)
        answering.cancel()

    assert ["confirmed=true on=false"] == plain.lines
    assert {"confirmed": True, "on": False} == json.loads(for_programs.lines[0])


async def test_call_ends_with_the_code_of_what_failed(house: House) -> None:
    """Nobody there 3, no answer 4, the service's own error 6."""
    told, codes = Told(), []
    async with house.client() as bus, bus.serve("light/hall/set") as responder:

        async def fail_the_second() -> None:
            _, second = [await anext(responder) for _ in range(2)]
            await second.fail("no such colour")

        answering = asyncio.create_task(fail_the_second())
        for topic, timeout, error in [
            ("light/attic/set", 5, NoResponder),
            ("light/hall/set", 0.01, Timeout),
            ("light/hall/set", 5, HandlerError),
        ]:
            with pytest.raises(error) as raised:
                await call.ask(bus, topic, {}, told.output, timeout=timeout)
            codes.append(raised.value.exit_code)
        await answering

    assert [3, 4, 6] == codes
    assert [] == told.lines


async def past(house: House, told: Told, **options: Any) -> list[str]:
    async with house.client() as bus:
        for number in range(4):
            await bus.publish(TOPIC, n=number)
        times = [message.time for message in house.hub.journal]
        chosen = {"since": times[1], "until": times[3], "newest": None} | options
        assert 0 == await log.show(bus, ("#",), told.output, **chosen)
    return [line.split("  ")[1] for line in told.lines]


async def test_log_prints_what_lies_between_two_moments(house: House) -> None:
    """From since on and before until; oldest first, with local time."""
    assert [f"{TOPIC} n=1", f"{TOPIC} n=2"] == await past(house, Told())


async def test_log_count_keeps_the_newest(house: House) -> None:
    """-C N prints the newest N, oldest of them first."""
    assert [f"{TOPIC} n=2", f"{TOPIC} n=3"] == await past(house, Told(), since=0, until=2**63 - 1, newest=2)


async def test_log_of_nothing_says_so(house: House) -> None:
    """An empty answer is no error, and standard error says that it is empty."""
    told = Told()

    assert [] == await past(house, told, since=0, until=1)
    assert ["the journal has nothing of # in that time"] == told.notes


async def test_top_counts_live_messages(house: House) -> None:
    """Rates are of what is published while it looks, the busiest topic first."""
    turns: list[list[dict[str, Any]]] = []
    async with house.client() as bus:
        await bus.publish("old", value=1, retain=True)
        watching = asyncio.create_task(
            top.watch(
                bus, ("#",), lambda rates: turns.append([rate_object(rate) for rate in rates]),
                turns=1, delay=0.05, ended=asyncio.Event(),
            )
        )  # fmt: skip
        await house.listening()
        for topic in ("slow", "fast", "fast"):
            await bus.publish(topic, value=1)

        assert 0 == await watching
    assert [[("fast", 2), ("slow", 1)]] == [[(rate["topic"], rate["total"]) for rate in turn] for turn in turns]


async def test_top_ends_when_told(house: House) -> None:
    """Pressing q ends it at once, in the middle of a turn."""
    ended = asyncio.Event()
    async with house.client() as bus, asyncio.timeout(5):
        watching = asyncio.create_task(top.watch(bus, ("#",), print, turns=None, delay=60, ended=ended))
        await house.listening()
        ended.set()

        assert 0 == await watching
