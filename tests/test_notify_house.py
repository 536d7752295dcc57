"""Notify in a house: the real command, broker and processes, a mail server and a web server; and no secret anywhere."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from conftest import HEARTHBUS
from mail_server import PASSWORD, USER, authority, mailbox
from phone_server import phone

from services.redact import redact

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from conftest import Broker

TOKEN = "tk_abcdefghijklmnopqrstuvwxyz123"
HOUSE = """
[notify]
groups = {{ all = ["mail", "phone"] }}

[notify.targets.mail]
kind = "email"
host = "127.0.0.1"
port = {mail}
user = "{user}"
password = {{ file = "password" }}
sender = "house@home.test"
to = ["me@home.test"]

[notify.targets.phone]
kind = "ntfy"
server = "http://127.0.0.1:{phone}"
topic = "house-5"
token = {{ env = "PHONE_TOKEN" }}

[trigger.rules.alert-on]
topic = "alert/#"
when = {{ active = true }}
request = "notify/phone"
body = {{ title = "Alert", message = "{{message}}", priority = "high" }}
"""


class Home:
    """The processes of a house, and everything that they and the command have said."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.broker = broker
        self.folder = folder
        self.said: list[str] = []
        self.environment = {**os.environ, "HEARTHBUS_URL": broker.url, "PHONE_TOKEN": TOKEN}
        self.environment["SSL_CERT_FILE"] = str(folder / "ca.pem")

    async def command(self, *words: str) -> tuple[int, str]:
        """Run `hearthbus ...` and return its exit code and what it printed."""
        process = await self.start(*words)
        output, _ = await asyncio.wait_for(process.communicate(), 30)
        self.said.append(output.decode())
        return process.returncode or 0, output.decode()

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        """Start `hearthbus ...`."""
        return await asyncio.create_subprocess_exec(
            *HEARTHBUS,
            *words,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self.environment,
            cwd=self.folder,
        )

    @asynccontextmanager
    async def running(self, *names: str) -> AsyncIterator[None]:
        """Run services for a block."""
        process = await self.start("run", "--config", "house.toml", *names)
        assert process.stdout is not None
        reading = asyncio.create_task(process.stdout.read())
        try:
            async with self.broker.bus("watcher") as bus, bus.subscribe("service/+/health") as states:
                ready: set[str] = set()
                async with asyncio.timeout(20):
                    async for state in states:
                        ready.add(state.topic.split("/")[1])
                        if ready >= {*names}:
                            break
            yield
        finally:
            process.terminate()
            self.said.append((await asyncio.wait_for(reading, 20)).decode())
            await process.wait()


@pytest.fixture
def home(broker: Broker, tmp_path: Path) -> Home:
    """A house without services yet."""
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "password").chmod(0o600)
    return Home(broker, tmp_path)


def write(home: Home, *, mail: int, phone: int) -> None:
    """Write the configuration."""
    (home.folder / "house.toml").write_text(HOUSE.format(mail=mail, phone=phone, user=USER))


async def test_a_house_tells_people_and_keeps_its_secrets(home: Home) -> None:
    """`hearthbus call` delivers, tells what does not, an alert reaches a phone, and nothing anywhere shows a secret."""
    async with mailbox(starttls=authority(home.folder), auth=True) as box, phone() as server:
        write(home, mail=box.port, phone=server.port)
        async with home.running("notify", "trigger"):
            code, said = await home.command("call", "--timeout", "30", "notify/phone", "message=hi")
            assert (0, True) == (code, "delivered" in said)

            code, said = await home.command(
                "call", "--timeout", "30", "--json", "notify/all", "message=hi", "title=Tür"
            )
            assert {"mail": {"delivered": True}, "phone": {"delivered": True}} == json.loads(said)["targets"]
            assert ["Tür"] == [mail["Subject"] for mail in box.mails]

            box.replies["MAIL"] = [f"550 not with {PASSWORD}"]
            server.replies += [(401, json.dumps({"error": f"bad token {TOKEN}"}))]
            for topic in ("notify/mail", "notify/phone"):
                code, said = await home.command("call", topic, "message=hi")
                assert (6, True) == (code, "refuses" in said)

            before = len(server.calls)
            async with home.broker.bus("freezer") as bus:
                await bus.publish(
                    "alert/freezer", active=True, message="the freezer is warm", since="2026-01-01T00:00:00Z"
                )
            await until(lambda: len(server.calls) > before)
            assert "the freezer is warm" == server.calls[-1].json["message"]
            assert "high" == server.calls[-1].headers["x-priority"]

            await home.command("status", "--json")
            await home.command("get", "service/#")
        await home.command("check", "--config", "house.toml")
        await home.command("replay", "--json", "#")

    everything = "\n".join([*home.said, *home.broker.lines])
    assert "refuses the login" in everything
    assert everything == redact(everything, [PASSWORD, TOKEN])
    assert "tk_" not in everything


async def test_a_caller_learns_within_his_own_time(home: Home) -> None:
    """One who waits a second is told after it what is known; one who waits longer gets more tries."""
    async with mailbox(starttls=authority(home.folder), auth=True) as box, phone() as server:
        write(home, mail=box.port, phone=server.port)
        async with home.running("notify"), home.broker.bus("asker") as bus:
            tries = []
            for timeout in (1.5, 4.5):
                box.replies["MAIL"] = ["451 later"] * 99
                begun = time.monotonic()
                said = await error_of(bus.request("notify/mail", message="hi", timeout=timeout))
                assert timeout > time.monotonic() - begun > timeout / 3
                found = re.search(r"451 later; tried (\d+) times", said)
                assert found, said
                tries.append(int(found[1]))
            assert 2 <= tries[0] < tries[1]
            server.replies += ["stall"]
            said = await error_of(bus.request("notify/phone", message="hi", timeout=1.0))
            assert "it may arrive, and is not sent again" in said


async def test_wrong_lines_are_told_with_their_place(home: Home) -> None:
    """File, line and key, and nothing runs."""
    write(home, mail=0, phone=1)
    path = home.folder / "house.toml"
    path.write_text(path.read_text().replace('topic = "house-5"', 'topic = "a/b"').replace("sender =", "sneder ="))
    code, said = await home.command("run", "--config", "house.toml", "notify")

    assert 78 == code
    assert "port 0 is none of 1 to 65535" in said or "sneder" in said
    assert "topic is not what it should be" in said
    assert "house.toml:" in said


async def test_a_password_others_can_read_is_refused(home: Home) -> None:
    """With what to type."""
    write(home, mail=25, phone=80)
    (home.folder / "password").chmod(0o644)
    code, said = await home.command("run", "--config", "house.toml", "notify")

    assert 78 == code
    assert "chmod 600" in said


async def error_of(request: Any) -> str:
    """What a request fails with."""
    try:
        await request
    except Exception as error:  # noqa: BLE001 - which one, the test says
        return f"{type(error).__name__}: {error}"
    return "no error"


async def until(holds: Any) -> None:
    """Wait for what a process does."""
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.02)
