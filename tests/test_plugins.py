"""Services that others bring: by entry point, and as a class in a file beside the configuration."""

from __future__ import annotations

import secrets
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest

from hearthbus import plugins
from hearthbus.config import load
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def module() -> str:
    """Return a name no other test's module has: Python imports each once."""
    return f"beside_{secrets.token_hex(4)}"


def write(file: Path, text: str) -> Path:
    """Write a file and return its path."""
    file.write_text(text)
    return file


def problems(file: Path) -> list[str]:
    """Return what is wrong with a configuration, each without the folder."""
    with pytest.raises(Invalid) as caught:
        load(file)
    return [problem.replace(f"{file.parent}/", "") for problem in caught.value.problems]


@pytest.mark.parametrize("group", ["hearthbus.services", "hearthbus.commands", "console_scripts", "pytest11", "none"])
def test_entry_points_are_those_python_knows(group: str) -> None:
    """The quick search finds what `importlib.metadata` finds."""
    assert {point.name: point.value.partition(" ")[0] for point in entry_points(group=group)} == plugins.find(group)


def test_a_class_in_a_file_beside_the_configuration_is_a_service(tmp_path: Path, module: str) -> None:
    """`service = "module:Class"` needs no package."""
    write(tmp_path / f"{module}.py", "from hearthbus import Service\nclass Lamp(Service): ...\n")
    house = load(write(tmp_path / "hearthbus.toml", f'[lamp]\nservice = "{module}:Lamp"\n'))
    kind = house.services["lamp"].kind

    assert (module, "Lamp") == (kind.__module__, kind.__name__)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("{}:Lmap", "there is no 'Lmap' in the module '{}'"),
        ("{}:Other", "{0}:Other is no service: a service is a subclass of hearthbus.Service"),
        ("{}_gone:Lamp", "there is no module '{}_gone'"),
    ],
)
def test_what_is_no_service_is_told(tmp_path: Path, module: str, target: str, text: str) -> None:
    """A slip in the reference names the line of `service`."""
    write(tmp_path / f"{module}.py", "class Other: ...\n")
    file = write(tmp_path / "hearthbus.toml", f'[lamp]\nservice = "{target.format(module)}"\n')

    assert [f"hearthbus.toml:2: lamp.service: {text.format(module)}"] == problems(file)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("x = 1\ny = x / 0\n", "{0}.py:2: ZeroDivisionError: division by zero"),
        ("x = 1\ny = = 0\n", "SyntaxError: invalid syntax ({0}.py, line 2)"),
        ("from hearthbus import Service, on\nclass A(Service):\n    @on('a//b')\n    def b(self): ...\n",
         "{0}.py:3: Invalid: bad pattern 'a//b': empty segment: no '/' at the start or end, and no '//'"),
    ],
)  # fmt: skip
def test_a_module_that_fails_is_told_with_its_place(tmp_path: Path, module: str, code: str, text: str) -> None:
    """A slip in a service's own file is a line, not a trace."""
    write(tmp_path / f"{module}.py", code)
    file = write(tmp_path / "hearthbus.toml", f'[lamp]\nservice = "{module}:Lamp"\n')

    assert [f"hearthbus.toml:2: lamp.service: {module} cannot be imported: {text.format(module)}"] == problems(file)


def test_what_to_type_is_this_python_s_own_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a virtual environment its pip, as short as it can be typed here; elsewhere the one on the path."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    monkeypatch.chdir(tmp_path)

    assert "type: .venv/bin/pip install 'hearthbus[sun]'" == plugins.to_install("hearthbus[sun]")

    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert f"type: {tmp_path}/.venv/bin/pip install 'x'" == plugins.to_install("x")

    monkeypatch.setattr(sys, "prefix", sys.base_prefix)

    assert "type: pip install 'x'" == plugins.to_install("x")
