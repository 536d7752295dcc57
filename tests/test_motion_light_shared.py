"""Several motion rules on one light."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.motion_light import MotionLight

if TYPE_CHECKING:
    from hearthbus.testing import Bench

SET = "light/stairs/set"


async def test_two_rules_share_a_light(bench: Bench) -> None:
    """While somebody moves at either place the light stays on; it goes out when nobody does at both."""
    await bench.serve(SET, {"on": True})
    rules = {place: {"place": place, "light": "stairs", "hold_s": 60} for place in ("stairs", "landing")}
    await bench.run(MotionLight, "motion_light", rules=rules)
    await bench.publish("sensor/stairs/motion", value=True, retain=True)

    assert (await bench.next(SET))["on"]

    await bench.publish("light/stairs", on=True, retain=True)
    await bench.publish("sensor/landing/motion", value=True, retain=True)

    assert (await bench.next(SET))["on"]

    await bench.publish("sensor/stairs/motion", value=False, retain=True)
    await bench.advance(120)
    await bench.nothing(SET)
    await bench.publish("sensor/landing/motion", value=False, retain=True)
    await bench.advance(60)

    assert not (await bench.next(SET))["on"]
