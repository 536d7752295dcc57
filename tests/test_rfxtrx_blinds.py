"""Blinds, shutters and raw signals: what is easily got wrong, each stated once."""

from __future__ import annotations

import pytest

from drivers.bits import CodecError
from drivers.rfxtrx import fans, rawrf, remotes
from drivers.rfxtrx.codec import decode, from_plain, to_plain
from drivers.rfxtrx.rawrf import Raw, split
from drivers.rfxtrx.shutters import tilt


def blind(**fields: object) -> bytes:
    """Return the frame of a command to a blind."""
    return from_plain({"packet": "blinds1", "id": 0x5A3C, **fields}).encode()


@pytest.mark.parametrize("subtype", [5, 8, 10])
def test_down_is_down_whatever_its_number(subtype: int) -> None:
    """T5, T8 and T10 go down with number 0, with which blinds of `open` and `close` open."""
    unit = {"unit": 1} if subtype == 8 else {}
    plain = {"packet": "blinds1", "subtype": subtype, "id": 0x5A3, **unit}

    assert 0 == from_plain({**plain, "command": "down"}).encode()[8]
    assert 1 == from_plain({**plain, "command": "up"}).encode()[8]


def test_a_blind_that_opens_and_closes_knows_no_down() -> None:
    """Or a program would send a number that does the opposite."""
    with pytest.raises(CodecError, match="'down' is not there; there is open, close, stop, confirm_pair"):
        blind(subtype=2, command="down")


def test_unit_0_is_all_blinds() -> None:
    """On the wire it is 16, and unit 1 is 0."""
    assert 0x10 == blind(subtype=3, unit=0, command="open")[7]
    assert 0x00 == blind(subtype=3, unit=1, command="open")[7]


def test_where_there_is_no_group_unit_0_is_refused() -> None:
    """The text names the units there are."""
    with pytest.raises(CodecError, match="unit 0 is not from 1 to 6"):
        from_plain({"packet": "blinds1", "subtype": 8, "id": 1, "unit": 0, "command": "up"}).encode()


def test_an_id_of_28_bits_shares_its_last_byte_with_the_unit() -> None:
    """The high nibble is the id's."""
    frame = from_plain({"packet": "blinds1", "subtype": 6, "id": 0xABCDEF1, "unit": 5, "command": "stop"}).encode()

    assert "abcdef15" == frame[4:8].hex()


def test_a_confirmation_of_t13_is_heard_as_either_number() -> None:
    """Peers disagree whether it is 2 or 3; 2 is sent."""
    heard = {vars(decode(bytes.fromhex(f"09190d00005a3c05{number:02x}00")))["command"] for number in (2, 3)}

    assert {"confirm_pair"} == heard
    assert 2 == blind(subtype=13, unit=5, command="confirm_pair")[8]


@pytest.mark.parametrize("frame", ["081a00000a00010103", "0c1a00000a0001010300000000"])
def test_an_old_short_rfy_is_read_and_the_long_one_sent(frame: str) -> None:
    """Sticks stopped taking the short one."""
    old = decode(bytes.fromhex(frame))
    again = from_plain({"packet": "rfy", "subtype": 0, "id": "0x0A0001", "unit": 1, "command": vars(old)["command"]})

    assert "0c1a00000a0001010300000000" == again.encode().hex()


def test_an_rfy_command_is_not_left_out() -> None:
    """A frame without one was legal once, and says nothing."""
    with pytest.raises(CodecError, match="needs command"):
        from_plain({"packet": "rfy", "subtype": 0, "id": 1, "unit": 1}).encode()


def test_asa_has_no_slats() -> None:
    """RFY has, and its mode says which press tilts them."""
    assert ("up_05s", "up_2s") == tuple(tilt(subtype=0, what="more", mode=mode) for mode in ("EU", "US"))
    with pytest.raises(CodecError, match="ASA has no venetian blinds"):
        tilt(subtype=3, what="more", mode="EU")


@pytest.mark.parametrize(("count", "parts"), [(2, [2]), (124, [124]), (126, [124, 2]), (496, [124, 124, 124, 124])])
def test_a_signal_is_cut_into_parts_of_124(count: int, parts: list[int]) -> None:
    """Only the last part says how often to send it all; each has its own number."""
    made = split([350] * count, repeats=7)

    assert parts == [len(each.pulses) for each in made]
    assert [*[0] * (len(parts) - 1), 7] == [each.repeats for each in made]
    assert [(number, number) for number in range(len(parts))] == [(each.subtype, each.sequence) for each in made]


