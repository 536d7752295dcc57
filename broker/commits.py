"""When what is in memory goes to disk: every few seconds, sooner for a confirmation or a flood, one at a time.

Pure: commits are handed to the caller, who says later how they ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.stream import COMMIT_BYTES
from hearthbus import protocol
from hearthbus.errors import Unavailable

if TYPE_CHECKING:
    from broker.core import Core
    from broker.rows import Commit

RETRY_S = 1.0


class Commits:
    """The transaction under way, and who waits for the next."""

    def __init__(self, core: Core) -> None:
        self.wanted: dict[bytes, int] = {}
        """Connections that wait for a confirmation, each with the highest number it wants confirmed."""
        self.error = ""
        """Why the disk takes nothing; empty while it does."""
        self._core = core
        self._in_flight: tuple[Commit, dict[bytes, int]] | None = None
        self._last = 0.0

    def behind(self) -> bool:
        """Whether publishers should be slowed down for a disk that works and does not keep up."""
        core = self._core
        limit = core.config.limits.memory_journal_bytes
        return self._in_flight is not None and not self.error and core.stream.memory.size > limit // 2

    def due(self) -> Commit | None:
        """Return the transaction to write now, if one is due and none is under way."""
        core = self._core
        if self._in_flight is not None:
            return None
        waited = core.mono - self._last
        dirty = core.stream.topics.changed or core.consumers.changed
        if not (
            (self.wanted and (not self.error or waited >= 1))
            or (dirty and waited >= core.config.commit_s)
            or (core.stream.memory.size >= COMMIT_BYTES and (not self.error or waited >= 1))
        ):
            return None
        commit = core.stream.hand_over(
            consumers=core.consumers.hand_over(),
            numbers=core.clients.hand_over(),
            oldest_needed=core.consumers.oldest(),
            epoch=core.epoch,
            wall=core.wall,
        )
        self._in_flight = (commit, self.wanted)
        self.wanted = {}
        self._last = core.mono
        return commit

    def forget_waiting(self) -> None:
        """Their connections are gone; whoever comes back asks again."""
        self.wanted = {}
        if self._in_flight is not None:
            self._in_flight = (self._in_flight[0], {})

    def done(self, error: str) -> None:
        """The transaction handed out last was written, or failed with `error`."""
        core = self._core
        if self._in_flight is None:
            return
        commit, wanted = self._in_flight
        self._in_flight = None
        if error and error != self.error:
            core.out.notes.append(cannot_write(error))
        if self.error and not error:
            core.out.notes.append("the journal is written again")
        self.error = error
        if error:
            core.stream.take_back(commit)
            core.consumers.failed(commit.consumers)
            core.clients.changed_numbers = {**commit.numbers, **core.clients.changed_numbers}
        else:
            core.stream.memory.committed()
            core.stream.committed = commit.offset
        for ident, number in wanted.items():
            if error:
                core.error(ident, Unavailable(f"not on disk: {error}"), number=number, request=0)
            else:
                core.out.replies.append((ident, protocol.encode_number(protocol.STORED, number)))


def cannot_write(error: str) -> str:
    """The line that says so; `error` names the file."""
    return f"the journal cannot be written: {error}; state is kept in memory, trying again"
