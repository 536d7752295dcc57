"""All devices of the house: from frames heard to what there is to publish.

Pure: frames and times come in, `Say`s go out. `at` is seconds since 1970 UTC; `ticks` come from a clock that never
jumps, and tell repeats. Who is called what is in `registry`, what a named device's packet says in `speech`.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from drivers.bits import CodecError
from drivers.rfxtrx import battery, codec
from services.instants import iso
from services.rfxtrx import meanings, naming, quantities
from services.rfxtrx.known import Known, Say
from services.rfxtrx.meanings import BINARY
from services.rfxtrx.quantities import Reading
from services.rfxtrx.registry import Registry
from services.rfxtrx.settings import OFF_DELAY_S
from services.rfxtrx.speech import STATES, Speaker, is_true

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.rfxtrx.packet import Packet
    from services.rfxtrx.naming import Address
    from services.rfxtrx.settings import Settings

RAW: Final = "radio/rfxtrx/raw"
UNKNOWN: Final = "radio/rfxtrx/unknown"
REPEAT_S: Final = 1.0
"""A telegram is sent several times over; the same again within this is the same one."""
LOW: Final = 0.1
"""How full a battery is said to be of which only "low" is known."""
_MOST_STRANGERS: Final = 1000
_MOST_REMEMBERED: Final = 256


@dataclass
class Found:
    """What one frame has brought."""

    says: list[Say] = field(default_factory=list)
    device: str = ""
    """Whose it is; empty where it is nobody's, or a repeat."""
    repeated: bool = False
    fault: str = ""
    """Why it cannot be read."""