def test_parts_joined_are_the_signal() -> None:
    """What was split decodes to the same pulses."""
    pulses = tuple(range(1, 131))
    frames = [each.encode() for each in split(pulses)]
    heard = [each for frame in frames if isinstance(each := decode(frame), Raw)]

    assert pulses == tuple(pulse for each in heard for pulse in each.pulses)


@pytest.mark.parametrize(
    ("pulses", "repeats", "why"),
    [
        ([], 5, "0 lengths"),
        ([350], 5, "1 lengths; each pulse needs the pause after it"),
        ([350] * 498, 5, "498 lengths; a stick takes 496"),
        ([350, 0], 5, "0 microseconds"),
        ([350, 65536], 5, "65536 microseconds"),
        ([350, 350], 0, "0 repeats are not from 1 to 10"),
        ([350, 350], 11, "11 repeats are not from 1 to 10"),
    ],
)
def test_what_no_stick_takes_is_refused(pulses: list[int], repeats: int, why: str) -> None:
    """And the text says which limit it is."""
    with pytest.raises(CodecError, match=why):
        split(pulses, repeats=repeats)


def test_half_a_pulse_is_not_sent() -> None:
    """Bytes from a recording that was cut off."""
    with pytest.raises(CodecError, match=f"not an even number from 2 to {rawrf.IN_ONE}"):
        Raw(subtype=0, repeats=1, payload=b"\x01\x5e\x03").encode()


def test_seav_switches_are_the_id() -> None:
    """As they are set: the jumper, two switches, ten switches, the remote's number."""
    key = fans.seav(jumper=0, switches_2="10", switches_1="0010110101", remote=5)
    frame = from_plain({"packet": "fan", "subtype": 3, "id": key, "command": "t4"}).encode()

    assert "4016a5" == frame[4:7].hex()


@pytest.mark.parametrize(("seconds", "number"), [(0, 0), (0.75, 0), (1, 1), (5, 0x11), (12, 0x2D)])
def test_a_long_press_is_counted_in_quarter_seconds(seconds: float, number: int) -> None:
    """From three quarters on."""
    assert number == remotes.press(seconds)


def test_nobody_holds_a_button_for_13_seconds() -> None:
    """Funkbus ends at 12."""
    with pytest.raises(CodecError, match="from 0 to 12 seconds, not 13"):
        remotes.press(13)


@pytest.mark.parametrize(("frame", "ending"), [
    ("111c00001a2b3c4d0201000000000501" + "1d06", ("battery_volts", 2.9)),
    ("101c00001a2b3c4d0201000000000501" + "69", ("battery_level", 9)),
])  # fmt: skip
def test_the_length_tells_which_end_an_edisio_frame_has(frame: str, ending: tuple[str, object]) -> None:
    """One firmware gives volts, another battery and signal in one byte; both are -72 dBm."""
    plain = to_plain(decode(bytes.fromhex(frame)))

    assert (*ending, -72) == (ending[0], plain[ending[0]], plain["rssi_dbm"])


def test_noise_is_no_house() -> None:
    """A letter from A to P, or it is an error and no packet."""
    with pytest.raises(CodecError, match="house 81 is none of A, B"):
        decode(bytes.fromhex("06280000510180"))


def test_an_x10_id_has_no_check_byte() -> None:
    """Else one sensor would be two."""
    ids = {to_plain(decode(bytes.fromhex(f"082000005a{check}3c0059")))["id"] for check in ("a5", "00")}

    assert {"0x5A3C"} == ids


def test_a_tampered_sensor_still_tells_its_status() -> None:
    """The highest bit of the status is a fact of its own."""
    plain = to_plain(decode(bytes.fromhex("08200400 5a3c1e 82 59")))

    assert ("alarm", True) == (plain["status"], plain["tamper"])


@pytest.mark.parametrize(
    ("packet", "subtype", "command", "number"),
    [
        ("fan", 10, "join", 9),
        ("fan", 10, "newer_join", 8),
        ("thermostat3", 1, "2nd_on", 5),
        ("thermostat3", 1, "newer_2nd_on", 8),
    ],
)
def test_numbers_that_changed_with_the_firmware_have_a_name_each(
    packet: str, subtype: int, command: str, number: int
) -> None:
    """Nothing tells which a stick has; who owns it tries."""
    frame = from_plain({"packet": packet, "subtype": subtype, "id": 1, "command": command}).encode()

    assert number == frame[7]
