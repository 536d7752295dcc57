"""The simulated stick and its house: what it hears by its modes, what its devices say, what it was told."""

from __future__ import annotations

from random import Random

import pytest

from drivers.rfxtrx.codec import PACKETS, decode, from_plain
from drivers.rfxtrx.interface import Control
from services.rfxtrx import naming
from services.rfxtrx.twin.house import House
from services.rfxtrx.twin.stick import SimulatedStick
from services.rfxtrx.twin.traffic import BUTTONS, Traffic

TH1 = bytes.fromhex("0a520100ab0100d7290189")
ON = bytes.fromhex("0b11000000d5a0e201010f00")


def command(name: str, *, msg3: int = 0, msg4: int = 0, msg5: int = 0, msg6: int = 0) -> bytes:
    """Return a control frame for a 433.92 MHz stick."""
    made = Control(command=name, receiver="433.92", subtype=0, msg3=msg3, msg4=msg4, msg5=msg5, msg6=msg6)
    return made.encode()


def test_it_hears_what_its_modes_let_it() -> None:
    """Nothing before it is told to receive; then the protocols that are on, and no others."""
    stick = SimulatedStick(Random(1))
    before = stick.hear(TH1, "oregon")
    stick.write(command("set_mode", msg5=0x20) + command("start_receiver"))

    assert not before
    assert stick.hear(TH1, "oregon")
    assert not stick.hear(ON, "ac")


def test_undecoded_is_never_saved() -> None:
    """As in a real one; its memory is written only when it is told to."""
    stick = SimulatedStick(Random(1))
    stick.write(command("set_mode", msg3=0x88))
    unwritten = stick.wear
    stick.write(command("save_modes") + command("reset"))

    assert (0, 1, (0x08, 0, 0, 0, 0)) == (unwritten, stick.wear, stick.mask)


def test_a_byte_keeps_it_in_its_boot_loader() -> None:
    """It says zeros until it has been left alone for long enough."""
    stick = SimulatedStick(Random(1), boot_s=2, loader_s=5)
    stick.run(1)
    stick.write(command("reset"))
    stick.run(4)
    zeros = stick.read()
    stick.run(6.1)
    stick.read()
    stick.write(command("status"))
    stick.run(7)

    assert {0} == set(zeros)
    assert 0x14 == stick.read()[0]


def test_every_device_says_something_that_decodes() -> None:
    """A day of the house: all packets are known ones, and each kind is among them."""
    traffic = Traffic(3)
    said = [from_plain(source.says(1e9 + hour * 3600)) for hour in range(24) for source in traffic.sources]

    assert {each.name for each in said} >= {"temperature_humidity", "rain", "wind", "power", "lighting4"}
    assert all(type(decode(each.encode())) in PACKETS for each in said)


@pytest.mark.parametrize("button", BUTTONS)
def test_every_button_is_heard(button: str) -> None:
    """With all protocols on."""
    house = House()
    house.stick.write(command("set_mode", msg3=0xFF, msg4=0xFF, msg5=0xFF, msg6=0xFF) + command("start_receiver"))

    assert house.press(button)


def test_the_same_seed_is_the_same_day() -> None:
    """Another one is another."""
    first, second, third = (House(seed=seed) for seed in (4, 4, 5))
    said = []
    for house in (first, second, third):
        house.stick.write(command("start_receiver"))
        for at in range(200):
            house.run(at)
        said.append(house.read())

    assert said[0] == said[1] != said[2]


def test_what_a_switch_was_told_last() -> None:
    """By the key it has everywhere."""
    house = House()
    house.write(ON)

    assert {"lighting2.ac.0d5a0e2.1": "on"} == {
        key: getattr(packet, "command", "") for key, packet in house.receivers.items()
    }


def test_people_come_and_go() -> None:
    """In two hours somebody is on the stairs and gone again, opens the door and closes it, and uses the wall remote."""
    house = House()
    house.stick.write(command("set_mode", msg5=0xFF) + command("start_receiver"))
    said: list[tuple[float, str, str]] = []
    for at in range(7200):
        house.run(at)
        data = house.read()
        while data:
            packet, data = decode(data[: data[0] + 1]), data[data[0] + 1 :]
            word = str(vars(packet).get("status") or vars(packet).get("command"))
            said.append((at, naming.key(packet), word))
    stairs = [(at, word) for at, key, word in said if key == "security1.x10-pir.5a3c"]
    door = [(at, word) for at, key, word in said if key.startswith("security1.powercode")]
    remote = [word for _, key, word in said if key.startswith("lighting2")]

    assert ["motion", "no_motion"] * 3 == [word for _, word in stairs[:6]]
    assert ["alarm", "normal"] * 2 == [word for _, word in door[:4]]
    assert all(after - before < 15 for (before, _), (after, _) in zip(door[::2], door[1::2], strict=False))
    assert ["on", "on", "off", "off"] == remote[:4]
    assert len(stairs) < 120
