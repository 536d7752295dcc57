"""Which RFXtrx devices are known, and what of them is kept: strangers, batteries, restarts, bounds."""

from __future__ import annotations

from typing import Any

import pytest
from rfxtrx_ear import DESK, NOON, Ear, bodies, table

from services.rfxtrx.known import WRITE_S
from services.rfxtrx.registry import MOST_UNNAMED, SILENT_S
from services.rfxtrx.roster import Roster


def test_a_stranger_is_listed_when_it_was_heard_thrice() -> None:
    """Noise looks like a device once; the text says how to name one."""
    ear = Ear()
    heard = [ear.desk(after=60 * turn) for turn in range(3)]

    assert [["radio/rfxtrx/raw"]] * 2 == [[say.topic for say in found.says] for found in heard[:2]]
    assert f"rfxtrx/devices/{DESK}" in bodies(heard[2].says)
    assert 3 == bodies(heard[2].says)[f"rfxtrx/devices/{DESK}"]["heard"]
    assert f'id = "{DESK}"' in bodies(heard[2].says)["radio/rfxtrx/unknown"]["reason"]


def test_three_times_in_a_year_is_no_device() -> None:
    """They must be within the time that is set."""
    ear = Ear(heard_within_s=3600)
    heard = [ear.desk(after=3000 * turn) for turn in range(6)]

    assert not any("rfxtrx/devices" in say.topic for found in heard for say in found.says)


def test_a_stranger_s_readings_are_nobody_s() -> None:
    """Nothing is published of a neighbour's thermometer but that it is there."""
    ear = Ear(heard_times=1)
    found = ear.hear("temperature", 1, id="0x2F00", celsius=20.0)

    assert {"radio/rfxtrx/raw", "rfxtrx/devices/temperature.temp1.2f00", "radio/rfxtrx/unknown"} == set(
        bodies(found.says)
    )


def test_rain_goes_on_after_a_restart_and_a_new_battery() -> None:
    """A total that begins at zero again is no rain that went away."""
    ear = Ear({"roof": {"id": "rain.rain3.1234"}})
    ear.hear("rain", 3, id="0x1234", mm=100.0)
    late = Ear({"roof": {"id": "rain.rain3.1234"}})
    late.roster = ear.again(at=NOON)
    first = late.hear("rain", 3, after=60, id="0x1234", mm=101.5)
    reset = late.hear("rain", 3, after=120, id="0x1234", mm=0.3)
    then = late.hear("rain", 3, after=180, id="0x1234", mm=0.8)

    assert [101.5, 101.5, 102.0] == [bodies(each.says)["sensor/roof/rain"]["value"] for each in (first, reset, then)]


def test_a_low_battery_is_an_alert_once() -> None:
    """It goes when the battery is changed; a nibble of two states is no percentage."""
    ear = Ear({"hall": {"id": "temperature.temp1.2f00"}})
    heard = [
        ear.hear("temperature", 1, after=60 * at, id="0x2F00", celsius=20.0, battery_level=level)
        for at, level in enumerate((9, 0, 0, 9))
    ]
    alerts = [bodies(found.says, "alert/").get("alert/battery-hall") for found in heard]

    assert [None, True, None, False] == [alert and alert["active"] for alert in alerts]
    assert [1.0, 0.1, 0.1, 1.0] == [bodies(found.says)["sensor/hall/battery"]["value"] for found in heard]
    assert "hall: its battery is low (temperature.temp1.2f00)" == (alerts[1] or {})["message"]


def test_a_sensor_that_says_its_battery_is_low_in_words() -> None:
    """Of the alarm systems some have a state for it, and no nibble."""
    ear = Ear({"door": {"id": "security1.powercode-door.0a1b2c"}})
    found = ear.hear("security1", 4, id="0x0A1B2C", status="battery_low", battery_level=0)

    assert bodies(found.says)["alert/battery-door"]["active"]


def test_a_new_battery_ends_the_alert_of_the_old() -> None:
    """The name goes to the new id, and with it what was said of the battery."""
    ear = Ear(heard_times=1)
    ear.hear("temperature", 1, id="0x2E00", celsius=20.0)
    ear.roster.registry.name("temperature.temp1.2e00", "hall", at=NOON)
    ear.hear("temperature", 1, after=60, id="0x2E00", celsius=20.5, battery_level=0)
    ear.roster.registry.replace("hall", "temperature.temp1.2f00", at=NOON)
    found = ear.hear("temperature", 1, after=120, id="0x2F00", celsius=20.0, battery_level=9)

    assert bodies(found.says)["alert/battery-hall"]["active"] is False


def test_what_is_known_of_a_device_survives_a_restart() -> None:
    """Its message is read back as it was told."""
    ear = Ear({"hall": {"id": "temperature.temp1.2f00"}}, heard_times=1)
    ear.hear("temperature", 1, id="0x2F00", celsius=20.0, rssi_dbm=-72, battery_level=0)
    ear.desk()
    ear.roster.registry.name(DESK, "desk", kind="light", at=NOON)
    late = ear.again(at=NOON)

    assert [each.body() for each in ear.roster.registry.all()] == [each.body() for each in late.registry.all()]


@pytest.mark.parametrize("body", [{}, {"device": 5}, {"device": "x"}, {"device": DESK, "heard": "many", "hex": "zz"}])
def test_what_makes_no_sense_is_not_taken_up(body: dict[str, Any]) -> None:
    """A damaged message costs nothing but itself."""
    roster = Roster(table())
    roster.registry.restore(body, at=NOON)

    assert all(known.heard == 0 for known in roster.registry.all())


def test_a_device_s_message_is_written_once_a_minute() -> None:
    """A memory card wears out; what was held back is told when its time has come, and not for ever."""
    ear = Ear({"desk": {"id": DESK}})
    told = [f"rfxtrx/devices/{DESK}" in bodies(ear.desk(after=at).says) for at in (0, 20, 40, 70)]

    assert [True, False, False, True] == told

    ear.desk(after=90)

    assert [] == ear.roster.look(at=NOON + 129)
    assert NOON + 70 + WRITE_S == ear.roster.due()
    assert 5 == bodies(ear.roster.look(at=NOON + 130))[f"rfxtrx/devices/{DESK}"]["heard"]
    assert ear.roster.due() is None


def test_devices_without_a_name_are_bounded() -> None:
    """The one that was silent longest makes room, and is counted; named ones stay."""
    ear = Ear({"desk": {"id": DESK}}, heard_times=1)
    ear.desk()
    for number in range(MOST_UNNAMED + 5):
        late = SILENT_S if number >= MOST_UNNAMED else 0.0
        last = ear.hear("temperature", 1, after=late + number + 1, id=number + 1, celsius=20.0)

    assert MOST_UNNAMED + 1 == len(ear.roster.registry.all())
    assert 5 == ear.roster.registry.forgotten
    assert {} == bodies(last.says)["rfxtrx/devices/temperature.temp1.0005"]
    assert ear.roster.registry.find(DESK)


def test_more_devices_than_can_be_remembered() -> None:
    """Six hundred that speak each minute do not push each other out, and cost no more writes than there is room for."""
    ear = Ear(heard_times=1)
    written = 0
    for minute in range(10):
        for number in range(600):
            found = ear.hear("temperature", 1, after=61.0 * minute + number / 20, id=number + 1, celsius=20.0 + minute)
            written += sum(say.retain for say in found.says)

    assert MOST_UNNAMED == len(ear.roster.registry.all())
    assert written <= 10 * MOST_UNNAMED
    assert 10 * 100 == ear.roster.registry.forgotten
