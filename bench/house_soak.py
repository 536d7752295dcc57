"""`python -m bench.house_soak MINUTES`: the demonstration's house at five times its pace, killed, frozen, unplugged.

Every few seconds something happens to a process of it, to its stick or to the servers it sends to. In the end every
message that was confirmed has to be in the journal, once; at the durable reader; and at every server. What is retained
has to be what was published last, no sequence number may be missing untold, and in the second half, when nothing is
killed, neither memory nor descriptors may grow. Ctrl-C ends it early and leaves no process.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench import soak_account as account
from bench.soak_faults import Scene, weather
from bench.soak_house import SERVICES, SoakHouse
from bench.soak_traffic import TOPICS, Traffic
from bench.telemetry_forms import WEBHOOK
from bench.telemetry_receivers import HttpReceiver
from hearthbus.errors import HearthbusError, Unavailable

if TYPE_CHECKING:
    from hearthbus.bus import Bus

SINKS: Final = ("cloud", "barn")
COME_UP_S: Final = 180.0
"""Seconds within which the house must be there."""
SETTLE_S: Final = 400.0
"""Seconds for which nothing may move before all is where it belongs: telemetry tries a server again within 375."""
TOLD_S: Final = 60.0
"""Seconds between two lines that say how far it is."""
READ_S: Final = 300.0
"""Seconds for reading the journal back."""
WARM_S: Final = 60.0
"""Seconds of the second half that are not judged, or a third of it where that is less."""
JUDGED_S: Final = 180.0
"""Seconds a process must have been looked at before its growth is judged."""


class Soak:
    """One run.

    Args:
        folder: of the house; a short path.
        minutes: how long things happen.
        seed: of what happens.
    """

    def __init__(self, folder: Path, *, minutes: float, seed: int) -> None:
        self.faults: list[str] = []
        self._folder = folder
        self._half_s = minutes * 30
        self._chance = random.Random(seed)
        self._counts: Counter[str] = Counter()

    async def run(self) -> None:
        """Run it, and print the account."""
        with ExitStack() as stack:
            sinks = {name: stack.enter_context(HttpReceiver(WEBHOOK)) for name in SINKS}
            house = SoakHouse(self._folder, {name: sink.url for name, sink in sinks.items()})
            house.start()
            try:
                async with Traffic(house.url) as traffic:
                    await self._all_there(traffic.bus)
                    traffic.start()
                    telling = asyncio.create_task(self._tell_progress(traffic), name="progress")
                    scene = Scene(house, list(sinks.values()), traffic.bus, self._chance)
                    await weather(scene, seconds=self._half_s, killing=True, counts=self._counts)
                    since = time.monotonic() + min(WARM_S, self._half_s / 3)
                    await weather(scene, seconds=self._half_s, killing=False, counts=self._counts)
                    telling.cancel()
                    self._grown(house, since)
                    await scene.plug()
                    await traffic.stop_writing()
                    await house.broker.kill_and_wait()  # what is read back now comes from the disk
                    self._counts["the broker killed"] += 1
                    await self._settled(traffic, sinks)
                    self.faults += [f"a reader ended: {why}" for why in traffic.ended]
                    await house.end_services()  # nothing is said any more while it is read
                    await self._read_back(traffic, sinks)
            finally:
                left = await house.end()
            self._tell(house, traffic, left)

    async def _all_there(self, bus: Bus) -> None:
        """Return when every service is online, and every sink of telemetry has its place in the journal."""
        until, online = time.monotonic() + COME_UP_S, 0
        while True:
            with suppress(HearthbusError):  # a broker that is slow to begin is asked again
                online = sum(each.get("status") == "online" for each in await bus.get("service/+"))
                if online == len(SERVICES) and len(await bus.get("telemetry/+")) == len(SINKS):
                    return
            if time.monotonic() > until:
                raise Unavailable(f"of {len(SERVICES)} services {online} come up; the house's logs say why")
            await asyncio.sleep(0.2)

    async def _tell_progress(self, traffic: Traffic) -> None:
        """Say how far it is, for whoever waits and for what takes a silent program for one that hangs."""
        begun = time.monotonic()
        while True:
            await asyncio.sleep(TOLD_S)
            minutes, faults = (time.monotonic() - begun) / 60, self._counts.total()
            print(f"{minutes:.0f} min: {faults} faults, {len(traffic.confirmed)} messages confirmed", flush=True)

    def _grown(self, house: SoakHouse, since: float) -> None:
        print("memory and descriptors of those that lived through the second half, without its beginning:")
        for member in house.members:
            samples = [sample for sample in member.samples if sample[0] >= since]
            if len(samples) < 4:
                print(f"{member.name:14} was not there long enough")
                continue
            worth = account.WORTH_OF_BROKER_MB if member is house.broker else account.WORTH_MB
            line, faults = account.growth(member.name, samples, worth_mb=worth)
            judged = samples[-1][0] - samples[0][0] >= JUDGED_S
            print(line if judged else f"{line} (too short to judge)")
            self.faults += faults if judged else []

    async def _settled(self, traffic: Traffic, sinks: dict[str, HttpReceiver]) -> None:
        """Return when the readers and every server have all, or nothing has moved for long."""
        held, since = -1, time.monotonic()
        while time.monotonic() - since < SETTLE_S:
            now = len(traffic.durable) + sum(sink.held for sink in sinks.values())
            if now != held:
                held, since = now, time.monotonic()
            arrived = [set(traffic.durable), *(set(_values(sink)) for sink in sinks.values())]
            if traffic.bus.connected and not traffic.unheard and all(traffic.confirmed <= each for each in arrived):
                return
            await asyncio.sleep(0.5)

    async def _read_back(self, traffic: Traffic, sinks: dict[str, HttpReceiver]) -> None:
        try:
            async with asyncio.timeout(READ_S):
                journal = [message async for message in traffic.bus.replay("#")]
                retained = await traffic.bus.get("#")
        except (TimeoutError, HearthbusError) as error:
            self.faults.append(f"the journal cannot be read back: {error or f'not within {READ_S:.0f} s'}")
            return
        numbers = [float(message["value"]) for message in journal if message.topic in TOPICS]
        self.faults += account.missing("the journal", traffic.confirmed, numbers, once=True)
        self.faults += account.missing("the durable reader", traffic.confirmed, traffic.durable)
        for name, sink in sinks.items():
            self.faults += account.missing(f"the server {name}", traffic.confirmed, _values(sink))
        strange = set(numbers) - traffic.confirmed - traffic.unknown
        if strange:
            self.faults.append(f"the journal has {len(strange)} messages nobody published: {sorted(strange)[:5]}")
        now = {message.topic: message for message in retained}
        for topic, (value, unknown) in traffic.states.items():
            if topic not in now or now[topic]["value"] not in {value, *unknown}:
                self.faults.append(f"{topic} is {now.get(topic)}, and {value} was confirmed last")
        newest = {message.topic: message for message in journal if message.retained}
        for topic, message in newest.items():
            held = now.get(topic)
            if message.body and (held is None or held.offset < message.offset):
                self.faults.append(f"{topic}: what is retained is older than the journal's last")
        print(
            f"journal: {len(journal)} messages of {len({each.topic for each in journal})} topics; retained: {len(now)}"
        )

    def _tell(self, house: SoakHouse, traffic: Traffic, left: int) -> None:
        print("what happened: " + ", ".join(f"{name} {count} times" for name, count in sorted(self._counts.items())))
        print(
            f"confirmed: {len(traffic.confirmed)}, of unknown fate: {len(traffic.unknown)}; "
            f"the longest time without a confirmation: {traffic.longest_silence_s:.1f} s"
        )
        print(
            f"live reader: {traffic.live} messages, {traffic.lost} told to be lost, {traffic.unexplained} unexplained, "
            f"{traffic.unheard} of what was confirmed not heard"
        )
        print(
            f"requests: {traffic.answered} answered, {traffic.refused} refused in time, {traffic.hung} hung; "
            f"this machine had no time for the soak itself for {traffic.stood_still_s:.1f} s"
        )
        broken = Counter(house.tracebacks())
        print(f"tracebacks in the logs: {broken.total()}; processes left: {left}")
        self.faults += [f"{count} times {what}" for what, count in broken.most_common(5)]
        self.faults += [f"{each.name} ended by itself, with {each.died}" for each in house.members if each.died]
        if traffic.unexplained or traffic.unheard or traffic.hung or left:
            self.faults.append("a message was missing untold, a request hung, or a process was left: see above")


def _values(sink: HttpReceiver) -> list[float]:
    return [value for points in sink.points.values() for _, value in points]


async def _run(minutes: float, seed: int) -> int:
    with tempfile.TemporaryDirectory(prefix="hb-", ignore_cleanup_errors=True) as folder:
        soak = Soak(Path(folder), minutes=minutes, seed=seed)
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)  # type: ignore[union-attr]  # a coroutine runs in a task
        try:
            await soak.run()
        except HearthbusError as error:
            raise SystemExit(f"soak: {error}") from None
        except asyncio.CancelledError:
            print("ended early: nothing can be said of what came of it")
            return 130
    print("\n".join(soak.faults[:20]) or "every confirmed message is where it belongs, and nothing is seen to grow")
    return 1 if soak.faults else 0


def main() -> int:
    """Read the options and go."""
    parser = argparse.ArgumentParser(
        prog="scripts/soak", description="A house at five times its pace, and its account."
    )
    parser.add_argument("minutes", type=float, nargs="?", default=10.0, metavar="MINUTES", help="how long (10)")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10_000, help="of what happens at random")
    options = parser.parse_args()
    if not options.minutes > 0:
        parser.error("MINUTES is above 0")
    logging.getLogger("hearthbus").addHandler(logging.NullHandler())  # that the broker is away is no news here
    print(f"seed {options.seed}", flush=True)
    return asyncio.run(_run(options.minutes, options.seed))


if __name__ == "__main__":
    sys.exit(main())
