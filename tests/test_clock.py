"""The wall clock jumps, a year ahead and an hour back: nothing that is measured in seconds may notice."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from crowd import Crowd
from offline import YEAR_2026, Desk

from broker import store
from broker.rows import Commit
from hearthbus import protocol
from hearthbus.errors import Timeout
from hearthbus.message import encode_sent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Broker

DAY_S = 86_400
NS = 10**9
JUMPS = [pytest.param(365 * DAY_S, id="a year ahead"), pytest.param(-3_600, id="an hour back")]
SHIFTED = """
import time
from pathlib import Path

_time, _time_ns, _file = time.time, time.time_ns, Path({file!r})
time.time = lambda: _time() + int(_file.read_text() or 0)
time.time_ns = lambda: _time_ns() + int(_file.read_text() or 0) * 10**9
"""
"""Python runs it in the broker's process before all else: its wall clock is ahead by the seconds in a file. libfaketime
would be nearer to the truth, but it stops multi-threaded Python for ever: it meddles with pthread_cond_timedwait."""


@pytest.mark.parametrize("jump_s", JUMPS)
def test_the_core_counts_seconds_that_never_jump(jump_s: int) -> None:
    """No client is lost, no service, no request ends early and none late; the next message has the new time."""
    desk = Desk()
    desk.greet(b"\0a", "lamp", presence=True)
    desk.greet(b"\0b", "caller")
    desk.turn((b"\0a", protocol.encode(protocol.SERVE, id=1, pattern="light/lamp/set")))
    ask = protocol.encode(
        protocol.REQUEST, id=7, timeout_ms=5_000, deadline=0, message=encode_sent(b"light/lamp/set", b"\x80", time=0)
    )
    desk.turn((b"\0b", ask))
    desk.heard(b"\0b")
    desk.wall += jump_s * NS
    beat = protocol.encode(protocol.BEAT, offset=0, lost=0, refilled=0)
    for _ in range(4):
        desk.turn((b"\0a", beat), (b"\0b", beat), seconds=1)
    early = [verb for verb, _ in desk.heard(b"\0b") if verb == protocol.ERROR]
    desk.turn((b"\0a", beat), (b"\0b", beat), seconds=1.5)
    late = [fields["kind"] for verb, fields in desk.heard(b"\0b") if verb == protocol.ERROR]

    assert ([], ["timeout"]) == (early, late)
    assert {"lamp", "caller"} == {client.name for client in desk.core.clients.by_ident.values()}
    assert b"online" in desk.core.stream.topics.by_name[b"service/lamp"].retained
    assert 5.5 == desk.stats["uptime_s"]
    assert YEAR_2026 + jump_s * NS + 5_500_000_000 == desk.wall


@pytest.mark.parametrize("jump_s", JUMPS)
def test_a_durable_reader_waits_no_longer(jump_s: int) -> None:
    """A fetch that waits for news is answered when its time is over, not when the clock says so."""
    desk = Desk()
    desk.greet(b"\0a")
    fetch = {"id": 3, "consumer": "diary", "patterns": ["load/#"], "after": -1, "limit": 10, "wait_ms": 2_000}
    desk.turn((b"\0a", protocol.encode(protocol.FETCH, **fetch)))
    desk.heard(b"\0a")
    desk.wall += jump_s * NS
    desk.turn(seconds=1)
    before = [verb for verb, _ in desk.heard(b"\0a") if verb == protocol.PAGE]
    desk.turn(seconds=1)
    after = [verb for verb, _ in desk.heard(b"\0a") if verb == protocol.PAGE]

    assert ([], [protocol.PAGE]) == (before, after)


def test_a_clock_that_is_ahead_costs_a_twentieth_at_a_time(tmp_path: Path) -> None:
    """Retention by age takes the oldest twentieth of the journal at most, whatever the clock says; none when back."""
    desk = Desk(commit_s=0)
    connection = store.connect(tmp_path)
    desk.greet(b"\0a")
    for number in range(100):
        record = encode_sent(b"load/hall", b"\x81\xa1n\x01", time=desk.wall)
        desk.turn((b"\0a", protocol.encode_batch(protocol.PUBLISH, number + 1, [record])))
        store.write(connection, _commit(desk, number))
    day = 30 * DAY_S * NS
    given = {"size": 10**9, "needed": 2**62}
    back = store.retain(connection, before=desk.wall - 3_600 * NS - day, **given)
    ahead = [store.retain(connection, before=desk.wall + 365 * DAY_S * NS - day, **given) for _ in range(2)]
    again = store.retain(connection, before=desk.wall - day, **given)
    left = [last for (last,) in connection.execute("select last from block order by last")]
    connection.close()

    assert (0, [6, 5], 0) == (back, ahead, again)
    assert list(range(12, 101)) == left


def _commit(desk: Desk, number: int) -> Commit:
    """One message as a block of its own."""
    return Commit(
        frames=[desk.fanout[-1]],
        topics=[],
        forgotten=[],
        consumers={},
        numbers={},
        offset=number + 1,
        epoch=1,
        oldest=desk.wall,
        newest=desk.wall,
        oldest_needed=2**62,
    )


@pytest.mark.parametrize("jump_s", JUMPS)
async def test_a_broker_whose_clock_jumps(
    make_broker: Callable[..., Broker], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, jump_s: int
) -> None:
    """A broker process lives through the jump: a request under way is answered, nobody is lost, nothing deleted."""
    clock = tmp_path / "ahead"
    clock.write_text("0")
    (tmp_path / "sitecustomize.py").write_text(SHIFTED.format(file=str(clock)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    broker = make_broker(settings="stats_s = 0.2\ncommit_s = 0.1")
    async with broker.bus("lamp", presence=True) as lamp, broker.bus("caller") as caller:
        async with lamp.serve("light/lamp/set") as requests, caller.subscribe("broker/stats") as stats:
            await lamp.publish("load/hall", n=1, confirm=True)
            asking = asyncio.create_task(caller.request("light/lamp/set", timeout=20))
            request = await anext(requests)
            clock.write_text(str(jump_s))
            async with asyncio.timeout(30):
                while abs((said := await anext(stats)).time / NS - time.time() - jump_s) > 60:
                    pass
                for _ in range(5):  # a quarter of a second each: longer than the broker takes to look who is silent
                    said = await anext(stats)
            await request.reply({"on": True})
            answer = await asking
            with pytest.raises(Timeout):
                await caller.request("light/lamp/set", timeout=0.2)
            await lamp.publish("load/hall", n=2, confirm=True)
            presence = [message["status"] async for message in caller.replay("service/lamp")]
            journal = [message["n"] async for message in caller.replay("load/#")]

    assert {"on": True} == answer
    assert ["online"] == presence
    assert [1, 2] == journal
    assert 30 > said["uptime_s"]


@pytest.mark.parametrize("jump_s", JUMPS)
async def test_a_client_whose_clock_jumps(broker: Broker, monkeypatch: pytest.MonkeyPatch, jump_s: int) -> None:
    """What waits for the broker keeps its time to live, and requests their time-outs, by a clock that never jumps."""
    async with broker.bus("lamp") as lamp, broker.bus("caller") as caller, Crowd() as crowd:
        async with lamp.serve("light/lamp/set") as requests:
            asking = asyncio.create_task(caller.request("light/lamp/set", timeout=20))
            request = await anext(requests)
            _jump(monkeypatch, jump_s)
            await request.reply({"on": True})
            answer = await asking
            with pytest.raises(Timeout):
                await caller.request("light/lamp/set", timeout=0.1)
        broker.kill()
        await crowd.until("it is away", lambda: not caller.connected)
        await caller.publish("load/hall", n=1, ttl=30)
        await caller.publish("load/hall", n=2, ttl=0.001)
        _jump(monkeypatch, -jump_s)
        await asyncio.to_thread(broker.start)
        await crowd.until("it is back", lambda: caller.connected)
        await caller.publish("load/hall", n=3, confirm=True)
        journal = [message["n"] async for message in caller.replay("load/#")]

    assert {"on": True} == answer
    assert [1, 3] == journal


def _jump(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """Set the wall clock of this process."""
    now, now_ns = time.time, time.time_ns
    monkeypatch.setattr(time, "time", lambda: now() + seconds)
    monkeypatch.setattr(time, "time_ns", lambda: now_ns() + seconds * NS)
