"""A light behind a radio: the newest colour wins, a repeat keeps its number, giving up is said, and undone."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.rf12 import hearth, stock
from hearthbus import Invalid
from services.jeenode.lamp import Lamp
from services.jeenode.lights import EFFECTS, SELDOM_S, WAITS_S, Light, Look, changed, restored
from services.jeenode.parcels import Fate, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

ORANGE = (255, 120, 20)


def test_the_effects_are_those_of_the_wire() -> None:
    """A name stands at the number the node knows it by."""
    assert tuple(effect.name.lower() for effect in hearth.Effect) == EFFECTS


@pytest.mark.parametrize(
    ("request_", "look"),
    [
        ({"on": True}, Look(on=True)),
        ({"rgb": [255, 120, 20]}, Look(on=True, rgb=ORANGE)),
        ({"rgb": [255, 120, 20], "on": False}, Look(on=False, rgb=ORANGE)),
        ({"brightness": 0.5}, Look(on=True, brightness=0.5)),
        ({"brightness": 0}, Look(on=False)),
        ({"effect": "candle"}, Look(on=True, effect="candle")),
        ({"fade_s": 3}, Look()),
    ],
)
def test_what_a_request_makes_of_a_look(request_: dict[str, Any], look: Look) -> None:
    """What is not said stays; what shows switches on; an off light keeps its brightness."""
    assert look == changed(Look(), request_)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"rgb": [1, 2]}, "three whole numbers"),
        ({"rgb": [1, 2, 256]}, "three whole numbers"),
        ({"rgb": "red"}, "three whole numbers"),
        ({"brightness": 1.5}, "from 0 to 1"),
        ({"brightness": True}, "from 0 to 1"),
        ({"on": 1}, "true or false"),
        ({"effect": "disco"}, "one of fade, candle"),
        ({"colour": 3}, "'colour' is nothing a light knows"),
        ({"fade_s": 700}, "from 0 to 655.35"),
        ({"fade_s": "slow"}, "write seconds"),
    ],
)
def test_what_makes_no_sense_is_refused(request_: dict[str, Any], words: str) -> None:
    """The text names the value and what would be right; the light stays as it was."""
    light = Light(Look(on=True))

    with pytest.raises(Invalid, match=words):
        light.ask(request_)

    assert (Look(on=True), None) == (light.wanted, light.next(at=0.0))


def test_a_colour_ends_an_effect() -> None:
    """A person who asks for red does not want a red candle."""
    assert "fade" == changed(Look(effect="candle"), {"rgb": [255, 0, 0]}).effect
    assert "candle" == changed(Look(effect="candle"), {"brightness": 0.1}).effect


def test_a_dragged_slider_sends_the_newest_only() -> None:
    """While one order flies, what is asked replaces what waits."""
    light = Light()
    first = light.ask({"rgb": [1, 0, 0]})
    flying = light.next(at=0.0)
    for red in range(2, 50):
        light.ask({"rgb": [red, 0, 0]})

    assert flying == first
    assert light.next(at=0.0) is None

    light.acked()
    newest = light.next(at=0.0)

    assert newest is not None
    assert ((49, 0, 0), False) == (newest.look.rgb, light.confirmed)

    light.acked()

    assert (True, None) == (light.confirmed, light.next(at=0.0))


def test_nobody_acks() -> None:
    """The same order again after 1, 2, 4, 8 seconds; then it is given up, and tried once in a long while."""
    light = Light()
    order = light.ask({"on": True})
    now, waits = 0.0, []
    for _ in range(6):
        assert order == light.next(at=now)
        light.failed(at=now)
        waits.append((light.due() or 0) - now)
        now = light.due() or 0

    assert [*WAITS_S, SELDOM_S, SELDOM_S] == waits
    assert light.given_up

    light.next(at=now)
    light.acked()

    assert (True, False) == (light.confirmed, light.given_up)


def test_a_newer_ask_does_not_wait_for_the_older_one_s_retries() -> None:
    """Somebody presses again: it goes at once."""
    light = Light()
    light.ask({"on": True})
    light.next(at=0.0)
    light.failed(at=0.0)
    newer = light.ask({"on": False})

    assert newer == light.next(at=0.1)


def test_a_node_that_starts_is_told_again() -> None:
    """With a new number, for it has forgotten the old one; where nothing is wanted, nothing is said."""
    light = Light(Look(on=True, rgb=ORANGE))

    assert light.next(at=0.0) is None

    light.again()
    order = light.next(at=0.0)

    assert order is not None
    assert (ORANGE, 0.0, False) == (order.look.rgb, order.fade_s, light.confirmed)

    silent = Light()
    silent.again()

    assert silent.next(at=0.0) is None


@pytest.mark.parametrize(
    ("body", "pending"),
    [({"on": True, "rgb": [1, 2, 3], "confirmed": True}, False), ({"on": True, "confirmed": False}, True), ({}, False)],
)
def test_what_was_not_confirmed_before_a_restart_is_said_after_it(body: dict[str, Any], pending: bool) -> None:  # noqa: FBT001
    """The retained state is all there is."""
    light = restored(body)

    assert pending == (light.next(at=0.0) is not None)
    assert body.get("on") == (None if light.wanted is None else light.wanted.on)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("ask"), st.integers(0, 255)),
            st.tuples(st.sampled_from(["acked", "failed", "again", "hurry", "held"]), st.just(0)),
        )
    )
)
def test_in_the_end_the_node_shows_what_was_asked_last(events: list[tuple[str, int]]) -> None:
    """Whatever fails on the way: once the node answers, it has the newest colour, and the light says confirmed."""
    light, now, shown, wanted = Light(), 0.0, None, None
    for event, red in events:
        now += 0.1
        if event == "ask":
            wanted = light.ask({"rgb": [red, 0, 0]}).look
        elif event in {"again", "hurry"}:
            getattr(light, event)()
        elif (order := light.next(at=now)) is not None:
            if event == "acked":
                shown = order.look
                light.acked()
            elif event == "failed":
                light.failed(at=now)
            else:
                light.held_up(at=now, for_s=1.0)
    while (due := light.due()) is not None:
        now = max(now, due)
        order = light.next(at=now)
        assert order is not None
        shown = order.look
        light.acked()

    assert wanted == shown
    assert light.confirmed == (wanted is not None)


class Desk:
    """A lamp whose node is this test."""

    def __init__(self, *, is_stock: bool = False, alerted: bool = False) -> None:
        self.sent: asyncio.Queue[tuple[bytes, bool]] = asyncio.Queue()
        self.outcomes: asyncio.Queue[Outcome] = asyncio.Queue()
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.numbers = 0
        self.lamp = Lamp(
            "desk", Light(), is_stock=is_stock, alerted=alerted, send=self.send, number=self.number,
            publish=self.publish, now=lambda: 0.0, log=logging.getLogger("desk"), answer_s=0.05,
        )  # fmt: skip

    async def send(self, payload: bytes, ack: bool) -> Outcome:  # noqa: FBT001 - as the lamp calls it
        self.sent.put_nowait((payload, ack))
        return await self.outcomes.get()

    async def number(self) -> int:
        self.numbers += 1
        return self.numbers

    async def publish(self, topic: str, body: Mapping[str, Any]) -> None:
        self.said.append((topic, dict(body)))


async def ask(desk: Desk, outcome: Outcome, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes, bool]:
    """Ask the lamp, answer for its node; return the answer and what was sent."""
    keeping = asyncio.create_task(desk.lamp.keep())
    desk.outcomes.put_nowait(outcome)
    answer = await desk.lamp.ask(request)
    keeping.cancel()
    return answer, *desk.sent.get_nowait()


async def test_the_answer_says_that_the_node_has_confirmed() -> None:
    """Colour, brightness and fade are on the wire as asked; the state goes from unconfirmed to confirmed."""
    desk = Desk()
    outcome = Outcome(fate=Fate.ACKED, ack=bytes([0xF1, 2, 1, 0]))
    answer, payload, ack = await ask(desk, outcome, {"rgb": [255, 120, 20], "brightness": 0.5, "fade_s": 2})

    assert {"on": True, "rgb": [255, 120, 20], "brightness": 0.5, "confirmed": True} == answer
    assert (True, bytes([0x51, 30, 1, 0, 255, 120, 20, 128, 200, 0])) == (ack, payload)
    assert [False, True] == [body["confirmed"] for topic, body in desk.said if topic == "light/desk"]


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome(fate=Fate.NOT_ACKED, tries=8), "not acked after 8 tries; it is tried again"),
        (Outcome(fate=Fate.AWAY, reason="no gateway of group 212 is there"), "no gateway of group 212 is there; it is"),
        (Outcome(fate=Fate.ACKED, ack=bytes([0xF1, 2, 1, 2])), "its node refused: bad value"),
        (Outcome(fate=Fate.NO_AIR_TIME), "no air time left; it is tried again"),
    ],
)
async def test_the_answer_says_why_it_is_not_confirmed(outcome: Outcome, reason: str) -> None:
    """Nobody is told that a light is on that may be off."""
    answer, _, _ = await ask(Desk(), outcome, {"on": True})

    assert not answer["confirmed"]
    assert answer["reason"].startswith(reason)


async def test_a_stock_led_node_gets_its_own_payload_and_never_confirms() -> None:
    """Slot 0, the colour dimmed, whole seconds; no ack is asked for, and nothing is repeated."""
    desk = Desk(is_stock=True)
    answer, payload, ack = await ask(
        desk, Outcome(fate=Fate.SENT), {"rgb": [200, 100, 0], "brightness": 0.5, "fade_s": 2.4}
    )

    assert (False, stock.StockLed(red=100, green=50, blue=0, seconds=2)) == (ack, stock.StockLed.decode(payload))
    assert (False, "its node never confirms", None) == (answer["confirmed"], answer["reason"], desk.lamp.light.due())


async def test_giving_up_is_an_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the last wait; with the reason, once."""
    monkeypatch.setattr("services.jeenode.lights.WAITS_S", (0.001,) * 3)
    desk = Desk()
    for _ in range(3):
        desk.outcomes.put_nowait(Outcome(fate=Fate.NOT_ACKED, tries=8))
    answer, _, _ = await ask(desk, Outcome(fate=Fate.NOT_ACKED, tries=8), {"on": True})
    alerts = [body for topic, body in desk.said if topic == "alert/light-desk"]

    assert not answer["confirmed"]
    assert [(True, "light/desk does not answer (not acked, 8 tries)")] == [(a["active"], a["message"]) for a in alerts]


async def test_an_alert_that_is_over_is_taken_back() -> None:
    """The alert of an earlier run goes with the first ack, not before."""
    desk = Desk(alerted=True)
    await ask(desk, Outcome(fate=Fate.NOT_ACKED, tries=8), {"on": True})

    assert "alert/light-desk" not in dict(desk.said)

    await ask(desk, Outcome(fate=Fate.ACKED), {"on": False})

    assert dict(desk.said)["alert/light-desk"]["active"] is False
