"""Which devices there are and what they are called: by the configuration, or by request; bounded, and told retained.

Pure: times are seconds since 1970 UTC, and come in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, get_args

from hearthbus import Invalid
from services.checks import is_segment
from services.rfxtrx import naming
from services.rfxtrx.known import WRITE_S, Known, Say
from services.rfxtrx.settings import Device, Kind, fault_of_kind
from services.rfxtrx.speech import STATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.rfxtrx.packet import Packet
    from services.rfxtrx.naming import Address
    from services.rfxtrx.settings import Settings

MOST_UNNAMED: Final = 500
"""Devices without a name that are remembered; then the one that was silent longest is forgotten."""
SILENT_S: Final = 3600.0
"""For how long: where more speak than can be remembered they would push each other out with every frame."""
MOST_NAMED: Final = 200
"""Devices that can be named by request; a broker lets one service have a thousand topics."""
KINDS: Final = get_args(Kind)


class Registry:
    """The devices, by key.

    Args:
        settings: the table: its names come before those given by request.
        prefix: the service's own name.
    """

    def __init__(self, settings: Settings, *, prefix: str) -> None:
        self.topic = f"{prefix}/devices"
        self.forgotten = 0
        """Unnamed devices that had to make room, and frames of those there was none for."""
        self._known: dict[str, Known] = {}
        self._masks: set[int] = {0}
        for name, device in settings.devices.items():
            known = Known(naming.masked(naming.read(device.id), device.data_mask), device, name, configured=True)
            self._known[known.key] = known
            self._masks.add(device.data_mask)

    def address(self, packet: Packet) -> Address | None:
        """Return which device a packet comes from; of a PT2262 the data bits its table names are no part of that."""
        address = naming.of(packet)
        if address is None or address.packet != naming.CODE:
            return address
        for mask in self._masks:
            known = self._known.get((masked := naming.masked(address, mask)).key)
            if known is not None and known.device.data_mask == mask:
                return masked
        return address

    def find(self, key: str) -> Known | None:
        """Return the device of a key."""
        return self._known.get(key)

    def named(self) -> list[Known]:
        """Return the devices that have a name."""
        return [known for known in self._known.values() if known.name]

    def all(self) -> list[Known]:
        """Return every device."""
        return list(self._known.values())

    def has_room(self, *, at: float) -> bool:
        """Whether a device nobody has named can be taken up; the frame of one that cannot is counted as forgotten."""
        unnamed = [known for known in self._known.values() if not known.name]
        if len(unnamed) < MOST_UNNAMED or min(known.last_seen or 0.0 for known in unnamed) <= at - SILENT_S:
            return True
        self.forgotten += 1
        return False

    def add(self, address: Address) -> Known:
        """Take up a device nobody has named."""
        known = Known(address, Device(id=address.key))
        self._known[known.key] = known
        return known

    def mates(self, address: Address, *, group: bool) -> list[Known]:
        """Return the named devices something is said to: one, or all units of its id."""
        if group:
            return [each for each in self._known.values() if each.name and _same_group(each.address, address)]
        known = self._known.get(address.key)
        return [known] if known is not None and known.name else []

    def name(self, text: object, name: object, *, kind: object = None, at: float) -> tuple[Known, list[Say]]:
        """Give a device a name, or take it away where `name` is empty; return it, and what there is to say.

        Raises:
            Invalid: it cannot have that name; the text says why and what to do.
        """
        known = self._resolve(text, new=True)
        self._refuse_configured(known)
        if not isinstance(name, str) or (name and not is_segment(name)):
            raise Invalid(f"name is {name!r}; write one part of a topic, of a-z 0-9 _ . -, such as back-door")
        if kind is not None and kind not in KINDS:
            raise Invalid(f"kind is {kind!r}; write one of {', '.join(KINDS)}")
        if fault := fault_of_kind(known.address, str(kind or "sensor")):
            raise Invalid(fault)
        for other in self.named():
            if other.name == name and other is not known:
                raise Invalid(f"{name} is {other.key} already; `hearthbus devices replace` gives its name to another")
        if name and not known.name and sum(not each.configured for each in self.named()) >= MOST_NAMED:
            raise Invalid(f"{MOST_NAMED} devices are named by request; name more of them in the configuration")
        says = self._take_back(known) if known.name not in {"", name} else []
        known.name = name
        if kind is not None:
            known.device = replace(known.device, kind=kind)  # type: ignore[arg-type]  # one of KINDS, as looked up
        self._known[known.key] = known
        return known, says + self._say(known, at=at)

    def replace(self, old: object, new: object, *, at: float) -> tuple[Known, list[Say]]:
        """Give the name of one device to another, whose id has changed with its battery.

        Raises:
            Invalid: that cannot be; the text says why and what to do.
        """
        before, after = self._resolve(old), self._resolve(new, new=True)
        if not before.name:
            raise Invalid(f"{before.key} has no name that {after.key} could have")
        if before.configured:
            name = before.name
            raise Invalid(f'{name} is named in the configuration: write id = "{after.key}" in [rfxtrx.devices.{name}]')
        if after.name:
            raise Invalid(f"{after.key} is {after.name} already; take that name away first: name it ''")
        if after.address.packet != before.address.packet:
            raise Invalid(f"{after.key} is no {before.address.packet}, and cannot stand for {before.key}")
        after.name, after.device = before.name, replace(before.device, id=after.key)
        after.battery_low = before.battery_low  # its alert goes with the first packet that says otherwise
        if before.rain_mm is not None:
            after.rain_mm = before.rain_mm
        self._known[after.key] = after
        del self._known[before.key]
        return after, [Say(f"{self.topic}/{before.key}", {}, retain=True), *self._say(after, at=at)]

    def restore(self, body: Mapping[str, Any], *, at: float) -> None:
        """Take up a device an earlier run has left; one that can be none is left out."""
        try:
            address = naming.read(str(body.get("device")))
        except Invalid:
            return
        known = self._known.get(address.key)
        if known is None:
            kind, name = body.get("kind"), body.get("name")
            learned = body.get("named_by") == "request" and isinstance(name, str) and is_segment(name)
            if learned and any(each.name == name for each in self.named()):
                learned = False  # the configuration has given it to another since
            known = self.add(address)
            if learned:
                known.name, known.device = str(name), Device(id=address.key, kind=kind if kind in KINDS else None)
        known.restore(body, at=at)

    def tell(self, known: Known, *, at: float) -> list[Say]:
        """Return a device's message, if it is time for it, and what had to make room for it."""
        says = self._crowd()
        if known.key in self._known and (known.told_at is None or not 0 <= at - known.told_at < WRITE_S):
            says += self._say(known, at=at)
        return says

    def first(self, *, at: float) -> list[Say]:
        """Return the messages of named devices that were never told: those that are only spoken to are listed too."""
        return [say for known in self.named() if known.told_at is None for say in self._say(known, at=at)]

    def look(self, *, at: float) -> list[Say]:
        """Return the messages that had to wait."""
        late = [known for known in self._known.values() if known.is_dirty]
        return [say for known in late for say in self.tell(known, at=at)]

    def due(self) -> float | None:
        """Return when the next one's wait is over."""
        times = [(known.told_at or 0.0) + WRITE_S for known in self._known.values() if known.is_dirty]
        return min(times, default=None)

    def shift(self, seconds: float) -> None:
        """The clock was set by so much."""
        for known in self._known.values():
            known.told_at = None if known.told_at is None else known.told_at + seconds
            known.last_seen = None if known.last_seen is None else known.last_seen + seconds

    def _resolve(self, text: object, *, new: bool = False) -> Known:
        """Return the device of a name or a key; `new`: one that was never heard too, as most covers are."""
        for known in self.named():
            if known.name == text:
                return known
        address = naming.read(str(text))
        known_ = self._known.get(address.key)
        if known_ is None and not new:
            raise Invalid(
                f"{address.key} has not been heard, and has no name; `hearthbus devices` lists those that have"
            )
        return known_ or Known(address, Device(id=address.key))

    def _refuse_configured(self, known: Known) -> None:
        if known.configured:
            raise Invalid(f"{known.key} is named in the configuration: change the table [rfxtrx.devices.{known.name}]")

    def _say(self, known: Known, *, at: float) -> list[Say]:
        known.told_at, known.is_dirty = at, False
        return [Say(f"{self.topic}/{known.key}", known.body(), retain=True)]

    def _crowd(self) -> list[Say]:
        """Forget who was silent longest, where there are too many without a name."""
        unnamed = [known for known in self._known.values() if not known.name]
        says = []
        for known in sorted(unnamed, key=lambda each: each.last_seen or 0.0)[: max(0, len(unnamed) - MOST_UNNAMED)]:
            del self._known[known.key]
            self.forgotten += 1
            says.append(Say(f"{self.topic}/{known.key}", {}, retain=True))
        return says

    def _take_back(self, known: Known) -> list[Say]:
        """Return what takes back the state told under a name it has no more."""
        return [Say(f"{known.kind}/{known.name}", {}, retain=True)] if known.kind in STATES else []


def _same_group(one: Address, other: Address) -> bool:
    if (one.packet, one.subtype) != (other.packet, other.subtype):
        return False
    return {**one.fields, "unit": 0} == {**other.fields, "unit": 0}
