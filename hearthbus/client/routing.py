"""Which message goes to which subscription: the table that every message of the fan-out passes. No socket.

`$` topics are the broker's word to this client: markers that were asked for, and the one that is answered whenever
the fan-out connects anew.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Final

from hearthbus.client.tracking import QUEUE
from hearthbus.message import ORDER
from hearthbus.protocol import MARKER

if TYPE_CHECKING:
    from hearthbus.client.subscription import ZmqSubscription
    from hearthbus.client.tracking import Cell

MAX_ROUTES: Final = 50_000
"""Topics remembered with their subscriptions; then the table is begun anew."""


class Routing:
    """The subscriptions of one client; `token` tells its markers from others'."""

    def __init__(self, *, token: str) -> None:
        self.subscriptions: list[ZmqSubscription] = []
        self.watch = f"{MARKER}{token}/0".encode()
        """Held as long as the client lives: its answer says that the fan-out's connection is new."""
        self._token = token
        self._count = itertools.count(1)
        self._routes: dict[bytes, list[Cell]] = {}
        self._owner: dict[int, ZmqSubscription] = {}
        self._markers: dict[bytes, asyncio.Future[int]] = {}

    def add(self, subscription: ZmqSubscription) -> bool:
        """Take in a subscription; False where it is there."""
        if subscription in self.subscriptions:
            return False
        self.subscriptions.append(subscription)
        self._owner[id(subscription.track)] = subscription
        self._routes.clear()
        return True

    def remove(self, subscription: ZmqSubscription) -> bool:
        """Let a subscription go; False where it is not there."""
        if subscription not in self.subscriptions:
            return False
        self.subscriptions.remove(subscription)
        del self._owner[id(subscription.track)]
        self._routes.clear()
        return True

    def patterns(self) -> list[str]:
        """All that is subscribed."""
        return sorted({pattern for part in self.subscriptions for pattern in part.track.patterns})

    def marker(self) -> tuple[bytes, asyncio.Future[int]]:
        """Make a marker to subscribe, and what its answer will set."""
        name = f"{MARKER}{self._token}/{next(self._count)}".encode()
        answer = self._markers[name] = asyncio.get_running_loop().create_future()
        return name, answer

    def forget(self, name: bytes) -> None:
        """The marker is not waited for any more."""
        self._markers.pop(name, None)

    def reconnected(self) -> None:
        """Nothing is sure before a marker comes through the new connection."""
        for subscription in self.subscriptions:
            subscription.reconnected()

    def gone(self) -> None:
        """The broker is gone: nothing is live."""
        for subscription in self.subscriptions:
            subscription.track.live = False

    def messages(self, frames: list[bytes]) -> None:
        """Route messages to subscriptions."""
        routes, unpack = self._routes, ORDER.unpack_from
        for frame in frames:
            at = frame.find(b"\0")
            cells = routes.get(frame[:at])
            if cells is None:
                cells = self._route(frame, at)
            if not cells:
                continue
            seq, offset, previous = order = unpack(frame, at + 1)
            for cell in cells:
                track = cell.track
                # the ordinary case of Track.accept written out: it is taken for nearly every message
                if track.live and previous <= cell.offset < offset and not cell.lost and len(track.ready) < QUEUE:
                    cell.offset, cell.seq = offset, seq
                    track.ready.append((frame, at, cell, 0))
                elif not track.live:
                    track.hold(frame)
                elif not track.accept(frame, at, cell, order):
                    self._owner[id(track)].disturbed()
        for subscription in self.subscriptions:
            subscription.wake()

    def checked(self, offset: int, changed: list[tuple[str, int]], *, complete: bool) -> None:
        """Every subscription looks for itself."""
        for subscription in self.subscriptions:
            subscription.checked(offset, changed, complete=complete)

    def verified(self) -> tuple[int, int, int]:
        """What the heartbeat reports."""
        tracks = [subscription.track for subscription in self.subscriptions]
        offset = min((track.verified for track in tracks if track.live), default=0)
        return offset, sum(track.lost for track in tracks), sum(track.refilled for track in tracks)

    def _route(self, frame: bytes, at: int) -> list[Cell]:
        """Find the subscriptions of a topic seen for the first time; `$` topics are the broker's word to us."""
        topic = frame[:at]
        if topic[:1] == b"$":
            self._marked(topic, frame[at:])
            return []
        name = topic.decode(errors="replace")
        if len(self._routes) > MAX_ROUTES:
            self._routes.clear()
        tracks = [part.track for part in self.subscriptions if part.track.covers(name)]
        cells = self._routes[topic] = [track.cell(topic) for track in tracks]
        return cells

    def _marked(self, name: bytes, offset: bytes) -> None:
        if name == self.watch:
            self.reconnected()
        answer = self._markers.get(name)
        if answer is not None and not answer.done():
            answer.set_result(int.from_bytes(offset, "big"))
