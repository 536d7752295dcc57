"""A service that fails: what is logged, and what the bus and `hearthbus status` are told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from test_run import config, presence, running
from test_runner import house, scene

from hearthbus import Service

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from conftest import Broker


async def test_a_service_that_cannot_start_says_so_until_it_can(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its health has the reason while it waits, and no longer when it runs; the log has one trace, then lines."""
    monkeypatch.setattr("hearthbus.running.backoff.FIRST", 0.01)
    monkeypatch.setattr("hearthbus.running.runner._TICK", 60.0)
    broken = [True]

    class Stove(Service):
        async def on_start(self) -> None:
            if broken:
                raise KeyError("wood")

    async with scene(house(stove=Stove)) as at:
        await at.until(lambda: caplog.text.count("starting again") == 3)
        failing = at.bodies("service/stove/health")[-1]
        broken.clear()
        await at.until(lambda: "failing" not in at.bodies("service/stove/health")[-1])

    said = [record.getMessage().partition(";")[0] for record in caplog.records if record.levelname == "ERROR"]
    assert (True, "KeyError: 'wood' is missing") == (failing["failing"], failing["error"])
    assert ["failed", *["KeyError: 'wood' is missing"] * 3] == said
    assert 1 == caplog.text.count("Traceback")


async def test_a_broker_that_refuses_is_not_waited_for(broker: Broker, tmp_path: Path) -> None:
    """A second process of a service is told that its name is in use, and nothing of a broker that is away."""
    file = config(tmp_path, broker.url, "[host]")
    async with broker.bus() as bus:
        with running("run", "host", "--config", file) as first:
            await presence(bus, "host", "online")
            with running("run", "host", "--config", file) as second:
                await second.until("starting again")
            said = "\n".join(second.lines)
            first.end()

    assert "is in use" in said
    assert "waiting" not in said
