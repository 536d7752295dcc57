"""What the bytes of a node mean: which payload, by its profile, and which quantities of the vocabulary its fields are.

Tables: a profile is a decoder, a field's name is a quantity with its unit and its factor. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from drivers.rf12 import hearth, stock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drivers.fields import Packet
    from services.jeenode.settings import Node

    Decoder = Callable[[bytes], Packet]

DECODERS: Final[dict[str, Decoder]] = {
    "hearth": hearth.decode,
    "room": stock.StockRoom.decode,
    "led": stock.stock_led,
    "slave": stock.Slave.decode,
    "emontx": stock.emontx,
    "emonth": stock.emonth,
}
"""By profile; `fields` has a struct of its own for each node."""


@dataclass(frozen=True)
class Quantity:
    """What a field is on the bus."""

    name: str
    unit: str | None = None
    factor: float = 1.0
    digits: int = 3


FIELDS: Final = {
    "motion": Quantity("motion"),
    "temperature": Quantity("temperature", "°C", digits=2),
    "outer_temperature": Quantity("temperature", "°C", digits=2),
    "humidity": Quantity("humidity", "%", digits=2),
    "light": Quantity("light", "%", 100 / 1023, digits=1),
    "battery_mv": Quantity("voltage", "V", 0.001),
    "voltage_mv": Quantity("voltage", "V", 0.001),
    "battery": Quantity("voltage", "V"),
    "vrms": Quantity("voltage", "V", digits=2),
    "low_battery": Quantity("battery"),
    "power": Quantity("power", "W"),
    "energy": Quantity("energy", "Wh"),
    "pulses": Quantity("count"),
}
"""What a payload's field is; with a number at its end, the same at <place>-<number>."""
_OTHER_FIELDS: Final[dict[tuple[type[Packet], str], Quantity]] = {
    (stock.StockRoom, "light"): Quantity("light", "%", 100 / 255, digits=1)
}
_OTHER_PLACES: Final = {"outer_temperature": "outer"}
_NO_SENSOR: Final[dict[tuple[type[Packet], str], float]] = {
    (stock.EmonTxV3, "temperature"): 300.0,
    (stock.EmonTxV3Continuous, "temperature"): 300.0,
}
"""What stands there where no sensor is: OpenEnergyMonitor's sketches."""
UNITS: Final = {
    "temperature": "°C", "humidity": "%", "moisture": "%", "pressure": "hPa", "light": "%", "co2": "ppm",
    "noise": "dB", "voltage": "V", "current": "A", "power": "W", "energy": "Wh", "gas": "m³", "flow": "l/min",
    "level": "m", "distance": "m", "weight": "kg", "rain": "mm", "rain_rate": "mm/h", "wind_speed": "m/s",
    "wind_gust": "m/s", "wind_direction": "°",
}  # fmt: skip
"""Units of the vocabulary, for fields that a person names."""
_FLAGS: Final = frozenset({"motion", "contact", "smoke", "water"})
_WHOLE: Final = frozenset({"count"})
QUANTITIES: Final = frozenset({*UNITS, *_FLAGS, *_WHOLE, "battery", "uv_index"})
"""What a person may name a field."""


@dataclass(frozen=True)
class Reading:
    """One `sensor/<place>/<quantity>`."""

    place: str
    quantity: str
    value: Any
    unit: str | None = None


@dataclass(frozen=True)
class Meaning:
    """What a payload says."""

    packet: Packet | None
    """As its class; None for a struct that only a table describes."""
    fields: dict[str, Any]
    """By name, as they were sent."""
    readings: tuple[Reading, ...]


class Reader:
    """Reads the payloads of one node.

    Args:
        node: its table; None reads payloads of ours, which say themselves what they are.
        place: where it is.
    """

    def __init__(self, node: Node | None, place: str) -> None:
        self._node, self._place = node, place
        self._struct = None
        if node is not None and node.fields is not None:
            from drivers.rf12.datacodes import Struct

            self._struct = Struct(node.fields, node.scales)
        self._decode = DECODERS["hearth" if node is None or self._struct else node.profile]

    def read(self, payload: bytes) -> Meaning:
        """Return what the bytes say.

        Raises:
            CodecError: they are nothing this node sends.
        """
        if self._struct is not None:
            values = list(self._struct.decode(payload))
            names = self._node.names if self._node is not None else ()
            fields = {(names[at] if at < len(names) else "") or f"field-{at}": value for at, value in enumerate(values)}
            return Meaning(None, fields, tuple(self._of_struct(values)))
        packet = self._decode(payload)
        return Meaning(packet, dict(vars(packet)), tuple(self._of_packet(packet)))

    def _of_packet(self, packet: Packet) -> Iterator[Reading]:
        """Yield what a payload tells; a field whose sensor is missing yields nothing."""
        for name, value in vars(packet).items():
            kind, number = _split(name)
            place = self._place
            if isinstance(packet, hearth.Temperature) and kind == "temperature":
                place = self._sensor_place(packet.index)
            quantity = _OTHER_FIELDS.get((type(packet), kind)) or FIELDS.get(kind)
            if quantity is None or value is None or value == _NO_SENSOR.get((type(packet), kind)):
                continue
            where = "-".join(part for part in (place, _OTHER_PLACES.get(kind, ""), number) if part)
            yield Reading(where, quantity.name, _value(quantity, value), quantity.unit)

    def _of_struct(self, values: list[Any]) -> Iterator[Reading]:
        """Yield what the fields of a struct tell, as the node's table names and scales them."""
        node = self._node
        for name, value in zip(() if node is None else node.names, values, strict=False):
            if not name or value is None:
                continue
            where, _, quantity = name.rpartition("/")
            whole = round(value) if quantity in _WHOLE and isinstance(value, float) else value
            yield Reading(
                where or self._place, quantity, bool(value) if quantity in _FLAGS else whole, UNITS.get(quantity)
            )

    def _sensor_place(self, index: int) -> str:
        sensors = () if self._node is None else self._node.sensors
        if index < len(sensors):
            return sensors[index]
        return f"{self._place}-{index}" if index else self._place


def missing(packet: Packet | None) -> list[str]:
    """Return the quantities whose sensor is missing or broken, as the node itself says."""
    values = {} if packet is None else vars(packet)
    return [FIELDS[name].name for name, value in values.items() if value is None and name in FIELDS]


def of_master(line: stock.Master, place: str) -> Iterator[Reading]:
    """Yield what a JSON line tells."""
    for name in ("temperature", "voltage_mv", "light"):
        value = getattr(line, name)
        if value is not None:
            quantity = FIELDS[name]
            yield Reading(place, quantity.name, _value(quantity, value), quantity.unit)


def _value(quantity: Quantity, value: Any) -> Any:
    if quantity.name == "battery":
        return 0.1 if value else 1.0
    if isinstance(value, bool) or quantity.name in _WHOLE:
        return value
    return round(value * quantity.factor, quantity.digits)


def _split(name: str) -> tuple[str, str]:
    found = re.fullmatch(r"(\D+?)(\d*)", name)
    return (found[1], found[2]) if found else (name, "")
