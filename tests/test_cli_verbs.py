"""What the verbs do on a bus in memory: what they print, what they say beside it, and their exit codes."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from cli_house import TOPIC, House, Told

from hearthbus.cli import call, get, log, pub, top
from hearthbus.cli.durations import LATEST, local_time
from hearthbus.cli.rates import rate_object
from hearthbus.errors import HandlerError, Invalid, NoResponder, Timeout
from hearthbus.message import decode, encode_body, stamp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MINUTE = 60 * 10**9


@pytest.fixture
def house() -> House:
    return House()


async def lines_of(stream: list[str]) -> AsyncIterator[str]:
    for line in stream:
        yield line


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


async def test_log_prints_what_the_journal_has(house: House) -> None:
    """Oldest first, with local time; it began at `since` and ended before `until`."""
    told = Told()
    async with house.client() as bus:
        for number in range(4):
            await bus.publish(TOPIC, n=number)
        times = [message.time for message in house.hub.journal]

        assert 0 == await log.show(bus.replay("#", since=times[1], until=times[3]), told.output)
    assert [f"{local_time(times[number])}  {TOPIC} n={number}" for number in (1, 2)] == told.lines


@pytest.mark.parametrize(
    ("number", "since", "expected"),
    [(2, 0, [4, 5]), (4, 0, [2, 3, 4, 5]), (9, 0, [0, 1, 2, 3, 4, 5]), (9, 90, [3, 4, 5])],
)
async def test_log_count_finds_the_newest(house: House, number: int, since: int, expected: list[int]) -> None:
    """-C N: the newest N, however far back, but not before `since`; one from a clock ahead of ours is not missed."""
    now = time.time_ns()
    async with house.client() as bus:
        for at, minutes_ago in enumerate([1_000_000, 5000, 100, 80, 5, -300]):
            frame = stamp(
                b"a", encode_body({"n": at}), seq=at, offset=at, previous=0,
                time=now - minutes_ago * MINUTE, flags=0, origin=b"x",
            )  # fmt: skip
            house.hub.journal.append(decode(frame))
        found = log.newest(bus, ("#",), number, since=now - since * MINUTE if since else 0, until=LATEST, now=now)
        numbers = [message["n"] async for message in found]

    assert expected == numbers


async def test_log_of_nothing_says_so(house: House) -> None:
    """An empty answer is no error, and standard error says that it is empty."""
    told = Told()
    async with house.client() as bus:
        assert 0 == await log.show(bus.replay("#"), told.output)
    assert ([], ["the journal has nothing of that"]) == (told.lines, told.notes)


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
    async with house.client() as bus, asyncio.timeout(30):
        watching = asyncio.create_task(top.watch(bus, ("#",), print, turns=None, delay=60, ended=ended))
        await house.listening()
        ended.set()

        assert 0 == await watching
