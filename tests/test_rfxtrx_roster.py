"""From frames heard to what is published: readings, states, repeats, off-delays, rain; no frame is too odd."""

from __future__ import annotations

from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from rfxtrx_ear import DESK, NOON, Ear, bodies, table
from test_topics_page import faults, message_of

from drivers.rfxtrx import codec
from services.rfxtrx.roster import REPEAT_S, Roster
from services.rfxtrx.settings import OFF_DELAY_S


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

    assert ("0b110000000abcde05010f80", -56) == (body["hex"], body["rssi_dbm"])
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


def test_unit_0_is_all_of_them_where_it_is_no_unit_of_its_own() -> None:
    """A remote's button for all blinds moves all; unit 0 of a family that counts from 0 is one blind."""
    ear = Ear(
        {
            "left": {"id": "blinds1.blinds-t3.123456.1"},
            "right": {"id": "blinds1.blinds-t3.123456.2"},
            "attic": {"id": "blinds1.blinds-t0.1234.0"},
            "cellar": {"id": "blinds1.blinds-t0.1234.1"},
        }
    )
    every = ear.hear("blinds1", 3, id="0x123456", unit=0, command="close")
    one = ear.hear("blinds1", 0, id="0x1234", unit=0, command="close")

    assert {"cover/left", "cover/right"} == set(bodies(every.says, "cover/"))
    assert {"cover/attic"} == set(bodies(one.says, "cover/"))


def test_repeats_of_one_telegram_are_one_press() -> None:
    """A remote says it five times; each is on `raw`, the first alone means something; a later press does again."""
    ear = Ear({"wall": {"id": DESK, "kind": "remote"}})
    heard = [ear.desk(after=at, sequence=at_, rssi_dbm=-56 - 8 * at_) for at_, at in enumerate((0, 0.2, 0.4, 0.6))]

    assert [1, 0, 0, 0] == [len(bodies(found.says, "remote/")) for found in heard]
    assert [False, True, True, True] == [found.repeated for found in heard]
    assert all(bodies(found.says, "radio/rfxtrx/raw") for found in heard)
    assert {"button": "on", "action": "press"} == ear.desk(after=0.6 + REPEAT_S).says[1].body


def test_what_cannot_be_is_noise() -> None:
    """A temperature of 400 degrees is told as it was heard, and means nothing."""
    found = Ear({"hall": {"id": "temperature.temp1.2f00"}}).hear("temperature", 1, id="0x2F00", celsius=401.0)

    assert ["radio/rfxtrx/raw"] == [say.topic for say in found.says]
    assert "temperature.temp1.2f00: temperature 401 is not from" in found.fault


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


def test_data_bits_of_a_code_are_no_part_of_its_address() -> None:
    """A PT2262 of a table is one device, whatever it says; another mask's is another."""
    gate = {"id": "lighting4.pt2262.515500", "kind": "contact", "data_mask": 0xFF, "on_value": 0x51, "off_value": 0x54}
    ear = Ear({"gate": gate, "fob": {"id": "lighting4.pt2262.aaaaa0", "data_mask": 0xF}})
    told = [
        {say.topic: say.body.get("value", say.body.get("button")) for say in found.says if "radio" not in say.topic}
        for found in (
            ear.hear("lighting4", code=code, after=at * 10.0)
            for at, code in enumerate(("0x515551", "0x515554", "0x515500", "0xAAAAA5", "0xAAAAB5"))
        )
    ]

    assert [
        {"sensor/gate/contact": True},
        {"sensor/gate/contact": False},
        {"remote/gate": "0"},
        {"remote/fob": "5"},
        {},
    ] == [{topic: value for topic, value in each.items() if not topic.startswith("rfxtrx/")} for each in told]
    assert ["fob", "gate"] == sorted(known.name for known in ear.roster.registry.all())


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
