"""`hearthbus telemetry`: status, retry and forget, on a bus in memory; and what it says to a person's mistakes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from telemetry_bench import say, start
from telemetry_scripted import SINKS

from hearthbus.cli.output import Output
from hearthbus.errors import Invalid, NoResponder, Refused
from services.telemetry.command import again, forget, main, status
from services.telemetry.outcomes import Held

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hearthbus.testing import Bench


@pytest.fixture(autouse=True)
def _fresh_sinks() -> Iterator[None]:
    """Each test begins without sinks."""
    SINKS.clear()
    yield
    SINKS.clear()


def written(*, as_json: bool = False) -> tuple[Output, list[str]]:
    """Return an output, and the lines and notes it is given."""
    lines: list[str] = []
    return Output(line=lines.append, note=lines.append, json=as_json), lines


async def online(bench: Bench) -> None:
    """Let the service be there: the bus in memory has no presence."""
    await bench.publish("service/telemetry", status="online", retain=True)


async def test_status_is_a_line_for_each_sink(bench: Bench, tmp_path: Path) -> None:
    """What was sent, what waits, and how long."""
    await start(bench, tmp_path, every_s=0.0)
    await online(bench)
    await say(bench, 1, 2)
    await bench.advance(10)
    output, lines = written()
    code = await status(bench.bus, output, "telemetry")

    assert 0 == code
    assert ["sink", "status", "lag", "behind", "sent", "rate", "dead", "last", "error"] == lines[0].split()
    assert ["archive", "idle", "-", "0", "2", "0.2/s", "0", "-"] == lines[1].split()


async def test_status_ends_with_1_when_a_sink_is_held(bench: Bench, tmp_path: Path) -> None:
    """A script can look; what is wrong is in the line, without control characters."""
    sink = await start(bench, tmp_path, every_s=0.0)
    await online(bench)
    sink.answer = lambda _: Held("bad key\x1b[31m")
    await say(bench, 1)
    await bench.advance(70)
    output, lines = written()
    code = await status(bench.bus, output, "telemetry")

    assert 1 == code
    assert ["archive", "held", "1", "min", "1", "0"] == lines[1].split()[:6]
    assert lines[1].endswith("bad key?[31m")


async def test_status_as_json(bench: Bench, tmp_path: Path) -> None:
    """One object a sink, with its keys as on the bus; and whether they are still true."""
    await start(bench, tmp_path)
    await bench.advance(10)
    output, lines = written(as_json=True)
    await status(bench.bus, output, "telemetry")
    said: dict[str, Any] = json.loads(lines[0])

    assert ("archive", "idle", False) == (said["sink"], said["status"], said["running"])


async def test_status_without_a_service_says_so(bench: Bench) -> None:
    """Nothing to show is no empty table."""
    output, _ = written()

    with pytest.raises(NoResponder, match="no sink of telemetry has told how it stands"):
        await status(bench.bus, output, "telemetry")


async def test_retry_says_how_many(bench: Bench, tmp_path: Path) -> None:
    """Also where there is nothing to send again."""
    await start(bench, tmp_path)
    output, lines = written()
    await again(bench.bus, output, "telemetry", None)

    assert ["dead letters that are sent again: 0; what waits is tried now"] == lines


async def test_retry_without_a_service_says_so(bench: Bench) -> None:
    """What does not run is named, and where to look."""
    output, _ = written()

    with pytest.raises(NoResponder, match=r"telemetry does not run, nothing is sent; `hearthbus status`"):
        await again(bench.bus, output, "telemetry", None)


async def test_status_ends_with_1_when_the_service_does_not_run(bench: Bench, tmp_path: Path) -> None:
    """What it said last was fine, and nothing is sent."""
    await start(bench, tmp_path, every_s=0.0)
    await bench.advance(10)
    output, lines = written()
    code = await status(bench.bus, output, "telemetry")

    assert (1, "telemetry does not run: this is how it was") == (code, lines[-1])


async def test_a_sink_in_use_cannot_be_forgotten(bench: Bench, tmp_path: Path) -> None:
    """It has to be out of the configuration first; then its place and what was told of it go."""
    await start(bench, tmp_path)
    await bench.advance(10)
    output, lines = written()
    with pytest.raises(Refused, match=r"archive is not forgotten: .* in use; take its table out"):
        await forget(bench.bus, output, "telemetry", "archive")
    await bench.stop()
    await forget(bench.bus, output, "telemetry", "archive")

    assert "telemetry-archive" not in bench.hub.consumers
    assert [] == await bench.bus.get("telemetry/+")
    assert lines[0].startswith("archive is forgotten")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "ACTION is missing"),
        (("restart",), "invalid choice"),
        (("status", "archive"), "leave the name out"),
        (("forget",), "forget which sink"),
    ],
)
def test_mistakes_are_told(words: tuple[str, ...], complaint: str) -> None:
    """One line, with what to do."""
    with pytest.raises(Invalid, match=complaint):
        main(list(words))
