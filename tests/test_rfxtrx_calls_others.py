"""Calls that other RFXtrx libraries' tests make of fans, blinds, remotes, alarms, heating: the same frames, or refused.

They are not part of this repository; see `rfxtrx_calls`.
"""

from __future__ import annotations

from typing import Any

import pytest
from rfxtrx_calls import Call, refused, transmitted
from rfxtrx_other_calls import frame
from rfxtrx_other_families import FAMILIES

from drivers.bits import CodecError

KINDS = (
    0x17, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F, 0x20, 0x21, 0x28, 0x30, 0x31, 0x40, 0x41, 0x42, 0x43, 0x44,
    0x48, 0x72, 0x7F,
)  # fmt: skip


@pytest.mark.parametrize("call", transmitted(*KINDS))
def test_a_call_makes_the_frame_it_makes_elsewhere(call: Call) -> None:
    """Byte for byte, for every call that a test of pyRFXtrx or node-rfxcom makes."""
    assert call.frame.hex() == frame(call).hex()


@pytest.mark.parametrize("call", refused(*FAMILIES))
def test_what_is_refused_elsewhere_is_refused_here(call: Any) -> None:
    """Every id, unit, level and command that node-rfxcom refuses, but the panic of smoke detectors."""
    if call.method in {"sendPanic", "cancelPanic"} and call.subtype in {3, 9, 10}:
        assert frame(call)[7] in {6, 7}  # smoke detectors all sound on one's panic; its sendStatus sends it too
        return

    with pytest.raises(CodecError, match=r"\S"):
        frame(call)
