"""What every packet there is means for a house: the golden frames, each of a device that has a name."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from rfxtrx_ear import DESK, NOON, Ear, bodies, table
from test_topics_page import faults, message_of

from drivers.rfxtrx.codec import decode
from services.rfxtrx import meanings, naming
from services.rfxtrx.roster import Roster

VECTORS = Path(__file__).parent / "vectors" / "rfxtrx.txt"
SILENT = {
    "rfxmeter": "but for its count it tells how it is set",
    "date_time": "a clock measures nothing",
    "security2": "its bytes are not known",
    "edisio": "its temperature's scale is not known",
    "rfxsensor": "it tells how it is",
}
"""Packets of which some frames say nothing to a house, and why."""


def frames() -> list[tuple[str, str, bytes]]:
    """Return packet, subtype and frame of every golden row."""
    lines = [line.split() for line in VECTORS.read_text().splitlines()]
    return [(words[0], words[1], bytes.fromhex(words[2])) for words in lines if words and words[0] != "#"]


def test_every_device_says_something_once_it_has_a_name() -> None:
    """A reading, a state or a button, each as docs/topics.md has it; a new packet without a meaning shows here."""
    said: dict[tuple[str, str], set[str]] = defaultdict(set)
    bad = []
    for packet, subtype, frame in frames():
        roster = Roster(table(heard_times=1))
        device = roster.hear(frame, at=NOON, ticks=0.0).device
        if not device:
            continue
        roster.registry.name(device, "here", at=NOON)
        for say in roster.hear(frame, at=NOON + 9, ticks=9.0).says:
            bad += faults(message_of(say.topic, retain=say.retain, body=say.body))
            said[packet, subtype].add(say.topic)
    dumb = {
        packet
        for (packet, _), topics in said.items()
        if not any(topic.startswith(("sensor/here", "remote/", "light/", "switch/", "cover/", "climate/")) for topic in
                   topics - {"sensor/here/battery", "sensor/here/voltage"})
    }  # fmt: skip

    assert not bad
    assert len(said) > 180
    assert set() == dumb - SILENT.keys()


def test_what_only_measures() -> None:
    """A thermometer is no light; a bell, a code and a detector can be more than one thing."""
    found = [address for *_, frame in frames() if (address := naming.of(decode(frame)))]
    measures = {address.packet for address in found if meanings.only_measures(address)}

    assert {"temperature", "rain", "wind", "energy"} <= measures
    assert measures.isdisjoint({"chime", "lighting4", "activlink", "security1", "rfy", "lighting2", "fs20"})


def test_what_makes_no_state_is_a_button() -> None:
    """To toggle, to dim, to teach: nobody knows what is after it, and somebody may want to know that it was pressed."""
    ear = Ear({"desk": {"id": "lighting1.x10.e.5"}})
    found = ear.hear("lighting1", house="E", unit=5, command="dim")

    assert {"remote/desk": {"button": "dim", "action": "press"}} == bodies(found.says, "remote/")
    assert {} == bodies(found.says, "switch/")


@pytest.mark.parametrize(
    ("command", "is_open"), [("contact_alert", True), ("contact_normal", False), ("shutter_open", True)]
)
def test_a_contact_is_open_in_any_words(command: str, *, is_open: bool) -> None:
    """Whatever its family says."""
    ear = Ear({"door": {"id": "edisio.edisio-controller.12345678.1", "kind": "contact"}})
    found = ear.hear("edisio", id="0x12345678", unit=1, command=command)

    assert is_open == bodies(found.says)["sensor/door/contact"]["value"]


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("security1.x10-pir.5a3c", "motion"),
        ("security1.powercode-door.0a1b2c", "contact"),
        ("security1.kd101.1a2b", "smoke"),
        ("security1.x10-security.5a3c", "remote"),
        ("rfy.rfy.012345.1", "cover"),
        ("chime.byron-sx.005a", "chime"),
        ("wind.wind1.1234", "sensor"),
        ("edisio.shutter.12345678.1", "cover"),
        ("fs20.fht80.123456", "contact"),
        ("radiator1.smartwares.0123456.1", "climate"),
        (DESK, "switch"),
    ],
)
def test_what_a_device_is_goes_by_its_packets(key: str, kind: str) -> None:
    """Unless its table says otherwise."""
    assert kind == meanings.kind(naming.read(key))
