"""Whose turn it is at a target: nobody's twice, nobody's never, and urgent ones first."""

from __future__ import annotations

import asyncio

import pytest

from services.notify.turn import Turn


async def _queue(turn: Turn, had: list[str], *names: str) -> list[asyncio.Task[None]]:
    """Let some wait, in this order; whose name ends with ! goes first."""

    async def wait(name: str) -> None:
        async with turn.taken(first=name.endswith("!")):
            had.append(name)

    tasks = [asyncio.create_task(wait(name)) for name in names]
    await asyncio.sleep(0)
    return tasks


async def test_urgent_ones_go_first_and_each_in_its_order() -> None:
    """Whoever has the turn keeps it."""
    turn, had = Turn(), list[str]()
    async with turn.taken():
        tasks = await _queue(turn, had, "a", "b", "fire!", "c", "smoke!")
    await asyncio.wait_for(asyncio.gather(*tasks), 5)

    assert ["fire!", "smoke!", "a", "b", "c"] == had


async def test_a_turn_that_does_not_come_in_time() -> None:
    """Who waited too long has not got it, and takes it from nobody."""
    turn, had = Turn(), list[str]()
    async with turn.taken():
        with pytest.raises(TimeoutError):
            async with turn.taken(deadline=asyncio.get_running_loop().time()):
                had.append("late")
        tasks = await _queue(turn, had, "a")
    await asyncio.wait_for(asyncio.gather(*tasks), 5)

    assert ["a"] == had


async def test_who_leaves_in_the_moment_of_his_turn_passes_it_on() -> None:
    """Stopped between being called and going."""
    turn, had = Turn(), list[str]()
    async with turn.taken():
        tasks = await _queue(turn, had, "a", "b")
    tasks[0].cancel()
    await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)

    assert ["b"] == had


async def test_it_is_passed_on_where_its_owner_fails() -> None:
    """Whatever it was."""
    turn, had = Turn(), list[str]()
    tasks: list[asyncio.Task[None]] = []

    async def fail() -> None:
        async with turn.taken():
            tasks.extend(await _queue(turn, had, "a"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await asyncio.wait_for(asyncio.gather(*tasks), 5)

    assert ["a"] == had
