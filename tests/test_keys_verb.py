"""`hearthbus keys`: what it prints can be pasted, and a slip is one line."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from hearthbus.cli.key_texts import Setting, heard_of, listing
from hearthbus.cli.main import main
from hearthbus.config import load
from hearthbus.config.tables import BusSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from broker.config import BrokerConfig

READY = '[broker]\naddress = "ipc:///tmp/no-broker-here"\nnetwork = "tcp://0.0.0.0:7600"\nkeys = "keys"\n'


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Write ./hearthbus.toml."""
    for name in ("HEARTHBUS_URL", "HEARTHBUS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> Path:
        file = tmp_path / "hearthbus.toml"
        file.write_text(text)
        return file

    return write


def table(printed: str, name: str) -> str:
    """Cut a table out of what was printed: from its header to the next empty line."""
    return printed[printed.index(f"[{name}]") :].partition("\n\n")[0] + "\n"


def broker_of(file: Path) -> BrokerConfig:
    config: BrokerConfig = load(file, only=(), broker=True).broker
    return config


def test_what_init_prints_makes_a_broker_that_listens_to_others(
    house: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lines of `keys init`, pasted, are a sound configuration, beside the default local address."""
    file = house("")
    assert 0 == main(["keys", "init", "--keys", "keys"])

    file.write_text(table(capsys.readouterr().out, "broker"))
    config = broker_of(file)

    assert (f"{tmp_path}/keys", "tcp://0.0.0.0:7610") == (config.keys, config.network)


def test_init_works_where_the_configuration_waits_for_it(
    house: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A configuration that is refused for want of keys does not keep one from making them."""
    file = house('[broker]\nnetwork = "tcp://0.0.0.0:7610"\n')
    assert 0 == main(["keys", "init", "--keys", str(tmp_path / "keys")])

    assert f'[broker]\nkeys = "{tmp_path}/keys"\n' == table(capsys.readouterr().out, "broker")
    assert file.exists()


def test_init_again_says_what_is_there(house: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing is missing, nothing is to be written."""
    house(READY)
    main(["keys", "init"])
    first = capsys.readouterr().out
    main(["keys", "init"])
    second = capsys.readouterr().out

    assert "The broker has a key" in first
    assert "The broker has its key" in second
    assert "[broker]" not in first + second


def test_what_new_prints_can_be_pasted(house: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Its two tables are sound: one for the other machine, one for this, where it grants what is written, no more."""
    file = house(READY)
    main(["keys", "init"])
    capsys.readouterr()
    assert 0 == main(["keys", "new", "kitchen"])
    printed = capsys.readouterr().out
    file.write_text(READY + table(printed, "broker.access.kitchen"))
    grant = broker_of(file).access["kitchen"]
    file.write_text(table(printed, "bus"))
    there = load(file, only=())

    assert ("sensor/kitchen/#",) == grant.publish
    assert (f"tcp://{os.uname().nodename}:7600", "kitchen.key") == (there.url, there.key.rpartition("/")[2])
    assert BusSettings(url=there.url, key="kitchen.key")


def test_all_allows_everything(house: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    """`keys new --all` grants every topic to every verb."""
    file = house(READY)
    main(["keys", "init"])
    main(["keys", "new", "laptop", "--all"])
    file.write_text(READY + table(capsys.readouterr().out, "broker.access.laptop"))
    grant = broker_of(file).access["laptop"]

    assert [("#",)] * 4 == [grant.publish, grant.subscribe, grant.serve, grant.call]


def test_the_list(house: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who is let in and by which grant, who is not any more, and a table that has no key."""
    house(READY + '[broker.access.kitchen]\npublish = ["a", "b", "c", "d"]\nnames = ["sun"]\n[broker.access.gone]\n')
    main(["keys", "init"])
    for name in ("kitchen", "garden", "attic"):
        main(["keys", "new", name])
    main(["keys", "revoke", "attic"])
    (tmp_path / "keys" / "kitchen.key").unlink()
    capsys.readouterr()
    main(["keys", "list"])

    assert [
        ["name", "state", "may", "remarks"],
        [
            "garden",
            "allowed",
            "nothing: there is no [broker.access.garden]",
            f"its file is here still: {tmp_path}/keys/garden.key",
        ],
        ["kitchen", "allowed", "publish a, b, c and 1 more; be sun"],
        ["attic", "revoked"],
        ["gone", "no key", "nothing", "a table, and no key of that name"],
    ] == [re.split(r" {2,}", line) for line in capsys.readouterr().out.splitlines()]


def test_what_a_broker_tells_of_a_key() -> None:
    """Its services are those of its name, below its name, and of its table; what was refused is counted."""
    setting = Setting(file="", folder="", access={"kitchen": {"names": ["sun"]}})
    online = ["kitchen", "kitchen.lamp", "kitchenette", "sun", "host"]

    assert ["online: kitchen, kitchen.lamp, sun", "refused 3 times"] == heard_of(
        setting, "kitchen", online, {"kitchen": 3, "garden": 1}
    )
    assert ["refused once"] == heard_of(setting, "garden", online, {"garden": 1})
    assert [] == heard_of(setting, "attic", online, {})


def test_an_empty_list_says_how_to_begin() -> None:
    """No keys at all is a sentence, not an empty table."""
    lines = listing(Setting(file="", folder=""), carried={}, revoked=[], heard={})

    assert ["no keys but the broker's own; `hearthbus keys new NAME` makes one"] == lines


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["lst"], "keys: there is no action 'lst'; did you mean list?"),
        (["frob"], "keys: there is no action 'frob'; there is init, new, list, revoke"),
        (["new"], "keys new: whose? add a NAME"),
        (["list", "kitchen"], "keys list: kitchen: no name"),
        (["new", "Kitchen"], "key name 'Kitchen': write at most 40 of a-z 0-9 _ - , beginning with a letter or digit"),
        (["revoke", "garden"], "garden is no key that is let in; let in are: none"),
    ],
)
def test_slips(house: Callable[[str], Path], capsys: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    """One line that says what to type, and the exit code of a mistake."""
    house(READY)
    main(["keys", "init"])
    capsys.readouterr()

    assert 64 == main(["keys", *words])
    assert ("", f"hearthbus: {told}\n") == capsys.readouterr()
