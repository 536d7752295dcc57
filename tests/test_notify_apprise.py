"""Notify by any address of apprise: its plugin is found without the others, and what is wrong with it is told."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from phone_calls import refusal, send
from phone_server import phone

from hearthbus import Secret


async def test_any_other_service_is_an_address_of_apprise() -> None:
    """Here its plain JSON one, and ntfy, whose priorities are known."""
    async with phone() as server:
        here = server.url.removeprefix("http://")
        await send({"kind": "apprise", "url": Secret(f"json://{here}/hook/key-1234")}, title="Door", priority="urgent")
        await send({"kind": "apprise", "url": Secret(f"ntfy://{here}/house-5")}, priority="high")

    assert ("/hook/key-1234", "Door", "failure") == (
        server.calls[0].path.rstrip("/"),
        server.calls[0].json["title"],
        server.calls[0].json["type"],
    )
    assert "high" == server.calls[1].headers["x-priority"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense://abcdefgh", "apprise knows no nonsense://"),
        ("tgram://not-a-token-0815/", "url is not how apprise writes tgram://"),
        ("discord://onlyone", "Discord does not take its table"),
        ("growl://127.0.0.1", "Growl does not work here: it needs gntp"),
        ("windows://_/", "Windows Notification does not work here: it needs A local Microsoft Windows environment"),
    ],
)
async def test_an_address_that_is_none_is_told(url: str, said: str) -> None:
    """Before anything is sent, without the address."""
    why = await refusal({"kind": "apprise", "url": Secret(url)})

    assert said in str(why)


@pytest.mark.parametrize("replies", [[200, 503], [503, 200], [200, 429], [200, "hang up"], [503, 503]])
async def test_of_several_that_hide_in_one_address_none_gets_it_twice(replies: list[Any]) -> None:
    """A try again would reach all of them: each is asked once, and that some have it is said."""
    async with phone() as server:
        server.replies += replies
        address = f"ntfy://{server.url.removeprefix('http://')}/house-5/house-6"
        why = await refusal({"kind": "apprise", "url": Secret(address)})

    assert 2 == len(server.calls)
    assert "unknown" == why.fault
    assert "some of its 2 addressees may have it, and it is not sent again" in str(why)


async def test_a_plugin_that_fails_when_it_is_made_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it raises, without the text, in which the address may be."""
    from apprise.plugins.custom_json import NotifyJSON

    def fails(self: Any, **_: Any) -> None:  # noqa: ARG001 - as a method
        raise AttributeError("json://127.0.0.1/key-not-seen")

    monkeypatch.setattr(NotifyJSON, "__init__", fails)
    why = await refusal({"kind": "apprise", "url": Secret("json://127.0.0.1/key-not-seen")})

    assert str(why).endswith("does not take its table: AttributeError")
    assert "server" == why.fault


def test_one_plugin_is_loaded_not_all() -> None:
    """A process with a phone has one plugin of the 130, and none of them before it sends."""
    code = (
        "import sys; from services.notify import Notify, push, apprise_plugin;"
        "assert not [m for m in sys.modules if m.startswith(('apprise.', 'requests', 'smtplib'))];"
        "apprise_plugin.find('ntfy');"
        "print(len([m for m in sys.modules if m.startswith('apprise.plugins.')]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert "" == done.stderr
    assert int(done.stdout) < 5


def test_every_scheme_of_apprise_is_found() -> None:
    """Its own search imports all plugins; ours finds the same one by reading them."""
    code = (
        "from apprise.manager_plugins import NotificationManager; from services.notify import apprise_plugin;"
        "every = NotificationManager();"
        "print([name for name in every.schemas() if apprise_plugin.find(name) is not every[name]],"
        "len(every.schemas()))"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)

    assert "" == done.stderr
    assert "[] " == done.stdout[:3]
    assert int(done.stdout[3:]) > 100
