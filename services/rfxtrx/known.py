"""One device as the house knows it: what it is, what it said last, and the retained message that says so.

Pure: times are seconds since 1970 UTC, and come in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from drivers.bits import CodecError
from drivers.rfxtrx import codec, rain
from hearthbus import Invalid
from services.instants import instant, iso
from services.rfxtrx import meanings, naming

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.rfxtrx.packet import Packet
    from services.rfxtrx.naming import Address
    from services.rfxtrx.settings import Device

WRITE_S: Final = 60.0
"""How often a device's message is published at most, where nothing but its values has changed: cards wear out."""
_ABOUT: Final = naming.ADDRESSES | {"packet", "packet_type", "subtype", "subtype_name", "sequence", "rssi_dbm", "extra"}


@dataclass(frozen=True)
class Say:
    """One message to publish."""

    topic: str
    body: dict[str, Any]
    retain: bool = False


@dataclass
class Known:
    """One device.

    Args:
        address: which.
        device: its table, or one made of what was learned by request.
        name: that table's name; empty where it has none.
        configured: whether the name is the configuration's.
    """

    address: Address
    device: Device
    name: str = ""
    configured: bool = False
    heard: int = 0
    last_seen: float | None = None
    told_at: float | None = None
    """When its message was published last; None: it has to be."""
    values: dict[str, Any] = field(default_factory=dict)
    rssi_dbm: float | None = None
    battery: float | None = None
    battery_low: bool = False
    frame: bytes = b""
    """Of its last packet."""
    rain_mm: float | None = None
    """All the rain it has told of."""
    rain_delta: float | None = None
    """What of it the last packet told."""
    sent_number: int = 0
    """Of the last command that has one."""
    is_dirty: bool = False

    @property
    def key(self) -> str:
        """Return what it is called everywhere."""
        return self.address.key

    @property
    def kind(self) -> str:
        """Return what it is."""
        return self.device.kind or meanings.kind(self.address)

    @property
    def place(self) -> str:
        """Return where it is; empty where it has no name."""
        return self.device.place or self.name

    def learn(self, packet: Packet, frame: bytes, *, at: float) -> None:
        """Note what a packet says."""
        plain = codec.to_plain(packet)
        if isinstance(packet, rain.Gauge):
            self._rained(packet)
        if self.heard == 0:
            self.told_at = None
        self.heard += 1
        self.last_seen = at
        self.values = {name: value for name, value in plain.items() if name not in _ABOUT}
        self.rssi_dbm = plain.get("rssi_dbm")
        self.frame = frame
        self.is_dirty = True

    def next_number(self) -> int:
        """Return the number of the next command; it is told at once, so that a restart goes on counting."""
        self.sent_number += 1
        self.told_at, self.is_dirty = None, True
        return self.sent_number

    def body(self) -> dict[str, Any]:
        """Return its message."""
        known = {
            "name": self.name or None,
            "named_by": None if not self.name else "configuration" if self.configured else "request",
            "place": None if self.place == self.name else self.place,
            "last_seen": None if self.last_seen is None else iso(self.last_seen),
            "rssi_dbm": self.rssi_dbm,
            "battery": self.battery,
            "rain_mm": self.rain_mm,
            "sent_number": self.sent_number or None,
            "hex": self.frame.hex() or None,
        }
        return {
            "device": self.key,
            "packet": self.address.packet,
            "subtype_name": naming.subtype_name(self.address.packet, self.address.subtype),
            "kind": self.kind,
            "heard": self.heard,
            "battery_low": self.battery_low,
            "values": self.values,
            **{key: value for key, value in known.items() if value is not None},
        }

    def restore(self, body: Mapping[str, Any], *, at: float) -> None:
        """Take up what an earlier run has left, at `at`; what makes no sense is left out."""
        heard, sent, values = body.get("heard"), body.get("sent_number"), body.get("values")
        self.heard = heard if type(heard) is int and heard >= 0 else 0
        self.sent_number = sent if type(sent) is int and sent >= 0 else 0
        seen = _moment(body.get("last_seen"))
        self.last_seen = None if seen is None else min(seen, at)  # a clock that was ahead is no reason to be young
        self.values = dict(values) if isinstance(values, dict) else {}
        self.rssi_dbm, self.battery = _number(body.get("rssi_dbm")), _number(body.get("battery"))
        self.rain_mm = _number(body.get("rain_mm"))
        self.battery_low = body.get("battery_low") is True
        try:
            self.frame = bytes.fromhex(str(body.get("hex", "")))
        except ValueError:
            self.frame = b""
        self.told_at = at

    def _rained(self, packet: rain.Gauge) -> None:
        """Add what fell since the packet before."""
        before = _gauge(self.frame)
        if self.rain_mm is None or before is None or before.subtype != packet.subtype:
            first = packet.mm if isinstance(packet, rain.Rain) else 0.0
            self.rain_mm = first if self.rain_mm is None else self.rain_mm
            return
        self.rain_delta = round(rain.fallen(before, packet, mm_per_count=self.device.mm_per_count), 3)
        self.rain_mm = round(self.rain_mm + self.rain_delta, 3)


def _gauge(frame: bytes) -> rain.Gauge | None:
    try:
        packet = codec.decode(frame)
    except CodecError:
        return None
    return packet if isinstance(packet, rain.Gauge) else None


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _moment(value: object) -> float | None:
    try:
        return float(instant(value)) if isinstance(value, str) else None
    except Invalid:
        return None
