"""Serves topics that come and go with names: a device that is given one has its `/set` from then on.

Knows requests, and nothing of what they ask.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from hearthbus import HearthbusError

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Iterable

    from hearthbus import Bus, Message, Request

    Handler = Callable[[Message], Awaitable[dict[str, Any]]]


class Answering:
    """Responders, one a topic.

    Args:
        bus: an open connection.
        answer: is given each request, and returns or raises what the caller gets.
        log: for what a person may want to know.
    """

    def __init__(self, bus: Bus, *, answer: Handler, log: logging.Logger) -> None:
        self._bus = bus
        self._answer = answer
        self._log = log
        self._serving: dict[str, asyncio.Task[None]] = {}
        self._answers: set[asyncio.Task[None]] = set()

    async def serve(self, topics: Iterable[str]) -> None:
        """Serve these topics and no others; when this returns they are served, or the log says why not."""
        wanted = frozenset(topics)
        await _end([self._serving.pop(topic) for topic in self._serving.keys() - wanted])
        ready = []
        for topic in sorted(wanted - self._serving.keys()):
            event = asyncio.Event()
            self._serving[topic] = asyncio.create_task(self._run(topic, event), name=f"serve {topic}")
            ready.append(event.wait())
        await asyncio.gather(*ready)

    async def close(self) -> None:
        """Serve nothing any more."""
        await _end([*self._serving.values(), *self._answers])
        self._serving.clear()

    async def _run(self, topic: str, ready: asyncio.Event) -> None:
        try:
            async with self._bus.serve(topic) as responder:
                ready.set()
                async for request in responder:
                    task = asyncio.create_task(self._reply(request), name=topic)
                    self._answers.add(task)
                    task.add_done_callback(self._answers.discard)
        except HearthbusError as error:
            self._log.error("%s is not served: %s", topic, error)
        finally:
            ready.set()

    async def _reply(self, request: Request) -> None:
        try:
            try:
                answer = await self._answer(request.message)
            except (HearthbusError, ValueError, KeyError) as error:
                text = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
                self._log.info("%s: %s", request.message.topic, text)
                await request.fail(text)
            except Exception as error:  # noqa: BLE001 - whoever asks is answered
                self._log.exception("%s failed", request.message.topic)
                await request.fail(type(error).__name__)
            else:
                await request.reply(answer)
        except HearthbusError as gone:
            self._log.warning("%s: the answer did not get away: %s", request.message.topic, gone)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
