"""Whatever is asked of the RFXtrx service is answered: no body makes it stumble, or say nothing."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from rfxtrx_bench import start

from hearthbus import HandlerError, NoResponder

if TYPE_CHECKING:
    from hearthbus.testing import Bench

DEVICES: dict[str, Any] = {
    "desk": {"id": "lighting2.ac.00abcde.5", "kind": "light"},
    "strip": {"id": "edisio.edisio-controller.12345678.1", "kind": "light"},
    "plug": {"id": "lighting6.blyss.1234.b.3", "kind": "switch"},
    "code": {"id": "lighting4.pt2262.5155ff", "kind": "switch", "data_mask": 255, "on_value": 1},
    "blind": {"id": "blinds2.brel-dooya.11223344.1"},
    "horn": {"id": "security1.x10-pir.1234", "kind": "siren"},
    "stove": {"id": "radiator1.smartwares.0001234.1", "kind": "climate"},
    "bell": {"id": "chime.byron-sx.0012"},
}
_LIGHT = ("on", "brightness", "rgb", "effect")
KEYS = {
    "light/desk/set": _LIGHT, "light/strip/set": _LIGHT, "switch/plug/set": ("on",), "switch/code/set": ("on",),
    "cover/blind/set": ("open_ratio", "stop"), "siren/horn/set": ("on",), "climate/stove/set": ("target_celsius",),
    "notify/bell": ("message",), "remote/desk/send": ("button", "count"), "remote/code/send": ("button", "count"),
    "rfxtrx/send": ("hex", "packet", "pulses", "repeats"), "rfxtrx/name": ("id", "name", "kind"),
    "rfxtrx/replace": ("old", "new"), "rfxtrx/protocols": ("set", "save"), "rfxtrx/status": ("refresh",),
    "rfxtrx/remotes": ("make",),
}  # fmt: skip
LEAVES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2.5, 2**62, "desk", "on", "ac", "lighting2", "rfy",
    "é", "", "x/y", "0b11000000abcdef01010f00", "lighting2.ac.1.1", "0x12", "up",
)  # fmt: skip
FIELDS = ("packet", "subtype", "subtype_name", "id", "unit", "command", "level", "é")


def anything(chance: Random, depth: int = 0) -> Any:
    """Return a value of any shape."""
    shape = chance.randrange(6) if depth < 3 else 5
    if shape == 0:
        return [anything(chance, depth + 1) for _ in range(chance.randrange(5))]
    if shape == 1:
        return {chance.choice(FIELDS): anything(chance, depth + 1) for _ in range(chance.randrange(6))}
    return chance.choice(LEAVES)


@pytest.mark.parametrize("seed", range(4))
async def test_any_body_is_answered(bench: Bench, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """By what was done, or by an error that says more than the name of a type."""
    chance = Random(seed)
    await start(bench, monkeypatch, devices=DEVICES)
    found: list[tuple[str, Any, str]] = []
    for _ in range(400):
        topic = chance.choice(list(KEYS))
        body = {key: anything(chance) for key in KEYS[topic] if chance.random() < 0.8}
        try:
            await bench.bus.request(topic, body, timeout=5)
        except (HandlerError, NoResponder) as error:  # a time-out is a fault
            found.append((topic, body, str(error)))

    assert not [each for each in found if each[2].endswith("Error") or not each[2]]
