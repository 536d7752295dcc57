"""A service: when its methods are called, with what, and what happens when they fail."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest

from hearthbus import Invalid, Message, Service, every, on, serve
from hearthbus.service import bind

if TYPE_CHECKING:
    from collections.abc import Mapping

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


async def test_state_comes_first_then_what_is_live(bench: Bench) -> None:
    """A service that starts late is called with the retained state, then with each message in its order."""
    await bench.publish("sensor/hall/temperature", value=1, retain=True)
    await bench.publish("sensor/hall/temperature", value=2, retain=True)
    diary = await bench.run(Diary)
    await bench.publish("sensor/hall/temperature", value=3)
    await bench.publish("sensor/hall/temperature", value=4)

    assert ["start", 2, 3, 4] == diary.pages


async def test_a_place_is_never_taken_for_another(bench: Bench) -> None:
    """A service of the hall hears nothing of the hallway."""
    diary = await bench.run(Diary, room="hall")
    await bench.publish("sensor/hallway/temperature", value=1)
    await bench.publish("sensor/hall/temperature/raw", value=2)

    assert ["start"] == diary.pages


class Room(Enum):
    """A field may be an enum."""

    HALL = "hall"


@dataclass(frozen=True)
class Filled:
    """What placeholders are filled from."""

    room: Room = Room.HALL
    floor: int = 2
    rooms: tuple[str, ...] = ("hall", "attic")
    period: float = 2.5
    empty: str = ""
    odd: str = "the hall"


@pytest.mark.parametrize(
    ("pattern", "patterns"),
    [
        ("sensor/{room}/+", ("sensor/hall/+",)),
        ("sensor/floor-{floor}/#", ("sensor/floor-2/#",)),
        ("sensor/{rooms}/t", ("sensor/hall/t", "sensor/attic/t")),
        ("{rooms}/{rooms}", ("hall/hall", "hall/attic", "attic/hall", "attic/attic")),
        ("service/{name}", ("service/me",)),
    ],
)
def test_placeholders_are_filled_from_the_config(pattern: str, patterns: tuple[str, ...]) -> None:
    """A field's value takes its placeholder's place; a list makes one pattern of each."""

    class Hearing(Service):
        @on(pattern)
        async def hear(self, message: Message) -> None: ...

    (binding,) = bind(Hearing, Filled(), "me")

    assert patterns == binding.patterns


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("sensor/{romo}/t", "{romo} in a pattern is no field of Filled"),
        ("sensor/{empty}/t", "empty is empty; it is part of a topic"),
        ("sensor/{odd}/t", "bad pattern 'sensor/the hall/t': ' ' is not allowed; segments are made of a-z 0-9 _ . -"),
    ],
)
def test_a_placeholder_that_makes_no_topic_is_told(pattern: str, fault: str) -> None:
    """What cannot be a topic is refused before anything starts."""

    class Hearing(Service):
        @on(pattern)
        async def hear(self, message: Message) -> None: ...

    with pytest.raises(Invalid) as caught:
        bind(Hearing, Filled(), "me")

    assert fault == str(caught.value)


def test_a_bad_mark_is_told_where_it_stands() -> None:
    """A pattern or a period that never can be right fails when the class is written, not when it runs."""
    with pytest.raises(Invalid, match="empty segment"):
        on("sensor//{room}")
    with pytest.raises(Invalid, match="above 0"):
        every(0)
    with pytest.raises(Invalid, match="a number of seconds, or"):
        every("often")


def test_a_period_may_come_from_the_config() -> None:
    """`@every("{period}")` takes the field's seconds."""

    class Clockwork(Service):
        @every("{period}")
        async def tick(self) -> None: ...

        @every("{odd}")
        async def tock(self) -> None: ...

    with pytest.raises(Invalid, match="odd is 'the hall'; it is a number of seconds above 0"):
        bind(Clockwork, Filled(), "me")

    class Better(Clockwork):
        async def tock(self) -> None: ...

    assert [2.5] == [binding.seconds for binding in bind(Better, Filled(), "me")]


