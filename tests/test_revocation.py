"""Keys and access taken away, and given back, while the broker runs and those who have them are connected."""

from __future__ import annotations

import asyncio
import signal
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from keyed import House

from hearthbus.bus import Bus
from hearthbus.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Broker

GRANT = """
[broker.access.{name}]
publish = ["room/#"]
subscribe = ["room/#"]
"""
ACCESS = GRANT.format(name="kitchen") + GRANT.format(name="phone")
CUT_S = 1.0
BACK_S = 0.5
PAUSE_S = 0.005
TURNS = 5
"""Turns of a process in what is timed, each of which may wait for a processor: the broker cuts, greets, sends."""


@pytest.fixture
def house(make_broker: Callable[..., Broker]) -> House:
    """A broker with two keys that may speak of rooms."""
    return House(make_broker, ACCESS, keys=("kitchen", "phone"))


class Talk:
    """Two honest clients, one with a key and one of this machine, that talk all the time; and the longest silence."""

    def __init__(self, speaker: Bus, listener: Bus) -> None:
        self._speaker, self._listener = speaker, listener
        self.arrived: list[tuple[float, int]] = []
        self._said = 0
        self._slowest_turn = 0.0
        self._listening = asyncio.Event()
        self._stop = False
        self.tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Talk from now on."""
        self.tasks = [asyncio.create_task(self._listen())]
        await self._listening.wait()
        self.tasks.append(asyncio.create_task(self._speak()))
        await self.until(10)

    async def until(self, count: int) -> None:
        """Wait until so many messages more have come."""
        wanted = len(self.arrived) + count
        async with asyncio.timeout(20):
            while len(self.arrived) < wanted:
                self._listening.clear()
                await self._listening.wait()

    async def end(self) -> list[int]:
        """Stop talking; return the numbers that came, and say what was said."""
        self._stop = True
        await self.tasks[1]
        async with asyncio.timeout(20):
            while not self.arrived or self.arrived[-1][1] < self._said - 1:
                self._listening.clear()
                await self._listening.wait()
        self.tasks[0].cancel()
        return [number for _, number in self.arrived]

    def silence(self, since: float) -> float:
        """The longest time between two messages since then."""
        times = [at for at, _ in self.arrived if at > since - 0.1]
        return max(after - before for before, after in pairwise(times))

    def excused(self) -> float:
        """What this machine, busy with other things, took for the turns in what is timed: nobody's fault."""
        return TURNS * self._slowest_turn

    async def _speak(self) -> None:
        while not self._stop:
            await self._speaker.publish("room/talk", n=self._said)
            self._said += 1
            begun = time.monotonic()
            await asyncio.sleep(PAUSE_S)
            self._slowest_turn = max(self._slowest_turn, time.monotonic() - begun - PAUSE_S)

    async def _listen(self) -> None:
        async with self._listener.subscribe("room/talk", retained=False) as messages:
            self._listening.set()
            async for message in messages:
                self.arrived.append((time.monotonic(), message["n"]))
                self._listening.set()


async def online(bus: Bus, name: str, status: str) -> dict[str, Any]:
    """Wait until a service has a status; return its presence."""
    async with bus.subscribe(f"service/{name}") as messages, asyncio.timeout(20):
        async for message in messages:
            if message["status"] == status:
                return message.body
    raise AssertionError


async def refusal(bus: Bus, topic: str) -> str:
    """Publish until it is refused; return why."""
    async with asyncio.timeout(20):
        while True:
            try:
                await bus.publish(topic, confirm=True)
            except Refused as error:
                return str(error)


async def connected(bus: Bus, *, wanted: bool) -> None:
    """Wait until a client is connected, or is not."""
    async with asyncio.timeout(20):
        while bus.connected is not wanted:
            await asyncio.sleep(0.01)


async def line(house: House, text: str) -> None:
    """Wait for a line of the broker's log."""
    async with asyncio.timeout(20):
        while not any(text in each for each in house.broker.lines):
            await asyncio.sleep(0.01)


async def test_a_revoked_key_is_cut_off_and_others_come_back(house: House) -> None:
    """Within a second it neither speaks nor hears; within half a one all others talk on, and lose nothing."""
    phone, local = Bus(house.url, key=house.path("phone"), presence=True), Bus(house.broker.url, name="local")
    kitchen = Bus(
        house.url, key=house.path("kitchen"), name="kitchen", presence=True, will=("room/will", {"gone": True})
    )
    async with (
        phone,
        local,
        kitchen,
        kitchen.subscribe("room/talk") as overheard,
        local.subscribe("room/will") as wills,
    ):
        talk = Talk(phone, local)
        await talk.begin()
        await anext(overheard)
        revoked = time.monotonic()
        house.keys.revoke("kitchen")
        async with asyncio.timeout(20):
            will = await anext(wills)
        cut = time.monotonic() - revoked
        await line(house, "shut out: kitchen")
        await talk.until(200)
        told = await online(local, "kitchen", "lost")
        silent = talk.silence(revoked)
        said = await talk.end()
        last = [message["n"] async for message in local.replay("room/talk")][-1]
        kept = [message["status"] async for message in local.replay(f"service/{phone.name}")]

    assert {"gone": True} == will.body
    assert "its key was revoked" == told["reason"]
    assert list(range(last + 1)) == said
    assert ["online"] == kept
    assert cut < CUT_S + talk.excused(), f"cut off after {cut:.2f} s"
    assert silent < BACK_S + talk.excused(), f"others were silent for {silent:.2f} s"


