"""`python -m bench.telemetry_soak`: an hour of sensors into sinks that fail in every way; the account of every point.

There is a sink of each kind that has a lane. Each is down, failing, slow and flapping in turn, each in another way than
its neighbours; the service's process is killed with SIGKILL all the while. Afterwards every sink has to hold every
point with its value and the time it was measured, in order within its series; a sink that can refuse has the one
poison point in its dead letters and nothing else; and where a repetition does harm, the receiver could tell it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench import telemetry_forms as forms
from bench import telemetry_house as house
from bench.process import Failed
from bench.telemetry_receivers import MOODS, POISON, HttpReceiver, Receiver
from bench.telemetry_wires import Carbon, Mqtt
from hearthbus.bus import Bus

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR_S: Final = 3600
_SECOND: Final = 1_000_000_000
_POISON_SENSOR: Final = 5
"""One of the eight a channel of ThingSpeak has fields for."""
_FIELDS: Final = 8
_BATCH: Final = 500
_DRAIN_S: Final = 60.0
_COMMON: Final = f"every_s = 0.2\nbatch = {_BATCH}\ntimeout_s = 2.0\n"


@dataclass
class Account:
    """What came of a trial."""

    faults: list[str] = field(default_factory=list)
    kills: int = 0
    points: int = 0
    """All that were published."""
    repeated: dict[str, int] = field(default_factory=dict)
    """By sink, points that came again."""
    megabytes: list[float] = field(default_factory=list)
    """Resident memory of the service before each kill."""

    def __str__(self) -> str:
        half = len(self.megabytes) // 2
        first, later = max(self.megabytes[:half], default=0), max(self.megabytes[half:], default=0)
        return (
            f"{self.points} points for {len(self.repeated)} sinks; the service killed {self.kills} times\n"
            f"came again: {', '.join(f'{name} {count}' for name, count in self.repeated.items())}\n"
            f"memory at most {first:.1f} MB in the first half, {later:.1f} MB in the second"
        )


class Trial:
    """One house, a sink of each kind, and what happens to them.

    Args:
        folder: where the house is; a short path.
        phases: how often the sinks' moods change; a multiple of four gives each sink each mood.
        phase_s: seconds of one phase.
        apart_s: seconds between two values of a sensor.
        seed: of what happens at random.
    """

    def __init__(self, folder: Path, *, phases: int, phase_s: float, apart_s: int, seed: int) -> None:
        self.account = Account()
        self._folder = folder
        self._phases = phases
        self._phase_s = phase_s
        self._chance = random.Random(seed)
        end = time.time_ns() // _SECOND * _SECOND
        self._times = [end - second * _SECOND for second in range(HOUR_S, 0, -apart_s)]
        self._seed = seed
        self._said: dict[int, dict[int, float]] = {sensor: {} for sensor in range(house.SENSORS)}
        """By sensor, its values by their times."""

    async def run(self) -> Account:
        """Run it and look what the sinks hold."""
        with ExitStack() as stack:
            sinks = {name: stack.enter_context(each) for name, each in self._receivers()}
            url, file = house.write_house(self._folder, _tables(sinks, self._folder))
            broker, service = house.broker(file), house.service(file)
            stack.callback(broker.kill)
            stack.callback(service.kill)
            broker.start()
            async with Bus(url, name="sensors", connect_timeout=20) as bus:
                service.start()
                await _subscribed(bus, len(sinks))
                for phase in range(self._phases):
                    for at, sink in enumerate(sinks.values()):
                        sink.mood = MOODS[(phase + at) % len(MOODS)]
                    await self._feed(bus, phase)
                    await self._kill_for_a_while(service)
                for sink in sinks.values():
                    sink.mood = "up"
                await self._drained(service, sinks)
                self.account.megabytes.append(service.rss_mb())
            service.stop()
        self._settle(sinks)
        return self.account

    async def _feed(self, bus: Bus, phase: int) -> None:
        """Publish this phase's part of the hour, as fast as the broker takes it."""
        count = len(self._times)
        first, last = count * phase // self._phases, count * (phase + 1) // self._phases
        middle = count // 2
        poison = (_POISON_SENSOR, middle - first) if first <= middle < last else None
        await house.publish(bus, self._times[first:last], poison=poison)
        for sensor, said in self._said.items():
            values = house.values(last - first, sensor)
            said |= {
                house.measured_at(at, sensor): value for at, value in zip(self._times[first:last], values, strict=True)
            }
        if poison is not None:
            self._said[_POISON_SENSOR][self._poisoned] = POISON
        self.account.points += (last - first) * house.SENSORS

    async def _kill_for_a_while(self, service: house.Child) -> None:
        until = time.monotonic() + self._phase_s
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, self._chance.uniform(0.1, 1.5)))
            self.account.megabytes.append(service.rss_mb())
            service.kill()
            self.account.kills += 1
            service.start()

    async def _drained(self, service: house.Child, sinks: dict[str, Receiver]) -> None:
        """Return when every sink holds everything, or nothing has moved for long."""
        held, since = -1, time.monotonic()
        while time.monotonic() - since < _DRAIN_S:
            now = sum(sink.held for sink in sinks.values())
            if now != held:
                held, since = now, time.monotonic()
            wanted = {name: sum(map(len, self._wanted(name, sink).values())) for name, sink in sinks.items()}
            dead = [self._dead_file(name) for name, sink in sinks.items() if sink.refuses]
            if all(sink.held >= wanted[name] for name, sink in sinks.items()) and all(path.exists() for path in dead):
                return
            if service.rss_mb() == 0:
                self.account.faults.append(f"the service ended by itself: {service.lines[-5:]}")
                return
            await asyncio.sleep(0.1)

    def _receivers(self) -> Iterator[tuple[str, Receiver]]:
        for name, form in (
            ("influxdb", forms.INFLUXDB),
            ("influxdb2", forms.INFLUXDB),
            ("webhook", forms.WEBHOOK),
            ("emoncms", forms.EMONCMS),
            ("cosm", forms.COSM),
            ("thingspeak", forms.THINGSPEAK),
        ):
            yield name, HttpReceiver(form, seed=self._seed)
        yield "graphite", Carbon(seed=self._seed)
        yield "mqtt", Mqtt(self._folder, seed=self._seed)

    @property
    def _poisoned(self) -> int:
        return house.measured_at(self._times[len(self._times) // 2], _POISON_SENSOR)

    def _wanted(self, name: str, sink: Receiver) -> dict[int, dict[int, float]]:
        """Return what a sink has to hold: by sensor, values by their times."""
        sensors = _FIELDS if name == "thingspeak" else house.SENSORS
        return {
            sensor: {at: value for at, value in said.items() if not (sink.refuses and value == POISON)}
            for sensor, said in self._said.items()
            if sensor < sensors
        }

    def _settle(self, sinks: dict[str, Receiver]) -> None:
        for name, sink in sinks.items():
            self.account.faults += [f"{name}: {fault}" for fault in self._faults(name, sink)]
            self.account.repeated[name] = sink.repeated

    def _faults(self, name: str, sink: Receiver) -> Iterator[str]:
        wanted = self._wanted(name, sink)
        if len(sink.points) != len(wanted):
            yield f"it holds {len(sink.points)} series of {len(wanted)}"
        for series, points in sink.points.items():
            said = wanted[_sensor(series)]
            if [at for at, _ in points] != sorted(at for at, _ in points):
                yield f"{series} is out of order"
            if dict(points) != said:
                missing = len(said.keys() - dict(points).keys())
                yield f"{series} holds {len(points)} points of {len(said)}, {missing} are missing, or others are wrong"
        if sink.ids and len(sink.ids) != sink.held:
            yield f"{sink.held} points came under {len(sink.ids)} ids"
        if sink.rewound > _BATCH:
            yield f"a repetition went back by {sink.rewound} messages, and a batch has {_BATCH}"
        yield from (f"{each} came in several batches" for each, (_, keys) in sink.ids.items() if len(keys) > 1)
        if sink.refuses:
            yield from self._dead(name)

    def _dead(self, name: str) -> Iterator[str]:
        path = self._dead_file(name)
        letters = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        found = {(letter["topic"], letter["time_ns"], letter["body"]["value"]) for letter in letters}
        if found != {(house.topic(_POISON_SENSOR), self._poisoned, POISON)}:
            yield f"the dead letters are {sorted(found)[:5]}, not the poison alone"

    def _dead_file(self, name: str) -> Path:
        return self._folder / "telemetry" / f"{name}.dead.jsonl"


async def _subscribed(bus: Bus, sinks: int) -> None:
    until = time.monotonic() + house.START_S
    while len(await bus.get("telemetry/+")) < sinks:
        if time.monotonic() > until:
            raise SystemExit("soak: the telemetry service does not tell how its sinks stand")
        await asyncio.sleep(0.02)


def _sensor(series: str) -> int:
    """Return the number in a series' name, whatever else the protocol makes of it."""
    found = re.search(r"room(\d+)", series)
    return int(found[1]) if found else -1


def _tables(sinks: dict[str, Receiver], folder: Path) -> str:
    token = folder / "token"
    token.write_text("t0ken-of-the-cloud\n")
    token.chmod(0o600)
    key = f'key = {{ file = "{token}" }}'
    fields = ", ".join(f'field{sensor + 1} = "{house.topic(sensor)}"' for sensor in range(_FIELDS))
    own = {
        "influxdb": 'database = "house"',
        "influxdb2": f'bucket = "house"\ntoken = {{ file = "{token}" }}\ngzip = false',
        "webhook": key,
        "emoncms": key,
        "cosm": f"{key}\nfeed = 1\nper_minute = 0",
        "thingspeak": f"{key}\nchannel = 1\nfields = {{ {fields} }}\nper_minute = 0",
        "graphite": 'host = "127.0.0.1"',
        "mqtt": 'host = "127.0.0.1"',
    }
    where = {
        name: f"port = {sink.port}" if name in {"graphite", "mqtt"} else f'url = "{sink.url}"'
        for name, sink in sinks.items()
    }
    return "".join(f"[telemetry.{name}.{name}]\n{where[name]}\n{own[name]}\n{_COMMON}\n" for name in sinks)


def main() -> int:
    """Read the options and go."""
    parser = argparse.ArgumentParser(prog="scripts/soak telemetry", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--phases", type=int, default=24, metavar="N", help="how often moods change (24)")
    parser.add_argument("--phase", type=float, default=10.0, metavar="S", help="seconds of one phase (10)")
    parser.add_argument("--apart", type=int, default=10, metavar="S", help="seconds between values of a sensor (10)")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10_000, help="of what happens at random")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="hb-") as folder:
        trial = Trial(
            Path(folder), phases=options.phases, phase_s=options.phase, apart_s=options.apart, seed=options.seed
        )
        try:
            account = asyncio.run(trial.run())
        except Failed as error:
            raise SystemExit(f"soak: {error}") from None
    print(account)
    print("\n".join(account.faults[:20]) or "every point is where it belongs")
    return 1 if account.faults else 0


if __name__ == "__main__":
    sys.exit(main())
