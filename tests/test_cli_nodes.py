"""`hearthbus nodes`: a table for people, objects for programs, and an exit code for scripts."""

from __future__ import annotations

import json
from typing import Any

from cli_house import Told
from test_topics_page import message_of

from hearthbus.cli.nodes import LOST, report

NOW = 1_767_268_800_000_000_000
ROOM = {
    "status": "online", "since": "2026-01-01T11:00:00Z", "group": 212, "node": 5, "name": "hall", "kind": "room",
    "version": "1.0", "last_seen": "2026-01-01T11:59:20Z", "interval_s": 60.0, "battery_v": 2.985, "rssi_dbm": -71,
    "loss_ratio": 0.042, "given_up": 0, "missing": [],
}  # fmt: skip


def told(*bodies: dict[str, Any], json_: bool = False) -> tuple[int, Told]:
    """Report nodes; return the exit code and what was printed."""
    messages = [
        message_of(f"radio/rf12/node/{each['group']}-{each['node']}", retain=True, body=each) for each in bodies
    ]
    output = Told(json=json_)
    return report(messages, output.output, now=NOW), output


def test_a_table_for_people() -> None:
    """Type, version, battery, signal, loss, when it was heard last."""
    code, output = told(ROOM)

    assert 0 == code
    assert [
        "node        name  type  version  status  last seen  battery   signal  loss",
        "rf12/212-5  hall  room  1.0      online       40 s   2.98 V  -71 dBm   4 %",
    ] == [line.rstrip() for line in output.lines]


def test_what_a_person_should_do_something_about_is_said() -> None:
    """A lost node, a missing sensor, events given up, a node without a table; a lost one makes the exit code 1."""
    code, output = told(
        {**ROOM, "status": "lost"},
        {**ROOM, "node": 10, "missing": ["temperature", "humidity"], "given_up": 2},
        {**{key: value for key, value in ROOM.items() if key != "name"}, "node": 9},
    )

    assert LOST == code
    assert ["no table", "no sensor for temperature, humidity, gave up 2 packets"] == [
        line.split("%")[1].strip() for line in output.lines[2:]
    ]
    assert "lost" in output.lines[1]


def test_nodes_are_in_the_order_of_their_numbers() -> None:
    """9 comes before 10."""
    _, output = told({**ROOM, "node": 10}, {**ROOM, "node": 9})

    assert ["rf12/212-9", "rf12/212-10"] == [line.split()[0] for line in output.lines[1:]]


def test_objects_for_programs() -> None:
    """The whole state, with the node's identity."""
    _, output = told(ROOM, json_=True)

    assert {**ROOM, "id": "rf12/212-5"} == {k: v for k, v in json.loads(output.lines[0]).items() if k != "told"}


def test_nothing_heard_is_said_beside() -> None:
    """Standard output stays empty; the note says where to look."""
    code, output = told()

    assert (0, []) == (code, output.lines)
    assert "hearthbus status" in output.notes[0]


def test_nonsense_on_the_bus_gives_blanks() -> None:
    """A body that is not as it should be is no error."""
    code, output = told({"group": 1, "node": 1, "battery_v": "full", "last_seen": "soon", "missing": 3})

    assert 0 == code
    assert output.lines[1].startswith("rf12/1-1")
