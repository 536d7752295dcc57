"""The firmware's logic, compiled for this machine with the memory and undefined-behaviour checks on, fact by fact."""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "firmware" / "tests").glob("*.cpp"))
HEADERS = sorted((ROOT / "firmware").glob("tests/*.h")) + sorted((ROOT / "firmware").rglob("libraries/**/*.h"))
CACHE = ROOT / ".pytest_cache" / "firmware-logic"
FLAGS = (
    *("-std=c++14", "-Wall", "-Wextra", "-Werror", "-g"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
    f"-I{ROOT / 'firmware' / 'libraries' / 'Hearth' / 'src'}",
)
FACTS = [fact for source in SOURCES for fact in re.findall(r"^TEST\((\w+), \"", source.read_text(), re.MULTILINE)]


def digest(*paths: Path) -> str:
    state = hashlib.sha256(repr(FLAGS).encode())
    for path in paths:
        state.update(path.read_bytes())
    return state.hexdigest()[:16]


def compiled() -> Path:
    """Compile what has changed; several test processes may ask at once, and the first does it."""
    assert shutil.which("g++"), "g++ is missing; install it: sudo apt-get install g++"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        objects = [CACHE / f"{source.stem}-{digest(source, *HEADERS)}.o" for source in SOURCES]
        program = CACHE / f"facts-{digest(*SOURCES, *HEADERS)}"
        if not program.exists():
            for source, made in zip(SOURCES, objects, strict=True):
                if not made.exists():
                    run("g++", *FLAGS, "-c", str(source), "-o", str(made))
            run("g++", *FLAGS, *map(str, objects), "-o", str(program))
            for old in set(CACHE.iterdir()) - {CACHE / "lock", program, *objects}:
                old.unlink()
        return program


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, f"{' '.join(command[:1])} ... {command[-1]}:\n{done.stdout}{done.stderr[-3000:]}"
    return done.stdout


@pytest.mark.parametrize("fact", FACTS)
def test_fact(fact: str) -> None:
    """What firmware/tests states of the headers that run on the nodes holds; the fact stands beside its name there."""
    said = run(str(compiled()), "--vectors", str(ROOT / "tests" / "vectors" / "rf12.txt"), fact)

    assert said == "1 facts hold\n"


def test_facts_are_all_found() -> None:
    """No fact is left out because its line is written another way, and no name is used twice."""
    written = sum(source.read_text().count("\nTEST(") for source in SOURCES)

    assert written == len(FACTS) == len(set(FACTS))


def test_headers_need_no_arduino(tmp_path: Path) -> None:
    """Each header of the logic compiles alone, without Arduino, as the C++11 that its IDE speaks."""
    units = []
    for path in HEADERS:
        if path.parent.name == "hearth":
            unit = tmp_path / f"{path.stem}.cpp"
            unit.write_text(f'#include "{path}"\n')
            units.append(str(unit))
    done = subprocess.run(
        ["g++", "-std=c++11", "-Wall", "-Werror", "-Wno-unused-variable", "-fsyntax-only", *units],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""


BANNED = re.compile(r"\b(float|double|String|malloc|new|delete)\b")


def code(line: str) -> str:
    """Return a line without its texts and its comment."""
    return re.sub(r'"[^"]*"|//.*', "", line)


def test_no_heap_no_float() -> None:
    """A node's code takes no memory while it runs, and knows no floating point."""
    found = []
    for path in [*(ROOT / "firmware" / "libraries").rglob("*.h"), *(ROOT / "firmware").glob("*/*.ino")]:
        lines = enumerate(path.read_text().splitlines(), 1)
        found += [f"{path.name}:{number}: {line}" for number, line in lines if BANNED.search(code(line))]

    assert [] == found


def test_files_are_small() -> None:
    """A sketch fits on a screen and a file on a few, and each begins by saying what it is."""
    files = [*SOURCES, *HEADERS, *(ROOT / "firmware").glob("*/*.ino")]
    long = {
        path.name: lines
        for path in files
        if (lines := path.read_text().count("\n")) > (60 if path.suffix == ".ino" else 300)
    }

    assert {} == long
    assert [] == [path.name for path in files if not path.read_text().startswith("//")]
