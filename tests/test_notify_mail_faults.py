"""Notify by e-mail where a mail server refuses, stalls or is not there: what is said, and that it is true."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from contextlib import suppress

import pytest
from mail_calls import refusal, send
from mail_server import mailbox

from services.notify.outcomes import NOT_LATER, Attempt, GivenUp


async def test_a_refused_recipient_is_named() -> None:
    """With what the server said of him; it is not tried again."""
    async with mailbox() as box:
        box.replies["RCPT"] = ["550 no such user"]
        why = await refusal(box.port)

    assert "refuses me@home.test: 550 no such user" in str(why)
    assert "server" == why.fault


async def test_the_others_have_it_where_one_is_refused() -> None:
    """The answer names him who has it not."""
    async with mailbox() as box:
        box.replies["RCPT"] = ["250 OK", "550 gone"]
        receipt = await send(box.port, to=("a@home.test", "b@home.test"))

    assert [["a@home.test"]] == box.recipients
    assert ["b@home.test: 550 gone"] == [each.partition("refuses ")[2] for each in receipt.refused]


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_not_now_is_tried_again(command: str) -> None:
    """4xx, as of greylisting, then taken: one mail."""
    async with mailbox() as box:
        box.replies[command] = ["451 try later"]
        await send(box.port)

    assert 1 == len(box.mails)


async def test_not_now_for_ever_is_told() -> None:
    """With how often it was tried, and that it is over."""
    async with mailbox() as box:
        box.replies["MAIL"] = ["451 try later"] * 99
        why = await refusal(box.port, seconds=2.0)

    assert re.search("451 try later; tried [2-9] times", str(why))
    assert NOT_LATER in str(why)
    assert [] == box.mails


async def test_an_absent_server_is_told() -> None:
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    why = await refusal(port, seconds=0.9)

    assert f"127.0.0.1:{port} cannot be reached: Connection refused" in str(why)


async def test_a_name_that_is_none_is_told() -> None:
    """It may be the network: it was tried."""
    why = await refusal(25, host="no-such-host.invalid", seconds=0.6)

    assert "is not found" in str(why)


@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
async def test_a_stall_before_the_text_sends_nothing_later(command: str) -> None:
    """Told as not sent, it is not: the server goes on, and no mail comes."""
    async with mailbox() as box:
        box.replies[command] = [None]
        why = await refusal(box.port, seconds=0.5)
        box.go_on.set()
        async with asyncio.timeout(10):
            while any(thread.name == "notify mail" for thread in threading.enumerate()):
                await asyncio.sleep(0.01)

        assert "does not answer: nothing was sent" in str(why)
        assert "server" == why.fault
    assert [] == box.mails


async def test_a_server_that_drips_sends_nothing_later() -> None:
    """Each line it says in its endless greeting is in time; told as not sent, it is not when the greeting ends."""
    enough = asyncio.Event()
    heard: list[bytes] = []

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not enough.is_set():
            writer.write(b"220-welcome\r\n")
            await asyncio.sleep(0.05)
        writer.write(b"220 now\r\n" + b"250 yes\r\n" * 3 + b"354 go on\r\n" + b"250 taken\r\n")
        heard.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    why = await refusal(server.sockets[0].getsockname()[1], seconds=0.5)
    enough.set()
    async with asyncio.timeout(10):
        while not heard:
            await asyncio.sleep(0.01)
    server.close()

    assert f"its server does not answer: nothing was sent, {NOT_LATER}" == str(why)
    assert b"DATA" not in heard[0]


async def test_a_reply_without_end_is_cut_off() -> None:
    """As fast as a network is, it would fill the memory: after a hundred lines nobody listens any more."""
    written = 0

    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        with suppress(ConnectionError):
            while True:
                writer.write(b"220-welcome\r\n" * 100)
                written += 100
                await writer.drain()

    server = await asyncio.start_server(flood, "127.0.0.1", 0)
    why = await asyncio.wait_for(refusal(server.sockets[0].getsockname()[1], seconds=3), 10)
    server.close()

    assert "does not speak SMTP: it talks without end" in str(why)
    assert "server" == why.fault
    assert written < 10_000_000


def test_an_attempt_that_was_given_up_sends_nothing() -> None:
    """Between a step and the text there is no gap: who gave it up knows whether the text went."""
    early, late = Attempt(1.0), Attempt(1.0)
    late.commit()

    assert [False, True] == [early.give_up(), late.give_up()]
    with pytest.raises(GivenUp):
        early.commit()


async def test_a_stall_after_the_text_is_not_known() -> None:
    """It may have been taken: that is what is said, and it is not sent again."""
    async with mailbox() as box:
        box.replies["DATA"] = [None]
        why = await refusal(box.port, seconds=0.6)

        assert "unknown" == why.fault
        assert "it may arrive, and is not sent again" in str(why)


async def test_nonsense_after_the_text_is_not_known() -> None:
    """An answer that is none says neither yes nor no."""
    async with mailbox() as box:
        box.replies["DATA"] = ["what?"]
        why = await refusal(box.port)

    assert "unknown" == why.fault


async def test_a_server_that_says_nothing_is_told() -> None:
    """It listens and never greets."""
    gone = asyncio.Event()

    async def mute(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gone.wait()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    why = await refusal(server.sockets[0].getsockname()[1], seconds=0.5)
    gone.set()
    server.close()

    assert "does not answer: nothing was sent" in str(why)


async def test_a_server_of_another_kind_is_told() -> None:
    """It hangs up, or speaks something else."""

    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(web, "127.0.0.1", 0)
    why = await refusal(server.sockets[0].getsockname()[1], seconds=0.8)
    server.close()

    assert "127.0.0.1" in str(why)
