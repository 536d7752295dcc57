"""The files of a configuration: which are read, and what is wrong with them before their tables mean anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hearthbus.cli.check import checked
from hearthbus.config import find_file, load
from hearthbus.config.files import read_tables
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from pathlib import Path


def write(file: Path, text: str) -> Path:
    """Write a file, in a new folder if need be."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def problems(file: Path) -> list[str]:
    """Return what is wrong, each without the folder."""
    return [str(problem).replace(f"{file.parent}/", "") for problem in read_tables(str(file))[2]]


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    """A journal or a picture named by mistake is one line, not a hundred thousand."""
    file = write(tmp_path / "hearthbus.toml", "[a]\n" * 300_000)

    assert ["hearthbus.toml:1: too large for a configuration: more than 1 MB"] == problems(file)


def test_the_first_problems_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`hearthbus check` tells twenty problems and counts the others."""
    file = write(tmp_path / "hearthbus.toml", "".join(f"[nobody-{number}]\n" for number in range(100)))
    good = checked(str(file))
    lines = capsys.readouterr().err.splitlines()

    assert good is None
    assert (21, "hearthbus: and 80 more problems; mend these first") == (len(lines), lines[-1])


def test_includes_are_read_from_beside_the_file(tmp_path: Path) -> None:
    """`include` takes patterns relative to the main file, in their order and then by name."""
    write(tmp_path / "conf.d" / "b.toml", "[b]\n")
    write(tmp_path / "conf.d" / "a.toml", "[a]\n")
    write(tmp_path / "conf.d" / "c.bak", "[c]\n")
    write(tmp_path / "last.toml", "[last]\n")
    tables, files, found = read_tables(
        str(write(tmp_path / "hearthbus.toml", 'include = ["conf.d/*.toml", "last.toml"]\n[own]\n'))
    )

    assert ["own", "a", "b", "last"] == list(tables)
    assert ["hearthbus.toml", "a.toml", "b.toml", "last.toml"] == [file.rpartition("/")[2] for file in files]
    assert [] == found


def test_an_absolute_include_is_taken_as_it_is(tmp_path: Path) -> None:
    """A pattern that begins with / does not depend on where the main file is."""
    write(tmp_path / "elsewhere" / "a.toml", "[a]\n")
    main = write(tmp_path / "here" / "hearthbus.toml", f'include = ["{tmp_path}/elsewhere/*.toml"]\n')

    assert ["a"] == list(read_tables(str(main))[0])


def test_an_empty_conf_d_is_fine(tmp_path: Path) -> None:
    """A pattern may match nothing."""
    assert [] == problems(write(tmp_path / "hearthbus.toml", 'include = ["conf.d/*.toml"]\n'))


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    """A name without wildcards is meant."""
    assert ["hearthbus.toml:1: include[0]: there is no file gone.toml"] == problems(
        write(tmp_path / "hearthbus.toml", 'include = ["gone.toml"]\n')
    )


def test_include_is_a_list(tmp_path: Path) -> None:
    """A lone string is a slip with a clear answer."""
    assert ['hearthbus.toml:2: include: write a list of files: include = ["conf.d/*.toml"]'] == problems(
        write(tmp_path / "hearthbus.toml", '\ninclude = "conf.d/*.toml"\n')
    )


def test_an_included_file_includes_nothing(tmp_path: Path) -> None:
    """Only the main file includes, so that one glance tells what there is."""
    write(tmp_path / "a.toml", '\ninclude = ["more.toml"]\n')

    assert ["a.toml:2: include: only the main file includes others"] == problems(
        write(tmp_path / "hearthbus.toml", 'include = ["a.toml"]\n')
    )


def test_a_table_in_two_files_names_both_places(tmp_path: Path) -> None:
    """The same table twice is never merged silently."""
    write(tmp_path / "conf.d" / "sky.toml", "# the sky\n[sky]\n")
    main = write(tmp_path / "hearthbus.toml", 'include = ["conf.d/*.toml"]\n\n[sky]\n')

    assert ["conf.d/sky.toml:2: sky: this table is also in hearthbus.toml:3"] == problems(main)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[a]\nb = c\n", "hearthbus.toml:2: no TOML: Invalid value"),
        ("[a]\nb = 1\nb = 2\n", "hearthbus.toml:3: no TOML: Cannot overwrite a value"),
        ("[a]\n[a]\n", "hearthbus.toml:2: no TOML: Cannot declare ('a',) twice"),
        ("[a\n", "hearthbus.toml:1: no TOML: Expected ']' at the end of a table declaration"),
        ('a = """\n', "hearthbus.toml:2: no TOML: Unterminated string (at end of document)"),
        ("incldue = []\n", "hearthbus.toml:1: incldue: unknown key; did you mean 'include'?"),
        (
            "\ncolour = 1\n",
            "hearthbus.toml:2: colour: unknown key; every key but include stands in a table: [sun], [house], ...",
        ),
    ],
)
def test_a_slip_is_told_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    """What is no TOML, or no table, names its line, without a trace."""
    assert [problem] == problems(write(tmp_path / "hearthbus.toml", text))


