"""`python -m bench.telemetry_soak`: an hour of sensors into sinks that fail in every way; the account of every point.

Each sink is down, failing, slow and flapping in turn, each in another way than the others; the service's process is
killed with SIGKILL all the while. Afterwards every sink has to hold every point with the time it was measured, in
order within its series, and the one poison point alone has to be in the dead letters.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench import telemetry_house as house
from bench.telemetry_receivers import MOODS, POISON, Receiver, read_lines, read_messages
from hearthbus.bus import Bus

HOUR_S: Final = 3600
_SECOND: Final = 1_000_000_000
_POISON_SENSOR: Final = 17
_DRAIN_S: Final = 60.0


@dataclass
class Account:
    """What came of a trial."""

    faults: list[str] = field(default_factory=list)
    kills: int = 0
    points: int = 0
    """Of one sink."""
    repeated: int = 0
    """Points that came again to a sink that merges them."""
    megabytes: list[float] = field(default_factory=list)
    """Resident memory of the service before each kill."""

    def __str__(self) -> str:
        most, later = max(self.megabytes, default=0), max(self.megabytes[len(self.megabytes) // 2 :], default=0)
        return (
            f"{self.points} points into each sink; killed {self.kills} times; {self.repeated} repeated where that "
            f"does no harm; memory at most {most:.1f} MB, in the second half {later:.1f} MB"
        )


class Trial:
    """One house, three sinks, and what happens to them.

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

    async def run(self) -> Account:
        """Run it and look what the sinks hold."""
        with ExitStack() as stack:
            read = {"archive": read_lines, "cloud": read_lines, "barn": read_messages}
            sinks = {name: stack.enter_context(Receiver(each, seed=self._seed)) for name, each in read.items()}
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
        self.account.points += (last - first) * house.SENSORS - (poison is not None)

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
            dead = [self._folder / "telemetry" / f"{name}.dead.jsonl" for name in sinks]
            if held >= self.account.points * len(sinks) and all(path.exists() for path in dead):
                return
            if service.rss_mb() == 0:
                self.account.faults.append(f"the service ended by itself: {service.lines[-5:]}")
                return
            await asyncio.sleep(0.1)

    def _settle(self, sinks: dict[str, Receiver]) -> None:
        account, faults = self.account, self.account.faults
        for name, sink in sinks.items():
            if sink.held != account.points:
                faults.append(f"{name} holds {sink.held} points of {account.points}")
            if len(sink.points) != house.SENSORS:
                faults.append(f"{name} holds {len(sink.points)} series of {house.SENSORS}")
            times = set(self._times)
            for series, points in sink.points.items():
                got = [at for at, _ in points]
                if got != sorted(got):
                    faults.append(f"{name}: {series} is out of order")
                if not times.issuperset(got):
                    faults.append(f"{name}: {series} has times that nobody measured at")
            faults += [f"{name}: {each} came in several batches" for each, keys in sink.keys.items() if len(keys) > 1]
            faults += self._dead(name)
            account.repeated += sink.repeated

    def _dead(self, name: str) -> list[str]:
        path = self._folder / "telemetry" / f"{name}.dead.jsonl"
        letters = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        found = {(letter["topic"], letter["time_ns"], letter["body"]["value"]) for letter in letters}
        wanted = {(house.topic(_POISON_SENSOR), self._times[len(self._times) // 2], POISON)}
        return [] if found == wanted else [f"{name}: the dead letters are {sorted(found)[:5]}, not {wanted}"]


async def _subscribed(bus: Bus, sinks: int) -> None:
    until = time.monotonic() + house.START_S
    while len(await bus.get("telemetry/+")) < sinks:
        if time.monotonic() > until:
            raise SystemExit("soak: the telemetry service does not tell how its sinks stand")
        await asyncio.sleep(0.02)


def _tables(sinks: dict[str, Receiver], folder: Path) -> str:
    token = folder / "token"
    token.write_text("t0ken-of-the-cloud\n")
    token.chmod(0o600)
    common = "every_s = 0.2\nbatch = 500\ntimeout_s = 2.0\n"
    return (
        f'[telemetry.influxdb.archive]\nurl = "{sinks["archive"].url}"\ndatabase = "house"\n{common}\n'
        f'[telemetry.influxdb2.cloud]\nurl = "{sinks["cloud"].url}"\nbucket = "house"\n'
        f'token = {{ file = "{token}" }}\n{common}\n'
        f'[telemetry.webhook.barn]\nurl = "{sinks["barn"].url}"\nkey = {{ file = "{token}" }}\n{common}\n'
    )


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
        account = asyncio.run(trial.run())
    print(account)
    print("\n".join(account.faults[:20]) or "every point is where it belongs")
    return 1 if account.faults else 0


if __name__ == "__main__":
    sys.exit(main())
