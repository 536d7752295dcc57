"""RFXtrx packets as plain objects: what people read and write of them, and what is wrong with one."""

from typing import Any

import pytest

from drivers.bits import CodecError
from drivers.rfxtrx.codec import decode, from_plain, to_plain


@pytest.mark.parametrize(
    ("plain", "told"),
    [
        ({"packet": "lightning2"}, r"there is no packet 'lightning2'; did you mean '"),
        ({"packet": "lighting2", "id": 1, "unit": 1, "comand": "on"}, "has no field 'comand'; did you mean 'command'?"),
        ({"packet": "lighting2", "id": 1, "unit": 1}, "lighting2 needs command"),
        ({"packet": "lighting2", "id": "x", "unit": 1, "command": "on"}, "id is 'x'; write a number, such as 3"),
        ({"packet": "lighting2", "id": 1, "unit": 17, "command": "on"}, "unit 17 is not from 1 to 16"),
        (
            {"packet": "lighting2", "id": 1, "unit": 1, "command": "jump"},
            "'jump' is not there; there is off, on",
        ),
        ({"packet": "lighting2", "id": 0, "unit": 1, "command": "on"}, "id: 0 is not from 1 to 0x3ffffff"),
        ({"packet": "lighting2", "id": 1, "unit": 2, "command": "group_on"}, "group_on goes to unit 1, not 2"),
        (
            {"packet": "lighting2", "subtype": 9, "id": 1, "unit": 2, "command": "on"},
            "lighting2 has no subtype 9",
        ),
        ({}, "there is no packet None"),
    ],
)
def test_a_wrong_plain_object_names_what_is_wrong(plain: dict[str, Any], told: str) -> None:
    """The field, its limit, and the nearest name."""
    with pytest.raises(CodecError) as refusal:
        from_plain(plain).encode()

    assert told in str(refusal.value)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ("0716000000ff0d30", {"tune": "tubular_3_notes"}),
        ("0716000000ff0c30", {}),
        ("0b1e00401234420301230280", {"held_seconds": 9.5}),
        ("0d010001025345000001000100" + "1c", {"firmware": 69, "firmware_kind": "type1", "protocols": ["x10"]}),
        ("15600300288a70a41234567812345678011e075a7479", {"meter_number": "021761684196"}),
        ("08620101" + b"/KFM5".hex(), {"text": "/KFM5"}),
        ("087f000003015e0384", {"pulses_us": [350, 900]}),
    ],
)
def test_what_follows_from_the_fields_is_shown_beside_them(frame: str, told: dict[str, Any]) -> None:
    """The same object goes back to bytes."""
    plain = to_plain(decode(bytes.fromhex(frame)))

    assert told == {name: plain[name] for name in plain.keys() & {*told, "tune"}}
    assert from_plain(plain) == decode(bytes.fromhex(frame))


@pytest.mark.parametrize("press", [{"press": 35}, {}])
def test_what_follows_from_other_fields_is_not_taken_for_one(press: dict[str, int]) -> None:
    """Who writes it must not find that it was passed over."""
    plain = {"packet": "funkbus", "id": 1, "group": "A", "unit": 1, "command": "channel_up", "held_seconds": 2, **press}

    with pytest.raises(CodecError, match=r"funkbus: held_seconds follows from the other fields: (9\.5|None); leave it"):
        from_plain(plain)


@pytest.mark.parametrize(
    ("plain", "name"),
    [
        ({"packet": "lighting5", "subtype": 0x0A, "id": 1, "unit": 1, "command": "dim_room_1"}, "toggle_3"),
        ({"packet": "fan", "subtype": 0x0A, "id": 1, "command": "away"}, "standby"),
    ],
)
def test_another_firmware_s_word_is_the_name_of_its_number(plain: dict[str, Any], name: str) -> None:
    """From the moment that it is read: what is sent and what comes back are the same."""
    packet = from_plain(plain)

    assert (name, packet) == (vars(packet)["command"], decode(packet.encode()))


@pytest.mark.parametrize(
    "frame", ["0a140a0000123401030000", "0820004dd3dc540000", "081708014712090260", "0816020203ffff0020"]
)
def test_a_plain_object_keeps_what_is_noise_to_most(frame: str) -> None:
    """A unit that a command does not go by, the check in an X10 id, what stands before jumpers, a longer form."""
    assert frame == from_plain(to_plain(decode(bytes.fromhex(frame)))).encode().hex()


@pytest.mark.parametrize(
    ("plain", "level"),
    [
        ({"packet": "lighting2", "command": "on"}, 15),
        ({"packet": "lighting2", "command": "off"}, 0),
        ({"packet": "lighting2", "command": "on", "level": 3}, 3),
        ({"packet": "lighting2", "subtype": 3, "house": "A", "command": "on"}, 15),
        ({"packet": "lighting5", "command": "mood_2"}, 31),
        ({"packet": "lighting5", "subtype": 6, "command": "colour_17"}, 17),
        ({"packet": "lighting5", "command": "lock"}, 0),
    ],
)
def test_a_command_has_its_usual_level(plain: dict[str, Any], level: int) -> None:
    """Where none is said: as remotes send it."""
    packet = from_plain({"id": 1, "unit": 1, **plain})

    assert (level, packet) == (vars(packet)["level"], decode(packet.encode()))
