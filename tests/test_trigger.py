"""Triggers: what a message must say, what is asked then, and what is too old, too much or refused."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hearthbus import Invalid
from services.trigger import WAITING, Rule, Trigger

if TYPE_CHECKING:
    from hearthbus.message import Message
    from hearthbus.testing import Bench

DESK = {"topic": "remote/desk", "when": {"action": "on"}, "request": "switch/lamp/set", "body": {"on": True}}

EXAMPLE = Path(__file__).parent.parent / "deploy" / "house.toml"


async def house(bench: Bench, **rules: dict[str, Any]) -> Trigger:
    """Run the rules, and be the lamp."""
    await bench.serve("switch/lamp/set", {})
    service: Trigger = await bench.run(Trigger, "trigger", rules=rules)
    return service


async def test_a_message_that_says_so_makes_a_request(bench: Bench) -> None:
    """The rule's body is asked of the rule's topic."""
    await house(bench, desk=DESK)
    await bench.publish("remote/desk", action="on", button=1)

    assert {"on": True} == await bench.next("switch/lamp/set")


@pytest.mark.parametrize("body", [{"action": "off"}, {}, {"action": True}, {"action": None}])
async def test_a_message_that_says_something_else_makes_none(bench: Bench, body: dict[str, Any]) -> None:
    """Every field of `when` must be there and equal."""
    await house(bench, desk=DESK)
    await bench.publish("remote/desk", body)

    await bench.nothing("switch/lamp/set")


async def test_one_is_not_true(bench: Bench) -> None:
    """A rule that waits for true does not take 1 for it, which Python would."""
    await house(bench, door={**DESK, "when": {"value": True}})
    await bench.publish("remote/desk", value=1)
    await bench.nothing("switch/lamp/set")
    await bench.publish("remote/desk", value=True)

    assert {"on": True} == await bench.next("switch/lamp/set")


async def test_what_was_before_the_start_fires_nothing(bench: Bench) -> None:
    """A retained state is no event: a restart at night must not light the house."""
    await bench.publish("remote/desk", {"action": "on"}, retain=True)
    await house(bench, desk=DESK)

    await bench.nothing("switch/lamp/set")


async def test_a_pattern_fires_for_each_topic_it_covers(bench: Bench) -> None:
    """`topic` may hold wildcards."""
    await house(bench, panic={**DESK, "topic": "remote/+"})
    await bench.publish("remote/hall", action="on")
    await bench.next("switch/lamp/set")
    await bench.publish("remote/stairs", action="on")

    assert {"on": True} == await bench.next("switch/lamp/set")


ALERT = {
    "topic": "alert/#",
    "when": {"active": True},
    "request": "notify/phone",
    "body": {"title": "Alert", "message": "{message}", "priority": "high"},
}


@pytest.mark.parametrize("text", ["the freezer is warm", "", "{title}", "{message.__class__} %s $(id)"])
async def test_a_text_of_the_message_is_handed_on(bench: Bench, text: str) -> None:
    """As it is: nothing in it is read, whatever it looks like."""
    await bench.serve("notify/phone", {})
    await bench.run(Trigger, "trigger", rules={"alert": ALERT})
    await bench.publish("alert/freezer", active=True, message=text, title="no")

    assert {"title": "Alert", "message": text, "priority": "high"} == await bench.next("notify/phone")


@pytest.mark.parametrize("body", [{}, {"message": 4}, {"message": None}, {"message": {"deep": "text"}}])
async def test_what_the_message_does_not_say_is_not_asked(
    bench: Bench, caplog: pytest.LogCaptureFixture, body: dict[str, Any]
) -> None:
    """A rule that asks for a text the message lacks has failed, and says which."""
    await bench.serve("notify/phone", {})
    service: Trigger = await bench.run(Trigger, "trigger", rules={"alert": ALERT})
    await bench.publish("alert/freezer", {"active": True, **body})

    await bench.nothing("notify/phone")
    assert 1 == service.health()["failed"]
    assert "alert: notify/phone: body.message asks for {message}" in caplog.text


async def test_only_a_whole_value_stands_for_another(bench: Bench) -> None:
    """Braces within a text, in a deeper table or around nothing are what they are."""
    said = {"a": "see {message}", "b": {"c": "{message}"}, "d": "{}", "e": "{a b}", "f": 1}
    await bench.serve("notify/phone", {})
    await bench.run(Trigger, "trigger", rules={"alert": {**ALERT, "body": said}})
    await bench.publish("alert/freezer", active=True, message="warm")

    assert said == await bench.next("notify/phone")


async def test_requests_to_one_topic_keep_their_order(bench: Bench) -> None:
    """On and off, pressed quickly, arrive as on and off."""
    asked: list[bool] = []

    def lamp(request: Message) -> dict[str, Any]:
        asked.append(request["on"])
        return {}

    await bench.serve("switch/lamp/set", lamp)
    off = {**DESK, "when": {"action": "off"}, "body": {"on": False}}
    await bench.run(Trigger, "trigger", rules={"on": DESK, "off": off})
    for action in ("on", "off", "on", "off"):
        await bench.publish("remote/desk", action=action)
    await bench.settle()

    assert [True, False, True, False] == asked


async def test_a_responder_that_hangs_costs_the_others_nothing(bench: Bench) -> None:
    """More than 20 requests that wait are dropped and counted; another topic is asked at once."""
    rules = {"stuck": {**DESK, "request": "switch/stuck/set"}, "desk": {**DESK, "when": {"action": "off"}}}
    async with bench.bus.serve("switch/stuck/set"):
        service = await house(bench, **rules)
        for _ in range(WAITING + 5):
            await bench.publish("remote/desk", action="on")
        await bench.publish("remote/desk", action="off")

        assert {"on": True} == await bench.next("switch/lamp/set")
        assert (5, WAITING) == tuple(service.health()[key] for key in ("dropped", "requests_waiting"))


async def test_that_nobody_serves_is_said_and_the_rule_lives_on(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """The log names the rule and what it asked; the next press is tried again."""
    service = await house(bench, desk={**DESK, "request": "switch/nobody/set"})
    await bench.publish("remote/desk", action="on")
    await bench.publish("remote/desk", action="on")
    await bench.settle()

    assert 2 == service.health()["failed"]
    assert "desk: switch/nobody/set: " in caplog.text


def test_the_example_house_has_rules_that_hold() -> None:
    """Who takes the comment marks away has a rule, of each of them."""
    found = re.findall(r"^# \[trigger\.[^\n]*\n(?:# [^\[\n][^\n]*\n)*", EXAMPLE.read_text("utf-8"), re.MULTILINE)
    tables = [tomllib.loads(re.sub("^# ", "", lines, flags=re.MULTILINE)) for lines in found]
    rules = [Rule(**rule) for table in tables for rule in table["trigger"]["rules"].values()]

    assert len(found) == len(rules)
    assert rules[0].holds({"button": "on", "action": "press"})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"max_age_s": 0}, "max_age_s 0.0 is not above 0"),
        ({"when": {"rgb": [1, 2, 3]}}, "when.rgb"),
        ({"request": "remote/desk"}, "would wake its own rule"),
        ({"request": "switch/+/set"}, "switch/+/set"),
    ],
)
async def test_a_wrong_rule_is_refused(bench: Bench, wrong: dict[str, Any], said: str) -> None:
    """Before anything runs, with the key that is wrong."""
    with pytest.raises(Invalid, match=said.replace("+", r"\+")):
        await bench.run(Trigger, "trigger", rules={"desk": {**DESK, **wrong}})
