"""docs/keys.md: its commands, run in its order on two machines that are two folders, print what it says."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ports import free_port

from hearthbus.bus import Bus

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parent.parent / "docs" / "keys.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"<!-- (file|run) (\w+) ?(\S*) -->\n```\w+\n(.*?)```", re.DOTALL)
VARIES = re.compile(r"\b(just now|now|\d+ s( ago)?)\b|(?<=-)\d+(?= )|  # if that name is not found: \S+|\bsudo ")
TOOLS = {
    "sudo": 'exec "$@"',
    "ssh": 'cd "$PLACE/$1" && exec sh -c "$2"',
    "systemctl": """\
        pid=$(cat "$PLACE/pid" 2>/dev/null)
        [ -z "$pid" ] || { kill "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done; }
        [ "$1" != stop ] || exit 0
        : > "$PLACE/log"
        STATE_DIRECTORY=$PLACE/state hearthbus broker --config "$PLACE/pi/hearthbus.toml" 2>"$PLACE/log" >&2 &
        echo $! > "$PLACE/pid"
        timeout 20 sh -c 'until grep -q listening "$0"; do sleep 0.02; done' "$PLACE/log"
""",
}
"""What the page types and a test cannot do to its machine, done within a folder."""
PATIENCE_S = 20.0


class Machines:
    """Two machines, `pi` and `kitchen`: folders in one place, and what the page's addresses are there."""

    def __init__(self, place: Path) -> None:
        self.place = place
        port = next(port for port in iter(free_port, None) if free_port() == port + 1)
        self._here = {
            "/etc/hearthbus": f"{place}/pi",
            "/home/pi": f"{place}/kitchen",
            "ipc:///run/hearthbus/bus": f"ipc://{place}/bus",
            "tcp://0.0.0.0:7600": f"tcp://127.0.0.1:{port}",
            "tcp://pi:7600": f"tcp://127.0.0.1:{port}",
        }
        self._port = port
        (place / "bin").mkdir()
        for name, script in TOOLS.items():
            tool = place / "bin" / name
            tool.write_text(f"#!/bin/bash\n{script}\n")
            tool.chmod(0o755)
        for machine in ("pi", "kitchen"):
            (place / machine).mkdir()

    def here(self, text: str) -> str:
        """The page's text as it is on this machine."""
        for page, here in self._here.items():
            text = text.replace(page, here)
        return text

    def told(self, text: str) -> list[list[str]]:
        """What is printed here as the page has it, but for what differs each time."""
        for page, here in reversed(self._here.items()):
            text = text.replace(here, page)
        text = text.replace(f"tcp://{socket.gethostname()}:{self._port}", "tcp://pi:7600")
        return [VARIES.sub("", line).split() for line in text.strip().splitlines()]

    def run(self, machine: str, command: str) -> str:
        """Run a command in a shell on a machine; return what it printed."""
        path = f"{self.place}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HEARTHBUS_")}
        done = subprocess.run(
            ["bash", "-c", self.here(command)], cwd=self.place / machine, text=True, check=False, timeout=60,
            env={**environment, "PATH": path, "PLACE": str(self.place)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return done.stdout

    def logged(self, text: str) -> None:
        """Wait until the broker's log says so."""
        until = time.monotonic() + PATIENCE_S
        while text not in (self.place / "log").read_text():
            assert time.monotonic() < until
            time.sleep(0.02)

    async def counted(self) -> None:
        """Wait until the broker has published whom it refused something."""
        async with Bus(f"ipc://{self.place}/bus") as bus, bus.subscribe("broker/stats") as messages:
            async with asyncio.timeout(PATIENCE_S):
                async for message in messages:
                    if message["refused_by"]:
                        return


@pytest.fixture
def machines() -> Iterator[Machines]:
    with tempfile.TemporaryDirectory(prefix="hb-") as place:
        machines = Machines(Path(place))
        yield machines
        machines.run("pi", "systemctl stop hearthbus-broker")


def test_the_page_is_what_a_shell_shows(machines: Machines) -> None:
    """Every file of the page is written, every command run in its place, and each prints what the page says."""
    ran = 0
    for kind, machine, file, text in BLOCK.findall(PAGE):
        if kind == "file":
            path = machines.place / machine / Path(file).name
            path.write_text(machines.here(text).replace("[broker]\n", "[broker]\nstats_s = 0.2\n"))
            continue
        steps = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)[1:]
        for command, expected in zip(steps[::2], steps[1::2], strict=True):
            if "keys list" in command:
                asyncio.run(machines.counted())
            shown = machines.run(machine, command)
            if "keys revoke" in command:
                machines.logged("shut out: kitchen")
            ran += 1

            assert machines.told(expected) == machines.told(shown), command

    assert ran >= 14
