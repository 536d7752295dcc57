"""What is asked of a device as its packet: by each family's own commands, and refused where it cannot."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rfxtrx_bench import packet

from hearthbus import Invalid
from hearthbus.config.schema import build
from services.rfxtrx import meanings, naming, orders
from services.rfxtrx.known import Known
from services.rfxtrx.settings import Device


def known(key: str, kind: str | None = None, **options: Any) -> Known:
    """Return a device that is called desk."""
    table = {"id": key, **({} if kind is None else {"kind": kind}), **options}
    return Known(naming.read(key), build(Device, table), "desk")


AC = "lighting2.ac.abcde.5"


@pytest.mark.parametrize(
    ("key", "on", "expected"),
    [
        (AC, True, {"command": "on", "level": 15}),
        (AC, False, {"command": "off", "level": 0}),
        ("homeconfort.tel-010.1234.a.1", True, {"command": "on"}),
        ("homeconfort.tel-010.1234.a.0", False, {"command": "group_off"}),
        ("thermostat2.he105.3", True, {"command": "on"}),
        ("lighting1.x10.e.5", True, {"command": "on"}),
        ("lighting1.x10.e.0", False, {"command": "all_off"}),
        ("lighting3.koppla.1.001", False, {"command": "off"}),
        ("lighting5.lightwaverf.123456.2", True, {"command": "on", "level": 31}),
        ("lighting5.lightwaverf.123456.2", False, {"command": "off", "level": 0}),
        ("lighting5.it.1234.2", True, {"command": "on", "level": 31}),
        ("lighting6.blyss.1234.b.3", False, {"command": "off", "command_sequence": 1}),
        ("edisio.edisio-controller.12345678.1", True, {"command": "on"}),
    ],
)
def test_a_switch_is_switched_in_its_family_s_words(key: str, on: bool, expected: dict[str, Any]) -> None:  # noqa: FBT001 - a table
    """Unit 0 is all of them, where there is a group."""
    order = orders.switch(known(key), {"on": on})

    assert {"on": on} == order.state
    assert expected == {name: getattr(order.packet, name) for name in expected}


@pytest.mark.parametrize(
    ("key", "request_", "command"),
    [
        ("blinds1.blinds-t0.1234.3", {"open_ratio": 1}, "open"),
        ("blinds1.blinds-t0.1234.3", {"open_ratio": 0}, "close"),
        ("blinds1.blinds-t0.1234.3", {"stop": True}, "stop"),
        ("blinds1.blinds-t5.123456", {"open_ratio": 0}, "down"),
        ("rfy.rfy.012345.1", {"open_ratio": 1.0}, "up"),
        ("rfy.rfy.012345.1", {"stop": True}, "stop"),
        ("curtain1.harrison.a.3", {"open_ratio": 0}, "close"),
        ("blinds2.brel-dooya.11223344.1", {"open_ratio": 1}, "up"),
        (AC, {"open_ratio": 1}, "on"),
        ("lighting5.lightwaverf.123456.2", {"stop": True}, "stop"),
        ("edisio.edisio-controller.12345678.1", {"open_ratio": 0}, "shutter_close"),
        ("edisio.edisio-controller.12345678.1", {"stop": True}, "shutter_stop"),
        ("homeconfort.tel-010.1234.a.1", {"open_ratio": 0}, "off"),
    ],
)
def test_a_cover_is_moved_in_its_subtype_s_words(key: str, request_: dict[str, Any], command: str) -> None:
    """Down is down, whatever the subtype calls it."""
    assert command == getattr(orders.cover(known(key, "cover"), request_).packet, "command")  # noqa: B009 - of many classes


def test_a_cover_with_a_percentage_goes_half_way() -> None:
    """Most count how far it is closed; a table says where it is the other way round."""
    order = orders.cover(known("blinds2.brel-dooya.11223344.1", "cover"), {"open_ratio": 0.3})
    turned = orders.cover(known("blinds2.brel-dooya.11223344.1", "cover", percent_open=True), {"open_ratio": 0.3})

    assert {"open_ratio": 0.3} == order.state
    assert ("set_percent", 70, 30) == (
        vars(order.packet)["command"],
        vars(order.packet)["percent"],
        vars(turned.packet)["percent"],
    )


def test_a_motor_that_was_put_in_the_other_way_round() -> None:
    """`reversed` makes its up the house's down."""
    order = orders.cover(known("rfy.rfy.012345.1", "cover", reversed=True), {"open_ratio": 1})

    assert ("down", {"open_ratio": 1.0}) == (vars(order.packet)["command"], order.state)


def test_a_dimmer_goes_to_the_nearest_of_its_steps() -> None:
    """The state says which; a brightness above 0 is never off."""
    half = orders.light(known(AC, "light"), {"brightness": 0.5})
    faint = orders.light(known(AC, "light"), {"brightness": 0.001})

    assert ("set_level", 7, {"on": True, "brightness": 0.5}) == (
        vars(half.packet)["command"], vars(half.packet)["level"], half.state
    )  # fmt: skip
    assert (0, 0.062) == (vars(faint.packet)["level"], faint.state["brightness"])


