"""`hearthbus import powerconfig.json`: devices and rules the services take, and a word about what could not be said."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthbus.errors import Invalid
from services.importing import main
from services.rfxtrx.powerconfig import convert
from services.rfxtrx.settings import Device
from services.trigger import Rule

if TYPE_CHECKING:
    from pathlib import Path

HOUSE = {
    "switches": {"0x00ABCDEF/1": "desk", "0x00ABCDEF/2": "Coffee maker"},
    "receivers": {"lamp": "0x00123456/2", "Coffee maker": "0x00123456/3"},
    "triggerconfig": {
        "desk": {
            "on": [{"location": "lamp", "command": "on"}, {"location": "Coffee maker", "command": "on"}],
            "off": [{"location": "lamp", "command": "off"}],
        }
    },
}


def imported(found: object) -> tuple[dict[str, Any], list[str]]:
    """Return what the import of an object holds, read as TOML, and what is to be looked at."""
    lines, notes = convert(json.dumps(found), name="powerconfig.json")
    looks = [line.removeprefix("# LOOK ") for line in lines if line.startswith("# LOOK ")]
    assert notes == len(looks)
    return tomllib.loads("\n".join(lines)), looks


def test_devices() -> None:
    """A receiver is a switch by its name, a switch is a remote; a name that both have stays the receiver's."""
    found, looks = imported(HOUSE)

    assert {
        "lamp": {"id": "lighting2.ac.0123456.2", "kind": "switch"},
        "coffee-maker": {"id": "lighting2.ac.0123456.3", "kind": "switch"},
        "desk": {"id": "lighting2.ac.0abcdef.1", "kind": "remote"},
        "coffee-maker-remote": {"id": "lighting2.ac.0abcdef.2", "kind": "remote"},
    } == found["rfxtrx"]["devices"]
    assert [] == looks


def test_what_stands_there_twice_is_to_be_looked_at() -> None:
    """JSON takes the last one in silence."""
    lines, notes = convert('{"switches": {"0x1/1": "desk", "0x1/1": "hall"}}', name="powerconfig.json")

    assert 1 == notes
    assert "# LOOK '0x1/1' stands there twice in one table; the last one holds" in lines


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "is empty"), (" \n", "is empty"), ("[]", "is no powerconfig.json"), ("x", "is no JSON")],
)
def test_a_file_that_is_none_is_refused_as_what_it_was_to_be(tmp_path: Path, text: str, said: str) -> None:
    """Nobody who has a powerconfig.json is told of emonHub."""
    file = tmp_path / "powerconfig.json"
    file.write_text(text)
    with pytest.raises(Invalid, match=said):
        main([str(file)])


def test_triggers() -> None:
    """What a switch's on and off do are rules, each a request."""
    found, _ = imported(HOUSE)

    assert {
        "desk-on-lamp": (True, "on"), "desk-on-coffee-maker": (True, "on"), "desk-off-lamp": (False, "off"),
    } == {
        name: (rule["body"]["on"], rule["when"]["button"]) for name, rule in found["trigger"]["rules"].items()
    }  # fmt: skip
    assert {"remote/desk"} == {rule["topic"] for rule in found["trigger"]["rules"].values()}


def test_the_services_take_it() -> None:
    """The tables fit the services' own."""
    found, _ = imported(HOUSE)

    assert 4 == len([Device(**table) for table in found["rfxtrx"]["devices"].values()])
    assert "switch/lamp/set" == Rule(**found["trigger"]["rules"]["desk-on-lamp"]).request


def test_a_switch_with_the_id_of_a_receiver() -> None:
    """A device has one table; its button is heard as the receiver's state, and switches others."""
    found, looks = imported(
        {
            "switches": {"0x123456/2": "wall"},
            "receivers": {"lamp": "0x00123456/2", "fan": "0x123456/3"},
            "triggerconfig": {
                "wall": {"on": [{"location": "fan", "command": "off"}, {"location": "lamp", "command": "on"}]}
            },
        }
    )

    assert {"lamp", "fan"} == found["rfxtrx"]["devices"].keys()
    (rule,) = found["trigger"]["rules"].values()
    assert ("switch/lamp", {"on": True}, "switch/fan/set") == (rule["topic"], rule["when"], rule["request"])
    assert ["has the id of the receiver", "would switch itself"] == [
        part for look in looks for part in ("has the id of the receiver", "would switch itself") if part in look
    ]


