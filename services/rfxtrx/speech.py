"""What a named device's packet says on the bus: its readings, its state, its buttons. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from services.rfxtrx.known import Say
from services.rfxtrx.meanings import BINARY
from services.rfxtrx.quantities import can_be

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from services.rfxtrx.known import Known
    from services.rfxtrx.meanings import Event
    from services.rfxtrx.quantities import Reading

STATES: Final = frozenset({"light", "switch", "cover", "siren"})
"""Kinds with a retained state of their own, by the device's name."""
PRESSED: Final = frozenset({"remote", "chime"})
"""Kinds that say what was pressed."""
_MOST_CELSIUS: Final = 50
"""What a thermostat can want."""
_DEMANDS: Final = {"demand": True, "no_demand": False}
_MODES: Final = {"heating": "heat", "cooling": "cool"}


@dataclass(frozen=True)
class Speaker:
    """Says things for one device."""

    known: Known

    def readings(self, readings: Iterable[Reading]) -> list[Say]:
        """Return what it measures."""
        return [
            self._sensor(f"{self.known.place}{each.part}", each.quantity, each.value, unit=each.unit, delta=each.delta)
            for each in readings
        ]

    def event(self, event: Event) -> list[Say]:
        """Return what it was told to do, or says was done; what makes no state is a button that was pressed."""
        known = self.known
        if known.kind in STATES and (body := state(known.kind, event)):
            return [Say(f"{known.kind}/{known.name}", {**body, "confirmed": False}, retain=True)]
        if known.kind in BINARY and (true := is_true(event)) is not None:
            return [self._sensor(known.place, known.kind, true)]
        if known.kind in STATES | BINARY | PRESSED:
            return [Say(f"remote/{known.name}", {"button": event.word, "action": "press"})]
        return []

    def climate(self, fields: Mapping[str, Any]) -> list[Say]:
        """Return what a thermostat wants, and whether it heats."""
        target = fields.get("setpoint_celsius")
        if self.known.kind != "climate" or target is None or not 0 <= target <= _MOST_CELSIUS:
            return []
        celsius = fields.get("celsius")
        told = {
            "celsius": celsius if celsius is not None and can_be("wind_chill", celsius) else None,
            "active": _DEMANDS.get(str(fields.get("status"))),
            "mode": _MODES.get(str(fields.get("mode"))),
        }
        body = {"target_celsius": target, **{key: value for key, value in told.items() if value is not None}}
        return [Say(f"climate/{self.known.place}", body, retain=True)]

    def off(self) -> list[Say]:
        """Return that its time is up."""
        known = self.known
        if known.kind in BINARY:
            return [Say(f"sensor/{known.place}/{known.kind}", {"value": False, "device": known.key}, retain=True)]
        return [Say(f"{known.kind}/{known.name}", {"on": False, "confirmed": False}, retain=True)]

    def battery(self) -> list[Say]:
        """Return how full its battery is."""
        level = self.known.battery
        return [] if level is None else [self._sensor(self.known.place, "battery", level)]

    def _sensor(
        self, place: str, quantity: str, value: Any, *, unit: str | None = None, delta: float | None = None
    ) -> Say:
        known = self.known
        body: dict[str, Any] = {"value": value}
        if unit is not None:
            body["unit"] = unit
        if delta is not None:
            body["delta"] = delta
        body["device"] = known.key
        if known.rssi_dbm is not None:
            body["rssi_dbm"] = known.rssi_dbm
        return Say(f"sensor/{place}/{quantity}", body, retain=True)


def is_true(event: Event) -> bool | None:
    """Return whether somebody moves, a window is open; None: it was about something else."""
    if event.on is None and event.open_ratio is not None:
        return event.open_ratio > 0
    return event.on


def state(kind: str, event: Event) -> dict[str, Any]:
    """Return the state an event makes of a light, switch, cover or siren; empty where it makes none."""
    if kind == "cover":
        if event.stopped:
            return {"moving": "stopped"}
        return {} if event.open_ratio is None else {"open_ratio": event.open_ratio}
    if event.brightness is not None and kind == "light":
        return {"on": event.brightness > 0, "brightness": event.brightness}
    return {} if event.on is None else {"on": event.on}
