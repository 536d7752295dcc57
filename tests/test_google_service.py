"""The calendar service in a process of its own, with a calendar of Google: events on the bus, and no key in its log."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from fake_google import FAMILY, Answer, FakeGoogle
from fake_google_events import timed
from google_house import house, secret
from google_source import fakes

from hearthbus import HandlerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Protocol

    from hearthbus.bus import Bus

    class Broker(Protocol):
        url: str

        def bus(self, name: str | None = None) -> Bus: ...


SOON_S = 30.0
google = pytest.fixture(fakes)


def tea() -> dict[str, object]:
    """Make an event that goes on now."""
    now = datetime.now(UTC).replace(microsecond=0)
    return timed("tea", (now - timedelta(minutes=1)).isoformat(), (now + timedelta(hours=1)).isoformat())


@pytest.fixture
def service(google: FakeGoogle, broker: Broker, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The service, with everything it can log."""
    secret(tmp_path, "google.json", google.share(FAMILY, google.login()))
    google.put(FAMILY, tea())
    path = house(tmp_path, google)
    path.write_text(path.read_text() + f'[bus]\nurl = "{broker.url}"\n')
    running = subprocess.Popen(
        [sys.executable, "-m", "hearthbus", "run", "calendar", "-v", "--config", str(path)],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with running:
        yield running
        running.kill()


async def test_on_the_bus(google: FakeGoogle, broker: Broker, service: subprocess.Popen[str]) -> None:
    """An event starts on the bus; a revoked login is told, once it is asked for; and no log has a secret in it."""
    async with asyncio.timeout(SOON_S), broker.bus() as bus:
        async with bus.subscribe("calendar/family/start") as starts:
            message = await anext(aiter(starts))

        google.tokens.refresh.clear()
        google.tokens.expire()
        with pytest.raises(HandlerError) as revoked:
            await bus.request("calendar/family/refresh")
        google.script(Answer(403, reason="accessNotConfigured"))
        with pytest.raises(HandlerError):
            await bus.request("calendar/family/refresh")
        state = await bus.get("calendar/family/source")
    service.send_signal(signal.SIGTERM)
    _, log = service.communicate(timeout=SOON_S)

    assert ("tea", False) == (message["title"], message["missed"])
    assert "the login was revoked or has run out" in str(revoked.value)
    assert "googleapiclient" in log
    assert [] == [each for each in google.tokens.secrets if each in log + str(state) + str(revoked.value)]
