"""What the broker knows of each topic: its sequence number, its newest message, its retained state.

Pure: values in, values out. `changed_since` answers the question a client asks with each heartbeat.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hearthbus.topics import covers, matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

GENERATIONS: Final = 30
"""How many generations, of a second or more, `changed_since` can look back."""
TALKING: Final = 2
"""Generations without a word after which a topic is silent."""
LOOKED_AT: Final = 4_000
"""Topics that one page of a snapshot may look through: others want answers, too."""


class TopicState:
    """One topic; a mutable record because every message touches it."""

    __slots__ = ("dirty", "generation", "gone", "head", "journaled", "mark", "name", "offset", "retained", "seq")

    def __init__(self, name: str, *, seq: int = 0, offset: int = 0, retained: bytes = b"", journaled: bool) -> None:
        self.name = name
        self.head = name.encode() + b"\0"
        self.seq = seq
        self.offset = offset
        self.retained = retained
        """The stamped frame, empty when nothing is retained."""
        self.journaled = journaled
        self.mark = self.generation = -1
        """The mark and the generation it was last noted in."""
        self.dirty = False
        """Newer than the last commit."""
        self.gone = False
        """Forgotten, to make room; whoever holds it must look again."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A part of a longer answer; `next` is where the following part begins, `end` says there is none."""

    frames: list[bytes]
    next: str
    end: bool


class Topics:
    """All topics, and which of them changed lately."""

    def __init__(self, *, limit: int, journal: Sequence[str]) -> None:
        self.by_name: dict[bytes, TopicState] = {}
        self.changed: list[TopicState] = []
        """Topics with a message since the last commit was handed over."""
        self.mark = 0
        """Changes when every topic's next message must be noted anew; compared with each message."""
        self._generation = 0
        self._present: list[TopicState] = []
        self._limit = limit
        self._journal = [matcher(pattern) for pattern in journal]
        self._past: deque[tuple[int, list[TopicState]]] = deque(maxlen=GENERATIONS)
        self._generation_start = 0
        self._names: list[str] | None = None
        self.forgotten: set[str] = set()
        """Topics to delete with the next commit."""
        self._barren = -1

    def full(self, *, spare: int = 0) -> bool:
        """Whether the limit on topics, and `spare` more, is reached."""
        return len(self.by_name) >= self._limit + spare

    def add(self, name: str, *, seq: int = 0, offset: int = 0, retained: bytes = b"") -> TopicState:
        """Add a topic that was checked and is not there."""
        state = TopicState(
            name, seq=seq, offset=offset, retained=retained, journaled=any(match(name) for match in self._journal)
        )
        self.by_name[state.head[:-1]] = state
        self.forgotten.discard(name)
        self._names = None
        return state

    def forget_quiet(self, committed: int) -> int:
        """Make room: forget the quarter of the topics that was silent longest and holds no state; return how many.

        Their sequence begins anew should they speak again. What has spoken within `TALKING` generations is not silent:
        its place would be another's before it speaks again. Only what is on disk up to `committed` can be forgotten,
        so where nothing was found, looking again waits for the next commit: a flood must not cost a search a message.
        """
        if committed == self._barren:
            return 0
        silent = self._generation - TALKING
        quiet = [
            state
            for state in self.by_name.values()
            if not state.retained and not state.dirty and state.generation < silent
        ]
        quiet = sorted((state for state in quiet if state.offset <= committed), key=lambda state: state.offset)
        quiet = quiet[: len(self.by_name) // 4 + 1]
        for state in quiet:
            state.gone = True
            del self.by_name[state.head[:-1]]
            self.forgotten.add(state.name)
        self._names = None
        self._barren = -1 if quiet else committed
        return len(quiet)

    def take_forgotten(self) -> list[str]:
        """Return the topics to delete."""
        forgotten, self.forgotten = self.forgotten, set()
        return sorted(forgotten)

    def start_at(self, offset: int) -> None:
        """Begin counting generations at `offset`, once, after recovery."""
        self._generation_start = offset

    def note(self, state: TopicState) -> None:
        """Note the first message of `state` since the mark changed."""
        state.mark = self.mark
        if not state.dirty:
            state.dirty = True
            self.changed.append(state)
        if state.generation != self._generation:
            state.generation = self._generation
            self._present.append(state)

    def hand_over(self) -> list[TopicState]:
        """Return the topics that changed since the last time."""
        changed, self.changed = self.changed, []
        for state in changed:
            state.dirty = False
        self.mark += 1
        return changed

    def next_generation(self, offset: int) -> None:
        """Begin a new generation after `offset`; called once a second or so."""
        if offset > self._generation_start:
            self._past.append((self._generation_start, self._present))
            self._present = []
            self._generation_start = offset
            self._generation += 1
            self.mark += 1

    def changed_since(
        self, offset: int, covers: Callable[[str], bool], limit: int
    ) -> tuple[list[tuple[str, int]], bool]:
        """Return (topic, newest offset) of the topics that `covers` with a message after `offset`.

        The second value is False where the answer is not complete: more than `limit`.
        """
        found: dict[str, int] = {}
        start, states = self._generation_start, self._present
        older = reversed(self._past)
        while True:
            for state in states:
                if state.offset > offset and state.name not in found and covers(state.name):
                    found[state.name] = state.offset
                    if len(found) > limit:
                        return [], False
            if start <= offset:
                return list(found.items()), True
            try:
                start, states = next(older)
            except StopIteration:  # longer ago than generations reach: every topic knows its newest message
                start, states = offset, list(self.by_name.values())

    def snapshot(self, patterns: Iterable[str], after: str, *, messages: int, size: int) -> Page:
        """Return a page of the retained frames of `patterns`, sorted by topic, of topics greater than `after`."""
        if self._names is None:
            self._names = sorted(state.name for state in self.by_name.values())
        wanted = covers(tuple(patterns))
        frames: list[bytes] = []
        total = 0
        begin = bisect_right(self._names, after)
        for at in range(begin, len(self._names)):
            name = self._names[at]
            if at - begin >= LOOKED_AT:
                return Page(frames=frames, next=self._names[at - 1], end=False)
            frame = self.by_name[name.encode()].retained
            if frame and wanted(name):
                if frames and (len(frames) >= messages or total + len(frame) > size):
                    return Page(frames=frames, next=self._names[at - 1], end=False)
                frames.append(frame)
                total += len(frame)
        return Page(frames=frames, next="", end=True)
