"""What each command's number is called, in every subtype: as the list of recorded names has it, but for a few.

The list is no part of this repository: `commands.json` in the directory that HEARTHBUS_RFXTRX_FACTS names.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from rfxtrx_calls import FACTS

from drivers.rfxtrx.chimes import TUNES
from drivers.rfxtrx.codec import PACKETS

BY_LABEL: Final = {
    "?": "question_mark", "¿": "inverted_question_mark", "volplus": "volume_up", "vol": "volume_down",
    "chanplus": "channel_up", "chan": "channel_down", "^": "up", "v": "down", "<": "left", ">": "right",
}  # fmt: skip
"""Labels of remotes' keys that are no words, or have lost their sign: "vol" is VOL-."""
OTHERWISE: Final = {
    (0x19, 0x08, 0): "down",  # its down and its up are these numbers in every program that has both words
    (0x19, 0x08, 1): "up",
    (0x19, 0x0A, 0): "down",
    (0x19, 0x0A, 1): "up",
    (0x19, 0x0D, 5): "venetian_change_angle_minus",  # beside 4, venetian_change_angle_plus
    (0x30, 0x00, 0x20): "left_2",  # the second key of a label, or one with a mouse's button on it
    (0x30, 0x00, 0x2C): "tv_2",
    (0x30, 0x00, 0x78): "v_start",
    (0x30, 0x00, 0x7C): "x_start",
    (0x30, 0x01, 0x2C): "tv_2",
    (0x30, 0x02, 0x0A): "mute_2",
    (0x30, 0x02, 0x20): "left_2",
    (0x30, 0x02, 0x2C): "tv_2",
    (0x30, 0x02, 0x78): "v_start",
    (0x30, 0x02, 0x7C): "x_start",
}
"""By type, subtype and number, what is read instead."""


def numbered() -> list[Any]:
    """Return type, subtype and the names by number."""
    if not FACTS:
        reason = "the recorded names are not here: name their directory in HEARTHBUS_RFXTRX_FACTS"
        return [pytest.param(0, 0, {}, marks=pytest.mark.skip(reason=reason), id="no-facts")]
    found = []
    for kind, subtypes in json.loads((Path(FACTS) / "commands.json").read_text(encoding="utf-8")).items():
        for subtype, names in subtypes.items():
            by_number = {int(number, 16): name for number, name in names.items()}
            found.append(pytest.param(int(kind, 16), int(subtype, 16), by_number, id=f"{kind}-{subtype}"))
    return found


@pytest.mark.parametrize(("kind", "subtype", "names"), numbered())
def test_every_command_number_has_its_name(kind: int, subtype: int, names: dict[int, str]) -> None:
    """In every class that has the subtype; a name that is not the list's stands above, with what is wrong with it."""
    expected = {
        number: OTHERWISE.get((kind, subtype, number), BY_LABEL.get(name, name)) for number, name in names.items()
    }
    shapes = [packet.shapes[subtype] for packet in PACKETS if packet.kind == kind and subtype in packet.shapes]
    fields = [dict(shape.columns) for shape in shapes]
    read = [{number: each["command"].read(number) for number in names} for each in fields if "command" in each]

    assert read == [expected] * len(read)
    assert read or TUNES == expected