@pytest.mark.parametrize(
    ("key", "brightness", "expected", "reached"),
    [
        ("lighting3.koppla.1.001", 0.7, {"command": "level_7"}, 0.7),
        ("lighting3.koppla.1.001", 1.0, {"command": "on"}, 1.0),
        ("lighting5.lightwaverf.123456.2", 0.5, {"command": "set_level", "level": 15}, 0.5),
        ("lighting5.lightwaverf.123456.2", 1, {"command": "set_level", "level": 31}, 1.0),
        ("edisio.edisio-controller.12345678.1", 0.4, {"command": "set_level", "level": 40}, 0.4),
    ],
)
def test_every_dimmer_has_its_own_steps(key: str, brightness: float, expected: dict[str, Any], reached: float) -> None:
    """Fifteen, thirty-one, a hundred, or a command for each tenth."""
    order = orders.light(known(key, "light"), {"brightness": brightness})

    assert expected == {name: vars(order.packet)[name] for name in expected}
    assert {"on": True, "brightness": reached} == order.state


def test_a_colour_is_sent_where_there_is_one() -> None:
    """Darker by its brightness; the state says what was asked for."""
    order = orders.light(
        known("edisio.edisio-controller.12345678.1", "light"), {"rgb": [200, 100, 0], "brightness": 0.5}
    )

    assert ("rgb", 100, 50, 0) == tuple(vars(order.packet)[name] for name in ("command", "red", "green", "blue"))
    assert {"on": True, "rgb": [200, 100, 0], "brightness": 0.5} == order.state


def test_commands_are_counted_where_receivers_want_it() -> None:
    """One that has not moved on is taken for a repeat; the count begins again, and outlives a restart."""
    lamp = known("lighting6.blyss.1234.b.3")
    counts = [vars(orders.switch(lamp, {"on": True}).packet)["command_sequence"] for _ in range(6)]
    late = known("lighting6.blyss.1234.b.3")
    late.restore(lamp.body(), at=0.0)

    cuveo = known("lighting6.cuveo.1234.2.3")
    far = [vars(orders.switch(cuveo, {"on": True}).packet)["command_sequence"] for _ in range(256)]

    assert [1, 2, 3, 4, 0, 1] == counts
    assert [*range(1, 255), 0, 1] == far
    assert 2 == vars(orders.switch(late, {"on": True}).packet)["command_sequence"]


def test_a_code_has_its_data_bits_set() -> None:
    """Of a PT2262 the table says which bits are data, and what they are when it is on and off."""
    plug = known("lighting4.pt2262.5155ff", data_mask=0xFF, on_value=0x51, off_value=0x54, pulse_us=400)

    assert [(0x515551, 400), (0x515554, 400)] == [
        (vars(packet)["code"], vars(packet)["pulse_us"])
        for packet in (orders.switch(plug, {"on": on}).packet for on in (True, False))
    ]


def test_a_code_that_is_not_known_is_asked_for() -> None:
    """The text names the keys of the table."""
    with pytest.raises(Invalid, match="say with data_mask and off_value what its code is then"):
        orders.switch(known("lighting4.pt2262.515500", data_mask=0xFF, on_value=0x51), {"on": False})


def test_a_bell_plays_its_sound() -> None:
    """The table says which; a bell with one sound refuses it; one that a stick cannot ring says so."""
    assert 5 == vars(orders.ring(known("chime.byron-sx.0012", sound=5)))["sound"]
    assert 1 == vars(orders.ring(known("chime.byron-sx.0012")))["sound"]
    assert 0x12345 == vars(orders.ring(known("chime.select-plus.012345")))["id"]

    with pytest.raises(Invalid, match="has one sound"):
        orders.ring(known("chime.select-plus.012345", sound=5))

    with pytest.raises(Invalid, match="a stick only hears FRIEDLAND"):
        orders.ring(known("chime.friedland.012345"))


def test_a_siren_howls_in_its_own_way() -> None:
    """A smoke detector panics, a chime rings."""
    howl = orders.siren(known("security1.kd101.1234", "siren"), {"on": True})

    assert "panic" == vars(howl.packet)["status"]
    assert {"on": True} == orders.siren(known("chime.select-plus.012345", "siren"), {"on": True}).state


def test_a_radiator_is_set_to_a_temperature() -> None:
    """In halves of a degree, within its limits."""
    radiator = known("radiator1.smartwares.123456.1")
    order = orders.climate(radiator, {"target_celsius": 20.5})

    assert "climate/desk/set" in orders.topics(radiator)
    assert ("set_temperature", 20.5) == (vars(order.packet)["command"], vars(order.packet)["setpoint_celsius"])

    with pytest.raises(Invalid, match="setpoint_celsius: 70"):
        orders.climate(radiator, {"target_celsius": 70})


