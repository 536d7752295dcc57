"""What became of a message: delivered, or not and why, in words a person can act on.

Knows no network: a sender tells it, a lane acts on it, the caller reads it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock
from typing import Final, Literal

Fault = Literal["server", "again", "unknown", "limit", "quiet", "busy"]
"""Why not: `server` refused for good; `again`: another try may succeed; `unknown` whether it went; this house's rate
`limit` or `quiet` hours; `busy`: its turn never came."""

NOT_LATER: Final = "it is not sent later"
"""Said where a person could think that it waits somewhere."""


class Undelivered(Exception):
    """A message that was not delivered, or of which nobody knows.

    Args:
        text: why, for people, without secrets.
        fault: what kind.
    """

    def __init__(self, text: str, fault: Fault = "server") -> None:
        super().__init__(text)
        self.text = text
        self.fault = fault

    def after(self, tries: int) -> Undelivered:
        """Return it as told after so many tries."""
        often = f"tried {tries} times, " if tries > 1 else ""
        return Undelivered(f"{self.text}; {often}{NOT_LATER}", self.fault)


@dataclass(frozen=True)
class Receipt:
    """A message that was delivered.

    Args:
        refused: recipients the server refused, and why; the others have it.
        cut: the message was longer than its target takes, and its end is missing.
    """

    refused: tuple[str, ...] = ()
    cut: bool = False


class GivenUp(Exception):
    """Nobody waits for this attempt any more, and nothing has been sent: stop."""


class Attempt:
    """One try in a thread of its own, which its owner can give up: before the message goes out, or too late.

    Args:
        seconds: how long it may take.
    """

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._lock = Lock()
        self._given_up = False
        self._committed = False

    def left(self) -> float:
        """Return the seconds left, for the time-out of the next step; at least 50 ms.

        Raises:
            GivenUp: nobody waits any more.
        """
        if self._given_up and not self._committed:
            raise GivenUp
        return max(0.05, self._deadline - time.monotonic())

    def commit(self) -> None:
        """Say that from here on the message may arrive.

        Raises:
            GivenUp: it was told already that it will not.
        """
        with self._lock:
            if self._given_up:
                raise GivenUp
            self._committed = True

    def give_up(self) -> bool:
        """Return whether the message may arrive all the same."""
        with self._lock:
            self._given_up = True
            return self._committed
