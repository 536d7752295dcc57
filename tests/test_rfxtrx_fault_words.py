"""docs/rfxtrx.md, "When something is wrong": what the page says the stick says is what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "rfxtrx.md").read_text(encoding="utf-8")
TABLE = PAGE.split("<!-- faults -->")[1].split("<!-- end -->")[0]
SAID = [said for row in re.findall(r"^\| (`.*?) \|", TABLE, re.MULTILINE) for said in re.findall(r"`([^`]+)`", row)]
SOURCES = "\n".join(
    path.read_text(encoding="utf-8")
    for path in (
        ROOT / "drivers" / "port.py",
        ROOT / "drivers" / "wire.py",
        *sorted((ROOT / "drivers" / "rfxtrx").glob("*.py")),
        *sorted((ROOT / "services" / "rfxtrx").glob("*.py")),
    )
)


def test_the_table_is_read() -> None:
    """A page that was rearranged does not pass for one that is true."""
    assert len(SAID) >= 15


@pytest.mark.parametrize("said", SAID)
def test_what_the_page_explains_can_be_said(said: str) -> None:
    """Word for word; `...` is what comes from the stick."""
    missing = [part for part in (part.strip() for part in said.split("...")) if part and part not in SOURCES]

    assert [] == missing
