"""`python -m bench.soak`: a broker and its subscribers frozen and killed under load, and the account of every message.

Each subscriber is a process that holds every sequence number against the one before: it came once, or its loss was
told. It prints its account, a JSON object a line, when a message asks for it. Knows the public client only.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from bench.process import rss_mb
from hearthbus.bus import Bus

TOPICS: Final = ("load/hall", "load/attic", "load/cellar")
ANSWER_S: Final = 60.0
BODY: Final = "x" * 100


class Process:
    """A child that can be frozen and killed: the broker (lines on stderr) or a subscriber (accounts on stdout)."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._last = ""
        self.child: asyncio.subprocess.Process

    async def start(self, ready: str) -> None:
        """Start it; return when it prints a line with `ready`."""
        self.child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *self._arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        while ready not in await self.line():
            pass

    async def line(self) -> str:
        """Return the next line it prints."""
        assert self.child.stdout is not None
        text = (await asyncio.wait_for(self.child.stdout.readline(), ANSWER_S)).decode()
        if not text:
            raise SystemExit(f"soak: {' '.join(self._arguments[:2])} ended by itself; its last words: {self._last}")
        self._last = text.strip()
        return text

    async def account(self, number: int) -> dict[str, Any]:
        """Return its account of everything up to report `number`."""
        while True:
            text = await self.line()
            if text.startswith("{") and (found := json.loads(text))["report"] >= number:
                return dict(found)

    async def freeze(self, seconds: float) -> None:
        """Stop it for a while."""
        self.child.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self.child.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        """End it."""
        if self.child.returncode is None:
            self.child.kill()
            await self.child.wait()


class House:
    """A broker, a writer here, two subscribers elsewhere."""

    def __init__(self, folder: Path, per_s: int) -> None:
        config = folder / "hearthbus.toml"
        self.url = f"ipc://{folder}/bus"
        config.write_text(f'[broker]\naddress = "{self.url}"\ndata = "{folder}/data"\n')
        self.broker = Process("hearthbus", "broker", "--config", str(config))
        self.readers = [Process("bench.soak", "--read", self.url, "--name", f"reader-{n}") for n in range(2)]
        self.bus = Bus(self.url, name="writer", connect_timeout=20)
        self.sent = 0
        self.highest_mb = 0.0
        self._reports = 0
        self._per_s = per_s

    async def load(self) -> None:
        """Publish at a steady pace, and watch the broker's memory."""
        begun = time.monotonic()
        for number in range(2**60):
            await self.bus.publish(TOPICS[number % 3], n=number, text=BODY)
            self.sent += 1
            ahead = begun + number / self._per_s - time.monotonic()
            if ahead > 0.01:
                with contextlib.suppress(OSError):
                    self.highest_mb = max(self.highest_mb, rss_mb(self.broker.child.pid))
                await asyncio.sleep(ahead)

    async def accounts(self) -> list[dict[str, Any]]:
        """Ask every reader; retained, so that a reader that has just come back hears it too."""
        self._reports += 1
        number = self._reports
        for topic in TOPICS:
            await self.bus.publish(topic, report=number, ttl=ANSWER_S)
        await self.bus.publish("load/report", report=number, retain=True)
        return list(await asyncio.gather(*(reader.account(number) for reader in self.readers)))


async def read(url: str, name: str) -> None:
    """Be a subscriber."""
    seqs: dict[str, int] = {}
    got = replayed = 0
    faults: list[str] = []
    async with Bus(url, name=name, presence=True, connect_timeout=30) as bus, bus.subscribe("load/#") as messages:
        print("ready", flush=True)
        async for message in messages:
            before = seqs.get(message.topic)
            if before is not None and message.seq - before - 1 != message.lost:
                faults.append(f"{message.topic}: {message.seq} came after {before}, {message.lost} told to be lost")
            seqs[message.topic] = message.seq
            got, replayed = got + 1, replayed + message.replayed
            if message.topic == "load/report":
                account = {"got": got, "replayed": replayed, "lost": messages.lost, "faults": faults[:5]}
                print(json.dumps({"report": message["report"], **account}), flush=True)


