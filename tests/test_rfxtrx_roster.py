"""From frames heard to what is published: repeats, strangers, names, off-delays, rain, batteries, restarts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from rfxtrx_bench import packet
from test_topics_page import faults, message_of

from drivers.rfxtrx import codec
from hearthbus.config.schema import build
from services.rfxtrx.known import WRITE_S, Say
from services.rfxtrx.registry import MOST_UNNAMED
from services.rfxtrx.roster import REPEAT_S, Found, Roster
from services.rfxtrx.settings import OFF_DELAY_S, Settings

NOON = 1_767_268_800.0
DESK = "lighting2.ac.00abcde.5"


def table(**config: Any) -> Settings:
    """Return a table, checked as a file's is."""
    return build(Settings, {"port": "/dev/nowhere", **config})


class Ear:
    """A roster, and the air it listens to."""

    def __init__(self, devices: dict[str, Any] | None = None, **config: Any) -> None:
        self.settings = table(devices=devices or {}, **config)
        self.roster = Roster(self.settings)

    def hear(self, name: str, subtype: int = 0, *, after: float = 0.0, **fields: Any) -> Found:
        """Hear a packet, so many seconds after noon."""
        return self.roster.hear(packet(name, subtype, **fields), at=NOON + after, ticks=after)

    def desk(self, command: str = "on", *, after: float = 0.0, unit: int = 5, **fields: Any) -> Found:
        """Hear a wall switch."""
        return self.hear("lighting2", after=after, id="0xABCDE", unit=unit, command=command, **fields)

    def again(self, *, at: float) -> Roster:
        """Return a new roster, which has what this one's devices have left."""
        late = Roster(self.settings)
        for known in self.roster.registry.all():
            late.registry.restore(known.body(), at=at)
        return late


def bodies(says: list[Say], kind: str = "") -> dict[str, dict[str, Any]]:
    """Return what is to be published on topics of one kind."""
    return {say.topic: say.body for say in says if say.topic.startswith(kind)}


def test_a_named_sensor_s_readings_are_published_where_it_is() -> None:
    """Each quantity in its unit, with the device and its signal; a device with a name counts from the first time."""
    ear = Ear({"balcony": {"id": "temperature_humidity.th1.2f00", "place": "outside"}})
    found = ear.hear(
        "temperature_humidity", 1, id="0x2F00", celsius=-3.5, percent=81, humidity_status="wet", rssi_dbm=-64,
        battery_level=9,
    )  # fmt: skip
    device = {"device": "temperature_humidity.th1.2f00", "rssi_dbm": -64}

    assert {
        "sensor/outside/temperature": {"value": -3.5, "unit": "°C", **device},
        "sensor/outside/humidity": {"value": 81, "unit": "%", **device},
        "sensor/outside/battery": {"value": 1.0, **device},
    } == bodies(found.says, "sensor/")


def test_every_frame_is_told_as_it_is() -> None:
    """Its bytes, its fields by name, its signal."""
    body = bodies(Ear().desk(rssi_dbm=-56).says)["radio/rfxtrx/raw"]

    assert ("0b110000000abcde05010080", -56) == (body["hex"], body["rssi_dbm"])
    assert ("lighting2", "0x00ABCDE", "on") == tuple(body["fields"][key] for key in ("packet", "id", "command"))


def test_a_light_that_is_switched_by_its_remote_is_on_and_not_confirmed() -> None:
    """The stick has heard the remote, and nobody has heard the light."""
    found = Ear({"desk": {"id": DESK, "kind": "light"}}).desk("set_level", level=7)

    assert {"light/desk": {"on": True, "brightness": 0.5, "confirmed": False}} == bodies(found.says, "light/")


def test_a_group_command_switches_every_unit_of_its_id() -> None:
    """And no other id's."""
    ear = Ear(
        {
            "desk": {"id": DESK},
            "lamp": {"id": "lighting2.ac.00abcde.6"},
            "hall": {"id": "lighting2.ac.00abcdf.5"},
        }
    )
    found = ear.desk("group_off", unit=1)

    assert {"switch/desk", "switch/lamp"} == set(bodies(found.says, "switch/"))


