"""`hearthbus import emonhub.conf`: a configuration the service takes, and a word about what it could not say."""

from __future__ import annotations

import io
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.rf12.datacodes import Struct
from drivers.rf12.emonhub import read
from hearthbus.errors import Invalid, Unavailable
from services.importing import main
from services.jeenode.importing import convert
from services.jeenode.settings import Gateway, Node, Settings

if TYPE_CHECKING:
    from pathlib import Path

EMONPI = """\
[hub]
loglevel = DEBUG #(default:WARNING)

[interfacers]
### This interfacer manages the RFM2Pi module
[[RFM2Pi]]
    Type = EmonHubJeeInterfacer
    [[[init_settings]]]
        com_port = /dev/ttyAMA0
        com_baud = 38400                        # 9600 for old RFM12Pi
    [[[runtimesettings]]]
        pubchannels = ToEmonCMS,
        group = 209
        frequency = 433
[[MQTT]]
    Type = EmonHubMqttInterfacer

[nodes]
[[5]]
    nodename = Emon Pi
    [[[rx]]]
        names = power1,power2,Vrms,T1,pulseCount
        datacodes = h, h, h, h, L
        scales = 1,1,0.01,0.1,1
        units = W,W,V,C,p
[[10]]
    [[[rx]]]
        datacode = h
"""


def imported(text: str) -> dict[str, Any]:
    """Return what the import of a text holds, read as TOML."""
    return tomllib.loads("\n".join(convert(text, name="emonhub.conf")[0]))


def node(body: str) -> dict[str, Any]:
    """Return node 7 of an import, whose section holds `body`."""
    found: dict[str, Any] = imported(f"[nodes]\n[[7]]\n{body}")["jeenode"]["nodes"]["7"]
    return found


def _tuples(table: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def test_a_whole_file() -> None:
    """Gateways and nodes come over with port, speed, group, structs, scales, and quantities by their units."""
    found = imported(EMONPI)["jeenode"]

    assert {"rfm2pi": {"port": "/dev/ttyAMA0", "baud": 38400, "group": 209}} == found["gateways"]
    assert {
        "id": 5,
        "group": 209,
        "profile": "fields",
        "fields": "h,h,h,h,L",
        "names": ["emon-pi-power1/power", "emon-pi-power2/power", "voltage", "temperature", "count"],
        "scales": [1.0, 1.0, 0.01, 0.1, 1.0],
    } == found["nodes"]["emon-pi"]
    assert {"id": 10, "group": 209, "profile": "fields", "fields": "h*"} == found["nodes"]["10"]


def test_the_service_takes_it() -> None:
    """The tables fit the service's own, and its structs read the bytes emonHub read."""
    found = imported(EMONPI)["jeenode"]
    nodes = {name: Node(**_tuples(table)) for name, table in found["nodes"].items()}
    settings = Settings(gateways={name: Gateway(**table) for name, table in found["gateways"].items()}, nodes=nodes)
    values = Struct(nodes["emon-pi"].fields or "", nodes["emon-pi"].scales).decode(
        bytes.fromhex("04009204e25dcd0007000000")
    )

    assert "emon-pi" == settings.place("emon-pi")
    assert (4, 1170, 240.34, 20.5, 7) == tuple(values)


def test_what_cannot_be_converted_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It stands as a comment with the line it was on, and standard error says that there is something to look at."""
    file = tmp_path / "emonhub.conf"
    file.write_text(EMONPI)
    code = main([str(file)])
    printed = capsys.readouterr()

    assert 0 == code
    assert "# LOOK line 15: [[MQTT]] is no gateway of RF12 packets: EmonHubMqttInterfacer" in printed.out.splitlines()
    assert "hearthbus: 1 places to look at; they stand as comments beginning with LOOK\n" == printed.err


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("[[[rx]]]\ndatacodes = h, J", "'J' is no code"),
        ("[[[rx]]]\ndatacodes = h, h\nscales = 1", "1 scales for 2 datacodes"),
        ("[[[rx]]]\ndatacodes = h\nscales = 0", "scale '0'"),
        ("[[[rx]]]\nnames = a\ndatacodes = h\nunits = furlong", "which quantity is a?"),
        ("[[[tx]]]\nnames = a", "its tx is left out"),
        ("nodeids = 3, 99", "'99' is no node id from 1 to 30"),
        ("nonsense", "'nonsense' is neither a section nor a value"),
        ("a = it's", "quotes that do not fit"),
        ("a = 1\na = 2", "a stands twice"),
        ("[[[[[deep]]]]]", "section deep lies 5 deep"),
        ("[[broken]", "as many brackets on both sides"),
    ],
)
def test_what_a_person_must_look_at(body: str, said: str) -> None:
    """Each thing that is lost or guessed is said, and the rest is still converted."""
    lines, notes = convert(f"[nodes]\n[[7]]\n{body}\n[[8]]\n", name="emonhub.conf")
    text = "\n".join(lines)

    assert 1 <= notes
    assert any(line.startswith("# LOOK line ") and said in line for line in lines)
    assert "8" in tomllib.loads(text)["jeenode"]["nodes"]


def test_one_code_for_all() -> None:
    """`datacode` and `scale` hold for every name."""
    found = node("[[[rx]]]\nnames = a, b\ndatacode = H\nscale = 0.1\nunits = C, %")

    assert ("H,H", [0.1, 0.1], ["temperature", "humidity"]) == (found["fields"], found["scales"], found["names"])


def test_a_section_for_several_nodes() -> None:
    """`nodeids` makes a node of each, with a place of its own."""
    found = imported("[nodes]\n[[emonth]]\nnodename = TH\nnodeids = 23, 24,\n")["jeenode"]["nodes"]

    assert {"th": 23, "th-2": 24} == {name: table["id"] for name, table in found.items()}


def test_lists_and_quotes() -> None:
    """Commas make lists, quotes keep commas and number signs, comments end a value."""
    root, notes = read("[a]\nlist = x,\nquoted = \"a, b\" , 'c#d'  # no\nplain = one two # no\nempty =\n")

    assert {"list": ("x",), "quoted": ("a, b", "c#d"), "plain": ("one two",), "empty": ("",)} == root.section(
        "a"
    ).values
    assert [] == notes


def test_another_file_is_refused() -> None:
    """A file without its sections is no emonhub.conf, and the error says which it lacks."""
    with pytest.raises(Invalid, match=r"notes.txt is no emonhub.conf: it has neither \[nodes\] nor \[interfacers\]"):
        convert("hello", name="notes.txt")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """It is named."""
    with pytest.raises(Unavailable, match=r"import: .*none.conf: No such file"):
        main([str(tmp_path / "none.conf")])


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`-` reads it."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(EMONPI.encode())))
    main(["-"])

    assert "from standard input" in capsys.readouterr().out


@given(st.text(alphabet=st.sampled_from("[]\"'#=,\n abc5\\\t\x7f\x00é\u2028nodes"), max_size=200))
def test_any_text_gives_toml(text: str) -> None:
    """Whatever stands in the file, the result is TOML."""
    imported("[nodes]\n[[5]]\n[[[rx]]]\ndatacodes = h,h\n" + text)
