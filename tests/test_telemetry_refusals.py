"""What a sink refuses: halving, dead letters, holding with an alert, and trying again, on a bus in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from telemetry_bench import dead, eventually, place, say, start, told
from telemetry_scripted import SINKS, refuses, takes_at_most

from hearthbus.errors import HandlerError
from services.telemetry.letters import Letter, write_letter
from services.telemetry.outcomes import Delivered, Held, Refused
from services.telemetry.records import Record

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


async def test_a_sink_that_refuses_us_is_held_with_an_alert(bench: Bench, tmp_path: Path) -> None:
    """It is tried every five minutes; the alert ends when it works."""
    sink = await start(bench, tmp_path, every_s=0.0)
    sink.answer = lambda _: Held("it does not accept the key")
    await say(bench, 1)
    raised = await bench.next("alert/telemetry-archive")
    status = await bench.next("telemetry/archive")
    while status["status"] != "held":
        status = await bench.next("telemetry/archive")
    await bench.advance(299)
    calls = len(sink.calls)
    sink.answer = lambda _: Delivered()
    await bench.advance(2)
    ended = await bench.next("alert/telemetry-archive")

    assert raised["active"]
    assert "it does not accept the key" in raised["message"]
    assert status["error"] == "it does not accept the key"
    assert 1 == calls
    assert (False, [1]) == (ended["active"], sink.values)


async def test_retry_tries_a_held_sink_now(bench: Bench, tmp_path: Path) -> None:
    """Who has mended the key need not wait five minutes."""
    sink = await start(bench, tmp_path, every_s=0.0)
    sink.answer = lambda _: Held("no")
    await say(bench, 1)
    sink.answer = lambda _: Delivered()
    answer = await bench.request("telemetry/retry", {"sink": "archive"})

    assert {"queued": 0} == answer
    assert [1] == sink.values


async def test_the_poison_record_alone_is_set_aside(bench: Bench, tmp_path: Path) -> None:
    """All others of its batch are delivered, in order; then the place moves past all."""
    sink = await start(bench, tmp_path)
    sink.answer = refuses(6)
    await say(bench, *range(10))
    await bench.advance(6)
    await eventually(bench, [6], lambda: dead(tmp_path))

    assert [value for value in range(10) if value != 6] == sink.values
    await eventually(bench, True, lambda: place(bench) >= 10)
    assert 1 == (await told(bench))["dead"]


async def test_a_lone_poison_record_is_set_aside_after_a_minute(bench: Bench, tmp_path: Path) -> None:
    """Where nothing else comes that could tell, a refused record does not wait for ever."""
    sink = await start(bench, tmp_path, every_s=0.0)
    sink.answer = refuses(6)
    await say(bench, 6)
    await bench.advance(50)
    before = dead(tmp_path)
    await bench.advance(12)
    await eventually(bench, [6], lambda: dead(tmp_path))

    assert [] == before


async def test_a_sink_that_refuses_everything_is_held(bench: Bench, tmp_path: Path) -> None:
    """Twenty refused in a row are the sink's fault: nothing is set aside, and all comes when it is mended."""
    sink = await start(bench, tmp_path)
    sink.answer = lambda _: Refused("no such field")
    await say(bench, *range(50))
    await bench.advance(6)
    status: dict[str, Any] = {}
    while status.get("status") != "held":
        status = await bench.next("telemetry/archive")
    sink.answer = lambda _: Delivered()
    await bench.advance(310)
    await eventually(bench, list(range(50)), lambda: sink.values)

    assert "20 of them: no such field" in status["error"]
    assert [] == dead(tmp_path)


async def test_small_batches_all_refused_are_held_too(bench: Bench, tmp_path: Path) -> None:
    """The row goes on over batches: a slow trickle into a broken sink does not fill the dead letters."""
    sink = await start(bench, tmp_path, every_s=0.0)
    sink.answer = lambda _: Refused("no such field")
    await say(bench, *range(25))
    held = (await told(bench))["status"]
    sink.answer = lambda _: Delivered()
    await bench.advance(310)

    assert ("held", []) == (held, dead(tmp_path))
    assert list(range(25)) == sink.values


