"""Carry what is said in the house to where it is kept and drawn: each message once, with the time it was said.

    settings, sinks/                     what the tables say; a module or more for each kind of sink
    naming, units                        what a number is called elsewhere, and in which unit
    records, outcomes                    what is sent, and how an attempt may end
    pace, batch, letters, standing       what is decided, without a clock, a disk or a bus
    intake, live, again, carrier, lane   what is done, for one sink
    shelf, place, worker, waiting, alarm files, a thread, time, the alert

Each sink reads the broker's journal by itself, from its own place: one that is slow or away costs the others nothing,
and what is published while this service is stopped is sent when it is back.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hearthbus import Service, every, serve
from hearthbus.errors import Invalid, Unavailable
from services.checks import is_segment, refuse
from services.folder import state_folder
from services.telemetry.lane import Lane
from services.telemetry.settings import Common
from services.telemetry.sinks.cosm import Cosm  # noqa: TC001 - the configuration's reader asks for it
from services.telemetry.sinks.emoncms import Emoncms  # noqa: TC001 - as above
from services.telemetry.sinks.graphite import GraphiteSettings  # noqa: TC001 - as above
from services.telemetry.sinks.influxdb import InfluxDb, InfluxDb2  # noqa: TC001 - as above
from services.telemetry.sinks.mqtt import MqttSettings  # noqa: TC001 - as above
from services.telemetry.sinks.prometheus import PrometheusSettings  # noqa: TC001 - as above
from services.telemetry.sinks.thingspeak import ThingSpeak  # noqa: TC001 - as above
from services.telemetry.sinks.webhook import Webhook  # noqa: TC001 - as above

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hearthbus import Message

TOLD_S: Final = 10.0
"""Seconds between two tellings of how a sink stands."""
LONGEST_NAME: Final = 40
"""Letters of a sink's name; with the service's it is the name of a durable subscription, which has at most 60."""


class Telemetry(Service):
    """Every sink of a house."""

    @dataclass(frozen=True)
    class Config:
        """The sinks, by kind and name."""

        folder: Path | None = None
        """Folder of dead letters; default: $STATE_DIRECTORY/telemetry, else ~/.local/state/hearthbus/telemetry."""
        influxdb: dict[str, InfluxDb] = field(default_factory=dict)
        """InfluxDB 1, VictoriaMetrics, QuestDB."""
        influxdb2: dict[str, InfluxDb2] = field(default_factory=dict)
        """InfluxDB 2 and later."""
        graphite: dict[str, GraphiteSettings] = field(default_factory=dict)
        """Graphite's carbon."""
        emoncms: dict[str, Emoncms] = field(default_factory=dict)
        """emoncms.org, or one's own."""
        cosm: dict[str, Cosm] = field(default_factory=dict)
        """Cosm, Pachube, Xively: what speaks their protocol."""
        thingspeak: dict[str, ThingSpeak] = field(default_factory=dict)
        """ThingSpeak."""
        mqtt: dict[str, MqttSettings] = field(default_factory=dict)
        """Another MQTT server."""
        webhook: dict[str, Webhook] = field(default_factory=dict)
        """Any program that takes JSON."""
        prometheus: dict[str, PrometheusSettings] = field(default_factory=dict)
        """Pages of the newest values, which Prometheus fetches."""

        def __post_init__(self) -> None:
            refuse(self._faults())

        def sinks(self) -> dict[str, Common]:
            """Return the table of each sink that has a lane, by name."""
            return {name: table for _, name, table in self._tables() if isinstance(table, Common)}

        def _faults(self) -> Iterator[str]:
            names = Counter(name for _, name, _ in self._tables())
            for kind, name, _ in self._tables():
                if not is_segment(name) or name == "retry" or len(name) > LONGEST_NAME:
                    yield f"{kind}.{name}: a name has at most {LONGEST_NAME} of a-z 0-9 _ . -, and is not retry"
                elif names[name] > 1:
                    yield f"{kind}.{name}: there is another sink of that name"

        def _tables(self) -> Iterator[tuple[str, str, Any]]:
            for each in fields(self):
                tables = getattr(self, each.name)
                if isinstance(tables, dict):
                    yield from ((each.name, name, table) for name, table in tables.items())

    config: Config

    async def on_start(self) -> None:
        """Nothing is connected yet."""
        self._lanes: dict[str, Lane] = {}
        self._exporters = {name: settings.exporter(name) for name, settings in self.config.prometheus.items()}

    async def main(self) -> None:
        """Run every lane and every page."""
        sinks = self.config.sinks()
        if not sinks and not self._exporters:
            self.log.info("no sinks: a table such as [%s.influxdb.NAME] makes one", self.name)
            await super().main()
        async with asyncio.TaskGroup() as group:
            for name, exporter in self._exporters.items():
                group.create_task(exporter.run(self.subscribe, lambda: self.bus.connected), name=f"page {name}")
            folder = await self._folder() if sinks else Path()
            self._lanes = {
                name: Lane(self, name=name, settings=settings, folder=folder, tell=self._turned)
                for name, settings in sinks.items()
            }
            for name, lane in self._lanes.items():
                group.create_task(lane.run(), name=f"lane {name}")

    @every(TOLD_S)
    async def tell(self) -> None:
        """Say how each sink stands."""
        for lane in self._lanes.values():
            await lane.watch()
            await self._turned(lane)
        self._say_trouble()

    async def _turned(self, lane: Lane) -> None:
        await self.publish(f"{self.name}/{lane.name}", lane.body(), retain=True)
        self._say_trouble()

    def _say_trouble(self) -> None:
        if self._lanes or self._exporters:
            of_lanes = (lane.trouble for lane in self._lanes.values())
            self.trouble = "; ".join(filter(None, (*of_lanes, *(page.fault for page in self._exporters.values()))))

    async def _folder(self) -> Path:
        """Return the folder; while it cannot be made, nothing is sent, and nothing lost."""
        while True:
            try:
                return state_folder(self.name, configured=self.config.folder)
            except Unavailable as error:
                if not self.trouble:
                    self.log.error("%s", error)  # noqa: TRY400 - for people, without a traceback
                self.trouble = str(error)
                await self.sleep(TOLD_S)

    @serve("{name}/retry")
    async def retry(self, request: Message) -> dict[str, Any]:
        """Send dead letters again, of one sink or of all, and try now what waits."""
        wanted = request.get("sink")
        if wanted is not None and (not isinstance(wanted, str) or wanted not in self._lanes):
            names = ", ".join(sorted(self._lanes)) or "none"
            raise Invalid(f"there is no sink {str(wanted)[:60]!r}; there is: {names}")
        lanes = list(self._lanes.values()) if wanted is None else [self._lanes[wanted]]
        return {"queued": sum(lane.retry() for lane in lanes)}

    def health(self) -> dict[str, Any]:
        """Add the sums over all sinks."""
        bodies = [lane.body() for lane in self._lanes.values()]
        return {
            **super().health(),
            "sinks": len(bodies),
            "sinks_in_trouble": sum(body["status"] in ("held", "retrying") for body in bodies),
            **{key: sum(body[key] for body in bodies) for key in ("sent", "behind", "dead", "dropped")},
        }
