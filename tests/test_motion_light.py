"""The motion light: on with motion in the dark, off after it, a person's hand first, nothing lost in a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthbus import HandlerError, Invalid
from services.motion_light import MotionLight
from services.motion_light.dark import Dark
from services.motion_light.rule import Mode, Rule

if TYPE_CHECKING:
    from hearthbus.testing import Bench

STAIRS = {"place": "stairs", "light": "stairs", "hold_s": 60}
SET = "light/stairs/set"


async def house(bench: Bench, **settings: Any) -> None:
    """Run one rule, and be its light."""
    await bench.serve(SET, {"on": True})
    await bench.run(MotionLight, "motion_light", rules={"stairs": {**STAIRS, **settings}})


async def moved(bench: Bench, value: bool) -> None:  # noqa: FBT001 - the reading itself
    """Be the motion sensor."""
    await bench.publish("sensor/stairs/motion", value=value, retain=True)


async def test_motion_lights_the_light_and_its_end_puts_it_out(bench: Bench) -> None:
    """On at once; off `hold_s` after motion has ended, not before."""
    await house(bench)
    await moved(bench, True)

    assert {"on": True, "fade_s": 0.5} == await bench.next(SET)

    await moved(bench, False)
    await bench.advance(59)
    await bench.nothing(SET)
    await bench.advance(1)

    assert {"on": False, "fade_s": 3.0} == await bench.next(SET)


async def test_who_goes_on_moving_keeps_the_light(bench: Bench) -> None:
    """Motion that begins again before the hold time is over starts it anew, and asks nothing twice."""
    await house(bench)
    await moved(bench, True)
    await bench.next(SET)
    for _ in range(5):
        await moved(bench, False)
        await bench.advance(50)
        await moved(bench, True)
    await bench.nothing(SET)
    await moved(bench, False)
    await bench.advance(60)

    assert not (await bench.next(SET))["on"]


async def test_a_colour_of_the_table_is_asked_for(bench: Bench) -> None:
    """Colour and brightness are said only where the table names them, and only to switch on."""
    await house(bench, rgb=[255, 120, 20], brightness=0.4, fade_on_s=0)
    await moved(bench, True)

    assert {"on": True, "fade_s": 0.0, "rgb": [255, 120, 20], "brightness": 0.4} == await bench.next(SET)


@pytest.mark.parametrize(("elevation", "lit"), [(5.0, False), (-2.9, False), (-3.1, True)])
async def test_only_in_the_dark_by_the_sun(bench: Bench, elevation: float, lit: bool) -> None:  # noqa: FBT001 - a table
    """The rule looks at the sun's elevation."""
    await bench.publish("sun/state", elevation=elevation, retain=True)
    await house(bench, sun_below=-3)
    await moved(bench, True)

    assert lit == bool([message for message in bench.hub.journal if message.topic == SET])


async def test_only_in_the_dark_by_a_sensor_elsewhere(bench: Bench) -> None:
    """The rule looks at a light sensor of another place; when it gets dark while somebody moves, the light goes on."""
    await bench.publish("sensor/porch/light", value=60, unit="%", retain=True)
    await house(bench, light_below=20, light_place="porch")
    await moved(bench, True)
    await bench.nothing(SET)
    await bench.publish("sensor/porch/light", value=10, unit="%", retain=True)
    await bench.advance(300)

    assert (await bench.next(SET))["on"]


def test_the_unknown_is_dark() -> None:
    """Without a reading, or with an old one, it is dark; one reading that says dark is enough."""
    dark = Dark(sun_below=0.0, light_below=10.0)

    assert dark.holds(at=0)

    dark.sun(30.0, at=0)

    assert not dark.holds(at=60)

    dark.light(5.0, at=0)

    assert dark.holds(at=60)
    assert dark.holds(at=10_000)


async def test_who_sets_the_light_by_hand_wins_for_a_while(bench: Bench) -> None:
    """After somebody's own request the rule neither lights nor puts out; later it is the rule's again."""
    await house(bench, override_s=600)
    await moved(bench, True)
    await bench.next(SET)
    await bench.request(SET, on=False)
    await bench.publish("light/stairs", on=False, retain=True)
    await moved(bench, False)
    await moved(bench, True)
    await bench.advance(599)
    await bench.nothing(SET)
    await bench.advance(1)

    assert (await bench.next(SET))["on"]


async def test_a_light_left_on_by_hand_goes_out_after_the_while(bench: Bench) -> None:
    """What somebody switched on stays on for `override_s`, and is then put out where nobody moves."""
    await house(bench, override_s=600)
    await bench.request(SET, on=True)
    await bench.publish("light/stairs", on=True, retain=True)
    await bench.advance(599)
    await bench.nothing(SET)
    await bench.advance(1)

    assert not (await bench.next(SET))["on"]


async def test_the_override_is_told(bench: Bench) -> None:
    """The retained state says who has the say, and until when."""
    await house(bench, override_s=600)

    assert {"mode": "off"} == await bench.next("motion_light/stairs")

    await bench.request(SET, on=True)

    assert {"mode": "manual", "until": "2026-01-01T12:10:00Z"} == await bench.next("motion_light/stairs")