def test_brightness_nothing_switches_off() -> None:
    """As docs/topics.md says of any light; `on` has the last word."""
    desk = known(AC, "light")

    assert {"on": False} == orders.light(desk, {"brightness": 0}).state
    assert {"on": False} == orders.light(desk, {"brightness": 0.5, "on": False}).state
    assert {"on": True} == orders.light(desk, {"on": True, "fade_s": 3}).state


@pytest.mark.parametrize(
    ("key", "kind", "request_", "complaint"),
    [
        (AC, "light", {}, "light desk: write on, brightness or rgb"),
        (AC, "light", {"on": 1}, "on is 1; write true or false"),
        (AC, "light", {"brightness": 50}, "brightness is 50; write a number from 0 to 1"),
        (AC, "light", {"rgb": [1, 2, 3]}, "desk cannot show colours: leave rgb out: lighting2 AC has off, on"),
        (AC, "light", {"effect": "candle"}, "has no effects"),
        ("homeconfort.tel-010.1234.a.1", "light", {"brightness": 0.5}, "desk cannot be dimmed: homeconfort"),
        (AC, "switch", {}, "on is None"),
        ("lighting2.ac.abcde.17", "switch", {"on": True}, "unit 17 is not from 1 to 16"),
        ("lighting2.ac.0.1", "switch", {"on": True}, "id: 0 is not from 1"),
        ("fs20.fs20.123456", "switch", {"on": True}, "a stick only hears FS20"),
        ("rfy.rfy.012345.1", "cover", {"open_ratio": 0.5}, "desk cannot go half way: rfy RFY has stop, up"),
        ("rfy.rfy.012345.1", "cover", {}, "write either open_ratio"),
        ("rfy.rfy.012345.1", "cover", {"stop": True, "open_ratio": 1}, "write either open_ratio"),
        ("rfy.rfy.012345.1", "cover", {"open_ratio": 7}, "open_ratio is 7"),
        (AC, "cover", {"stop": True}, "desk cannot stop: lighting2 AC has off, on"),
        ("blinds1.blinds-t0.0.3", "cover", {"open_ratio": 1}, "id: 0 is not from 1"),
    ],
)
def test_what_a_device_cannot_do_is_refused(key: str, kind: str, request_: dict[str, Any], complaint: str) -> None:
    """The text names the device, what it has, or the limit."""
    with pytest.raises(Invalid) as caught:
        orders.ORDERS[kind](known(key, kind), request_)

    assert complaint in str(caught.value)


def test_any_command_of_a_packet_can_be_pressed() -> None:
    """What has no topic of its own: to teach a blind, to set a fan."""
    assert "program" == vars(orders.press(known("rfy.rfy.012345.1"), "program"))["command"]
    assert "timer" == vars(orders.press(known("fan.siemens-sf01.001234"), "timer"))["command"]


def test_a_button_that_is_not_there_lists_those_that_are() -> None:
    """A person can try the next word at once."""
    with pytest.raises(Invalid, match=r"button is 'progam'; desk has stop, up.*did you mean 'program'"):
        orders.press(known("rfy.rfy.012345.1"), "progam")


def test_what_is_served_is_what_a_device_can() -> None:
    """A sensor is asked nothing."""
    assert ["light/desk/set", "remote/desk/send"] == orders.topics(known(AC, "light"))
    assert [] == orders.topics(known("temperature.temp1.2f00"))


@given(st.integers(0, 31), st.floats(0.001, 1.0))
def test_a_step_is_the_step_of_its_brightness(step: int, brightness: float) -> None:
    """What a dimmer says of itself is what it is sent, and a brightness is missed by less than one step."""
    for levels in (meanings.Levels(0, 31), meanings.Levels(1, 8), meanings.Levels(0, 100)):
        kept = min(max(step, levels.low, int(levels.high == 100)), levels.high)

        assert kept == levels.step(levels.ratio(kept))
        assert abs(levels.ratio(levels.step(brightness)) - brightness) <= 1 / levels.high


def test_what_is_ordered_is_what_is_heard() -> None:
    """The state a command makes is the one that is published when a remote control says the same."""
    for key, kind, request_ in (
        (AC, "light", {"brightness": 0.5}),
        (AC, "light", {"on": True}),
        ("blinds2.brel-dooya.11223344.1", "cover", {"open_ratio": 0.3}),
        ("rfy.rfy.012345.1", "cover", {"open_ratio": 0}),
    ):
        desk = known(key, kind)
        order = orders.ORDERS[kind](desk, request_)
        said = meanings.event(order.packet.name, vars(order.packet), desk.device, meanings.levels(desk.address))
        from services.rfxtrx.speech import state

        assert said is not None
        assert order.state == state(kind, said)


def test_packets_of_the_test_are_packets() -> None:
    """The helper makes what a stick would hear."""
    assert 7 == vars(packet("lighting2", id=1, unit=1, command="set_level", level=7))["level"]