def test_an_old_id_of_a_letter_and_a_number() -> None:
    """X10's and its like were two bytes: the house's letter and the unit; whose protocol it is, a person must say."""
    found, looks = imported({"switches": {"0x4105/5": "x", "0x4204/5": "y"}})

    assert ["lighting1.x10.a.5", "lighting2.ac.0004204.5"] == [
        table["id"] for table in found["rfxtrx"]["devices"].values()
    ]
    assert 1 == len(looks)
    assert "lighting1.x10" in looks[0]


def test_two_buttons_of_one_name() -> None:
    """Each has its table and its rule."""
    found, _ = imported({**HOUSE, "switches": {"0x1/1": "desk", "0x2/1": "desk"}})

    assert {"remote/desk", "remote/desk-2"} == {rule["topic"] for rule in found["trigger"]["rules"].values()}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"switches": {"garage": "desk"}}, "'garage' is no 0xid/unit"),
        ({"switches": {"0x1/99": "desk"}}, "left out"),
        ({"switches": {"0xFFFFFFFF/1": "desk"}}, "left out"),
        ({"switches": {"0x1/1": 5}}, "is no name"),
        ({"switches": ["0x1/1"]}, "is no table of names"),
        ({"receivers": {"lamp": "0x123456/2", "lamp2": "0x123456/2"}}, "'lamp2' is lamp too"),
        ({"triggerconfig": {"attic": {"on": []}}}, "there is no such switch"),
        ({"triggerconfig": {"desk": {"long": []}}}, "is no list for on or off"),
        ({"triggerconfig": {"desk": {"on": ["lamp"]}}}, "names no location and command"),
        ({"triggerconfig": {"desk": {"on": [{"location": "tv", "command": "POWER"}]}}}, "'tv' is no receiver"),
        ({"triggerconfig": {"desk": {"on": [{"location": "lamp", "command": "dim"}]}}}, "neither on nor off"),
        ({"colour": "red"}, "'colour': nobody knows what that is"),
    ],
)
def test_what_a_person_must_look_at(change: dict[str, Any], said: str) -> None:
    """Each thing that is lost is said, and the rest is still converted."""
    found, looks = imported({**HOUSE, **change})

    assert any(said in look for look in looks)
    assert "lamp" in found["rfxtrx"]["devices"]


def test_the_verb_knows_the_file_by_its_looks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON is a powerconfig.json, whatever it is called; how much is to be looked at goes to standard error."""
    file = tmp_path / "old.txt"
    file.write_text("\ufeff" + json.dumps({**HOUSE, "colour": "red"}, indent=2))
    code = main([str(file)])
    printed = capsys.readouterr()

    assert 0 == code
    assert "lamp" in tomllib.loads(printed.out)["rfxtrx"]["devices"]
    assert "hearthbus: 1 places to look at; they stand as comments beginning with LOOK\n" == printed.err


@pytest.mark.parametrize(
    ("text", "said"), [('{"a": 1}', "it has none of switches"), ("{", "is no JSON"), ("[" * 9999, "no JSON")]
)
def test_another_file_is_refused(text: str, said: str) -> None:
    """The error says what it lacks."""
    with pytest.raises(Invalid, match=said):
        convert(text, name="powerconfig.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["0x1/1", "0x4105/5", "desk", "on"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["on", "0x1/2", "desk", "é\n"]), inner),
    max_leaves=8,
)


@given(JSON, JSON, JSON)
def test_any_values_give_toml(switches: object, receivers: object, triggers: object) -> None:
    """Whatever stands in the file, the result is TOML."""
    imported({"switches": switches, "receivers": receivers, "triggerconfig": triggers})
