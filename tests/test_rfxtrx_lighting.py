"""What switches, lamps and bells cannot do is refused before it is sent; the text names the limit."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.bits import CodecError
from drivers.rfxtrx.codec import from_plain

AC = {"packet": "lighting2", "subtype": 0x00, "id": 1, "unit": 1, "command": "on"}
X10 = {"packet": "lighting1", "subtype": 0x00, "house": "A", "unit": 1, "command": "on"}
LIGHTWAVE = {"packet": "lighting5", "subtype": 0x00, "id": 1, "unit": 1, "command": "on"}
CUVEO = {"packet": "lighting6", "subtype": 0x01, "id": 1, "group": "1", "unit": 1, "command": "on"}
KOPPLA = {"packet": "lighting3", "system": 1, "channels": 1, "command": "on"}
BELL = {"packet": "chime", "subtype": 0x00, "id": 1, "sound": 1}


@pytest.mark.parametrize(
    ("plain", "told"),
    [
        (X10 | {"house": "Q"}, "house: 'Q' is not there; there is A, B"),
        (X10 | {"unit": 17}, "unit 17 is not from 1 to 16 or 0 for all"),
        (X10 | {"unit": 0}, "on goes to one unit; 0, all of them, takes all_off, all_on"),
        (X10 | {"command": "all_on"}, "all_on goes to all units, which is unit 0, not 1"),
        (X10 | {"command": "chime"}, "'chime' is not there; there is off, on, dim, bright, all_off, all_on"),
        (X10 | {"subtype": 0x04, "house": "D"}, "house: 'D' is not there; there is A, B, C"),
        (X10 | {"subtype": 0x05, "unit": 0}, "unit 0 is not from 1 to 64"),
        (AC | {"id": 0x4000000}, "id: 0x4000000 is not from 1 to 0x3ffffff"),
        (AC | {"level": 16}, "level: 16 is not from 0 to 15"),
        (AC | {"subtype": 0x03, "house": "E"}, "house: 'E' is not there; there is A, B, C, D"),
        (AC | {"subtype": 0x03, "house": "A", "command": "group_on"}, "'group_on' is not there; there is off, on"),
        (KOPPLA | {"channels": 0x400}, "channels: 0x400 is not from 1 to 0x3ff"),
        (KOPPLA | {"command": "level_10"}, "'level_10' is not there"),
        (LIGHTWAVE | {"level": 32}, "level: 32 is not from 0 to 31"),
        (LIGHTWAVE | {"command": "group_on"}, "'group_on' is not there"),
        (LIGHTWAVE | {"subtype": 0x01, "id": 0x4000}, "id: 0x4000 is not from 1 to 0x3fff"),
        (LIGHTWAVE | {"subtype": 0x05, "command": "toggle_gang_1", "unit": 4}, "unit 4 is not from 1 to 3"),
        (LIGHTWAVE | {"subtype": 0x08, "command": "colour_62"}, "'colour_62' is not there; there is off, on, bright"),
        (LIGHTWAVE | {"subtype": 0x0F, "command": "set_level", "level": 31}, "level 31 is not from 1 to 8"),
        (CUVEO | {"group": "0", "unit": 3}, "group 0 has units 1 and 2, not 3"),
        (CUVEO | {"command_sequence": 255}, "command_sequence: 255 is not from 0 to 254"),
        (CUVEO | {"subtype": 0x00, "group": "A", "command_sequence": 5}, "command_sequence: 5 is not from 0 to 4"),
        (BELL | {"id": 0x100}, "id: 0x100 is not from 0 to 0xff"),
        (BELL | {"sound": 16}, "sound: 16 is not from 0 to 15"),
        ({"packet": "chime", "subtype": 0x06, "id": 4}, "an id of QH A19 ends in 00 to 03, not 04"),
    ],
)
def test_what_a_device_cannot_do_is_refused(plain: dict[str, Any], told: str) -> None:
    """Houses, units, ids, levels and commands, each with what there is."""
    with pytest.raises(CodecError) as refusal:
        from_plain(plain).encode()

    assert told in str(refusal.value)


@pytest.mark.parametrize(
    ("command", "number"), [("toggle", 1), ("dim_room_2", 7), ("scene_1_room_1", 4), ("toggle_1", 1)]
)
def test_a_livolo_appliance_takes_the_words_of_an_older_firmware(command: str, number: int) -> None:
    """Before 1026 the same numbers had other meanings: they are written, and read as the newer ones."""
    frame = from_plain(LIGHTWAVE | {"subtype": 0x0A, "command": command}).encode()

    assert frame[8] == number
