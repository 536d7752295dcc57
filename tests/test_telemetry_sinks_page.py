"""docs/telemetry-sinks.md: every table it shows is one that a house can have, and makes a sink."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hearthbus.config import load
from services.telemetry import Telemetry

PAGE = (Path(__file__).parent.parent / "docs" / "telemetry-sinks.md").read_text(encoding="utf-8")
TABLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("table", TABLES)
def test_the_tables_can_be_used(table: str, tmp_path: Path) -> None:
    """A table of the page is checked without a fault, with what it has commented out, too."""
    for text in (table, uncommented(table)):
        for name in re.findall(r'file = "([^"]+)"', text):
            secret = tmp_path / name
            secret.parent.mkdir(exist_ok=True)
            secret.write_text("0123456789abcdef")
            secret.chmod(0o600)
        file = tmp_path / "hearthbus.toml"
        file.write_text(text, encoding="utf-8")
        config = load(file).services["telemetry"].config

        assert isinstance(config, Telemetry.Config)
        assert config.sinks() or re.search(r"^\[telemetry\.prometheus\.", text, re.MULTILINE)


def uncommented(table: str) -> str:
    """Take the comment marks from the keys; of one that is there several times the first stays."""
    lines, seen = [], set()
    for line in table.splitlines():
        text = re.sub(r"^# (?=\w+ = )", "", line)
        key = text.partition(" = ")[0]
        if text == line or key not in seen:
            lines.append(text)
            seen.add(key)
    return "\n".join(lines)
