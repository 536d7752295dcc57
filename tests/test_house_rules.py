"""Rules of the house that a reader relies on: import arrows, public names, small files, quick starts, a whole index."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import hearthbus

ROOT = Path(__file__).parent.parent
ROOMS = ("hearthbus", "broker", "services", "drivers")
ARROWS = {
    "hearthbus": {"hearthbus"},
    "broker": {"broker", "hearthbus"},
    "services": {"services", "hearthbus", "drivers"},
    "drivers": {"drivers"},
}
BROKER_USES = {"topics", "message", "protocol", "errors", "keys", "config", "version", "running"}
"""What the broker may know of the library: its own words, and how to tell systemd; never its client."""


def modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            found |= {module} | {f"{module}.{name.name}" for name in node.names}
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_arrows(room: str) -> None:
    """A room imports only the rooms it may."""
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(room)
        for name in imports(path)
        if name.split(".")[0] in ROOMS and name.split(".")[0] not in ARROWS[room]
    ]

    assert [] == wrong


def test_broker_knows_no_client() -> None:
    """The broker uses the library's words (topics, messages, errors), never its client or services."""
    used = {name.split(".")[1] for path in modules("broker") for name in imports(path) if name.startswith("hearthbus.")}

    assert set() == used - BROKER_USES


def test_submodules_do_not_import_their_root() -> None:
    """A module of the library never imports the library's root, which imports it."""
    wrong = [
        str(path.relative_to(ROOT))
        for path in modules("hearthbus")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and node.module == "hearthbus"
        and any(name.name in hearthbus.__all__ for name in node.names)
    ]

    assert [] == wrong


def test_public_names_exist_and_are_sorted() -> None:
    """`hearthbus.__all__` is sorted and each of its names is there."""
    names = hearthbus.__all__

    assert sorted(names) == list(names)
    assert [] == [name for name in names if getattr(hearthbus, name, None) is None]


def test_at_most_seven_errors() -> None:
    """The errors are few, and each has an exit code of its own."""
    from hearthbus import errors

    family = errors.HearthbusError
    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, family)]

    assert 7 >= len(classes)
    assert len(classes) == len({value.exit_code for value in classes})


@pytest.mark.parametrize("room", [*ROOMS, "tests", "bench", "examples"])
def test_no_long_file(room: str) -> None:
    """No file is above 300 lines, and each begins with what it is."""
    long = [f"{path.relative_to(ROOT)}: {lines}" for path in modules(room) if (lines := _lines(path)) > 300]
    silent = [
        str(path.relative_to(ROOT)) for path in modules(room) if not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert [] == long
    assert [] == silent


def test_broker_imports_no_asyncio() -> None:
    """The broker is a plain loop: asyncio would cost it 8 MB."""
    program = "import broker.main, sys; print('asyncio' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)

    assert "False" == out.stdout.strip()


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_every_page_is_in_the_index() -> None:
    """The README's row on docs/ names each page once, and none that is not there."""
    (row,) = (line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("| [docs/](docs) |"))

    assert sorted(page.name for page in (ROOT / "docs").glob("*.md")) == sorted(re.findall(r"\(docs/(.+?)\)", row))
