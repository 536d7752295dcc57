"""The work every peer does: which messages, at what pace, and what counts as received complete.

Pure: the clock and the count of what the receiver has come in as functions. Knows no peer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.board import Slot

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.board import Board

BATCH = 128
"""Messages between two looks at the clock or the window, and what a client that can pipeline sends at once."""
SELDOM = 64
"""Of untimed messages a receiver notes the time of every so many, and of the last."""
_COUNT = int(Slot.COUNT)
_ROOMS = ("hall", "kitchen", "bath", "attic")
_QUANTITIES = ("temperature", "humidity", "light", "voltage")
TOPICS = tuple(f"sensor/{room}/{quantity}" for room in _ROOMS for quantity in _QUANTITIES)

Reading = dict[str, Any]
"""The body of a message."""
Batches = Iterator[tuple[float, list[tuple[str, Reading]]]]
"""Steps of a sender: wait so many seconds, then send so many messages."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """One sender's load.

    `rate` in messages a second, 0 for as fast as it goes. `window`: how many messages may be on their way, 0 for
    no limit but the peer's own. `pad` more bytes in each body. `topics` different topics, taken in turn; `retain`
    publishes them as state.
    """

    count: int
    rate: float = 0.0
    window: int = 0
    pad: int = 0
    topics: int = len(TOPICS)
    retain: bool = False
    timed: bool = False
    """Each receiver stores the delay of every message."""

    def names(self) -> tuple[str, ...]:
        """Return the topics, sixteen of a house, or as many as asked for."""
        if self.topics <= len(TOPICS):
            return TOPICS[: self.topics]
        return tuple(f"sensor/room-{at // 10}/quantity-{at % 10}" for at in range(self.topics))


def reading(number: int, stamp: int, pad: str) -> Reading:
    """Return the reading with this number: about 120 bytes of msgpack without `pad`."""
    body: Reading = {
        "value": 15.0 + number % 200 / 10,
        "unit": "°C",
        "device": "jeenode-17/room-node",
        "rssi_dbm": -71,
        "battery": 0.83,
        "driver": "rf12b-868mhz",
        "n": number,
        "sent_ns": stamp,
    }
    if pad:
        body["pad"] = pad
    return body


def batches(load: Load, *, clock: Callable[[], int], arrived: Callable[[], int]) -> Batches:
    """Yield (seconds to wait, messages to send after it) until the load is out.

    Args:
        load: what to send.
        clock: monotonic nanoseconds; each message carries the time it was made at, at a rate just before it is sent.
        arrived: how many messages the slowest receiver that counts has; the window waits for it.
    """
    names = load.names()
    many = len(names)
    pad = "x" * load.pad
    batch = BATCH if not load.rate else max(1, min(BATCH, int(load.rate / 1000)))
    if load.window:
        batch = min(batch, max(1, load.window // 4))
    start = clock()
    for begin in range(0, load.count, batch):
        end = min(begin + batch, load.count)
        while load.window and end - arrived() > load.window:
            yield 0.0002, []
        early = start + begin * 1e9 / load.rate - clock() if load.rate else 0.0
        if early > 0.0:
            yield early / 1e9, []
        stamp = clock()
        yield 0.0, [(names[number % many], reading(number, stamp, pad)) for number in range(begin, end)]


def taker(board: Board, load: Load, *, clock: Callable[[], int]) -> Callable[[Reading], None]:
    """Return what a receiver calls with each decoded body: it counts the complete ones on `board`.

    Args:
        board: the receiver's.
        load: what one sender sends.
        clock: monotonic nanoseconds.
    """
    words = board.words
    keys = len(reading(0, 0, "x" * load.pad))
    got = total = 0

    def take(body: Reading) -> None:
        nonlocal got, total
        if len(body) != keys or "value" not in body or "device" not in body:
            words[Slot.BROKEN] += 1
            return
        got += 1
        total += body["n"]
        if load.timed:
            board.add_sample(clock() - body["sent_ns"])
        if got % SELDOM == 0 or got == load.count:
            words[Slot.LAST] = clock()
            words[Slot.SUM] = total
        words[_COUNT] = got

    return take
