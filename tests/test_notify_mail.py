"""Notify by e-mail, against a real mail server: what arrives, and what is said where nothing does."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from mail_server import PASSWORD, USER, authority, mailbox, text

from hearthbus import Secret
from hearthbus.clock import Clock
from hearthbus.config.schema import build
from services.notify.lane import Lane
from services.notify.mail import Mail
from services.notify.note import read_note
from services.notify.outcomes import NOT_LATER, Attempt, GivenUp, Undelivered
from services.notify.settings import Target

if TYPE_CHECKING:
    from pathlib import Path

    from services.notify.outcomes import Receipt

HOUSE: dict[str, Any] = {"kind": "email", "host": "127.0.0.1", "sender": "house@home.test", "to": ["me@home.test"]}
LOGIN: dict[str, Any] = {"user": USER, "password": Secret(PASSWORD)}


async def send(port: int, *, to: tuple[str, ...] = (), seconds: float = 3.0, **wishes: Any) -> Receipt:
    """Send one message to a server at `port`; wishes are keys of the message or of the target's table."""
    message: dict[str, Any] = {key: wishes.pop(key) for key in ("title", "message", "priority") if key in wishes}
    target = build(Target, {**HOUSE, "port": port, "tls": "none", **wishes})
    lane = Lane("mail", target, sender=Mail(target), zone=ZoneInfo("UTC"), clock=Clock())
    deadline = asyncio.get_running_loop().time() + seconds
    return await lane.deliver(read_note({"message": "the door is open", **message}), to, deadline=deadline)


async def refusal(port: int, **wishes: Any) -> Undelivered:
    """Send one that is not delivered, and return why."""
    with pytest.raises(Undelivered) as caught:
        await send(port, **wishes)
    assert PASSWORD not in str(caught.value)
    return caught.value


async def test_a_mail_has_what_was_said() -> None:
    """Title, message, sender, recipients; and that a machine wrote it."""
    async with mailbox() as box:
        await send(box.port, title="Door", message="It is open.\nSince noon.", to=("you@home.test",))

    (mail,) = box.mails
    assert ["Door", "house@home.test", "you@home.test", "auto-generated"] == [
        mail[name] for name in ("Subject", "From", "To", "Auto-Submitted")
    ]
    assert "It is open.\nSince noon.\n" == text(mail)
    assert [["you@home.test"]] == box.recipients


@pytest.mark.parametrize("said", ["Tür offen 🚪", "温度が高い", "a" * 190, "= equals =", "\u202eright to left"])
async def test_a_title_of_any_language_arrives(said: str) -> None:
    """RFC 2047 carries it, over several lines where it is long."""
    async with mailbox() as box:
        await send(box.port, title=said, message=f"{said}\n.\n..\nFrom here")

    (mail,) = box.mails
    assert said == mail["Subject"]
    assert f"{said}\n.\n..\nFrom here\n" == text(mail)


async def test_a_title_adds_no_header() -> None:
    """A line break in a title is a space in it."""
    async with mailbox() as box:
        await send(box.port, title="Door\r\nBcc: all@home.test\n\nbody", message="x")

    (mail,) = box.mails
    assert "Door Bcc: all@home.test body" == mail["Subject"]
    assert None is mail["Bcc"]
    assert [["me@home.test"]] == box.recipients


async def test_html_is_text() -> None:
    """What is written is what is read."""
    async with mailbox() as box:
        await send(box.port, message="<b>bold</b> &amp;")

    assert "text/plain" == box.mails[0].get_content_type()
    assert "<b>bold</b> &amp;\n" == text(box.mails[0])


@pytest.mark.parametrize(
    ("priority", "importance", "number"),
    [
        ("low", "low", "5 (Lowest)"),
        ("normal", None, None),
        ("high", "high", "2 (High)"),
        ("urgent", "high", "1 (Highest)"),
    ],
)
async def test_the_priority_is_in_the_headers(priority: str, importance: str | None, number: str | None) -> None:
    """As mail programs read it."""
    async with mailbox() as box:
        await send(box.port, priority=priority)

    assert (importance, number) == (box.mails[0]["Importance"], box.mails[0]["X-Priority"])


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_it_logs_in_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tls: str) -> None:
    """With a CA of one's own, named by SSL_CERT_FILE."""
    context = authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with mailbox(**{tls: context}, auth=True) as box:
        await send(box.port, tls=tls, **LOGIN)

    assert [(USER.encode(), PASSWORD.encode())] == box.logins
    assert 1 == len(box.mails)


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_certificate_of_a_stranger_is_refused(tmp_path: Path, tls: str) -> None:
    """No password goes to a server that nobody vouches for."""
    async with mailbox(**{tls: authority(tmp_path)}, auth=True) as box:
        why = await refusal(box.port, tls=tls, **LOGIN)

    assert "certificate that is not to be trusted" in str(why)
    assert [] == box.logins


async def test_a_server_without_starttls_gets_nothing() -> None:
    """What shall be encrypted is not sent in clear because somebody took the offer away."""
    async with mailbox() as box:
        why = await refusal(box.port, tls="starttls")

    assert "offers no STARTTLS" in str(why)
    assert [] == box.mails


async def test_a_wrong_password_is_said_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried once: three wrong logins lock some accounts."""
    context = authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with mailbox(starttls=context, auth=True) as box:
        why = await refusal(box.port, tls="starttls", user=USER, password=Secret("wrong-password"))

    assert "refuses the login: 535" in str(why)
    assert "wrong-password" not in str(why)
    assert 1 == len(box.logins)


async def test_a_server_that_repeats_the_password_does_not_tell_it() -> None:
    """A reason phrase comes from outside."""
    async with mailbox(auth=True) as box:
        box.replies["MAIL"] = [f"550 no mail for {PASSWORD}"]
        why = await refusal(box.port, host="127.0.0.1", **LOGIN)

    assert "550 no mail for ***" in str(why)


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
        why = await refusal(box.port, seconds=1.2)

    assert "451 try later; tried 3 times" in str(why)
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


async def test_a_long_message_is_cut_and_says_so() -> None:
    """At 60,000 bytes, at a whole character."""
    async with mailbox() as box:
        receipt = await send(box.port, message="é" * 40_000)

    assert receipt.cut
    assert text(box.mails[0]).endswith("é\n[...]\n")
    assert len(text(box.mails[0]).encode()) <= 60_001