async def again(bench: Bench) -> None:
    """Stop the services and start the rule once more, as a restart does."""
    bench._stop.set()
    await bench.settle()
    bench._stop.clear()
    await bench.run(MotionLight, "motion_light", rules={"stairs": {**STAIRS, "override_s": 600}})


async def test_a_light_that_was_lit_before_a_restart_still_goes_out(bench: Bench) -> None:
    """The hold time counts from the motion's end, not from the restart."""
    await house(bench)
    await moved(bench, True)
    await bench.next(SET)
    await moved(bench, False)
    await bench.advance(40)
    await again(bench)
    await bench.advance(19)
    await bench.nothing(SET)
    await bench.advance(1)

    assert not (await bench.next(SET))["on"]


async def test_an_override_survives_a_restart(bench: Bench) -> None:
    """A person's hand counts as long as if nothing had been restarted."""
    await house(bench, override_s=600)
    await bench.request(SET, on=False)
    await bench.publish("light/stairs", on=False, retain=True)
    await bench.advance(300)
    await again(bench)
    await moved(bench, True)
    await bench.advance(299)
    await bench.nothing(SET)
    await bench.advance(1)

    assert (await bench.next(SET))["on"]


async def test_a_restart_by_day_lights_nothing(bench: Bench) -> None:
    """Retained motion and a retained sun: the sun is looked at first."""
    await bench.publish("sensor/stairs/motion", value=True, retain=True)
    await bench.publish("sun/state", elevation=40.0, retain=True)
    await house(bench, sun_below=0)
    await bench.advance(600)

    await bench.nothing(SET)


async def test_a_motion_nobody_ended_is_over_after_an_hour(bench: Bench) -> None:
    """A sensor that died while somebody moved does not burn the light for ever."""
    await house(bench)
    await moved(bench, True)
    await bench.next(SET)
    await bench.advance(3599)
    await bench.nothing(SET)
    await bench.advance(1)

    assert not (await bench.next(SET))["on"]


async def test_a_light_that_does_not_answer_is_asked_again(bench: Bench) -> None:
    """Until its service is there; the newest wish, and only that."""
    await bench.run(MotionLight, "motion_light", rules={"stairs": STAIRS})
    await moved(bench, True)
    await moved(bench, False)
    await bench.advance(61)

    answers = iter([HandlerError("busy")])

    def answer(_: object) -> dict[str, Any]:
        for error in answers:
            raise error
        return {}

    await bench.serve(SET, answer)
    await bench.advance(90)
    asked = [message.body["on"] for message in bench.hub.journal if message.topic == SET]

    assert asked[-2:] == [False, False]
    assert True not in asked[-2:]


def test_a_table_with_faults_is_refused() -> None:
    """Every fault is told at once."""
    from hearthbus.config.schema import build

    with pytest.raises(Invalid) as caught:
        build(
            MotionLight.Config,
            {"rules": {"a b": {**STAIRS, "hold_s": -1, "rgb": [1, 2, 300]}}},
            within=MotionLight,
        )

    assert any("hold_s -1" in problem for problem in caught.value.problems)
    assert any("rgb" in problem for problem in caught.value.problems)


EVENTS = st.lists(
    st.tuples(st.floats(0, 4000), st.sampled_from(["move", "still", "hand", "on", "off", "tick"])), max_size=30
)


@given(EVENTS, st.booleans())
def test_the_light_never_burns_for_ever(events: list[tuple[float, str]], dark: bool) -> None:  # noqa: FBT001
    """Whatever happens, after enough quiet the rule has put out what it lit, and nothing is due at once for ever."""
    rule = Rule(hold_s=60, override_s=600)
    now = 0.0
    for wait, event in events:
        now += wait
        if event in {"move", "still"}:
            rule.motion(event == "move", at=now, dark=dark)
        elif event == "hand":
            rule.hand(at=now)
        elif event in {"on", "off"}:
            rule.light(event == "on")
        rule.tick(at=now, dark=dark)
        if rule.wanted is not None:
            rule.carried_out(rule.wanted)
    for _ in range(20):
        due = rule.due()
        if due is None:
            break
        now = max(now, due)
        rule.tick(at=now, dark=dark)
        if rule.wanted is not None:
            rule.carried_out(rule.wanted)

    assert rule.due() is None
    assert rule.mode is Mode.OFF


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
async def test_a_clock_that_is_set_changes_nothing(bench: Bench, jump: float) -> None:
    """Two hours more or less, as on a board without a clock of its own: the light burns as long as it was to."""
    await house(bench)
    await moved(bench, True)
    await bench.next(SET)
    await moved(bench, False)
    bench.clock.jump(jump)
    await bench.advance(55)
    await bench.nothing(SET)
    await bench.advance(5)

    assert {"on": False, "fade_s": 3.0} == await bench.next(SET)
