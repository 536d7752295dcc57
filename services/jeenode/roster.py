"""All nodes of the house: from packets heard to what there is to publish.

Pure: packets and times come in, `Say`s go out. `at` is seconds since 1970 UTC; `ticks` come from
a clock that never jumps, and tell repeats. What a payload means is in `readings`, what is known of a node in `known`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from drivers.bits import CodecError
from drivers.rf12 import hearth
from hearthbus import Invalid
from services.jeenode import readings
from services.jeenode.duplicates import ANNOUNCED_S, NUMBERED_S, PLAIN_S, Duplicates
from services.jeenode.known import Known
from services.jeenode.motion import Motions
from services.jeenode.presence import Story
from services.jeenode.readings import Reader
from services.jeenode.settings import GROUP, MOTION_TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from drivers.fields import Packet
    from drivers.rf12 import stock
    from drivers.rf12.values import Heard
    from services.jeenode.readings import Reading
    from services.jeenode.settings import Settings

DRIVER: Final = "rf12"
NODES: Final = f"radio/{DRIVER}/node"
UNKNOWN: Final = f"radio/{DRIVER}/unknown"
STRANGER_PACKETS: Final = 2
"""Packets after which a node that nobody can read is listed: noise can look like one."""
_LIVES_BY_ANNOUNCING: Final = frozenset({"led", "gateway"})

Key = tuple[int, int]
"""Group and id of a node."""


@dataclass(frozen=True)
class Say:
    """One message to publish."""

    topic: str
    body: dict[str, Any]
    retain: bool = False


@dataclass
class Found:
    """What one packet has brought."""

    says: list[Say] = field(default_factory=list)
    sender: Key | None = None
    packet: Packet | None = None
    """What it was, if it is news."""
    restarted: bool = False
    """Also where it is a repeat: a node that starts twice within a second says the same both times."""
    repeated: bool = False
    missed: int = 0
    """Packets of the node before this one that nobody has heard."""
    gave_up: int = 0
    """Packets that wanted an ack, and that the node has given up since it said so last."""


class Roster:
    """Every node heard.

    Args:
        settings: the tables of those that have one.
        at: now, from when on nodes can be heard.
    """

    def __init__(self, settings: Settings, *, at: float) -> None:
        self._settings = settings
        self._began = at
        self._names = {(node.group, node.id): name for name, node in settings.nodes.items()}
        self._known: dict[Key, Known] = {}
        self._strangers: Counter[Key] = Counter()
        self._duplicates = Duplicates()
        self._motions = Motions()
        self._readers: dict[Key, Reader] = {}

    def node(self, key: Key) -> Known:
        """Return a node, which begins to be known where it was not."""
        if key not in self._known:
            name = self._names.get(key, "")
            settings = self._settings.nodes.get(name)
            interval_s = None if settings is None else settings.interval_s
            story = Story(fixed_interval_s=interval_s, listening_since=self._began)
            self._known[key] = Known(*key, name=name, settings=settings, story=story)
        return self._known[key]

    def find(self, name: object) -> Key:
        """Return the node of a table's name, of "212-5" as its topic has it, or of an id, where one group has it.

        Raises:
            Invalid: there is none, or more than one.
        """
        for key in self._names:
            if self._names[key] == name:
                return key
        found = [key for key in {*self._names, *self._known} if str(name) in {f"{key[0]}-{key[1]}", str(key[1])}]
        if len(found) == 1:
            return found[0]
        names = (f"{group}-{node}" for group, node in sorted(found)) if found else sorted(self._names.values())
        raise Invalid(f"node is {name!r}; write one of {', '.join(names) or 'those that were heard, such as 212-5'}")

    def owner(self, key: Key) -> str:
        """Return who has an id: the name of a table, or a node that is heard; empty where nobody has."""
        known = self._known.get(key)
        heard = known is not None and known.story.last_seen is not None and not known.story.lost
        return self._names.get(key) or ("one that is heard" if heard else "")

    def say(self, key: Key) -> Say:
        """Return the message that tells how a node is."""
        return Say(f"{NODES}/{key[0]}-{key[1]}", self.node(key).body(), retain=True)

    def restore(self, body: Mapping[str, Any]) -> None:
        """Take up a node an earlier run has left."""
        group, node = body.get("group"), body.get("node")
        if isinstance(group, int) and isinstance(node, int):
            self.node((group, node)).restore(body)

    def restore_motion(self, place: str, *, at: float) -> None:
        """Take up that somebody moved at a place, as it was told at `at`."""
        nodes = self._settings.nodes
        times = [node.motion_timeout_s for name, node in nodes.items() if self._settings.place(name) == place]
        self._motions.moving(place, at=at, timeout_s=max(times, default=MOTION_TIMEOUT_S))

    def hear(self, heard: Heard, *, group: int, gateway: str, at: float, ticks: float) -> Found:
        """Take a packet off the air."""
        group = group if heard.group is None else heard.group
        found = Found()
        signal = {} if heard.rssi_dbm is None else {"rssi_dbm": heard.rssi_dbm}
        frame = {"hex": bytes([heard.header.byte, *heard.payload]).hex(), **signal}
        if not heard.good:
            found.says.append(Say(UNKNOWN, {**frame, "reason": "its CRC is wrong, and it may be cut"}))
            return found
        fields: dict[str, Any] = {"gateway": gateway, "group": group, "header": heard.header.byte}
        found.says.append(Say(f"radio/{DRIVER}/raw", {**frame, "fields": fields}))
        if heard.header.is_ack:
            return found
        try:
            sender = heard.header.sender or hearth.decode(heard.payload).sender  # addressed to us: only ours say who
            key = found.sender = (group, sender)
            meaning = self._reader(key).read(heard.payload)
        except CodecError as error:
            reason = str(error) if found.sender in self._names or found.sender is None else _no_table(found.sender)
            found.says.append(Say(UNKNOWN, {**frame, "reason": reason}))
            if found.sender is not None:
                self._strange(found, gateway=gateway, at=at, signal=signal)
            return found
        fields.update({"node": sender, **meaning.fields})
        found.restarted = isinstance(meaning.packet, hearth.Announce) and heard.header.ack  # the hourly one wants none
        if self._duplicates.repeats(key, heard.payload, at=ticks, within=_window(meaning.packet)):
            found.repeated = True
            return found
        if found.restarted:
            self._duplicates.started(key, heard.payload)
        found.packet = meaning.packet
        self._learn(found, meaning.packet)
        report = _is_report(meaning.packet, self.node(key))
        self._there(
            found, gateway=gateway, at=at, signal=signal, report=report, sequence=meaning.fields.get("sequence")
        )
        if key in self._names:
            found.says += self._sensors(key, meaning.readings, at=at, signal=signal)
        else:
            found.says.append(Say(UNKNOWN, {**frame, "reason": _no_table(key)}))
        found.says.append(self.say(key))
        return found

    def read(self, line: stock.Master, *, group: int, gateway: str, at: float) -> Found:
        """Take a JSON line of a MasterNode."""
        key = (group, line.node)
        found = Found(sender=key)
        self._there(found, gateway=gateway, at=at, signal={}, report=True)
        if key in self._names:
            told = readings.of_master(line, self._place(key))
            found.says += self._sensors(key, told, at=at, signal={})
        else:
            text = {"hex": line.encode().encode().hex(), "reason": _no_table(key, profile="masternode")}
            found.says.append(Say(UNKNOWN, text))
        found.says.append(self.say(key))
        return found

    def look(self, *, at: float) -> list[Say]:
        """Return what time alone has changed: nodes that are lost, motion that is over."""
        says = []
        for key, known in self._known.items():
            if known.story.look(at=at):
                known.since = at
                says.append(self.say(key))
        over = self._motions.over(at=at)
        return says + [Say(f"sensor/{place}/motion", {"value": False}, retain=True) for place in over]

    def shift(self, seconds: float) -> None:
        """The clock was set by so much, which says nothing about any node."""
        self._began += seconds
        self._motions.shift(seconds)
        for known in self._known.values():
            known.story.shift(seconds)

    def due(self) -> float | None:
        """Return when `look` will have something to say."""
        times = [known.story.due() for known in self._known.values()]
        return min((time for time in (*times, self._motions.due()) if time is not None), default=None)

    def _reader(self, key: Key) -> Reader:
        if key not in self._readers:
            self._readers[key] = Reader(self._settings.nodes.get(self._names.get(key, "")), self._place(key))
        return self._readers[key]

    def _place(self, key: Key) -> str:
        name = self._names.get(key)
        return f"{DRIVER}-{key[0]}-{key[1]}" if name is None else self._settings.place(name)

    def _strange(self, found: Found, *, gateway: str, at: float, signal: dict[str, float]) -> None:
        """Note a sender whose bytes mean nothing: it is there, all the same; noise that looks like one is not."""
        assert found.sender is not None  # noqa: S101 - for the type checker: its caller has looked
        self._strangers[found.sender] += 1
        if found.sender in self._names or self._strangers[found.sender] >= STRANGER_PACKETS:
            self._there(found, gateway=gateway, at=at, signal=signal, report=False)
            found.says.append(self.say(found.sender))

    def _learn(self, found: Found, packet: Packet | None) -> None:
        """Note what a payload says of its node."""
        assert found.sender is not None  # noqa: S101 - as above
        known = self.node(found.sender)
        if found.restarted:
            known.restarted()
        if isinstance(packet, hearth.PAYLOADS):
            found.gave_up = known.learn(packet)
        elif packet is not None and known.settings is not None:
            known.facts["kind"] = known.settings.profile
        if isinstance(packet, hearth.Room):
            known.facts["missing"] = readings.missing(packet)

    def _there(
        self, found: Found, *, gateway: str, at: float, signal: dict[str, float], report: bool,
        sequence: int | None = None,
    ) -> None:  # fmt: skip
        """Note a sign of life."""
        assert found.sender is not None  # noqa: S101 - as above
        known = self.node(found.sender)
        if known.story.lost or known.story.last_seen is None:
            known.since = at
        found.missed = known.story.heard(at=at, report=report, sequence=sequence, restarted=found.restarted)
        known.facts.update({"gateway": gateway, **signal})

    def _sensors(self, key: Key, told: Iterable[Reading], *, at: float, signal: dict[str, float]) -> list[Say]:
        known = self.node(key)
        says = []
        for reading in told:
            if reading.quantity == "motion":
                self._move(reading, known, at=at)
            unit = {} if reading.unit is None else {"unit": reading.unit}
            body = {"value": reading.value, **unit, "device": known.device, **signal}
            says.append(Say(f"sensor/{reading.place}/{reading.quantity}", body, retain=True))
        return says

    def _move(self, reading: Reading, known: Known, *, at: float) -> None:
        if reading.value and known.settings is not None:
            self._motions.moving(reading.place, at=at, timeout_s=known.settings.motion_timeout_s)
        else:
            self._motions.ended(reading.place)


def _window(packet: Packet | None) -> float:
    """Return how long a packet can be repeated."""
    if isinstance(packet, hearth.Announce):
        return ANNOUNCED_S
    return NUMBERED_S if isinstance(packet, hearth.PAYLOADS) else PLAIN_S


def _is_report(packet: Packet | None, known: Known) -> bool:
    """Whether a packet came because its time had come: these teach how often a node reports."""
    match packet:
        case hearth.Room():
            return True
        case hearth.Temperature(index=index):
            return index == 0  # the others of the same report follow at once
        case hearth.Announce():
            return known.facts.get("kind") in _LIVES_BY_ANNOUNCING
    return not isinstance(packet, hearth.PAYLOADS)


def _no_table(key: Key, *, profile: str = "") -> str:
    group = "" if key[0] == GROUP else f", group = {key[0]}"
    kind = f', profile = "{profile}"' if profile else ""
    return f"no table knows it; write [jeenode.nodes.NAME] with id = {key[1]}{group}{kind}"
