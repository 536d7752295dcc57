"""One message to a test's mail server, as a target of notify sends it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from mail_server import PASSWORD, USER

from hearthbus import Secret
from hearthbus.clock import Clock
from hearthbus.config.schema import build
from services.notify.lane import Lane
from services.notify.mail import Mail
from services.notify.note import read_note
from services.notify.outcomes import Undelivered
from services.notify.settings import Target

if TYPE_CHECKING:
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
