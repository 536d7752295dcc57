"""The example client in Node.js, a real process, against a real broker: what docs/protocol.md tells is enough."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from conftest import Broker

    Run = Callable[..., AbstractAsyncContextManager["Client"]]

EXAMPLES = Path(__file__).parent.parent / "examples"
NEEDED = "the example client needs Node.js 18 or newer, and npm: sudo apt-get install nodejs npm"
INSTALL = ("npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")
LINE_S = 20.0
LINE = re.compile(r"(state|journal|stream) +(\S+) (\{.*\})  (\d+) from (\S+)(  LOST SOME BEFORE)?")


class Client:
    """A running example client, and what it has printed so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def until(self, part: str) -> str:
        """Return the next line that contains `part`."""
        assert self.process.stdout is not None
        try:
            async with asyncio.timeout(LINE_S):
                while line := (await self.process.stdout.readline()).decode():
                    self.lines.append(line.rstrip("\n"))
                    if part in line:
                        return self.lines[-1]
        except TimeoutError:
            pass
        raise AssertionError(f"the client never said {part!r}, but {self.lines}")

    async def settled(self) -> None:
        """Wait until it only listens: its last deed is a request, which nobody serves here."""
        await self.until("nobody serves")

    def messages(self, topic: str) -> list[tuple[str, str, int]]:
        """Return (source, body, sequence) of the messages of `topic` it has printed."""
        found = [LINE.fullmatch(line) for line in self.lines]
        return [(line[1], line[3], int(line[4])) for line in found if line and line[2] == topic]


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client with what it needs installed: in `examples` if that was done there, else in a folder of the test."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.fail(NEEDED)
    version = subprocess.run((node, "--version"), capture_output=True, text=True, check=True).stdout
    if int(version.strip("v").split(".")[0]) < 18:
        pytest.fail(f"{NEEDED}; here is {version}")
    if (EXAMPLES / "node_modules" / "zeromq").is_dir():
        return EXAMPLES / "client.js"
    folder = tmp_path_factory.mktemp("examples")
    for name in ("client.js", "package.json", "package-lock.json"):
        shutil.copy(EXAMPLES / name, folder)
    done = subprocess.run(INSTALL, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"`{' '.join(INSTALL)}` in examples/ failed; is the npm registry reachable?\n{done.stderr}")
    return folder / "client.js"


