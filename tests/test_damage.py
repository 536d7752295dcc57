"""The broker's files cut short, bit-flipped or overwritten: it starts, keeps what is sound, and never tells a lie."""

from __future__ import annotations

import random
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from conftest import HEARTHBUS
from houses import (
    COMMITS,
    COMMITS_OF_A_PAGE,
    FIRST_EPOCH,
    IN_TAIL,
    MISSING,
    NEXT_EPOCH,
    PAGE,
    ROOTS,
    ROWS_OF_A_PAGE,
    STAMP,
    STATE_ENDS,
    TOPICS,
    House,
    alter,
    begin,
    check,
    cut,
    flip,
    houses,
    killed,
    stopped,
)

from broker import store
from broker.recovery import find
from broker.tail import NAMES
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Broker

__all__ = ["houses", "killed", "stopped"]


def test_a_clean_stop_keeps_everything(stopped: House) -> None:
    """After a clean stop, state, journal, places and epoch are what they were, and there is nothing to say."""
    back = begin(stopped.folder)

    assert (FIRST_EPOCH, stopped.state, stopped.frames) == (back.epoch, back.state, back.journal)
    assert ({"diary": 7}, []) == (back.found.contents.consumers, back.found.notes)


def test_a_kill_keeps_everything(killed: House) -> None:
    """After kill -9, state, journal, places and epoch are what they were."""
    back = begin(killed.folder)

    assert (FIRST_EPOCH, killed.state, killed.frames) == (back.epoch, back.state, back.journal)
    assert {"diary": 7} == back.found.contents.consumers
    assert [f"{IN_TAIL} messages brought home after a sudden end"] == back.found.notes


@pytest.mark.parametrize("seed", range(12))
def test_one_bit_of_the_store(stopped: House, seed: int) -> None:
    """One flipped bit costs one page of state, or one page of the journal, at most."""
    chance = random.Random(seed)
    path = stopped.folder / store.FILE
    at = chance.randrange(ROOTS, path.stat().st_size)
    flip(path, at, chance.randrange(8))
    back = begin(stopped.folder)

    check(stopped, back)
    assert len(stopped.state) - len(back.state) <= (ROWS_OF_A_PAGE if at < STATE_ENDS else 0)
    assert len(stopped.frames) - len(back.journal) <= COMMITS_OF_A_PAGE * TOPICS


@pytest.mark.parametrize("seed", range(8))
def test_one_bit_of_the_header(stopped: House, seed: int) -> None:
    """A damaged header costs nothing: it is the same in every store."""
    chance = random.Random(seed)
    flip(stopped.folder / store.FILE, chance.randrange(56), chance.randrange(8))
    back = begin(stopped.folder)

    check(stopped, back)
    assert (stopped.state, stopped.frames) == (back.state, back.journal)


@pytest.mark.parametrize("seed", range(8))
def test_the_store_is_cut(stopped: House, seed: int) -> None:
    """A store that is cut short is set aside as it is; the state before the cut is saved from it."""
    path = stopped.folder / store.FILE
    whole = path.read_bytes()
    at = random.Random(seed).randrange(1, len(whole))
    cut(path, at)
    back = begin(stopped.folder)

    check(stopped, back)
    assert whole[:at] == (stopped.folder / f"{store.FILE}.damaged-{STAMP}").read_bytes()
    assert re.search(r"^the journal was damaged \(.+\) and is set aside as \S+; [0-9]+ topics", back.found.notes[0])
    assert at < STATE_ENDS or stopped.state == back.state


def test_the_store_is_empty(stopped: House) -> None:
    """A store of no bytes at all is told of, and history begins anew."""
    path = stopped.folder / store.FILE
    cut(path, 0)
    back = begin(stopped.folder)

    assert (NEXT_EPOCH, {}, []) == (back.epoch, back.state, back.journal)
    assert [f"{path} was empty: what it held is lost, a new journal is begun"] == back.found.notes


def test_the_store_is_something_else(killed: House) -> None:
    """A file that never was a store is set aside, and the tail comes home."""
    (killed.folder / f"{store.FILE}-wal").unlink()
    (killed.folder / store.FILE).write_text("Dear diary,\n" * 1000)
    back = begin(killed.folder)

    check(killed, back)
    assert killed.frames[-IN_TAIL:] == back.journal
    assert back.found.damaged


@pytest.mark.parametrize("how", ["cut", "flip"])
@pytest.mark.parametrize("seed", range(6))
def test_the_log_of_the_store(killed: House, how: str, seed: int) -> None:
    """Damage to the write-ahead log costs the commits behind it, and clients are told that history broke off."""
    path = killed.folder / f"{store.FILE}-wal"
    chance = random.Random(seed)
    at = chance.randrange(path.stat().st_size)
    if how == "cut":
        cut(path, at)
    else:
        flip(path, at, chance.randrange(8))
    back = begin(killed.folder)

    check(killed, back)
    committed = len(back.journal) - IN_TAIL
    assert killed.frames[:committed] + killed.frames[-IN_TAIL:] == back.journal
    assert NEXT_EPOCH == back.epoch
    assert committed < COMMITS * TOPICS
    assert [MISSING] == [note for note in back.found.notes if "brought home" not in note]


