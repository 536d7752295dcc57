"""What a device is called: from its packets to a key and back, for every packet there is."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rfxtrx_bench import packet

from drivers.bits import CodecError
from drivers.rfxtrx import codec
from hearthbus import Invalid
from hearthbus.topics import check_topic
from services.rfxtrx import naming

KINDS = sorted((each.kind, subtype) for each in codec.PACKETS for subtype in each.shapes)


def test_a_key_says_packet_subtype_and_address() -> None:
    """Ids are in hex with all their digits, units as people count them."""
    assert "lighting2.ac.00abcde.5" == naming.key(packet("lighting2", id="0xABCDE", unit=5, command="on"))
    assert "temperature.temp1.2f00" == naming.key(packet("temperature", 1, id="0x2F00", celsius=20.0))
    assert "lighting2.homeeasy-eu.00abcde.16" == naming.key(
        packet("lighting2", 1, id="0xABCDE", unit=16, command="off")
    )


def test_what_it_says_is_no_part_of_its_key() -> None:
    """On and off, a level and a signal are the same device."""
    keys = {
        naming.key(packet("lighting2", id=1, unit=2, command=command, level=level, rssi_dbm=rssi))
        for command, level, rssi in (("on", 0, -120), ("off", 3, -80), ("set_level", 9, -56))
    }

    assert {"lighting2.ac.0000001.2"} == keys


def test_a_stick_s_own_messages_are_no_device() -> None:
    """Nor is what it could not decode."""
    assert "" == naming.key(packet("transmitter_response", 1, response="ack"))
    assert "" == naming.key(codec.decode(bytes.fromhex("04fe000100")))


def test_zeros_before_an_id_and_upper_case_do_not_matter() -> None:
    """A person types what a table shows, or what is on a sticker."""
    assert "lighting2.ac.00abcde.5" == naming.read("Lighting2.AC.ABCDE.5").key


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("ligting2.ac.1.1", "'ligting2' is no packet; did you mean 'lighting2'?"),
        ("lighting2.ax.1.1", "lighting2 has no 'ax'"),
        ("lighting2", "lighting2 has no ''"),
        ("lighting2.ac.1", "write it as lighting2.ac.<id>.<unit>"),
        ("lighting2.ac.1.2.3", "write it as lighting2.ac.<id>.<unit>"),
        ("lighting2.ac.xyz.1", "id 'xyz' is no hex number"),
        ("lighting2.ac.fffffffff.1", "id 'fffffffff' is not from 0 to fffffff"),
        ("lighting2.ac.1.one", "unit 'one' is no number"),
        ("", "'' is no packet"),
    ],
)
def test_what_can_be_no_device_is_told_apart(text: str, complaint: str) -> None:
    """The text says which part is wrong, and how it is written."""
    with pytest.raises(Invalid) as caught:
        naming.read(text)

    assert complaint in str(caught.value)


def test_no_two_subtypes_of_a_packet_have_one_name() -> None:
    """But for those that are two numbers of the same thing."""
    names: dict[tuple[str, str], set[int]] = defaultdict(set)
    for each in codec.PACKETS:
        for variant in each.variants:
            if each.kind not in naming.NO_DEVICE:
                names[each.name, naming._slug(variant.name)].add(variant.subtype)

    assert [("lightning", "wh57")] == [name for name, numbers in names.items() if len(numbers) > 1]


@given(st.sampled_from(KINDS), st.binary(max_size=50))
def test_every_key_is_read_back_and_can_be_part_of_a_topic(kind: tuple[int, int], rest: bytes) -> None:
    """Whatever the air brings."""
    try:
        key = naming.key(codec.decode(bytes((len(rest) + 3, *kind, 0)) + rest))
    except CodecError:
        return

    if key:
        assert key == naming.read(key).key
        assert check_topic(f"rfxtrx/devices/{key}")


def test_what_a_stick_only_hears_is_not_sent() -> None:
    """The text says so, and not what is missing for it."""
    with pytest.raises(Invalid, match="a stick only hears TEMP1"):
        naming.make(naming.read("temperature.temp1.2f00"), {"celsius": 20.0})


def test_what_a_device_cannot_have_is_refused_in_the_codec_s_words() -> None:
    """The limit is in the text."""
    with pytest.raises(Invalid, match=r"lighting2\.ac\.00abcde\.17: .*unit 17 is not from 1 to 16"):
        naming.make(naming.read("lighting2.ac.abcde.17"), {"command": "on"})
