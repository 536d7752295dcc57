"""Bring 1-wire thermometers and their kin on the bus: from the kernel's w1 drivers, or from a mount of owfs.

A reading is told when it has changed and every ten minutes at the least; what is no reading (a wrong CRC, the 85 °C of
a sensor that has just got power, nothing at all) never is: it is counted, and a sensor that stays away is an alert.
Each reading may block for a second, or hang with the bus: a thread does it, and one that hangs costs the others little.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from drivers.onewire import FAMILIES, Address, Fault, parse_address
from hearthbus import Service, Unavailable
from services.checks import is_segment, refuse
from services.onewire.sensor import Rules, Say, Sensor
from services.onewire.tree import family, look
from services.onewire.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from drivers.onewire import Channel
    from services.onewire.tree import Tree


_AWAY: Final = "it is not on the bus"
_LEAST: Final = {"every_s": 0.1, "at_least_s": 0, "timeout_s": 0.1, "change": 0, "gone_s": 0, "alert_after": 1}


@dataclass(frozen=True)
class Known:
    """What is known of one sensor; the name of its table is its place."""

    id: str
    """Which one: `28-0316a2794bff` as the kernel writes it, or `28.FF4B79A21603`, the same sensor as owfs does."""
    offset: float = 0.0
    """°C added to what it measures."""

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[str]:
        try:
            code = self.address.family
        except ValueError as error:
            yield f"id: {error}"
            return
        if code not in FAMILIES:
            known = ", ".join(f"{one:02x}" for one in FAMILIES)
            yield f"id {self.id}: sensors of family {code:02x} cannot be read; those of {known} can"

    @property
    def address(self) -> Address:
        """Return its address.

        Raises:
            ValueError: it is none.
        """
        return parse_address(self.id)


class OneWire(Service):
    """The sensors of a 1-wire bus."""

    @dataclass(frozen=True)
    class Config:
        """Where the sensors are, and what is told of them."""

        root: str = "/sys/bus/w1/devices"
        """The folder the sensors are in: the kernel's, or where owfs is mounted."""
        every_s: float = 60.0
        """Seconds between two readings of a sensor."""
        at_least_s: float = 600.0
        """Seconds after which a reading is told though it has not changed."""
        change: float = 0.1
        """By how much a reading must differ from the one told before: °C, %, V."""
        timeout_s: float = 10.0
        """Seconds a reading may take."""
        alert_after: int = 5
        """After how many failures in a row there is an alert."""
        gone_s: float = 300.0
        """After how many seconds without a good reading there is one, for a sensor that has vanished."""
        sensors: dict[str, Known] = field(default_factory=dict)
        """By place, what is known of each; a table of its own. A sensor without one has its id for a place."""

        def __post_init__(self) -> None:
            refuse(self._faults())

        def _faults(self) -> Iterator[str]:
            if not self.root.startswith("/"):
                yield f"root {self.root!r} is not a whole path; write for example /sys/bus/w1/devices"
            for key, least in _LEAST.items():
                if getattr(self, key) < least:
                    yield f"{key} {getattr(self, key)} is less than {least}"
            if self.at_least_s < self.every_s:
                yield f"at_least_s {self.at_least_s} is less than every_s {self.every_s}"
            seen: dict[Address, str] = {}
            for name, known in self.sensors.items():
                if not is_segment(name):
                    yield f"sensors.{name}: a name is one part of a topic, of a-z 0-9 _ . -"
                first = seen.setdefault(known.address, name)
                if first != name:
                    yield f"sensors.{name}: {known.id} is {first} already"

    config: Config

    async def on_start(self) -> None:
        """Learn what an earlier run has told."""
        mine = await self.get(f"{self.name}/+", "alert/+", "sensor/+/+")
        self._left = {message.topic: message.body for message in mine if message.origin == self.name}
        self._worker = Worker(f"{self.name} readings")
        self._strange: frozenset[str] = frozenset()
        self.rounds = 0
        self._sensors: dict[Address, Sensor] = {}
        for place, known in self.config.sensors.items():
            self._add(known.address, place, known.offset)

    async def on_stop(self) -> None:
        """Let the thread end."""
        self._worker.close()

    async def main(self) -> None:
        """Read all sensors, again and again; a round that takes long delays the next."""
        while True:
            began = self.clock.monotonic()
            await self._round()
            self.rounds += 1
            await self.sleep(max(0.0, began + self.config.every_s - self.clock.monotonic()))

    async def _round(self) -> None:
        root, timeout = self.config.root, self.config.timeout_s
        try:
            tree = await self._worker.run("look", partial(look, root), timeout)
        except (Unavailable, TimeoutError) as error:
            text = str(error) if isinstance(error, Unavailable) else f"{root} does not answer"
            for sensor in self._sensors.values():
                await self._say(sensor, sensor.miss(text, at=self.now(), ticks=self.clock.monotonic()))
            self._complain(f"{text}; docs/onewire.md says how a bus gets there")
            return
        await self._meet(tree)
        hangs = ""
        try:
            await self._worker.run("convert", tree.convert, timeout)
        except TimeoutError:
            hangs = f"{root}: a conversion of all sensors at once hangs; "
        for address, sensor in self._sensors.items():
            await self._read(tree, address, sensor)
        self._complain((hangs + _summary(self._sensors.values())).removesuffix("; "))

    async def _meet(self, tree: Tree) -> None:
        """Take up sensors that are new, and once, take back what an earlier run has told of others."""
        for address in tree.found:
            if address not in self._sensors:
                self._add(address, str(address), 0.0)
        for name in sorted(tree.strange - self._strange):
            self.log.info("%s is no sensor that can be read here", name)
        self._strange |= tree.strange
        if self._left:
            topics = {topic for sensor in self._sensors.values() for topic in sensor.topics()}
            for topic in sorted(self._left.keys() - topics):
                await self.publish(topic, {}, retain=True)
            self._left = {}

    async def _read(self, tree: Tree, address: Address, sensor: Sensor) -> None:
        results: dict[Channel, float | Fault] = {}
        for channel in family(address).channels if address in tree.found else ():
            try:
                results[channel] = await self._reading(tree, address, channel)
            except FileNotFoundError:
                results.clear()
                break
            except Fault as fault:
                results[channel] = fault
        at, ticks = self.now(), self.clock.monotonic()
        says = sensor.take(results, at=at, ticks=ticks) if results else sensor.miss(_AWAY, at=at, ticks=ticks)
        await self._say(sensor, says)

    async def _reading(self, tree: Tree, address: Address, channel: Channel) -> float:
        """Return what the sensor says.

        Raises:
            Fault: nothing it can be believed.
            FileNotFoundError: it is not there any more.
        """
        try:
            return await self._worker.run(str(address), partial(tree.read, address, channel), self.config.timeout_s)
        except TimeoutError:
            raise Fault("hanging", f"it did not answer within {self.config.timeout_s:g} s") from None

    async def _say(self, sensor: Sensor, says: Iterable[Say]) -> None:
        """Publish, and log what has changed."""
        for say in says:
            await self.publish(say.topic, say.body, retain=True)
            if say.topic == sensor.alert:
                self.log.log(30 if say.body["active"] else 20, "%s", say.body["message"])

    def _add(self, address: Address, place: str, offset: float) -> None:
        config = self.config
        rules = Rules(
            every_s=config.every_s,
            at_least_s=config.at_least_s,
            change=config.change,
            alert_after=config.alert_after,
            gone_s=config.gone_s,
        )
        sensor = Sensor(address, place, self.name, rules, offset)
        sensor.before = self._left.get(sensor.topic, {})
        sensor.alerted = bool(self._left.get(sensor.alert, {}).get("active"))
        self._sensors[address] = sensor

    def _complain(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.log.log(30 if trouble else 20, "%s", trouble or "all sensors are well")
        self.trouble = trouble

    def health(self) -> dict[str, Any]:
        """Add how the sensors are."""
        sensors = self._sensors.values()
        return {
            **super().health(),
            "rounds": self.rounds,
            "sensors": len(sensors),
            "sensors_failing": sum(sensor.status == "failing" for sensor in sensors),
            "sensors_gone": sum(sensor.status == "gone" for sensor in sensors),
            "readings": sum(sensor.readings for sensor in sensors),
            "failures": sum(sensor.errors.total() for sensor in sensors),
        }


def _summary(sensors: Iterable[Sensor]) -> str:
    """Return what is wrong, for people; empty when all is well."""
    bad = [f"{sensor.place}: {sensor.error}" for sensor in sensors if sensor.status != "ok"]
    return "; ".join(bad[:3]) + (f"; and {len(bad) - 3} more" if len(bad) > 3 else "")