async def frozen(house: House, seconds: float) -> list[str]:
    """Freeze one subscriber; print the figures, return the faults."""
    await asyncio.sleep(2)  # the load's own cost is in the figure before
    before = await house.accounts()
    memory, house.highest_mb = house.highest_mb, 0.0
    sent = house.sent
    await house.readers[0].freeze(seconds)
    published, begun = house.sent - sent, time.monotonic()
    after = await house.accounts()
    print(f"frozen for                {seconds:g} s, while {published} messages were published")
    print(f"broker, resident          {memory:.1f} MB before, {house.highest_mb:.1f} MB at most")
    print(f"caught up                 {time.monotonic() - begun:.2f} s after it went on, under the same load")
    for name, old, new in zip(("the frozen one", "the other one"), before, after, strict=True):
        figures = {key: new[key] - old[key] for key in ("got", "replayed", "lost")}
        print(f"{name:26}{figures['got']} got, of them {figures['replayed']} refilled; {figures['lost']} lost")
    return [fault for account in after for fault in account["faults"]]


async def at_random(house: House, minutes: float, chance: random.Random) -> list[str]:
    """Freeze and kill until the time is over."""
    until = time.monotonic() + minutes * 60
    faults: list[str] = []
    while time.monotonic() < until and not faults:
        what = chance.choice(["broker killed", "broker frozen", "reader killed", "reader frozen"])
        victim = house.broker if what.startswith("broker") else chance.choice(house.readers)
        seconds = chance.uniform(0.1, 6)
        if what.endswith("frozen"):
            await victim.freeze(seconds)
        else:
            await victim.kill()
            await victim.start("listening on" if victim is house.broker else "ready")
        begun = time.monotonic()
        accounts = await house.accounts()
        took = time.monotonic() - begun
        lost = sum(account["lost"] for account in accounts)
        shown = f"{what} {seconds:.1f} s" if "frozen" in what else what
        print(
            f"{shown:20} all told after {took:5.2f} s; lost so far: {lost}; broker: {house.highest_mb:.0f} MB at most"
        )
        faults = [fault for account in accounts for fault in account["faults"]]
    return faults


async def soak(options: argparse.Namespace) -> int:
    """Run what was asked for; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="hb-") as folder:
        house = House(Path(folder), options.rate)
        try:
            await house.broker.start("listening on")
            for reader in house.readers:
                await reader.start("ready")
            async with house.bus:
                load = asyncio.create_task(house.load())
                faults = await frozen(house, options.frozen) if options.frozen else []
                if options.minutes:
                    print(f"seed {options.seed}")
                    faults += await at_random(house, options.minutes, random.Random(options.seed))
                load.cancel()
        finally:
            for process in (*house.readers, house.broker):
                if hasattr(process, "child"):
                    await process.kill()
    print("\n".join(faults) or "every sequence number came once, or was told to be lost")
    return 1 if faults else 0


def main() -> int:
    """Read the options and go."""
    parser = argparse.ArgumentParser(
        prog="scripts/soak load", description="Freeze and kill under load; account for all."
    )
    parser.add_argument("--frozen", type=float, default=0, metavar="S", help="freeze a subscriber for S seconds")
    parser.add_argument("--minutes", type=float, default=0, metavar="N", help="freeze and kill at random, N minutes")
    parser.add_argument("--rate", type=int, default=2_000, metavar="N", help="messages a second (2000)")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10_000, help="of what happens at random")
    parser.add_argument("--read", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--name", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        asyncio.run(read(options.read, options.name))
        return 0
    if not options.frozen and not options.minutes:
        options.frozen = 30.0
    return asyncio.run(soak(options))


if __name__ == "__main__":
    sys.exit(main())
