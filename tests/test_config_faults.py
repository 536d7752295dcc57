"""What is wrong with the tables every house may have, each fault told once and at its own place."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from hearthbus.config import load
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write a file, hearthbus.toml unless named, and return its path."""
    monkeypatch.delenv("HEARTHBUS_URL", raising=False)

    def write(text: str, name: str = "hearthbus.toml") -> Path:
        file = tmp_path / name
        file.write_text(textwrap.dedent(text).lstrip("\n"))
        return file

    return write


def problems(file: Path) -> list[str]:
    """Return what is wrong with a configuration, each without the folder."""
    with pytest.raises(Invalid) as caught:
        load(file)
    return [problem.replace(f"{file.parent}/", "") for problem in caught.value.problems]


def test_a_fault_of_the_house_is_told_there_alone(write: Callable[..., Path]) -> None:
    """What `[house]` sets wrongly, or under a misspelt key, is not called missing in every service."""
    file = write("""
        [house]
        latitude = "north"
        longitude = 0
        timezone = "UTC"

        [sun]
    """)
    misspelt = write(
        """
        [house]
        lattitude = 51.5
        longitude = 0
        timezone = "UTC"

        [sun]
        timezone = 5
    """,
        "misspelt.toml",
    )

    assert ['hearthbus.toml:2: house.latitude: "north" is wrong; write a number'] == problems(file)
    assert [
        "misspelt.toml:2: house.lattitude: unknown key; did you mean 'latitude'?",
        "misspelt.toml:7: sun.timezone: 5 is wrong; write text in quotes",
    ] == problems(misspelt)


def test_what_a_faulty_house_does_not_set_is_still_missing(write: Callable[..., Path]) -> None:
    """A fault of one field does not hide that another is not there."""
    file = write("""
        [house]
        longitude = 181
        timezone = "UTC"

        [sun]
    """)

    assert [
        "hearthbus.toml:2: house.longitude: longitude 181.0 is outside -180 to 180",
        "hearthbus.toml:5: sun: latitude is missing; set it here or in [house] to a number",
    ] == problems(file)


def test_the_reserved_tables_tell_all_their_faults(write: Callable[..., Path]) -> None:
    """Ranges, types and unknown keys of one table, and of a table in it, are told together."""
    file = write("""
        [house]
        latitude = 91
        longitude = 181
        timezone = "Nowhere"

        [broker]
        keep_days = -1
        keep_mb = 0
        beat_ms = "often"
        stat_s = 3
        address = "pi"

        [broker.limits]
        topics = -3
        requests = 0
    """)
    told = [problem.partition("; ")[0] for problem in problems(file)]

    assert [
        "hearthbus.toml:2: house.latitude: latitude 91.0 is outside -90 to 90",
        "hearthbus.toml:3: house.longitude: longitude 181.0 is outside -180 to 180",
        "hearthbus.toml:4: house.timezone: timezone 'Nowhere' is not known",
        "hearthbus.toml:7: broker.keep_days: keep_days must be above 0",
        "hearthbus.toml:8: broker.keep_mb: keep_mb must be at least 1",
        'hearthbus.toml:9: broker.beat_ms: "often" is wrong',
        "hearthbus.toml:10: broker.stat_s: unknown key",
        "hearthbus.toml:11: broker.address: address 'pi': write tcp://HOST:PORT or ipc:///PATH",
        "hearthbus.toml:14: broker.limits.topics: topics must be at least 1",
        "hearthbus.toml:15: broker.limits.requests: requests must be at least 1",
    ] == told


def test_a_default_in_place_of_a_bad_value_is_not_complained_of(write: Callable[..., Path]) -> None:
    """A rule about two keys, one of which is wrong already, says nothing more."""
    file = write("""
        [broker]
        beat_ms = "often"
        silence_ms = 500
    """)

    assert ['hearthbus.toml:2: broker.beat_ms: "often" is wrong; write a whole number'] == problems(file)


def test_a_misspelt_table_of_the_house_is_one_fault(write: Callable[..., Path]) -> None:
    """The nearest name may be a reserved one, and what was set under it is not called missing."""
    file = write("""
        [hose]
        latitude = 51.5
        longitude = 0
        timezone = "UTC"

        [brokr]
        keep_mb = 3

        [sun]
    """)

    assert [
        "hearthbus.toml:1: hose: no service 'hose'; did you mean 'house'?",
        "hearthbus.toml:6: brokr: no service 'brokr'; did you mean 'broker'?",
    ] == [problem.rpartition("; a name")[0] for problem in problems(file)]


def test_a_byte_order_mark_is_no_fault(write: Callable[..., Path]) -> None:
    """Editors of other systems put one before the first line."""
    assert load(write("\ufeff[host]\n")).tables == ("host",)
