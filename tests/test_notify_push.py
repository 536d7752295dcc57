"""Notify by apprise, against a real web server: what each service is sent, and what is said where it is not taken."""

from __future__ import annotations

import logging
import re
from typing import Any, Literal

import pytest
from phone_calls import ntfy, refusal, send
from phone_server import Phone, phone

from hearthbus import Secret

PUSHOVER = {"kind": "pushover", "user": Secret("u" * 30), "token": Secret("t" * 30)}
PROWL = {"kind": "prowl", "key": Secret("ab" * 20)}
BOT = "123456:" + "B" * 35
TELEGRAM = {"kind": "telegram", "bot": Secret(BOT), "chat": -1001234}
PRIORITIES = ("low", "normal", "high", "urgent")


@pytest.fixture
def fixed_hosts(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Point the plugins whose servers have fixed names at a test's."""

    def point(server: Phone) -> None:
        from apprise.plugins.prowl import NotifyProwl
        from apprise.plugins.pushover import NotifyPushover
        from apprise.plugins.telegram import NotifyTelegram

        monkeypatch.setattr(NotifyPushover, "notify_url", f"{server.url}/1/messages.json")
        monkeypatch.setattr(NotifyProwl, "notify_url", f"{server.url}/publicapi/add")
        monkeypatch.setattr(NotifyTelegram, "notify_url", f"{server.url}/bot")

    return point


async def test_ntfy_is_sent_what_was_said() -> None:
    """Title, message and topic, in any language."""
    async with phone() as server:
        await send(ntfy(server), title="Tür 🚪", message="<b>offen</b> & kalt")

    (call,) = server.calls
    assert {"topic": "house-5", "title": "Tür 🚪", "message": "<b>offen</b> & kalt"} == call.json


async def test_ntfy_is_sent_the_token() -> None:
    """As its server wants it."""
    async with phone() as server:
        await send(ntfy(server, token=Secret("tk_abcdefghijklmnopqrstuvwxyz123")))

    assert "Bearer tk_abcdefghijklmnopqrstuvwxyz123" == server.calls[0].headers["authorization"]


async def test_pushover_prowl_and_telegram_are_sent_what_was_said(fixed_hosts: Any) -> None:
    """Each in its own form; HTML is text to all of them."""
    async with phone() as server:
        fixed_hosts(server)
        for table in (PUSHOVER, PROWL, TELEGRAM):
            await send(table, title="Door", message="<b>open</b>")
        pushover, prowl, telegram = server.calls

    assert ("u" * 30, "t" * 30, "Door", "<b>open</b>") == tuple(
        pushover.form[key] for key in ("user", "token", "title", "message")
    )
    assert "html" not in pushover.form
    assert ("ab" * 20, "Door", "<b>open</b>") == tuple(prowl.form[key] for key in ("apikey", "event", "description"))
    assert f"/bot{BOT}/sendMessage" == telegram.path
    assert "-1001234" == str(telegram.json["chat_id"])
    assert "&lt;b&gt;open&lt;/b&gt;" in telegram.json["text"]
    assert "Door" in telegram.json["text"]


async def test_priorities_are_each_service_s_own(fixed_hosts: Any) -> None:
    """From low to urgent."""
    async with phone() as server:
        fixed_hosts(server)
        for table in (ntfy(server), PUSHOVER, PROWL, TELEGRAM):
            for priority in PRIORITIES:
                await send(table, priority=priority)

    said = [server.calls[at : at + 4] for at in range(0, 16, 4)]
    assert ["low", None, "high", "max"] == [call.headers.get("x-priority") for call in said[0]]
    assert ["-1", "0", "1", "2"] == [call.form["priority"] for call in said[1]]
    assert ("60", "3600") == (said[1][3].form["retry"], said[1][3].form["expire"])
    assert ["-1", "0", "1", "2"] == [call.form["priority"] for call in said[2]]
    assert [True, False, False, False] == [call.json["disable_notification"] for call in said[3]]


@pytest.mark.parametrize("status", [429, 500, 503, (429, '{"code":42901,"http":429,"error":"limit reached"}')])
async def test_not_now_is_tried_again(status: int | tuple[int, str]) -> None:
    """One message arrives."""
    async with phone() as server:
        server.replies += [status]
        await send(ntfy(server))

    assert 2 == len(server.calls)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (401, "answers 401: it refuses the login"),
        (
            (403, '{"code":40301,"http":403,"error":"forbidden"}'),
            "answers 403: it does not allow that: the token may not, or the user has blocked it (forbidden)",
        ),
        (404, "answers 404: it knows no such topic"),
        (413, "answers 413: the message is too long"),
        (302, "answers 302: it points to another address"),
    ],
)
async def test_no_is_told_at_once(reply: int | tuple[int, str], said: str) -> None:
    """With the place and the meaning; it is asked once."""
    async with phone() as server:
        server.replies += [reply] * 5
        why = await refusal(ntfy(server))

    assert f"127.0.0.1:{server.port} {said}" in str(why)
    assert 1 == len(server.calls)


