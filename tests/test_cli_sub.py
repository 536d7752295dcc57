"""`hearthbus sub` on a bus in memory: what it prints, what it says beside it, and when it stops."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import pytest
from cli_house import TOPIC, House, Told

from hearthbus.cli import sub
from hearthbus.cli.sub import Wish
from hearthbus.message import Message, decode, encode_body, stamp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def house() -> House:
    return House()


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


async def test_sub_verbose_cuts_to_the_terminal(house: House) -> None:
    """On a terminal a long body ends in an ellipsis where the line would; a narrow one shows a little all the same."""
    lines = []
    async with house.client() as bus:
        await bus.publish(TOPIC, text="x" * 300, retain=True)
        for width in (60, 10, None):
            told = Told()
            output = replace(told.output, width=partial(int, width) if width else lambda: None)
            await sub.follow(bus, Wish(patterns=("#",), verbose=True, count=1), output)
            lines += told.lines

    assert [f"{TOPIC} text={'x' * 18}…  (just now)", f"{TOPIC} text={'x' * 14}…  (just now)"] == lines[:2]
    assert [f"{TOPIC} text={'x' * 300}  (just now)"] == lines[2:]


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


class Lossy:
    """A bus whose one subscription has lost something."""

    url = "tcp://127.0.0.1:1"
    connected = True

    def __init__(self, *messages: Message) -> None:
        self._messages = iter(messages)

    def subscribe(self, *_: str, retained: bool) -> Self:
        assert retained
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        return next(self._messages)


async def test_lost_messages_are_told() -> None:
    """What was lost is said on standard error, and stands in the JSON."""
    frame = stamp(TOPIC.encode(), encode_body({}), seq=9, offset=9, previous=8, time=0, flags=0, origin=b"x")
    told = Told(json=True)
    bus: Any = Lossy(decode(frame, lost=3))
    await sub.follow(bus, Wish(patterns=("#",), count=1), told.output)

    assert [f"3 lost on {TOPIC}, before number 9"] == told.notes
    assert 3 == json.loads(told.lines[0])["lost"]