class Roster:
    """The devices.

    Args:
        settings: the table.
        prefix: the service's own name, below which devices are told.
    """

    def __init__(self, settings: Settings, *, prefix: str = "rfxtrx") -> None:
        self.registry = Registry(settings, prefix=prefix)
        self._settings = settings
        self._strangers: OrderedDict[str, deque[float]] = OrderedDict()
        self._heard: OrderedDict[object, float] = OrderedDict()
        self._until: dict[str, float] = {}
        """When a device is off again, by its key."""

    def hear(self, heard: Packet | bytes, *, at: float, ticks: float, frame: bytes = b"") -> Found:
        """Take what the stick has received: a packet, or the bytes of a frame.

        Args:
            heard: it.
            at: when.
            ticks: the same on a clock that never jumps.
            frame: a packet's bytes as they were heard: not all that is read is written again.
        """
        try:
            packet = codec.decode(heard) if isinstance(heard, bytes) else heard
        except CodecError as error:
            assert isinstance(heard, bytes)  # noqa: S101 - for the type checker: a packet is not decoded
            return self._bad(heard, str(error), ticks)
        frame = heard if isinstance(heard, bytes) else frame or _frame(packet)
        plain = codec.to_plain(packet)
        signal = {"rssi_dbm": plain["rssi_dbm"]} if "rssi_dbm" in plain else {}
        found = Found([Say(RAW, {"hex": frame.hex(), "fields": _told(plain), **signal})])
        if self._repeats(packet, ticks):
            found.repeated = True
        elif isinstance(packet, codec.Unknown):
            text = f"type 0x{packet.packet_type:02x}, subtype 0x{packet.subtype:02x} is none that is known"
            found.says += self._strange(frame, f"{packet.packet_type}.{packet.subtype}", text, ticks)
        elif (address := self.registry.address(packet)) is not None:
            if reason := quantities.implausible(packet.name, vars(packet)):
                found.fault = f"{address.key}: {reason}"
                found.says += self._strange(frame, address.key, reason, ticks)
            else:
                known = self._known(address, at, ticks)
                if known is not None:
                    self._learn(found, known, packet, frame, at)
                found.says += self._events(address, packet, at)
                if known is not None:
                    found.says += self._listed(known, frame, at)
        return found

    def look(self, *, at: float) -> list[Say]:
        """Return what time alone has changed: motion that is over, messages that may be written now."""
        says = []
        for key in [key for key, until in self._until.items() if at >= until]:
            del self._until[key]
            known = self.registry.find(key)
            if known is not None and known.name:
                says += Speaker(known).off()
        return says + self.registry.look(at=at)

    def due(self) -> float | None:
        """Return when `look` will have something to say."""
        times = (*self._until.values(), self.registry.due())
        return min((time for time in times if time is not None), default=None)

    def shift(self, seconds: float) -> None:
        """The clock was set by so much, which says nothing about any device."""
        self._until = {key: until + seconds for key, until in self._until.items()}
        self.registry.shift(seconds)

    def restore_state(self, topic: str, body: Mapping[str, Any], *, at: float) -> None:
        """Take up that something was on, or somebody moved, as it was told at `at`: its time runs on."""
        if body.get("on", body.get("value")) is not True:
            return
        for known in self.registry.named():
            if topic == (
                f"sensor/{known.place}/{known.kind}" if known.kind in BINARY else f"{known.kind}/{known.name}"
            ):
                self.switched(known, on=True, at=at)

    def switched(self, known: Known, *, on: bool, at: float) -> None:
        """Note that a device is on or off, for its delay."""
        delay = known.device.off_delay_s or (OFF_DELAY_S if known.kind in _ENDLESS else None)
        if on and delay is not None and (known.kind in BINARY or known.kind in STATES - {"cover"}):
            self._until[known.key] = at + delay
        else:
            self._until.pop(known.key, None)

    def _known(self, address: Address, at: float, ticks: float) -> Known | None:
        """Return the device of an address; None: nobody has named it, and it was not heard often enough."""
        known = self.registry.find(address.key)
        if known is None and self._often(address.key, ticks) and self.registry.has_room(at=at):
            known = self.registry.add(address)
            known.heard = self._settings.heard_times - 1
        return known

    def _learn(self, found: Found, known: Known, packet: Packet, frame: bytes, at: float) -> None:
        """Note what a device has said, and say it."""
        found.device = known.key
        known.learn(packet, frame, at=at)
        fields = vars(packet)
        found.says += self._charge(known, packet, at)
        if not known.name:
            return
        told = quantities.readings(packet.name, fields, offset=known.device.offset)
        if known.rain_mm is not None and quantities.can_be("rain", known.rain_mm):
            told = [each for each in told if each.quantity != "rain"]
            told.append(Reading("rain", known.rain_mm, "mm", delta=known.rain_delta))
        speaker = Speaker(known)
        found.says += speaker.readings(told) + speaker.climate(fields)
        if known.battery is not None:
            found.says += speaker.battery()

    def _events(self, address: Address, packet: Packet, at: float) -> list[Say]:
        """Say what was done, and to whom: a group command is for all units of an id."""
        fields, steps = vars(packet), meanings.levels(address)
        done = meanings.event(packet.name, fields, None, steps)
        says = []
        group = done is not None and (done.group or naming.is_all(address))
        for known in [] if done is None else self.registry.mates(address, group=group):
            event = meanings.event(packet.name, fields, known.device, steps)
            if event is not None:
                if (on := is_true(event)) is not None:
                    self.switched(known, on=on, at=at)
                says += Speaker(known).event(event)
        return says

    def _listed(self, known: Known, frame: bytes, at: float) -> list[Say]:
        """Say of a device that it was heard; of one without a name, how it gets one."""
        says = self.registry.tell(known, at=at)
        if not known.name:
            signal = {} if known.rssi_dbm is None else {"rssi_dbm": known.rssi_dbm}
            reason = f'no table names it; write [rfxtrx.devices.NAME] with id = "{known.key}"'
            says.append(Say(UNKNOWN, {"hex": frame.hex(), "device": known.key, "reason": reason, **signal}))
        return says

    def _charge(self, known: Known, packet: Packet, at: float) -> list[Say]:
        """Note how full its battery is; say when it becomes low, and when it is full again."""
        low = True if vars(packet).get("status") == "battery_low" else battery.is_low(packet)
        if low is None:
            return []
        known.battery = battery.part(packet) or (LOW if low else 1.0)
        if low == known.battery_low:
            return []
        known.battery_low, known.told_at = low, None
        if not known.name:
            return []
        message = f"{known.name}: its battery is {'low' if low else 'good again'} ({known.key})"
        body = {"active": low, "message": message, "since": iso(at)}
        return [Say(f"alert/battery-{known.name}", body, retain=True)]

    def _repeats(self, packet: Packet, ticks: float) -> bool:
        """Whether the same was heard a moment ago; a held button goes on being one press."""
        same = (type(packet), *((name, value) for name, value in vars(packet).items() if name not in _VARIES))
        before = self._heard.get(same)
        self._heard[same] = ticks
        self._heard.move_to_end(same)
        while len(self._heard) > _MOST_REMEMBERED:
            self._heard.popitem(last=False)
        return before is not None and 0 <= ticks - before < REPEAT_S

    def _often(self, key: str, ticks: float) -> bool:
        """Note that a stranger was heard; return whether often enough, lately, to be no noise."""
        times = self._strangers.setdefault(key, deque(maxlen=self._settings.heard_times))
        self._strangers.move_to_end(key)
        times.append(ticks)
        while len(self._strangers) > _MOST_STRANGERS:
            self._strangers.popitem(last=False)
        return len(times) == times.maxlen and ticks - times[0] <= self._settings.heard_within_s

    def _bad(self, frame: bytes, fault: str, ticks: float) -> Found:
        found = Found([Say(RAW, {"hex": frame.hex()})], fault=fault)
        found.says += self._strange(frame, f"bad {frame[1:3].hex()}", fault, ticks)
        return found

    def _strange(self, frame: bytes, what: str, reason: str, ticks: float) -> list[Say]:
        """Say that a frame cannot be read, once its like was heard often enough."""
        return [Say(UNKNOWN, {"hex": frame.hex(), "reason": reason})] if self._often(f"?{what}", ticks) else []


_ENDLESS: Final = frozenset({"motion", "smoke"})
"""Kinds that often say when it begins, and never when it is over."""
_VARIES: Final = frozenset({"sequence", "rssi_dbm", "repeat"})
"""What is not the same in two telegrams of one press."""


def _told(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if name != "rssi_dbm"}


def _frame(packet: Packet) -> bytes:
    """Return a packet's bytes, as far as they can be written: a command nobody knows is read and not written."""
    try:
        return packet.encode()
    except CodecError:
        return b""
