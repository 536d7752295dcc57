"""docs/configuration.md: its tables are the dataclasses', and the example house's commented lines are sound."""

from __future__ import annotations

import re
import tomllib
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from broker.config import BrokerConfig
from hearthbus.config.reference import keys, refreshed, tables

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def test_the_tables_are_the_dataclasses() -> None:
    """The page has every key; `python -m hearthbus.config.reference docs/configuration.md` renews it."""
    assert refreshed(PAGE) == PAGE


@pytest.mark.parametrize("name", tables())
def test_every_table_has_its_chapter(name: str) -> None:
    """No table of a house is left out, and each key of one has its row."""
    rows = re.findall(r"^\| `(\w+)` \|", keys(tables()[name]), re.MULTILINE)

    assert f"## `[{name}]`\n" in PAGE
    assert [field.name for field in fields(tables()[name])] == rows


def test_the_example_s_broker_lines_are_the_defaults() -> None:
    """Who takes the comment marks away from `[broker]` changes nothing yet."""
    lines = (ROOT / "deploy" / "house.toml").read_text(encoding="utf-8").split("# [broker]")[1].split("\n\n")[0]
    given = tomllib.loads("# " + lines.replace("\n# ", "\n"))

    assert given
    assert asdict(BrokerConfig()) == asdict(BrokerConfig()) | given
