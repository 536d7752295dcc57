"""Frames and calls recorded from other RFXtrx libraries' tests, as parameters for pytest. Knows files, and no packet.

They are not part of this repository: the directory that HEARTHBUS_RFXTRX_FACTS names has `dev.json` (frames with what
was heard in them, or the call that made them) and `rejects.json` (calls that must be refused). Without it tests skip.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import pytest

FACTS = os.environ.get("HEARTHBUS_RFXTRX_FACTS", "")
needs_facts = pytest.mark.skipif(not FACTS, reason="HEARTHBUS_RFXTRX_FACTS names no folder of recorded RFXtrx frames")


class Call(NamedTuple):
    """What a program asked of another library: of a device, to do something."""

    family: str
    """Its class there: "Lighting5", "LightingDevice"."""
    method: str
    """"switchOn", "set_transmit"."""
    subtype: int
    args: Any
    """A list; a dict for `set_transmit`."""
    device: list[Any]
    """Of pyRFXtrx's `send_...`: type, subtype and id; empty for the other."""
    firmware: int
    options: dict[str, Any]
    frame: bytes
    """What came out; empty where it was refused."""
    error: str
    """Why it was refused; empty where it was not."""


class Heard(NamedTuple):
    """A received frame, and what another library says is in it."""

    frame: bytes
    library: str
    expected: dict[str, Any]


def transmitted(*kinds: int) -> list[Any]:
    """Return the calls that made frames of some packet types, each a parameter; a skipped one without the files."""
    made = [each for each in _load("dev.json") if each["direction"] == "tx" and each["packet_type"] in kinds]
    return _parameters([(_call(each), each["source"], each["where"]) for each in made])


def refused(*families: str) -> list[Any]:
    """Return the calls that must fail, by the class they were made of: "Lighting5"."""
    calls = [(_call(each), each["source"], each["where"]) for each in _load("rejects.json")]
    return _parameters([each for each in calls if each[0].family in families])


def heard(*kinds: int) -> list[Any]:
    """Return the received frames of some packet types; what only the other library's texts say is left out."""
    found = []
    for each in _load("dev.json"):
        if each["direction"] == "rx" and each["packet_type"] in kinds:
            theirs = {name for name, _ in each.get("peer_specific", ())}
            expected = {name: value for name, value in each["expected"].items() if name not in theirs}
            library = each["source"].split("/")[0]
            found.append((Heard(bytes.fromhex(each["hex"]), library, expected), each["source"], each["where"]))
    return _parameters(found)


def _load(name: str) -> list[dict[str, Any]]:
    if not FACTS:
        return []
    found: list[dict[str, Any]] = json.loads((Path(FACTS) / name).read_text())
    return found


def _call(entry: dict[str, Any]) -> Call:
    call = entry["call"]
    family, method = call["api"].split(".")
    device = call.get("device", [])
    subtype = call["args"].get("subtype", -1) if isinstance(call["args"], dict) else call.get("subtype", -1)
    return Call(
        family=family,
        method=method,
        subtype=device[1] if device else subtype,
        args=call["args"],
        device=device,
        firmware=call.get("firmwareVersion", 0),
        options=call.get("options", {}),
        frame=bytes.fromhex(entry.get("hex", "")),
        error=entry.get("error", ""),
    )


def _parameters(found: list[tuple[Any, str, Any]]) -> list[Any]:
    if not FACTS:
        reason = "the recorded frames are not here: name their directory in HEARTHBUS_RFXTRX_FACTS"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="no-facts")]
    return [
        pytest.param(value, id=f"{number}-{Path(source).name}-{_line(where)}")
        for number, (value, source, where) in enumerate(found)
    ]


def _line(where: Any) -> str:
    return str(next(iter(where), 0) if isinstance(where, list) else where)
