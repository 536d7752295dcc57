"""The broker's sockets and its loop: poll, give the core what came, write the tail, send. One page, no decisions.

Two sockets: ROUTER takes what clients say, XPUB in manual mode fans out. The order within a turn is what the promises
rest on: the tail is written before anything is sent, and everything is sent before it is acknowledged.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

import zmq

from broker.access import Table
from broker.disk import Disk, Written
from broker.doors import Doors
from broker.fanout import Fanout
from broker.intake import Intake
from broker.keyring import Keyring
from broker.reload import Reload
from broker.replies import Replies
from broker.selfcheck import SelfCheck
from broker.stats import Stats
from broker.zap import Gate
from hearthbus.running.notify import notify, watchdog_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from broker.config import BrokerConfig
    from broker.core import Core
    from broker.tail import Tail

    _Watched = tuple[zmq.Poller, dict[object, Callable[[], None]]]

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
        access: Table | None = None,
        keyring: Keyring | None = None,
        reread: Callable[[], BrokerConfig] | None = None,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._core, self._disk, self._tail, self._version, self._log = core, disk, tail, version, log
        keyring = keyring or Keyring()
        self.gate = Gate(keyring.allowed)
        self.doors = Doors(core.config, self.gate, secret=keyring.secret)
        self.reload = Reload(core, access or Table({}), gate=self.gate, keyring=keyring, reread=reread)
        self._selfcheck = SelfCheck(
            core, self.gate, public=keyring.public, keep_on=watchdog_seconds() is not None, changed=self._rewatch
        )
        self._ready = ready
        self._stop = False
        self._watched: _Watched | None = None
        self._unreachable: list[bytes] = []
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
        self._intake = Intake(self.doors.router, self._core, self._disk.woken)
        self._fanout = Fanout(self.doors.xpub, self._core, self._bar)
        self._replies = Replies(self.doors.router, patience_s=self._core.config.silence_ms / 1000)

    def stop(self) -> None:
        """End after this turn; may be called from a signal handler."""
        self._stop = True

    def run(self, wake: int) -> str:
        """Turn until stopped; `wake` is a file descriptor that becomes readable when a signal came.

        Returns why the broker must not run, empty where it may.
        """
        core = self._core
        before = next_tick = time.monotonic()
        if core.config.network or os.environ.get("NOTIFY_SOCKET"):
            self._selfcheck.begin(self.doors.addresses, before)
        else:
            self._ready()
        while not self._stop and not self._selfcheck.fault:
            poller, sources = self._watched or self._watch(wake)
            ready = dict(poller.poll(max(0, int((next_tick - time.monotonic()) * 1000))))
            now = time.monotonic()
            core.begin(now, time.time_ns())
            if now - before > STOOD_STILL_S + TICK_S:
                core.woke()
            before = now
            if self.reload.wanted or now >= next_tick:
                self._look_for_changes()
            while self._unreachable:
                core.unreachable(self._unreachable.pop())
            self._take(take for source, take in sources.items() if source in ready)
            if now >= next_tick:
                next_tick = now + TICK_S
                self._tick(now)
            if self._selfcheck.sources:
                self._try(now)
            self._finish_turn()
        return self._selfcheck.fault

    def end_disk(self) -> None:
        """Wait for what the disk was given."""
        self._disk.close()
        self._disk_results()

    def close(self) -> None:
        """Say nothing more, let go of the addresses."""
        self._selfcheck.close()
        self.doors.close()

    def _watch(self, wake: int) -> _Watched:
        """What a turn waits for, in the order in which it is taken."""
        sources: dict[object, Callable[[], None]] = {
            self.doors.zap: self.doors.answer,
            self._fanout.monitor: self._fanout.accepted,
            self._fanout.socket: self._fanout.read,
            self.doors.router: self._intake.read,
            self._disk.woken: self._disk_results,
            wake: lambda: _empty(wake),
            **self._selfcheck.sources,
        }
        poller = zmq.Poller()
        for source in sources:
            poller.register(source, zmq.POLLIN)
        self._watched = poller, sources
        return self._watched

    def _rewatch(self) -> None:
        self._watched = None

    def _take(self, takes: Iterable[Callable[[], None]]) -> None:
        """Take what came; where the sockets are others by now, in the next turn."""
        for take in takes:
            if self._watched is not None:
                take()

    def _look_for_changes(self) -> None:
        """Take new keys and a new configuration; where somebody may do less than before, all have to come anew."""
        asked = self.reload.wanted
        if asked:
            notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        if self.reload.look():
            self._core.cut_off()
            self._unreachable.clear()
            self._fanout.monitor.close(0)
            self.doors.renew()
            self.gate.shut()
            self._open()
            self._rewatch()
        if asked:
            notify("READY=1")

    def _try(self, now: float) -> None:
        """Look how the broker's own client fares."""
        proved = self._selfcheck.proved
        if self._selfcheck.tick(now):
            notify("WATCHDOG=1")
        if self._selfcheck.proved and not proved:
            self._ready()

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
        if self.doors.mind():
            core.drop("network shut")
            core.guard.warn("hardly a file descriptor is left: nobody new came in by the network for a moment")
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
        for note in core.out.notes:  # before anybody can act on an answer: what happened is in the log by then
            self._log(note)
        self._unreachable += self._replies.send(core.out.replies, core.mono)
        commit = core.commits.due()
        if commit is not None:
            tail.turn(commit.offset)
            self._disk.write(commit, core.wall)

    def _bar(self, who: str) -> None:
        self.gate.bar(who, self._core.mono + BARRED_S)

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