async def test_what_the_server_repeats_is_not_told(fixed_hosts: Any) -> None:
    """A key in a reason, plain or as an address quotes it."""
    async with phone() as server:
        fixed_hosts(server)
        server.replies += [(401, f'{{"description":"Unauthorized: {BOT} {BOT.replace(":", "%3A")}"}}')]
        why = await refusal(TELEGRAM)

    assert "Telegram answers 401: it refuses the login" in str(why)
    assert "B" * 20 not in str(why)


async def test_a_rate_limit_that_stays_is_told() -> None:
    """With how often it was tried."""
    async with phone() as server:
        server.replies += [429] * 9
        why = await refusal(ntfy(server), seconds=2.0)

    assert "its own rate limit is reached" in str(why)
    assert re.search("tried [2-9] times, it is not sent later", str(why))


async def test_an_absent_server_is_told() -> None:
    """Nobody listens there any more."""
    async with phone() as server:
        table = ntfy(server)
    why = await refusal(table, seconds=0.6)

    assert f"127.0.0.1:{server.port} cannot be reached" in str(why)


async def test_a_name_that_is_none_is_told() -> None:
    """Or there is no network."""
    why = await refusal({"kind": "ntfy", "server": "http://no-such-host.invalid", "topic": "x"}, seconds=0.6)

    assert "no-such-host.invalid is not found" in str(why)


@pytest.mark.parametrize("reply", ["stall", "hang up"])
async def test_no_answer_is_not_known(reply: Literal["stall", "hang up"]) -> None:
    """The message may have been taken: it is not sent again, and that is said."""
    async with phone() as server:
        server.replies += [reply]
        why = await refusal(ntfy(server), seconds=0.6)

    assert "unknown" == why.fault
    assert "it may arrive, and is not sent again" in str(why)
    assert 1 == len(server.calls)


async def test_nothing_of_apprise_is_logged() -> None:
    """Its lines have addresses and keys in them: they do not reach the handlers of a process."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(f"{record.name} {record.getMessage()}")  # type: ignore[method-assign]  # a handler in a line
    root = logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    try:
        async with phone() as server:
            server.replies += [200, 401]
            await send(ntfy(server, token=Secret("tk_abcdefghijklmnopqrstuvwxyz123")))
            await refusal(ntfy(server, token=Secret("tk_abcdefghijklmnopqrstuvwxyz123")))
    finally:
        root.setLevel(level)
        root.removeHandler(handler)

    assert [] == [line for line in lines if not line.startswith("asyncio ")]


async def test_a_message_longer_than_the_service_takes_is_cut(fixed_hosts: Any) -> None:
    """It is one message, and its end says that more was said."""
    async with phone() as server:
        fixed_hosts(server)
        for table in (ntfy(server), PUSHOVER, PROWL, TELEGRAM):
            receipt = await send(table, message="🚪" * 12_000)
            assert receipt.cut

    assert 4 == len(server.calls)
    assert server.calls[0].json["message"].endswith("🚪\n[...]")
