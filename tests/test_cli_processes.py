"""The command as people run it: real processes, pipes, terminals and signals, against a real broker."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import socket
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from hearthbus.bus import Bus

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

COMMAND = str(Path(sys.executable).with_name("hearthbus"))
SOON = 15.0
TOPIC = "sensor/hall/temperature"


class Broker(Protocol):
    url: str

    def start(self) -> None: ...

    def stop(self) -> int: ...


def environment(**more: str) -> dict[str, str]:
    return {**{key: value for key, value in os.environ.items() if key != "NO_COLOR"}, **more}


class Start(Protocol):
    async def __call__(self, *words: str, **env: str) -> Process: ...


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start the command; whatever is left of it at the end of the test is killed."""
    started: list[Process] = []

    async def start_one(*words: str, **env: str) -> Process:
        piped = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            COMMAND, *words, stdin=piped, stdout=piped, stderr=piped, env=environment(**env)
        )
        started.append(process)
        return process

    yield start_one
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def ended(process: Process, given: bytes | None = None) -> tuple[int | None, str, str]:
    """Return exit code, standard output and standard error."""
    async with asyncio.timeout(SOON):
        out, err = await process.communicate(given)
    return process.returncode, (out or b"").decode(), err.decode()


@asynccontextmanager
async def terminal(*words: str, **env: str) -> AsyncIterator[tuple[Process, asyncio.StreamReader, int]]:
    """Run the command on a terminal of its own: the process, what it shows, and where to type."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        COMMAND, *words, stdin=theirs, stdout=theirs, stderr=theirs, env=environment(TERM="xterm", **env)
    )
    os.close(theirs)
    shown = asyncio.StreamReader()
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            shown.feed_data(os.read(ours, 65536))
        except OSError:  # how a terminal says that the other side is closed
            loop.remove_reader(ours)
            shown.feed_eof()

    loop.add_reader(ours, read)
    try:
        async with asyncio.timeout(SOON):
            yield process, shown, ours
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        loop.remove_reader(ours)
        os.close(ours)


async def test_no_broker_is_one_line_with_the_address(start: Start) -> None:
    """Nobody listens there: exit code 69, said within about two seconds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    begun = time.monotonic()
    code, out, err = await ended(await start("get", "#", "--url", url))

    assert (69, "") == (code, out)
    assert url in err
    assert 1 == err.count("\n")
    assert time.monotonic() - begun < 5


async def test_pub_and_get_through_a_broker(broker: Broker, start: Start) -> None:
    """What one process publishes retained another gets, with its type."""
    assert (0, "", "") == await ended(
        await start("pub", TOPIC, "value=20.5", "unit=°C", "-r", HEARTHBUS_URL=broker.url)
    )
    code, out, _ = await ended(await start("get", "sensor/#", "--json", "--url", broker.url))

    assert 0 == code
    assert {"value": 20.5, "unit": "°C"} == json.loads(out)["body"]


async def test_pub_takes_lines_from_standard_input(broker: Broker, start: Start) -> None:
    """`hearthbus pub TOPIC -` publishes them all, in order, before it ends."""
    given = "".join(f'{{"n": {number}}}\n' for number in range(500)).encode()
    async with Bus(broker.url) as bus, bus.subscribe(TOPIC) as live:
        assert (0, "", "") == await ended(await start("pub", TOPIC, "-", "--url", broker.url), given)
        async with asyncio.timeout(SOON):
            numbers = [(await anext(live))["n"] for _ in range(500)]

    assert list(range(500)) == numbers


async def test_a_set_topic_is_pointed_to_call(broker: Broker, start: Start) -> None:
    """Publishing to /set works, and the hint says what would get an answer."""
    code, _, err = await ended(await start("pub", "light/hall/set", "on=true", "--url", broker.url))

    assert 0 == code
    assert "hearthbus call light/hall/set" in err


async def test_call_to_nobody_is_3(broker: Broker, start: Start) -> None:
    """One line, no answer, exit code 3."""
    code, out, err = await ended(await start("call", "light/hall/set", "on=true", "--url", broker.url))

    assert (3, "", 1) == (code, out, err.count("\n"))


async def test_a_message_is_printed_at_once(broker: Broker, start: Start) -> None:
    """Into a pipe too: nobody waits for a buffer; and Ctrl-C is quiet, with exit code 130."""
    async with Bus(broker.url) as bus:
        await bus.publish(TOPIC, value=1, retain=True, confirm=True)
        process = await start("sub", "sensor/#", "-v", "--url", broker.url)
        assert process.stdout is not None
        async with asyncio.timeout(SOON):
            first = await process.stdout.readline()
            await bus.publish(TOPIC, value=2)
            second = await process.stdout.readline()
    process.send_signal(signal.SIGINT)

    assert first.startswith(f"{TOPIC} value=1  (".encode())
    assert f"{TOPIC} value=2\n".encode() == second
    assert (130, "", "") == await ended(process)