def test_repeats_of_one_telegram_are_one_press() -> None:
    """A remote says it five times; each is on `raw`, the first alone means something; a later press does again."""
    ear = Ear({"wall": {"id": DESK, "kind": "remote"}})
    heard = [ear.desk(after=at, sequence=at_, rssi_dbm=-56 - 8 * at_) for at_, at in enumerate((0, 0.2, 0.4, 0.6))]

    assert [1, 0, 0, 0] == [len(bodies(found.says, "remote/")) for found in heard]
    assert [False, True, True, True] == [found.repeated for found in heard]
    assert all(bodies(found.says, "radio/rfxtrx/raw") for found in heard)
    assert {"button": "on", "action": "press"} == ear.desk(after=0.6 + REPEAT_S).says[1].body


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


def test_what_cannot_be_is_noise() -> None:
    """A temperature of 400 degrees is told as it was heard, and means nothing."""
    found = Ear({"hall": {"id": "temperature.temp1.2f00"}}).hear("temperature", 1, id="0x2F00", celsius=401.0)

    assert ["radio/rfxtrx/raw"] == [say.topic for say in found.says]
    assert "temperature.temp1.2f00: celsius 401.0 is not from" in found.fault


def test_a_frame_that_cannot_be_read_is_told_when_it_comes_again() -> None:
    """One is noise; three are a device somebody may want to look at."""
    ear = Ear()
    heard = [ear.roster.hear(bytes.fromhex("0550010012ff"), at=NOON, ticks=turn * 60.0) for turn in range(3)]

    assert [1, 1, 2] == [len(found.says) for found in heard]
    assert all(found.fault for found in heard)


def test_a_type_nobody_knows_is_told_when_it_comes_again() -> None:
    """With its bytes, for whoever does know."""
    ear = Ear()
    heard = [ear.roster.hear(bytes.fromhex("05fe01001234"), at=NOON, ticks=turn * 60.0) for turn in range(3)]

    assert [1, 1, 2] == [len(found.says) for found in heard]
    assert "type 0xfe, subtype 0x01" in heard[2].says[1].body["reason"]


def test_motion_is_over_when_nobody_has_said_so_for_long() -> None:
    """The time counts from the last movement; a sensor that says so itself comes first."""
    ear = Ear({"hall": {"id": DESK, "kind": "motion", "off_delay_s": 60}})
    ear.desk()
    ear.desk(after=40)

    assert [] == [say for say in ear.roster.look(at=NOON + 99) if say.topic.startswith("sensor/")]
    assert {"sensor/hall/motion": {"value": False, "device": DESK}} == bodies(ear.roster.look(at=NOON + 100), "sensor/")

    ear.desk(after=200)
    ear.desk("off", after=210)

    assert {} == bodies(ear.roster.look(at=NOON + 1000), "sensor/")


def test_motion_has_an_end_unless_it_is_said_otherwise() -> None:
    """Most sensors never say off; a contact stays open for as long as it is."""
    ear = Ear({"hall": {"id": DESK, "kind": "motion"}, "door": {"id": "lighting2.ac.00abcde.6", "kind": "contact"}})
    ear.desk()
    ear.desk(unit=6)

    assert {"sensor/hall/motion"} == set(bodies(ear.roster.look(at=NOON + OFF_DELAY_S), "sensor/"))
    assert {} == bodies(ear.roster.look(at=NOON + 1e6), "sensor/")


def test_an_off_delay_runs_on_through_a_restart() -> None:
    """What the retained reading says, and how old it is, is all that is needed."""
    ear = Ear({"hall": {"id": DESK, "kind": "motion", "off_delay_s": 60}})
    ear.roster.restore_state("sensor/hall/motion", {"value": True}, at=NOON)

    assert {} == bodies(ear.roster.look(at=NOON + 59))
    assert {"sensor/hall/motion"} == set(bodies(ear.roster.look(at=NOON + 61)))


