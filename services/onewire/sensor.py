"""One sensor: what is told of its readings, and of their failing. Pure: readings and times come in, messages go out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from drivers.onewire import UNITS, Address, Channel, Fault, checked
from services.instants import iso
from services.onewire.tree import family

if TYPE_CHECKING:
    from collections.abc import Mapping

Status = Literal["ok", "failing", "gone"]

_LATELY_S: Final = 900.0
"""Seconds after which a reading says nothing any more about whether 85 °C can be."""


@dataclass(frozen=True)
class Say:
    """A retained message."""

    topic: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Rules:
    """When something is said; the fields are those of the service's Config."""

    every_s: float
    at_least_s: float
    change: float
    alert_after: int
    gone_s: float


@dataclass
class _Told:
    value: float
    ticks: float


@dataclass
class Sensor:
    """What is known of one.

    Args:
        address: which.
        place: what it is called.
        service: the service's name.
        rules: when something is said.
        offset: added to the temperature.
        alerted: whether an alert about it is active.
        before: its state as an earlier run told it, empty for none.
    """

    address: Address
    place: str
    service: str
    rules: Rules
    offset: float = 0.0
    alerted: bool = False
    before: Mapping[str, Any] = field(default_factory=dict)
    status: Status | None = None
    error: str = ""
    readings: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    _in_a_row: int = 0
    _down_at: float = 0.0
    _down_ticks: float = 0.0
    _since: str = ""
    _last: dict[Channel, _Told] = field(default_factory=dict)
    _told: dict[Channel, _Told] = field(default_factory=dict)
    _state: dict[str, Any] = field(default_factory=dict)

    @property
    def topic(self) -> str:
        """Where its state is told."""
        return f"{self.service}/{self.address}"

    @property
    def alert(self) -> str:
        """Where its alert is told."""
        return f"alert/{self.service}-{self.place}"

    def topics(self) -> set[str]:
        """Return every topic it may tell anything on."""
        readings = {f"sensor/{self.place}{one.part}/{one.quantity}" for one in family(self.address).channels}
        return {self.topic, self.alert} | readings

    def take(self, results: Mapping[Channel, float | Fault], *, at: float, ticks: float) -> list[Say]:
        """Take what one round has read; return what there is to say.

        Args:
            results: by channel, what the sensor said or why it said nothing.
            at: the wall clock, seconds since 1970 UTC.
            ticks: a clock that never jumps, seconds.
        """
        says: list[Say] = []
        faults: list[Fault] = []
        for channel, result in results.items():
            try:
                says += self._reading(channel, result, ticks)
            except Fault as fault:
                faults.append(fault)
        if not faults:
            return says + self._up(at)
        self.errors.update(fault.kind for fault in faults)
        return says + self._down("failing", str(faults[0]), at, ticks)

    def miss(self, error: str, *, at: float, ticks: float) -> list[Say]:
        """The sensor is not there, and `error` says why; return what there is to say."""
        if self.status != "gone":
            self.errors["gone"] += 1
        self._last.clear()  # it loses its power: what it said before does not make 85 °C likely
        return self._down("gone", error, at, ticks)

    def _reading(self, channel: Channel, result: float | Fault, ticks: float) -> list[Say]:
        if isinstance(result, Fault):
            raise result
        last = self._last.get(channel)
        before = last.value if last is not None and ticks - last.ticks < _LATELY_S else None
        checked(channel, result, before=before)
        self._last[channel] = _Told(result, ticks)
        self.readings += 1
        value = round(result + self.offset, 3) if channel.quantity == "temperature" else round(result, 3)
        if not self._due(channel, value, ticks):
            return []
        self._told[channel] = _Told(value, ticks)
        body: dict[str, Any] = {"value": _as_told(channel, value), "device": str(self.address)}
        if UNITS[channel.quantity]:
            body["unit"] = UNITS[channel.quantity]
        return [Say(f"sensor/{self.place}{channel.part}/{channel.quantity}", body)]

    def _due(self, channel: Channel, value: float, ticks: float) -> bool:
        told = self._told.get(channel)
        if told is None or ticks - told.ticks >= self.rules.at_least_s - self.rules.every_s / 2:
            return True
        if channel.quantity in {"contact", "count"}:
            return value != told.value
        return round(abs(value - told.value), 6) >= self.rules.change

    def _up(self, at: float) -> list[Say]:
        self._in_a_row = 0
        says = self._stand("ok", "", at)
        if self.alerted:
            self.alerted = False
            says.append(self._alert(f"{self.place} ({self.address}) is back", active=False, since=at))
        return says

    def _down(self, status: Status, error: str, at: float, ticks: float) -> list[Say]:
        if self.status in {"ok", None}:
            self._down_at, self._down_ticks = at, ticks
        self._in_a_row += 1
        says = self._stand(status, error, at)
        failed = status == "failing" and self._in_a_row >= self.rules.alert_after
        if not self.alerted and (failed or ticks - self._down_ticks >= self.rules.gone_s):
            self.alerted = True
            says.append(self._alert(f"{self.place} ({self.address}): {error}", active=True, since=self._down_at))
        return says

    def _stand(self, status: Status, error: str, at: float) -> list[Say]:
        """Tell its state if anything of it is new."""
        if status != self.status:
            same = self.status is None and self.before.get("status") == status and "since" in self.before
            self._since = str(self.before["since"]) if same else iso(at)
        self.status, self.error = status, error
        state: dict[str, Any] = {
            "place": self.place,
            "family": family(self.address).name,
            "status": status,
            "since": self._since,
            "errors": dict(self.errors),
            **({"error": error} if error else {}),
        }
        if state == self._state:
            return []
        self._state = state
        return [Say(self.topic, state)]

    def _alert(self, message: str, *, active: bool, since: float) -> Say:
        return Say(self.alert, {"active": active, "message": message, "since": iso(since)})


def _as_told(channel: Channel, value: float) -> bool | int | float:
    if channel.quantity == "contact":
        return bool(value)
    return int(value) if channel.quantity == "count" else value
