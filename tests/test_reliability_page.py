"""docs/reliability.md against the tests: all faults are there, and every test it names exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
FAULTS = 25
_NAMED = re.compile(r"`(test_\w+)`: `(test_\w+)`((?:, `test_\w+`)*)")


def rows() -> list[list[str]]:
    """Return the cells of the table of faults."""
    lines = [line for line in TEXT.splitlines() if re.match(r"\| \d+ \|", line)]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def named(text: str) -> list[tuple[str, str]]:
    """Return file and function of each test a text names."""
    return [
        (file, test)
        for file, first, more in _NAMED.findall(text)
        for test in (first, *re.findall(r"`(test_\w+)`", more))
    ]


def test_all_faults_are_there_in_order() -> None:
    """Each row has its number, what was done, how often it was survived, a figure and a test."""
    found = rows()

    assert [str(number) for number in range(1, FAULTS + 1)] == [cells[0] for cells in found]
    assert {5} == {len(cells) for cells in found}
    assert [] == [cells[0] for cells in found if not all(cells) or not named(cells[4])]
    assert [] == [cells[0] for cells in found if not re.search(r"\d+ of \d+", cells[2])]


def test_every_test_named_exists() -> None:
    """The page cannot promise what nobody tries any more."""
    missing = [
        f"tests/{file}.py::{test}"
        for file, test in named(TEXT)
        if not (path := ROOT / "tests" / f"{file}.py").exists()
        or not re.search(rf"^(async )?def {test}\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]

    assert [] == missing
    assert not re.search(r"@[A-Z]+@", TEXT), "a part of the page is still to be written"


def test_the_command_shows_all_figures() -> None:
    """Every file whose tests print one is among those that the page's command runs."""
    [words] = re.findall(r'    scripts/test -rP -k "([a-z ]+)"', TEXT)
    files = {
        path.name for path in (ROOT / "tests").glob("test_*.py") if "from figures import figure\n" in path.read_text()
    }

    assert len(files) > 5
    assert [] == [name for name in files if not any(word in name for word in words.split(" or "))]


def test_links_lead_somewhere() -> None:
    """The pages that these two name are there."""
    pages = [(ROOT / "docs", link) for link in re.findall(r"\]\(([^)#:]+)", TEXT)]
    pages += [(ROOT, link) for link in re.findall(r"\]\(([^)#:]+)", SECURITY)]

    assert [] == [link for folder, link in pages if not (folder / link).exists()]
