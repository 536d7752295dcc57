"""Questions that wait for their answers, by number. Knows no sockets and no verbs."""

from __future__ import annotations

import asyncio
from typing import Any


class Questions:
    """What was asked of the broker and is not answered."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0

    def open(self) -> tuple[int, asyncio.Future[dict[str, Any]]]:
        """Return the number of the next question, and what becomes its answer; `close` it in any case."""
        self._number += 1
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[self._number] = answer
        return self._number, answer

    def close(self, number: int) -> None:
        """Nobody waits for it any more."""
        answer = self._waiting.pop(number, None)
        if answer is not None and answer.done() and not answer.cancelled():
            answer.exception()  # asyncio complains of an error that nobody looked at

    def answered(self, number: int, fields: dict[str, Any]) -> None:
        """An answer came; one that nobody waits for is dropped."""
        answer = self._waiting.get(number)
        if answer is not None and not answer.done():
            answer.set_result(fields)

    def failed(self, number: int, error: Exception) -> bool:
        """An error came instead; False where nobody waits for it."""
        answer = self._waiting.get(number)
        if answer is None or answer.done():
            return False
        answer.set_exception(error)
        return True

    def all_failed(self, error: Exception) -> None:
        """No answer will come to any of them."""
        for number in self._waiting:
            self.failed(number, error)