async def test_a_revoked_key_hears_nothing_more(house: House) -> None:
    """What is said after it was cut off does not reach it, by either socket, and it is told why."""
    async with Bus(house.url, key=house.path("kitchen")) as kitchen, Bus(house.broker.url, name="local") as local:
        async with kitchen.subscribe("room/#") as messages:
            await local.publish("room/before", confirm=True)
            before = (await anext(messages)).topic
            house.keys.revoke("kitchen")
            await line(house, "shut out: kitchen")
            await local.publish("room/after", confirm=True)
            house.keys.allow(house.key("kitchen"))
            await line(house, "let in from now on: kitchen")
            await connected(kitchen, wanted=True)
            await local.publish("room/again", confirm=True)
            async with asyncio.timeout(20):
                after = (await anext(messages)).topic

    assert ("room/before", "room/after") == (before, after)  # fetched from the journal when it may read it again


async def test_a_key_that_comes_back_gets_in(house: House) -> None:
    """A client whose key is allowed again is back within ten seconds, by itself."""
    async with Bus(house.url, key=house.path("kitchen")) as kitchen:
        house.keys.revoke("kitchen")
        await connected(kitchen, wanted=False)
        house.keys.allow(house.key("kitchen"))
        begun = time.monotonic()
        await connected(kitchen, wanted=True)
        took = time.monotonic() - begun
        await kitchen.publish("room/a", confirm=True)

    assert took < 10, f"back after {took:.2f} s"


async def test_access_that_is_narrowed_holds_at_once(house: House) -> None:
    """After SIGHUP what was granted before is refused, live and kept; the connections of all begin anew, and hold."""
    async with Bus(house.url, key=house.path("kitchen")) as kitchen, Bus(house.broker.url, name="local") as local:
        async with kitchen.subscribe("room/#") as messages:
            await kitchen.publish("room/a", confirm=True)
            await anext(messages)
            house.configure(ACCESS.replace('["room/#"]', '["room/a"]', 2))
            await line(house, "the configuration was read again")
            why = await refusal(kitchen, "room/b")
            await local.publish("room/b", confirm=True)
            await local.publish("room/a", confirm=True)
            with pytest.raises(Refused, match="subscribe is room/a"):
                await kitchen.get("room/#")
            state = await kitchen.get("room/a")

    assert "publish is room/a" in why
    assert [] == state


async def test_access_that_is_widened_disturbs_nobody(house: House) -> None:
    """More for one key is granted without a connection being ended, and can be used at once."""
    async with Bus(house.url, key=house.path("kitchen")) as kitchen, Bus(house.broker.url, name="local") as local:
        talk = Talk(local, kitchen)
        await talk.begin()
        with pytest.raises(Refused):
            await kitchen.publish("hall/a", confirm=True)
        begun = time.monotonic()
        house.configure(ACCESS.replace('publish = ["room/#"]', 'publish = ["room/#", "hall/#"]'))
        await line(house, "the configuration was read again")
        await kitchen.publish("hall/a", confirm=True)
        await talk.until(20)
        connected, silent = kitchen.connected, talk.silence(begun)
        await talk.end()

    assert connected
    assert silent < BACK_S + talk.excused()


@pytest.mark.parametrize(
    ("access", "told"),
    [
        ("[broker.access.kitchen]\npublish = [", "the configuration is not taken"),
        ('[broker.access.kitchen]\npublish = ["A/#"]', "the configuration is not taken"),
        ("commit_s = -1", "the configuration is not taken"),
        ("keep_days = 3", "keep_days of [broker] will be taken at the next start"),
    ],
)
async def test_a_configuration_with_faults_is_not_taken(house: House, access: str, told: str) -> None:
    """A bad file, or what needs a new start, is said; the access of before holds."""
    async with Bus(house.url, key=house.path("kitchen")) as kitchen:
        house.configure(access + (ACCESS if access.startswith("keep") else ""))
        await line(house, told)
        await kitchen.publish("room/a", confirm=True)


async def test_a_bad_file_of_a_key_keeps_nobody_in(house: House) -> None:
    """A folder with a fault is said and not taken; but whose file is gone is shut out all the same.

    Where the whole folder is gone, everybody is.
    """
    bad = house.keys.folder / "allowed" / "bad.pub"
    bad.write_text("nonsense")
    bad.chmod(0o600)
    await line(house, "new keys are not taken")
    async with Bus(house.url, key=house.path("phone")) as phone:
        await phone.publish("room/a", confirm=True)
    house.keys.revoke("kitchen")
    await line(house, "shut out: kitchen")
    with pytest.raises(Refused):
        async with Bus(house.url, key=house.path("kitchen"), connect_timeout=1.5):
            pass
    (house.keys.folder / "allowed").rename(house.keys.folder / "gone")
    await line(house, "shut out: phone")


async def test_a_reload_without_a_change_disturbs_nobody(house: House) -> None:
    """SIGHUP that brings nothing new loses no message and ends no connection."""
    async with Bus(house.url, key=house.path("phone")) as phone, Bus(house.broker.url, name="local") as local:
        talk = Talk(phone, local)
        await talk.begin()
        for _ in range(5):
            house.broker.signal(signal.SIGHUP)
            await talk.until(5)
        await line(house, "the configuration was read again")
        said = await talk.end()

    assert list(range(len(said))) == said
