"""docs/commands.md: its tables are the parsers', and its sessions are what a shell shows."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hearthbus.bus import Bus
from hearthbus.cli.main import VERBS
from hearthbus.cli.reference import options, refreshed

if TYPE_CHECKING:
    from hearthbus.transport import Responder

PAGE = (Path(__file__).parent.parent / "docs" / "commands.md").read_text(encoding="utf-8")
AGE = re.compile(r"\b(just now|now|\d+ s ago|\d+ s|\d+ min)\b *")
NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
BETWEEN = "\x1e"


class Broker(Protocol):
    url: str


def sessions() -> list[tuple[str, str]]:
    """Return the commands of the page with what they print, in order."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    found = re.split(r"^\$ (.*)\n", "".join(blocks), flags=re.MULTILINE)[1:]
    return list(zip(found[::2], found[1::2], strict=True))


def shape(text: str) -> list[list[str]]:
    """Return the words of `text` but for what differs from run to run: ages, times, process ids."""
    return [NUMBER.sub("0", AGE.sub("AGE ", line)).split() for line in text.strip().splitlines()]


async def lamp(responder: Responder) -> None:
    """Do what was asked, and say so."""
    async for request in responder:
        await request.reply({"on": request.message["on"], "confirmed": True})


async def in_a_shell(commands: list[str], url: str) -> list[str]:
    """Run `commands` in one shell; return what each printed, standard error with it."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    script = "\n".join(f"{command}\nended=$?; printf '{BETWEEN}'; (exit $ended)" for command in commands)
    shell = await asyncio.create_subprocess_exec(
        "bash", "-c", f"exec 2>&1\n{script}", stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PATH": path, "HEARTHBUS_URL": url},
    )  # fmt: skip
    async with asyncio.timeout(60):
        out, _ = await shell.communicate()
    return out.decode().split(BETWEEN)[:-1]


def test_every_verb_has_its_chapter() -> None:
    """The page has a chapter for each verb of the command, and no others."""
    assert sorted(VERBS) == sorted(re.findall(r"^## (\w+)$", PAGE, re.MULTILINE))


def test_the_tables_are_the_parsers() -> None:
    """The page says what each verb takes; `python -m hearthbus.cli.reference docs/commands.md` renews it."""
    assert refreshed(PAGE) == PAGE
    assert all(options(verb) in PAGE for verb in VERBS)


async def test_the_sessions_are_as_printed(broker: Broker) -> None:
    """Each command of the page, run in a shell in the page's order, prints what the page says."""
    told = sessions()
    async with Bus(broker.url, name="lamp", presence=True) as bus, bus.serve("light/hall/set") as responder:
        await bus.publish("service/lamp/health", rss_bytes=13_200_000, handled=2, errors=0, retain=True, confirm=True)
        await bus.publish("light/hall", on=False, retain=True, confirm=True)
        answering = asyncio.create_task(lamp(responder))
        shown = await in_a_shell([command for command, _ in told], broker.url)
        answering.cancel()

    assert len(told) >= 20
    for (command, expected), actual in zip(told, shown, strict=True):
        assert shape(expected) == shape(actual), command
