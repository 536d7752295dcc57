"""The broker's sockets and its loop: poll, give the core what came, write the tail, send. One page, no decisions.

Two sockets: ROUTER takes what clients say, XPUB in manual mode fans out. The order within a turn is what the promises
rest on: the tail is written before anything is sent, and everything is sent before it is acknowledged.
"""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING, Final

import zmq

from broker.disk import Disk, Written
from broker.doors import Doors
from broker.fanout import Fanout
from broker.keyring import Keyring
from broker.replies import Replies
from broker.stats import Stats
from broker.zap import Gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.core import Core
    from broker.tail import Tail

MESSAGES_PER_TURN: Final = 1_000
TURN_S: Final = 0.02
"""Questions that take long, over all topics for instance, are answered a few at a time."""
LARGE_PER_TURN: Final = 16
"""Answers of more than `LARGE_REPLY` bytes, pages for instance: made no faster than they can be handed on."""
LARGE_REPLY: Final = 16 * 1024
"""Then what came is sent: a burst must fit the queue of every subscriber that keeps up."""
DISK_PAUSE_S: Final = 0.02
"""A disk that is behind slows publishers down to 5,000 messages a second; it never stops the house."""
TICK_S: Final = 0.25
STOOD_STILL_S: Final = 1.0
BARRED_S: Final = 10.0
"""How long a key stays out that has sent what no client sends."""


