"""The broker's sockets and its loop: poll, give the core what came, write the tail, send. One page, no decisions.

Two sockets: ROUTER takes what clients say, XPUB in manual mode fans out. The order within a turn is what the promises
rest on: the tail is written before anything is sent, and everything is sent before it is acknowledged.
"""

from __future__ import annotations

import os
import select
import socket
import time
from typing import TYPE_CHECKING, Final

import zmq

from broker.disk import Disk, Written
from broker.fanout import Fanout
from broker.replies import QUEUE, Replies
from broker.stats import Stats
from hearthbus.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.core import Core
    from broker.tail import Tail

MESSAGES_PER_TURN: Final = 1_000
REQUEST_QUEUE: Final = 32
"""Frames of one client that wait for their turn; the rest waits at the client. At 1 MiB a frame, 32 MiB at most."""
TURN_S: Final = 0.02
"""Questions that take long, over all topics for instance, are answered a few at a time."""
LARGE_PER_TURN: Final = 16
"""Answers of more than `LARGE_REPLY` bytes, pages for instance: made no faster than they can be handed on."""
LARGE_REPLY: Final = 16 * 1024
"""Then what came is sent: a burst must fit the queue of every subscriber that keeps up."""
HANDSHAKE_MS: Final = 3_000
DISK_PAUSE_S: Final = 0.02
"""A disk that is behind slows publishers down to 5,000 messages a second; it never stops the house."""
TICK_S: Final = 0.25
STOOD_STILL_S: Final = 1.0


class Loop:
    """The running broker."""

    def __init__(self, core: Core, *, disk: Disk, tail: Tail, version: str, log: Callable[[str], None]) -> None:
        self._core, self._disk, self._tail, self._version, self._log = core, disk, tail, version, log
        self._context = zmq.Context()
        self.router = self._socket(zmq.ROUTER)
        self._fanout = Fanout(self._socket(zmq.XPUB), core)
        self._stop = False
        self._replies = Replies(self.router, patience_s=core.config.silence_ms / 1000)
        self._unreachable: list[bytes] = []
        self._defects = 0
        now = time.monotonic()
        self._stats = Stats(started=now)
        self._next_stats = now + 1
        self._patience = now + 2 * core.config.silence_ms / 1000

    def bind(self) -> tuple[str, str]:
        """Take both addresses; return them as they are, ports resolved.

        Raises:
            Unavailable: an address is in use or not this machine's.
        """
        config = self._core.config
        limits = config.limits
        self.router.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self.router.setsockopt(zmq.SNDHWM, QUEUE)
        # no heartbeats here: libzmq 4.3.5 aborts when one is due on a connection that ended while its queue was full.
        # Clients say that they live, and their own heartbeats have a time to live, after which ZeroMQ closes for them
        self.router.setsockopt(zmq.RCVHWM, REQUEST_QUEUE)
        self.router.setsockopt(zmq.MAXMSGSIZE, max(1024 * 1024, 4 * limits.body_bytes))
        addresses = []
        for sock, address in ((self.router, config.address), (self._fanout.socket, config.fanout_address)):
            if address.startswith("ipc://") and _is_answered(address[6:]):
                raise Unavailable(f"{address} is in use: is another broker running? Stop it, or set [broker] address")
            try:
                sock.bind(address)
            except zmq.ZMQError as error:
                raise Unavailable(_bind_fault(address, error)) from None
            addresses.append(sock.getsockopt_string(zmq.LAST_ENDPOINT))
        self._core.fanout = addresses[1]
        return addresses[0], addresses[1]

    def stop(self) -> None:
        """End after this turn; may be called from a signal handler."""
        self._stop = True

    def run(self, wake: int) -> None:
        """Turn until stopped; `wake` is a file descriptor that becomes readable when a signal came."""
        core = self._core
        poller = zmq.Poller()
        sources: dict[object, Callable[[], None]] = {
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
        self._context.destroy(linger=200)

    def _socket(self, kind: int) -> zmq.Socket[bytes]:
        sock = self._context.socket(kind)
        sock.setsockopt(zmq.LINGER, 200)
        sock.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        # refuses ZMTP 1, which has no handshake that could take too long: any byte but 255 would hold a connection open
        sock.setsockopt(zmq.ZAP_DOMAIN, b"hearthbus")
        sock.setsockopt(zmq.TCP_KEEPALIVE, 1)
        return sock

    def _tick(self, now: float) -> None:
        core = self._core
        core.tick()
        if now >= self._next_stats:
            self._next_stats = now + core.config.stats_s
            body = self._stats.body(
                core, version=self._version, rss_bytes=_rss_bytes(), subscriptions=self._fanout.subscriptions
            )
            core.stream.say("broker/stats", body, wall=core.wall)
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
        receive, handle = self.router.recv_multipart, self._core.handle
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
            parts = receive(zmq.NOBLOCK)
            if len(parts) != 2 or not parts[1]:
                self._core.drop("malformed")
                continue
            try:
                handle(parts[0], parts[1])
            except Exception as error:  # noqa: BLE001 - a defect that one frame shows must not end the house
                self._defect(error)
            large += bool(out.replies) and len(out.replies[-1][1]) > LARGE_REPLY
            if large >= LARGE_PER_TURN or time.monotonic() > until:
                return

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


def _bind_fault(address: str, error: zmq.ZMQError) -> str:
    if error.errno == zmq.EADDRINUSE:
        return f"{address} is in use: is another broker running? Stop it, or set [broker] address"
    return f"cannot listen on {address}: {os.strerror(error.errno or 0)}; set [broker] address"


def _is_answered(path: str) -> bool:
    """Whether somebody listens at a Unix socket; ZeroMQ would take it away from him without a word."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
        return True


def _rss_bytes() -> int:
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - a few microseconds less, each time
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