@pytest.fixture
def client(program: Path) -> Run:
    """Run the client against a broker for the length of an `async with` block."""

    @asynccontextmanager
    async def run(broker: Broker, pattern: str, lamp: str = "light/hall/set") -> AsyncIterator[Client]:
        process = await asyncio.create_subprocess_exec(
            "node", program, broker.url, pattern, lamp, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            yield Client(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    return run


async def test_state_then_stream(broker: Broker, client: Run) -> None:
    """A client that comes late prints the retained state once, then each message once, of its pattern only."""
    async with broker.bus("sender") as sender:
        await sender.publish("sensor/hall/temperature", value=20, retain=True)
        await sender.publish("sensor/hall/temperature", value=21.5, retain=True)
        await sender.publish("sensor/hall/motion", value=True)
        await sender.publish("sensor/hallway/temperature", value=5, retain=True, confirm=True)
        async with client(broker, "sensor/hall/#") as example:
            await example.until("state")
            await example.settled()
            for topic in ("sensor/hallway/temperature", "sensor/hall", "sensor/hall/temperature"):
                await sender.publish(topic, value=22)
            await example.until("temperature")

    assert [("state", '{"value":21.5}', 2), ("stream", '{"value":22}', 3)] == example.messages(
        "sensor/hall/temperature"
    )
    assert [("stream", '{"value":22}', 1)] == example.messages("sensor/hall")
    assert not [line for line in example.lines if "hallway" in line or "motion" in line]


async def test_prefix_is_not_the_pattern(broker: Broker, client: Run) -> None:
    """The fan-out sends all that begins like the pattern; the client prints only what matches it."""
    async with broker.bus("sender") as sender, client(broker, "sensor/+/power") as example:
        await example.settled()
        for topic in ("sensor/hall/motion", "sensor/hall/power/peak", "sensor/hall/power"):
            await sender.publish(topic, value=1)
        await example.until("sensor/hall")

    assert [("stream", '{"value":1}', 1)] == example.messages("sensor/hall/power")
    assert not [line for line in example.lines if "motion" in line or "peak" in line]


async def test_request_is_answered(broker: Broker, client: Run) -> None:
    """The client's request reaches a responder in Python, and the answer reaches the client."""
    async with broker.bus("lamp") as lamp, lamp.serve("light/+/set") as requests:
        async with client(broker, "light/#") as example:
            request = await anext(requests)
            await request.reply({"on": request.message["on"], "confirmed": False})
            answer = await example.until("answer")

    assert 'answer  light/hall/set {"on":true,"confirmed":false}' == answer
    assert "node-example" == request.message.origin


async def test_errors_are_told(broker: Broker, client: Run) -> None:
    """Nobody serves the topic, the handler fails, the topic is none: each is told in the broker's words."""
    async with broker.bus("lamp") as lamp, lamp.serve("light/attic/set") as requests:
        async with client(broker, "light/#") as example:
            nobody = await example.until("no_responder")
        async with client(broker, "light/#", "light/attic/set") as example:
            await (await anext(requests)).fail("no such lamp")
            failed = await example.until("handler")
        async with client(broker, "light/#", "light/Attic") as example:
            wrong = await example.until("invalid")

    assert "no_responder: nobody serves light/hall/set" == nobody
    assert "handler: no such lamp" == failed
    assert "upper case" in wrong


async def test_published_is_on_disk(broker: Broker, client: Run) -> None:
    """What the client was told is on disk survives the broker's death and the loss of its tail."""
    async with client(broker, "light/#") as example:
        await example.until("on disk")
        broker.kill()
        for name in ("tail.0", "tail.1"):
            (broker.data / name).unlink(missing_ok=True)
    broker.start()
    async with broker.bus("reader") as reader:
        (state,) = await reader.get("sensor/#")

    assert ("sensor/window/contact", {"value": True}, "node-example") == (state.topic, state.body, state.origin)


async def test_goes_on_after_the_broker_was_killed(broker: Broker, client: Run) -> None:
    """Over kill -9 of the broker the client gets every message once, also what was published before it was back."""
    async with client(broker, "sensor/hall/#") as example:
        await example.settled()
        async with broker.bus("sender") as sender:
            await sender.publish("sensor/hall/power", value=0, confirm=True)
            await example.until("power")
            example.process.send_signal(signal.SIGSTOP)
            broker.kill()
            broker.start()
            for value in range(1, 20):
                await sender.publish("sensor/hall/power", value=value)
            await sender.publish("sensor/hall/power", value=20, confirm=True, ttl=LINE_S)
            example.process.send_signal(signal.SIGCONT)
            await example.until('{"value":20}')
            await sender.publish("sensor/hall/power", value=21)
            await example.until('{"value":21}')

    got = example.messages("sensor/hall/power")

    assert [(f'{{"value":{value}}}', value + 1) for value in range(22)] == [(body, seq) for _, body, seq in got]
    assert {"stream", "journal"} == {source for source, _, _ in got}


async def test_a_gap_is_refilled(make_broker: Callable[..., Broker], client: Run) -> None:
    """What the fan-out drops for a client that stood still comes from the journal, in order, and nothing is lost."""
    broker = make_broker(settings="[broker.limits]\nfanout_queue = 4")
    async with client(broker, "sensor/hall/#") as example, broker.bus("sender") as sender:
        await example.settled()
        example.process.send_signal(signal.SIGSTOP)
        for value in range(60):
            await sender.publish("sensor/hall/power", value=value, padding="x" * 30_000, confirm=value % 10 == 9)
        example.process.send_signal(signal.SIGCONT)
        await example.until('{"value":59,')

    got = example.messages("sensor/hall/power")

    assert list(range(1, 61)) == [seq for _, _, seq in got]
    assert "journal" in {source for source, _, _ in got}
    assert not [line for line in example.lines if "LOST" in line]


async def test_presence(broker: Broker, client: Run) -> None:
    """The client is online while it runs, offline after a goodbye, and lost at once when it is killed."""
    async with broker.bus("reader") as reader, reader.subscribe("service/node-example") as presence:
        for end in (signal.SIGTERM, signal.SIGKILL):
            async with client(broker, "sensor/#") as example:
                await example.settled()
                example.process.send_signal(end)
                await example.process.wait()
        async with asyncio.timeout(30):
            seen = [await anext(presence) for _ in range(4)]

    assert ["online", "offline", "online", "lost"] == [message["status"] for message in seen]
    assert "its connection ended" == seen[-1]["reason"]
