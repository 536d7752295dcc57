"""Notify by e-mail, against a real mail server: what arrives, and who is trusted with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from mail_calls import LOGIN, refusal, send
from mail_server import PASSWORD, USER, authority, mailbox, text

from hearthbus import Secret

if TYPE_CHECKING:
    from pathlib import Path


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


@pytest.mark.parametrize(
    "said",
    [
        "Tür offen 🚪",
        "温度が高い",
        "a" * 190,
        "= equals =",
        "\u202eright to left",
        "=?utf-8?q?=C3=BC?=",
        "ü =?x?q?y?=" * 9,
    ],
)
async def test_a_title_of_any_language_arrives(said: str) -> None:
    """RFC 2047 carries it, over several lines where it is long."""
    async with mailbox() as box:
        await send(box.port, title=said, message=f"{said}\n.\n..\nFrom here")

    (mail,) = box.mails
    assert said == mail["Subject"]
    assert f"{said}\n.\n..\nFrom here\n" == text(mail)


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("Door\r\nBcc: all@home.test\n\nbody", "Door Bcc: all@home.test body"),
        ("=?utf-8?q?Door=0ABcc:_all@home.test?=", "=?utf-8?q?Door=0ABcc:_all@home.test?="),
        ("=?utf-8?b?RG9vcgpCY2M6IGFsbEBob21lLnRlc3Q=?=", "=?utf-8?b?RG9vcgpCY2M6IGFsbEBob21lLnRlc3Q=?="),
    ],
)
async def test_a_title_adds_no_header(title: str, subject: str) -> None:
    """A line break in a title is a space in it; what looks like the code of mail headers is not decoded."""
    async with mailbox() as box:
        await send(box.port, title=title, message="x")

    (mail,) = box.mails
    assert subject == mail["Subject"]
    assert None is mail["Bcc"]
    assert [["me@home.test"]] == box.recipients


async def test_a_mail_is_ascii_on_the_wire() -> None:
    """Whoever relays it may know no more: RFC 6152 allows eight bits only where a server offers them."""
    async with mailbox() as box:
        await send(box.port, title="Tür", message="Grüße, 温度\n" * 20)

    assert box.raw[0].isascii()
    assert "Grüße, 温度\n" * 20 == text(box.mails[0])


async def test_without_a_title_the_message_begins_the_subject() -> None:
    """Its first line that says something."""
    async with mailbox() as box:
        await send(box.port, message="\n  \nThe door\nis open")

    assert "The door" == box.mails[0]["Subject"]


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
    context: dict[str, Any] = {tls: authority(tmp_path)}
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with mailbox(**context, auth=True) as box:
        await send(box.port, tls=tls, **LOGIN)

    assert [(USER.encode(), PASSWORD.encode())] == box.logins
    assert 1 == len(box.mails)


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_certificate_of_a_stranger_is_refused(tmp_path: Path, tls: str) -> None:
    """No password goes to a server that nobody vouches for."""
    context: dict[str, Any] = {tls: authority(tmp_path)}
    async with mailbox(**context, auth=True) as box:
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


@pytest.mark.parametrize("without", [(), ("PLAIN",)])
async def test_a_password_of_any_language_logs_in(without: tuple[str, ...]) -> None:
    """In UTF-8, as RFC 4616 has it, by either way a server offers."""
    async with mailbox(auth=True, without=without) as box:
        await refusal(box.port, user="jörg", password=Secret("grüße-温度"))

    assert [("jörg".encode(), "grüße-温度".encode())] == box.logins


async def test_a_server_that_repeats_the_password_does_not_tell_it() -> None:
    """A reason phrase comes from outside."""
    async with mailbox(auth=True) as box:
        box.replies["MAIL"] = [f"550 no mail for {PASSWORD}"]
        why = await refusal(box.port, host="127.0.0.1", **LOGIN)

    assert "550 no mail for ***" in str(why)


async def test_a_long_message_is_cut_and_says_so() -> None:
    """At 60,000 bytes, at a whole character."""
    async with mailbox() as box:
        receipt = await send(box.port, message="é" * 40_000)

    assert receipt.cut
    assert text(box.mails[0]).endswith("é\n[...]\n")
    assert len(text(box.mails[0]).encode()) <= 60_001