async def test_an_outage_is_told_and_nothing_else(broker: Broker, start: Start) -> None:
    """`sub` says when the broker goes and when it is back, on standard error, and goes on."""
    async with Bus(broker.url) as bus:
        await bus.publish(TOPIC, value=1, retain=True, confirm=True)
    process = await start("sub", "sensor/#", "-C", "2", "--url", broker.url)
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(SOON):
        await process.stdout.readline()
        broker.stop()
        away = await process.stderr.readline()
        broker.start()
        back = await process.stderr.readline()
        async with Bus(broker.url) as bus:
            await bus.publish(TOPIC, value=2)

    assert b"is away" in away
    assert b"is back" in back
    assert (0, "value=2\n", "") == await ended(process)


async def test_a_refusal_after_publishing_is_told_once(broker: Broker, start: Start) -> None:
    """The broker says no to what nobody waits for: still one line, and exit code 5."""
    for options in ((), ("--confirm",)):
        code, _, err = await ended(await start("pub", "broker/stats", "a=1", *options, "--url", broker.url))

        assert (5, 1) == (code, err.count("\n"))


async def test_sigterm_is_quiet(broker: Broker, start: Start) -> None:
    """What systemd and `timeout` send ends a verb with 143 and no word."""
    async with Bus(broker.url) as bus:
        await bus.publish(TOPIC, value=1, retain=True, confirm=True)
    process = await start("sub", "#", "--url", broker.url)
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), SOON)
    process.terminate()
    code, _, err = await ended(process)

    assert (143, "") == (code, err)


async def test_a_closed_pipe_ends_it_quietly(broker: Broker) -> None:
    """`hearthbus sub ... | head -1` ends when head does, without a further message."""
    async with Bus(broker.url) as bus:
        await bus.publish(TOPIC, value=1, retain=True, confirm=True)
    shell = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        f"{COMMAND} sub 'sensor/#' --url {broker.url} | head -1; echo ${{PIPESTATUS[0]}}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )

    assert (0, "value=1\n141\n", "") == await ended(shell)


@pytest.mark.parametrize(
    ("options", "expected"),
    [((), b"unit=\\xb0C place=\\u5eca"), (("--json",), b'{"unit": "\\u00b0C", "place": "\\u5eca"}')],
)
async def test_output_that_knows_only_ascii(
    broker: Broker, start: Start, options: tuple[str, ...], expected: bytes
) -> None:
    """With LANG=C and no UTF-8 a character is escaped, and JSON stays JSON."""
    async with Bus(broker.url) as bus:
        await bus.publish(TOPIC, unit="°C", place="廊", retain=True, confirm=True)
    process = await start(
        "sub", "sensor/#", "-C", "1", *options, "--url", broker.url,
        LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="ascii",
    )  # fmt: skip
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), SOON)

    assert expected in line
    assert 0 == (await ended(process))[0]


@pytest.mark.parametrize(("env", "painted"), [({}, True), ({"NO_COLOR": "1"}, False)])
async def test_colours_are_for_terminals(broker: Broker, env: dict[str, str], *, painted: bool) -> None:
    """A terminal gets colours unless NO_COLOR is set."""
    async with Bus(broker.url) as bus:
        await bus.publish(TOPIC, value=1, retain=True, confirm=True)
    async with terminal("sub", "sensor/#", "-v", "-C", "1", "--url", broker.url, **env) as (_, shown, _):
        line = await shown.readline()

    assert painted == (b"\x1b[" in line)
    assert b"value=1" in line


async def test_top_gives_the_terminal_back(broker: Broker) -> None:
    """It draws on a page of its own, q quits with 0, and cursor, page and echo are as before."""
    async with Bus(broker.url) as bus, terminal("top", "-d", "50ms", "--url", broker.url) as (process, shown, keys):
        await shown.readuntil(b"q quits")
        seeing = asyncio.create_task(shown.readuntil(TOPIC.encode()))
        while not seeing.done():  # the page is there before its subscription is
            await bus.publish(TOPIC, value=1)
            await asyncio.wait({seeing}, timeout=0.05)
        os.write(keys, b"q")
        rest = await shown.read()
        await process.wait()

    assert 0 == process.returncode
    assert rest.endswith(b"\x1b[?25h\x1b[?1049l")


async def test_top_for_scripts_prints_turns(broker: Broker, start: Start) -> None:
    """-n prints that many turns, one JSON object a topic, and ends."""
    process = await start("top", "sensor/#", "-n", "2", "-d", "300ms", "--json", "--url", broker.url)
    async with Bus(broker.url) as bus:
        while process.returncode is None:
            await bus.publish(TOPIC, value=1)
            await asyncio.wait({asyncio.ensure_future(process.wait())}, timeout=0.02)
    code, out, err = await ended(process)

    assert (0, "") == (code, err)
    assert [TOPIC] * 2 == [json.loads(line)["topic"] for line in out.splitlines()]
