"""What a subscription and a responder have in common, over a broker that answers when the test lets it."""

from __future__ import annotations

import asyncio

import pytest

from hearthbus.client.stream import Stream
from hearthbus.errors import Refused, Unavailable


class Home:
    """A transport whose broker is there."""

    name = "client"

    async def wait_up(self) -> None:
        """It is."""


class Part(Stream):
    """A stream of nothing, set up as often as the test says."""

    def __init__(self, *outcomes: Exception | None) -> None:
        super().__init__(Home(), "part")
        self.outcomes = list(outcomes)
        self.asked = asyncio.Event()
        self.left = 0

    async def _set_up(self) -> None:
        self.asked.set()
        if not self.outcomes:
            await asyncio.get_running_loop().create_future()
        outcome = self.outcomes.pop(0)
        if outcome is not None:
            raise outcome

    def _leave(self) -> None:
        self.left += 1

    async def __anext__(self) -> None:
        self._start()
        while True:
            await self._wait()


async def test_set_up_again_while_the_broker_goes_away() -> None:
    """A broker that goes away while a stream is set up is asked again."""
    async with Part(Unavailable("gone"), Unavailable("gone"), None) as part:
        assert [] == part.outcomes


async def test_a_refusal_is_raised_where_the_stream_is_entered() -> None:
    """What the broker refuses is told to who enters, and the stream has ended."""
    part = Part(Refused("not you"))
    with pytest.raises(Refused, match="not you"):
        await part.__aenter__()

    assert 1 == part.left


async def test_a_stream_closed_while_it_is_entered_lets_go_of_who_enters() -> None:
    """A bus that closes while the broker has not answered leaves nobody waiting: the stream is entered, and over."""
    part = Part()
    entering = asyncio.create_task(part.__aenter__())
    await part.asked.wait()
    part.close()
    async with asyncio.timeout(5):
        await entering
        with pytest.raises(StopAsyncIteration):
            await anext(part)


async def test_close_wakes_the_reader() -> None:
    """A reader that waits sees the end of the stream."""
    async with Part(None) as part:
        reading = asyncio.ensure_future(anext(part))
        await asyncio.sleep(0)
        part.close()
        async with asyncio.timeout(5):
            with pytest.raises(StopAsyncIteration):
                await reading