def test_a_switch_can_go_off_by_itself() -> None:
    """An off-delay is for whatever can be on."""
    ear = Ear({"bell": {"id": DESK, "kind": "switch", "off_delay_s": 5}})
    ear.desk()

    assert {"switch/bell": {"on": False, "confirmed": False}} == bodies(ear.roster.look(at=NOON + 5))


def test_a_clock_that_is_set_ends_no_motion() -> None:
    """What was noted moves along with the clock."""
    ear = Ear({"hall": {"id": DESK, "kind": "motion", "off_delay_s": 60}})
    ear.desk()
    ear.roster.shift(7200)

    assert {} == bodies(ear.roster.look(at=NOON + 7259), "sensor/")
    assert {"sensor/hall/motion"} == set(bodies(ear.roster.look(at=NOON + 7260), "sensor/"))


def test_rain_of_a_counter_adds_up_when_it_begins_again() -> None:
    """The first packet is where counting begins; a Davis with an inch cartridge says so in its table."""
    ear = Ear({"roof": {"id": "rain.rain8.1234", "mm_per_count": 0.254}})
    told = [
        bodies(ear.hear("rain", 8, after=60 * at, id="0x1234", counter_mm=count * 0.2).says)["sensor/roof/rain"]
        for at, count in enumerate((250, 255, 2))
    ]

    assert [0.0, 1.27, 2.032] == [body["value"] for body in told]
    assert [None, 1.27, 0.762] == [body.get("delta") for body in told]


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
        last = ear.hear("temperature", 1, after=number + 1, id=number + 1, celsius=20.0)

    assert MOST_UNNAMED + 1 == len(ear.roster.registry.all())
    assert 5 == ear.roster.registry.forgotten
    assert {} == bodies(last.says)["rfxtrx/devices/temperature.temp1.0005"]
    assert ear.roster.registry.find(DESK)


def test_messages_are_as_the_page_says() -> None:
    """Every kind of device, against docs/topics.md."""
    kinds = ("light", "switch", "cover", "motion", "contact", "smoke", "water", "remote", "chime", "siren")
    ear = Ear({kind: {"id": f"lighting2.ac.00abcde.{at + 1}", "kind": kind} for at, kind in enumerate(kinds)})
    says = [say for at in range(len(kinds)) for say in ear.desk(unit=at + 1).says]
    says += [say for at in range(len(kinds)) for say in ear.desk("off", unit=at + 1, after=5).says]

    assert 11 <= len({say.topic for say in says})
    assert [] == [fault for say in says for fault in faults(message_of(say.topic, retain=say.retain, body=say.body))]


KINDS = sorted((each.kind, subtype, shape.size) for each in codec.PACKETS for subtype, shape in each.shapes.items())
FRAMES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(KINDS).flatmap(
        lambda kind: st.binary(min_size=kind[2] - 4, max_size=kind[2] - 4).map(
            lambda rest: bytes((kind[2] - 1, kind[0], kind[1], 0)) + rest
        )
    ),
)


@given(st.lists(FRAMES, max_size=8))
@hypothesis(max_examples=300, deadline=None)
def test_no_frame_makes_it_raise(frames: list[bytes]) -> None:
    """Whatever the air brings is told, named or not, and every message is as docs/topics.md says."""
    roster = Roster(table(heard_times=1))
    for at, frame in enumerate(frames):
        found = roster.hear(frame, at=NOON + at, ticks=at * 2.0)
        if found.device:
            roster.registry.name(found.device, f"place-{at}", at=NOON)
            found = roster.hear(frame, at=NOON + at, ticks=at * 2.0 + REPEAT_S)
        bad = [fault for say in found.says for fault in faults(message_of(say.topic, retain=say.retain, body=say.body))]

        assert not bad