def test_a_file_in_another_encoding_is_told_with_its_line(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 name their line."""
    file = tmp_path / "hearthbus.toml"
    file.write_bytes('[heating]\nplace = "küche"\n'.encode("latin-1"))

    assert ["hearthbus.toml:2: not UTF-8; save the file in that encoding"] == problems(file)


def test_the_first_file_found_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder's own file is stronger than the user's, and the user's stronger than the example house."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.chdir(tmp_path)
    example = find_file()
    user = write(tmp_path / "xdg" / "hearthbus" / "hearthbus.toml", "")
    users = find_file()
    write(tmp_path / "hearthbus.toml", "")
    own = find_file()

    assert ("house.toml", True) == (example[0].rpartition("/")[2], example[1])
    assert (str(user), False) == users
    assert ("hearthbus.toml", False) == own


@pytest.mark.parametrize(
    ("text", "url", "joins"),
    [
        ("", "tcp://127.0.0.1:7600", False),
        ('[bus]\nurl = "tcp://pi:7700"\n', "tcp://pi:7700", True),
        ('[bus]\nurl = "tcp://localhost:7600"\n', "tcp://localhost:7600", False),
        ('[broker]\naddress = "tcp://*:7800"\n', "tcp://127.0.0.1:7800", False),
        ('[broker]\naddress = "tcp://192.168.1.5:7800"\n', "tcp://192.168.1.5:7800", False),
        ('[broker]\naddress = "ipc:///run/hearthbus/bus"\n', "ipc:///run/hearthbus/bus", False),
    ],
)
def test_services_find_the_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, url: str, *, joins: bool
) -> None:
    """The broker's address is what [bus] says, else what [broker] listens on; only the former may be another's."""
    monkeypatch.delenv("HEARTHBUS_URL", raising=False)
    file = write(tmp_path / "hearthbus.toml", text)

    house = load(file, only=())

    assert (url, joins) == (house.url, house.joins)


def test_the_environment_s_address_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HEARTHBUS_URL is stronger than the file, and checked as it is."""
    file = write(tmp_path / "hearthbus.toml", '[bus]\nurl = "tcp://pi:7700"\n')
    monkeypatch.setenv("HEARTHBUS_URL", "tcp://elsewhere:7600")
    house = load(file, only=())
    monkeypatch.setenv("HEARTHBUS_URL", "elsewhere")
    with pytest.raises(Invalid) as caught:
        load(file, only=())

    assert ("tcp://elsewhere:7600", "HEARTHBUS_URL") == (house.url, house.url_from)
    assert ("HEARTHBUS_URL 'elsewhere': write tcp://HOST:PORT or ipc:///PATH",) == caught.value.problems