class Loop:
    """The running broker."""

    def __init__(
        self,
        core: Core,
        *,
        disk: Disk,
        tail: Tail,
        version: str,
        log: Callable[[str], None],
        keyring: Keyring | None = None,
    ) -> None:
        self._core, self._disk, self._tail, self._version, self._log = core, disk, tail, version, log
        self._keyring = keyring or Keyring()
        self.gate = Gate(self._keyring.allowed)
        self.doors = Doors(core.config, self.gate, secret=self._keyring.secret)
        self._stop = False
        self._unreachable: list[bytes] = []
        self._defects = 0
        now = time.monotonic()
        self._stats = Stats(started=now)
        self._next_stats = now + 1
        self._patience = now + 2 * core.config.silence_ms / 1000
        self._open()

    def bind(self) -> tuple[str, ...]:
        """Take the addresses; return them as they are, ports resolved.

        Raises:
            Unavailable: an address is in use or not this machine's.
        """
        self.doors.bind()
        _, self._core.fanout, *network = self.doors.addresses
        self._core.network_fanout = network[1] if network else ""
        return self.doors.addresses

    def _open(self) -> None:
        """Use the doors' sockets."""
        self.router = self.doors.router
        self._fanout = Fanout(self.doors.xpub, self._core, self._bar)
        self._replies = Replies(self.router, patience_s=self._core.config.silence_ms / 1000)

    def stop(self) -> None:
        """End after this turn; may be called from a signal handler."""
        self._stop = True

    def run(self, wake: int) -> None:
        """Turn until stopped; `wake` is a file descriptor that becomes readable when a signal came."""
        core = self._core
        poller = zmq.Poller()
        sources: dict[object, Callable[[], None]] = {
            self.doors.zap: self.doors.answer,
            self._fanout.monitor: self._fanout.accepted,
            self._fanout.socket: self._fanout.read,
            self.router: self._request_frames,
            self._disk.woken: self._disk_results,
            wake: lambda: _empty(wake),
        }
        for source in sources:
            poller.register(source, zmq.POLLIN)
        before = next_tick = time.monotonic()
        while not self._stop:
            ready = dict(poller.poll(max(0, int((next_tick - time.monotonic()) * 1000))))
            now = time.monotonic()
            core.begin(now, time.time_ns())
            if now - before > STOOD_STILL_S + TICK_S:
                core.woke()
            before = now
            while self._unreachable:
                core.unreachable(self._unreachable.pop())
            for source, take in sources.items():
                if source in ready:
                    take()
            if now >= next_tick:
                next_tick = now + TICK_S
                self._tick(now)
            self._finish_turn()

    def end_disk(self) -> None:
        """Wait for what the disk was given."""
        self._disk.close()
        self._disk_results()

    def close(self) -> None:
        """Say nothing more, let go of the addresses."""
        self.doors.close()

    def _tick(self, now: float) -> None:
        core = self._core
        core.tick()
        if now >= self._next_stats:
            self._next_stats = now + core.config.stats_s
            body = self._stats.body(
                core,
                version=self._version,
                rss_bytes=_rss_bytes(),
                subscriptions=self._fanout.subscriptions,
                strangers=self.gate.strangers,
            )
            core.stream.say("broker/stats", body, wall=core.wall)
        told = core.guard.tell(now, strangers=self.gate.strangers, last_stranger=self.gate.last_stranger)
        core.out.notes += told
        if now >= self._patience:
            self._patience = float("inf")
            core.greeting.give_up()

    def _finish_turn(self) -> None:
        core, tail = self._core, self._tail
        frames, numbers, places = core.record()
        if frames or numbers or places:
            tail.write(frames, numbers, places)
        self._fanout.send(core.out.fanout)
        core.end()
        while core.pages.jobs:
            self._disk.read(core.pages.jobs.popleft())
        self._unreachable += self._replies.send(core.out.replies, core.mono)
        commit = core.commits.due()
        if commit is not None:
            tail.turn(commit.offset)
            self._disk.write(commit, core.wall)
        for note in core.out.notes:
            self._log(note)

    def _request_frames(self) -> None:
        receive, handle, known = self.router.recv, self._core.handle, self._core.clients.by_ident
        out = self._core.out
        allowed = MESSAGES_PER_TURN
        if self._core.commits.behind():
            allowed = MESSAGES_PER_TURN // 10
            select.select((self._disk.woken,), (), (), DISK_PAUSE_S)
        large = 0
        until = time.monotonic() + TURN_S
        for _ in range(allowed):
            # asking first: an exception for "no more" costs ten times as much, and a lone message waits for it
            if (
                len(out.fanout) + len(out.replies) >= allowed
                or not int(self.router.getsockopt(zmq.EVENTS)) & zmq.POLLIN
            ):
                return
            ident, who = receive(zmq.NOBLOCK), ""
            if ident in known:
                frame = receive(zmq.NOBLOCK)
            else:
                # whose connection it is stands beside its frames, and is asked once: that costs as much as a message
                newcomer = self.router.recv(zmq.NOBLOCK, copy=False)
                frame, who = newcomer.bytes, str(newcomer.get("User-Id"))
            if self.router.getsockopt(zmq.RCVMORE) or not frame:
                self._drop_rest()
                continue
            try:
                handle(ident, frame, who)
            except Exception as error:  # noqa: BLE001 - a defect that one frame shows must not end the house
                self._defect(error)
            large += bool(out.replies) and len(out.replies[-1][1]) > LARGE_REPLY
            if large >= LARGE_PER_TURN or time.monotonic() > until:
                return

    def _drop_rest(self) -> None:
        """Drop a message of other than one frame."""
        while self.router.getsockopt(zmq.RCVMORE):
            self.router.recv(zmq.NOBLOCK)
        self._core.drop("malformed")

    def _bar(self, who: str) -> None:
        self.gate.bar(who, self._core.mono + BARRED_S)

    def _defect(self, error: Exception) -> None:
        """Count a frame that the core could not stand, and tell of the first ones."""
        self._core.drop("defect")
        self._defects += 1
        if self._defects <= 10:
            self._core.out.notes.append(f"a defect of hearthbus, the frame is dropped: {type(error).__name__}: {error}")

    def _disk_results(self) -> None:
        self._disk.drain()
        while self._disk.done:
            result = self._disk.done.popleft()
            if isinstance(result, Written):
                self._core.commits.done(result.error)
                if not result.error:
                    self._tail.committed()
            else:
                self._core.pages.result(result.job, result.reading, result.oldest)


def _empty(pipe: int) -> None:
    os.read(pipe, 64)


def _rss_bytes() -> int:
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - a few microseconds less, each time
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
