"""What a conversation with the broker tells the one it serves. Shapes only."""

from __future__ import annotations

from typing import Protocol


class Listener(Protocol):
    """Whom a conversation serves."""

    def greeted(self) -> None:
        """The broker greeted, for the first time or again: it knows nothing of before on this connection."""

    def gone(self) -> None:
        """The broker is gone."""

    def messages(self, frames: list[bytes]) -> None:
        """Messages came through the fan-out."""

    def asked(self, ticket: int, timeout_s: float, frame: bytes) -> None:
        """A request is for us to answer."""

    def checked(self, offset: int, changed: list[tuple[str, int]], *, complete: bool) -> None:
        """The answer to a heartbeat: newest offset, and which topics moved since `verified`."""

    def verified(self) -> tuple[int, int, int]:
        """For the heartbeat: nothing up to this offset is missing; messages lost; messages refilled."""