async def test_too_large_is_sent_in_parts(bench: Bench, tmp_path: Path) -> None:
    """A batch that is too large is halved until it fits, and later ones are smaller from the start."""
    sink = await start(bench, tmp_path, batch=16)
    sink.answer = takes_at_most(5)
    await say(bench, *range(32))
    await eventually(bench, list(range(32)), lambda: sink.values)
    sizes = [len(call) for call in sink.calls]

    assert [16, 8, 4] == sizes[:3]
    assert {4} == set(sizes[3:])


async def test_one_record_too_large_is_set_aside(bench: Bench, tmp_path: Path) -> None:
    """What does not fit alone never will."""
    sink = await start(bench, tmp_path, every_s=0.0)
    sink.answer = takes_at_most(0)
    await say(bench, 1)
    sink.answer = takes_at_most(5)
    await say(bench, 2)
    await eventually(bench, [1], lambda: dead(tmp_path))

    assert [2] == sink.values


async def test_dead_letters_go_again_when_asked(bench: Bench, tmp_path: Path) -> None:
    """What is taken now is gone from the file; what is refused again is back in it."""
    sink = await start(bench, tmp_path, every_s=0.0)
    sink.answer = refuses(6, 7)
    await say(bench, 5, 6, 7, 8)
    while (await told(bench))["dead"] < 2:
        pass
    sink.answer = refuses(7)
    answer = await bench.request("telemetry/retry", {"sink": "archive"})
    await eventually(bench, [5, 8, 6], lambda: sink.values)
    await eventually(bench, [7], lambda: dead(tmp_path))

    assert {"queued": 2} == answer
    await eventually(bench, False, (tmp_path / "archive.again.jsonl").exists)
    assert 1 == (await told(bench))["dead"]


def letter(value: int) -> bytes:
    """Return the line of a letter."""
    return write_letter(Letter(Record("sensor/hall/temperature", {"value": value}, value, value), "bad", 0.0))


async def test_a_file_damaged_by_hand_loses_nothing(bench: Bench, tmp_path: Path) -> None:
    """Letters around a line that is none are sent; that line is counted, and back in the file, to be looked at."""
    torn = letter(3)[:30]
    file = tmp_path / "archive.dead.jsonl"
    file.write_bytes(letter(1) + b"# a note\n\n" + letter(2) + torn)
    sink = await start(bench, tmp_path, every_s=0.0)
    await bench.request("telemetry/retry", {})
    await eventually(bench, [1, 2], lambda: sink.values)
    await eventually(bench, False, (tmp_path / "archive.again.jsonl").exists)

    assert b"# a note\n" + torn + b"\n" == file.read_bytes()
    assert 2 == (await told(bench))["dead"]


async def test_ten_thousand_letters_go_again_in_order(bench: Bench, tmp_path: Path) -> None:
    """What is taken comes in the order it was set aside, before what came since; the rest is back, once, in order."""
    (tmp_path / "archive.dead.jsonl").write_bytes(b"".join(map(letter, range(10_000))))
    sink = await start(bench, tmp_path, every_s=0.0)
    bad = [*range(100, 9000, 997), *range(9900, 10_000)]
    sink.answer = refuses(*bad)
    answer = await bench.request("telemetry/retry", {})
    await say(bench, "after")
    await eventually(bench, bad, lambda: sorted(dead(tmp_path)) if "after" in sink.values else [])

    assert {"queued": 10_000} == answer
    assert [*(value for value in range(10_000) if value not in set(bad)), "after"] == sink.values
    assert bad == dead(tmp_path)


async def test_an_unknown_sink_cannot_be_retried(bench: Bench, tmp_path: Path) -> None:
    """The answer names those there are."""
    await start(bench, tmp_path)

    with pytest.raises(HandlerError, match="no sink 'attic'; there is: archive"):
        await bench.request("telemetry/retry", {"sink": "attic"})


async def test_letters_left_by_a_crash_go_before_those_set_aside_since(bench: Bench, tmp_path: Path) -> None:
    """Both have gone when a retry that was asked for is through."""
    record = Record("sensor/hall/temperature", {"value": 1}, 1, 1)
    for name, value in (("again", 1), ("dead", 2)):
        (tmp_path / f"archive.{name}.jsonl").write_bytes(letter(value))
    sink = await start(bench, tmp_path, every_s=0.0)
    await eventually(bench, [1], lambda: sink.values)
    kept = dead(tmp_path)
    await bench.request("telemetry/retry", {})
    await eventually(bench, [1, 2], lambda: sink.values)

    assert [2] == kept
    assert record == sink.held[0]
