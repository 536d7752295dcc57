"""The table `[jeenode]`: gateways and nodes, what may be said of each. Knows names and numbers, no port and no bus."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from hearthbus import Invalid
from hearthbus.config.problems import nearest
from services.checks import check_all, is_segment, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP: Final = 212
"""The net group of nodes that were never given another: what the plain RFM12 can receive."""
MOTION_TIMEOUT_S: Final = 900.0


@dataclass(frozen=True)
class Gateway:
    """A board on a port.

    [jeenode.gateways.loft]
    port = "/dev/ttyUSB0"         # or socket://host:port
    profile = "rf12"              # our gateway, or any RF12demo; or one of:
                                  # "mcu-relay": JSON lines in, SR,VOLUP and kin out
                                  # "ledcontroller": 1/2/13/2/ switches pin 13 on
    """

    port: str
    profile: Literal["rf12", "mcu-relay", "ledcontroller"] = "rf12"
    baud: int = 57600
    group: int = GROUP
    """The net group, where the gateway does not say it itself."""
    collect: bool = False
    """Leave acks to another gateway of the same group: of two that ack, the acks collide."""
    silence_s: float | None = None
    """Seconds without a byte after which the port is opened anew; default: never, a quiet house is quiet."""
    pins: dict[str, int] = field(default_factory=dict)
    """With `ledcontroller`: the pin of each switch/<name>."""

    def __post_init__(self) -> None:
        check_all(lambda: check_port(self.port, self.baud), lambda: refuse(self._faults()))

    def _faults(self) -> Iterator[str]:
        if not 0 <= self.group <= 255:
            yield f"group {self.group} is not between 0 and 255"
        if self.silence_s is not None and not self.silence_s >= 1:
            yield f"silence_s {self.silence_s} is less than 1 second"
        if bool(self.pins) != (self.profile == "ledcontroller"):
            yield 'pins = { desk = 13 } goes with profile = "ledcontroller", and with no other'
        for name, pin in self.pins.items():
            if not is_segment(name) or not 0 <= pin <= 99:
                yield f"pins.{name} = {pin}: a name is one part of a topic, of a-z 0-9 _ . -, a pin is 0 to 99"


@dataclass(frozen=True)
class Node:
    """A node; the name of its table is its place, and its light.

    [jeenode.nodes.hall]
    id = 5
    profile = "room"              # default "hearth": one of ours, which says what it is
    """

    id: int
    group: int = GROUP
    profile: Literal["hearth", "room", "led", "slave", "masternode", "emontx", "emonth", "fields"] = "hearth"
    place: str | None = None
    light: bool = False
    """Whether it switches light/<place>; a stock `led` always does."""
    sensors: tuple[str, ...] = ()
    """Places of the sensors of a 1-wire node, by index; default: the place, then <place>-1, <place>-2 ..."""
    fields: str | None = None
    """The struct it sends, in emonHub's datacodes: "b,h,h"."""
    names: tuple[str, ...] = ()
    """What each field is: a quantity, or place/quantity; "" leaves it out."""
    scales: tuple[float, ...] = ()
    """What each field is multiplied by."""
    interval_s: float | None = None
    """Seconds between its reports; default: learned."""
    motion_timeout_s: float = MOTION_TIMEOUT_S
    """Seconds after which motion is over although the node has not said so; it must be above its report interval."""

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[str]:
        if not 1 <= self.id <= 255 or (self.id > 30 and self.profile != "masternode"):
            yield f"id {self.id} is not between 1 and 30"
        if not 0 <= self.group <= 255:
            yield f"group {self.group} is not between 0 and 255"
        for place in (*((self.place,) if self.place is not None else ()), *self.sensors):
            if not is_segment(place):
                yield f"place {place!r} is not one part of a topic, of a-z 0-9 _ . -"
        if (self.fields is not None) != (self.profile == "fields"):
            yield 'fields = "b,h,h" goes with profile = "fields", and with no other'
        if self.fields is not None:
            yield from self._faults_of_fields(self.fields)
        if self.interval_s is not None and not self.interval_s > 0:
            yield f"interval_s {self.interval_s} is not above 0"
        if not self.motion_timeout_s > 0:
            yield f"motion_timeout_s {self.motion_timeout_s} is not above 0"

    def _faults_of_fields(self, fields: str) -> Iterator[str]:
        from drivers.rf12.datacodes import Struct
        from services.jeenode.readings import QUANTITIES

        try:
            Struct(fields, self.scales)
        except ValueError as error:
            yield str(error)
        for name in filter(None, self.names):
            place, slash, quantity = name.rpartition("/")
            if quantity not in QUANTITIES:
                yield f"names: {quantity!r} is no quantity{nearest(quantity, QUANTITIES)}; docs/topics.md lists them"
            elif slash and not is_segment(place):
                yield f"names: {place!r} is not one part of a topic, of a-z 0-9 _ . -"

    @property
    def is_light(self) -> bool:
        """Whether it serves a light."""
        return self.light or self.profile == "led"


@dataclass(frozen=True)
class Settings:
    """The whole table."""

    gateways: dict[str, Gateway] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[str]:
        for table, names in (("gateways", self.gateways), ("nodes", self.nodes)):
            for name in names:
                if not is_segment(name):
                    yield f"{table}.{name}: a name is one part of a topic, of a-z 0-9 _ . -"
        ports: dict[str, str] = {}
        for name, gateway in self.gateways.items():
            if ports.setdefault(gateway.port, name) != name:
                yield f"gateways.{name}: port {gateway.port} is that of {ports[gateway.port]} already"
        ids: dict[tuple[int, int], str] = {}
        for name, node in self.nodes.items():
            if ids.setdefault((node.group, node.id), name) != name:
                yield f"nodes.{name}: node {node.id} of group {node.group} is {ids[node.group, node.id]} already"
        for kind, found in (("light", self.lights), ("switch", self.switches)):
            for name in sorted({name for name in found if found.count(name) > 1}):
                yield f"{kind}/{name} belongs to two; give one of them another place"

    def place(self, name: str) -> str:
        """Return where a node is."""
        return self.nodes[name].place or name

    @property
    def lights(self) -> tuple[str, ...]:
        """The light/<name> that are served."""
        return tuple(self.place(name) for name, node in self.nodes.items() if node.is_light)

    @property
    def switches(self) -> tuple[str, ...]:
        """The switch/<name> that are served."""
        return tuple(name for gateway in self.gateways.values() for name in gateway.pins)

    @property
    def relays(self) -> tuple[str, ...]:
        """The remote/<name> that are served: gateways that press buttons."""
        return tuple(name for name, gateway in self.gateways.items() if gateway.profile == "mcu-relay")


def check_port(address: str, baud: int) -> None:
    """Refuse a port that cannot be.

    Raises:
        Invalid: the address or the speed.
    """
    from drivers.wire import check

    try:
        check(address, baud)
    except ValueError as error:
        raise Invalid(str(error)) from None