@pytest.mark.parametrize(
    "change",
    [
        "topics = cast(x'ff' || topics as text)",
        "topics = cast(topics as blob)",
        "topics = null",
        "frames = cast(frames as text)",
        "crc = 'x'",
        "size = null",
        "size = 'x'",
        "first = 'x'",
    ],
)
def test_a_damaged_block_costs_no_other(stopped: House, change: str) -> None:
    """Whatever stands in a block's row, the other blocks are read."""
    alter(stopped, f"update block set {change} where last = {TOPICS}")
    back = begin(stopped.folder)

    assert stopped.frames[TOPICS:] == back.journal[-TOPICS * (COMMITS - 1) - IN_TAIL :]
    assert set(back.journal) <= set(stopped.frames)


def test_a_damaged_number_is_left_out(stopped: House) -> None:
    """A number or name that is not what was written is not believed: it would make new messages look repeated."""
    alter(stopped, f"update block set numbers = x'00000000' || numbers where last = {TOPICS}")
    alter(stopped, "update topic set name = cast(x'ff' || name as text) where name like '%room07%'")
    back = begin(stopped.folder)

    check(stopped, back)
    assert TOPICS - 1 == len(back.state)
    assert ["2 damaged values in the store were left out"] == back.found.notes


def newer(house: House) -> None:
    """Make a store one that this hearthbus cannot read."""
    alter(house, "insert or replace into meta values('schema', 901)")
    alter(house, "pragma user_version=900")


def test_a_newer_store_is_refused(stopped: House) -> None:
    """A store that a newer hearthbus made is left alone, and the error says what to do."""
    newer(stopped)

    with pytest.raises(Invalid, match=r"can be read from schema 900 on; this one knows [0-9]+: install that one again"):
        find(stopped.folder, stamp=STAMP)


def test_a_newer_store_ends_the_command(stopped: House, tmp_path: Path) -> None:
    """The command says it in one line and exits with 78: systemd need not try again."""
    newer(stopped)
    config = tmp_path / "hearthbus.toml"
    config.write_text(f'[broker]\naddress = "ipc://{tmp_path}/bus"\ndata = "{stopped.folder}"\n')
    ended = subprocess.run(
        (*HEARTHBUS, "broker", "--config", str(config)), capture_output=True, text=True, timeout=20, check=False
    )

    assert 78 == ended.returncode
    assert 1 == len(ended.stderr.splitlines())
    assert "it has schema 901, made by a newer hearthbus" in ended.stderr


LIVE: dict[str, tuple[bool, Callable[[Path], object]]] = {
    "header": (True, lambda data: flip(data / store.FILE, 17, 3)),
    "store cut": (True, lambda data: cut(data / store.FILE, 9 * PAGE + 1)),
    "log cut": (False, lambda data: cut(data / f"{store.FILE}-wal", 20 * PAGE)),
    "tails": (False, lambda data: [(data / name).write_bytes(bytes(500)) for name in NAMES]),
}
"""Whether the broker is stopped rather than killed, and what happens then."""


@pytest.mark.parametrize("what", LIVE)
async def test_a_running_broker_after_damage(broker: Broker, what: str) -> None:
    """A real broker starts on damaged files, says so in one line, tells no lie, and goes on confirming."""
    stop, damage = LIVE[what]
    sent: dict[str, int] = {}
    async with broker.bus("before") as bus:
        for number in range(80):
            topic = f"sensor/room{number % 40}/temperature"
            await bus.publish(topic, value=number, text="x" * 300, retain=True, confirm=number % 20 == 19)
            sent[topic] = number
    if stop:
        broker.stop()
    else:
        broker.kill()
    damage(broker.data)
    broker.lines.clear()
    broker.start()
    async with broker.bus("after") as bus:
        state = {message.topic: message["value"] for message in await bus.get("sensor/#")}
        journal = [message["value"] async for message in bus.replay("sensor/#")]
        await bus.publish("sensor/room0/temperature", value=-1, retain=True, confirm=True)
        (last,) = await bus.get("sensor/room0/temperature")

    told = [line for line in broker.lines if "damaged" in line or MISSING in line]
    assert 1 == len(told), broker.lines
    assert [] == [line for line in broker.lines if not line.startswith("broker: ")]
    assert set(journal) <= set(range(80))
    assert all(value % 40 == int(re.findall("[0-9]+", topic)[0]) for topic, value in state.items())
    assert what not in {"header", "tails"} or (sent, 80) == (state, len(journal))
    assert -1 == last["value"]