async def test_a_subclass_takes_over_what_it_does_not_change(bench: Bench) -> None:
    """Marks are inherited; a method without a mark of its own takes the place of a marked one."""

    class Louder(Diary):
        @on("sensor/{room}/noise")
        @on("sensor/{room}/light")
        async def more(self, reading: Message) -> None:
            self.pages.append(reading.topic)

    class Deaf(Louder):
        async def note(self, reading: Message) -> None: ...

    deaf = await bench.run(Deaf)
    for quantity in ("temperature", "noise", "light"):
        await bench.publish(f"sensor/hall/{quantity}", value=1)

    assert ["start", "sensor/hall/noise", "sensor/hall/light"] == deaf.pages


async def test_a_message_passes_its_handlers_in_their_order(bench: Bench) -> None:
    """Each handler that matches is called once, in the order of the class body."""
    calls: list[str] = []

    class Two(Service):
        @on("a/+")
        @on("a/b")
        async def first(self, _message: Message) -> None:
            calls.append("first")

        @on("a/#")
        async def second(self, _message: Message) -> None:
            calls.append("second")

    await bench.run(Two)
    await bench.publish("a/b")

    assert ["first", "second"] == calls


class Slow(Service):
    """Takes ten seconds for everything, and says when two things happen at once."""

    async def on_start(self) -> None:
        self.busy = 0
        self.most = 0

    @on("a")
    async def one(self, _message: Message) -> None:
        await self.work()

    @every(7)
    async def other(self) -> None:
        await self.work()

    @serve("ask")
    async def answer(self, _request: Message) -> Mapping[str, Any]:
        return {"busy": self.busy}

    async def work(self) -> None:
        self.busy += 1
        self.most = max(self.most, self.busy)
        await self.sleep(10)
        self.busy -= 1


async def test_handlers_and_timers_run_one_at_a_time(bench: Bench) -> None:
    """A service's state needs no locks, however long a handler takes."""
    slow = await bench.run(Slow)
    for _ in range(3):
        await bench.publish("a")
    await bench.advance(100)

    assert 1 == slow.most
    assert slow.counts.handled >= 6


async def test_requests_are_answered_beside_a_slow_handler(bench: Bench) -> None:
    """Who asks does not wait for what the service is busy with."""
    await bench.run(Slow)
    await bench.publish("a")

    assert {"busy": 1} == await bench.request("ask")


async def test_what_is_too_old_is_skipped_and_counted(bench: Bench) -> None:
    """A handler with `max_age` never acts on yesterday's order."""
    heard: list[int] = []

    class Careful(Service):
        @on("remote/door", max_age=10)
        async def act(self, message: Message) -> None:
            heard.append(message["n"])

    await bench.publish("remote/door", n=1, retain=True)
    await bench.advance(11)
    careful = await bench.run(Careful)
    await bench.publish("remote/door", n=2)

    assert [2] == heard
    assert (1, 1) == (careful.counts.skipped, careful.counts.handled)


class Counter(Service):
    """Counts its turns."""

    async def on_start(self) -> None:
        self.times: list[float] = []

    @every(10)
    async def tick(self) -> None:
        self.times.append(self.clock.monotonic())


async def test_a_timer_runs_at_the_start_and_then_in_its_rhythm(bench: Bench) -> None:
    """The first call is at once; the rest keep time, whatever the wall clock does."""
    counter = await bench.run(Counter)
    await bench.advance(25)
    bench.jump(86_400 * 365)
    await bench.advance(5)
    bench.jump(-86_400 * 400)
    await bench.advance(10)

    assert [0, 10, 20, 30, 40] == counter.times


async def test_a_turn_that_is_due_while_the_last_one_runs_is_skipped(bench: Bench) -> None:
    """A slow timer does not catch up, it keeps its rhythm."""
    starts: list[float] = []

    class Late(Service):
        @every(10)
        async def tick(self) -> None:
            starts.append(self.clock.monotonic())
            await self.sleep(25 if len(starts) == 1 else 1)

    await bench.run(Late)
    await bench.advance(60)

    assert [0, 30, 40, 50, 60] == starts
