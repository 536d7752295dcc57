"""Verbs with a key that may not read everything: what it may is shown, and a line says what else there is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from keyed import House

from hearthbus.bus import Bus

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Broker

COMMAND = str(Path(sys.executable).with_name("hearthbus"))
ACCESS = """
[broker.access.all]
subscribe = ["#"]
[broker.access.guest]
subscribe = ["service/#"]
[broker.access.sensor]
subscribe = ["sensor/#"]
"""


@pytest.fixture(scope="module")
def house(make_lasting_broker: Callable[..., Broker]) -> House:
    """A broker with keys of different tables."""
    return House(make_lasting_broker, ACCESS, keys=("all", "guest", "sensor"))


@pytest.fixture
async def sun(house: House) -> None:
    """A service was here and said something."""
    async with Bus(house.broker.url, name="sun", presence=True) as bus:
        await bus.publish("sensor/hall/light", value=3, unit="lx", retain=True, confirm=True)


def verb(house: House, key: str, *words: str) -> tuple[int, str, list[str]]:
    """Run a verb with a key: exit code, output, and the lines of standard error."""
    env = {**os.environ, "HEARTHBUS_KEY": str(house.path(key)), "HEARTHBUS_URL": house.url}
    done = subprocess.run([COMMAND, *words], env=env, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr.splitlines()


@pytest.mark.usefixtures("sun")
@pytest.mark.parametrize(
    ("key", "code", "services", "missing"),
    [
        ("all", 0, ["sun"], ""),
        ("guest", 0, ["sun"], "the broker's figures, the age of last values"),
        ("sensor", 5, [], "the services, their figures, the broker's figures, the age of last values"),
    ],
)
def test_status_shows_what_the_key_may_see(
    house: House, key: str, code: int, services: list[str], missing: str
) -> None:
    """The table is as full as the key's own table lets it be, and one line says what is not, and by which setting."""
    ended, said, notes = verb(house, key, "status", "--json")
    told = [json.loads(line)["service"] for line in said.splitlines()]

    assert (code, services) == (ended, [name for name in told if name != "broker"])
    assert bool(missing) == (len(notes) == 1)
    assert all(note.startswith(f"hearthbus: not shown: {missing}; {key}.hearthbus-") for note in notes)
    assert all(f"[broker.access.{key}] subscribe is" in note for note in notes)


@pytest.mark.usefixtures("sun")
def test_get_shows_the_patterns_that_are_granted(house: House) -> None:
    """One pattern that is refused does not hide the others: it has a line, and the exit code says so."""
    code, said, notes = verb(house, "sensor", "get", "sensor/#", "service/#", "--json")

    assert (5, ["sensor/hall/light"]) == (code, [json.loads(line)["topic"] for line in said.splitlines()])
    assert ["[broker.access.sensor] subscribe is sensor/#"] == [note.rpartition(": ")[2] for note in notes]


def test_nothing_is_retained_where_the_key_may_read(house: House) -> None:
    """What is granted and empty is told apart from what is refused."""
    code, said, notes = verb(house, "guest", "get", "service/moon", "light/#")

    assert (5, "") == (code, said)
    assert ["guest.hearthbus-", "nothing is retained on service/moon"] == [
        notes[0].removeprefix("hearthbus: ")[:16], notes[1].removeprefix("hearthbus: "),
    ]  # fmt: skip


def test_the_list_of_keys_says_what_it_could_not_ask(make_broker: Callable[..., Broker]) -> None:
    """Where this machine's clients are narrowed, the remarks that are missing have a line; the list is there."""
    house = House(make_broker, ACCESS + '[broker.access.local]\nsubscribe = ["service/+"]\n', keys=("all",))
    code, said, notes = verb(house, "all", "keys", "list", "--config", str(house.broker.folder / "hearthbus.toml"))

    assert (0, True) == (code, "subscribe #" in said)
    assert [True] == ["may not read broker/stats: [broker.access.local]" in note for note in notes]


@pytest.mark.usefixtures("sun")
@pytest.mark.parametrize(
    ("key", "missing", "looked"),
    [("guest", ["the broker's figures"], True), ("sensor", ["the broker's figures", "the services"], False)],
)
def test_the_doctor_looks_at_what_the_key_may_see(
    house: House, tmp_path: Path, key: str, missing: list[str], *, looked: bool
) -> None:
    """What is not granted has a line of its own, and keeps it from nothing else."""
    config = tmp_path / "hearthbus.toml"
    config.write_text(f'[bus]\nurl = "{house.url}"\nkey = "{house.path(key)}"\n')
    _, said, _ = verb(house, key, "doctor", "--config", str(config))

    assert missing == re.findall(r"warn +broker +(.+) cannot be looked at: ", said)
    assert looked == (" services are online and well" in said)
