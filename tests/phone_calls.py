"""One message to a test's web server, as a target of notify sends it by apprise."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from hearthbus.clock import Clock
from hearthbus.config.schema import build
from services.notify.lane import Lane
from services.notify.note import read_note
from services.notify.outcomes import Undelivered
from services.notify.push import Push
from services.notify.settings import Target

if TYPE_CHECKING:
    from phone_server import Phone

    from services.notify.outcomes import Receipt


def ntfy(server: Phone, **more: Any) -> dict[str, Any]:
    """The table of a target at a server."""
    return {"kind": "ntfy", "server": server.url, "topic": "house-5", **more}


async def send(table: dict[str, Any], *, seconds: float = 3.0, **message: Any) -> Receipt:
    """Send one message."""
    target = build(Target, table)
    lane = Lane("phone", target, sender=Push(target), zone=ZoneInfo("UTC"), clock=Clock())
    await lane.prepare()  # a slow machine loads apprise for seconds, which are not the delivery's
    deadline = asyncio.get_running_loop().time() + seconds
    return await lane.deliver(read_note({"message": "the door is open", **message}), (), deadline=deadline)


async def refusal(table: dict[str, Any], **wishes: Any) -> Undelivered:
    """Send one that is not delivered, and return why."""
    with pytest.raises(Undelivered) as caught:
        await send(table, **wishes)
    for secret in build(Target, table).secrets():
        assert secret not in str(caught.value)
    return caught.value
