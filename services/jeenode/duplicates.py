"""Tell a packet from its repeats: a retry whose ack was lost, or the same packet through another gateway.

A node of ours numbers its packets, and a retry keeps the number. A stock node does not: there a repeat is the same
bytes within the time its retries take. Pure: what time it is comes in.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

NUMBERED_S: Final = 30.0
"""Eight tries with back-off take 2 s at most, but a machine whose card or cable stands still may hear them many seconds
apart; 256 packets, after which a number comes again, take any node longer than this."""
ANNOUNCED_S: Final = 2.0
"""An announcement's number begins anew at each start of a node; two starts are further apart than this."""
PLAIN_S: Final = 7.0
"""Five tries of a stock room node, 1 s apart, and again some lag."""
_MOST: Final = 512
"""Packets remembered."""


class Duplicates:
    """What has been heard in the last seconds."""

    def __init__(self) -> None:
        self._heard: OrderedDict[tuple[object, bytes], float] = OrderedDict()

    def started(self, sender: object, payload: bytes) -> None:
        """A node has said with `payload` that it begins anew, and its numbers with it: they repeat nothing."""
        for key in [key for key in self._heard if key[0] == sender and key[1] != payload]:
            del self._heard[key]

    def repeats(self, sender: object, payload: bytes, *, at: float, within: float) -> bool:
        """Whether the same was heard from `sender` less than `within` seconds ago; and remember it.

        Args:
            sender: who, in any form that is equal for the same node.
            payload: what, with its number where there is one; different bytes are never a repeat.
            at: when, on a clock that never jumps.
            within: seconds, one of the above.
        """
        key = (sender, payload)
        first = self._heard.get(key)
        if first is not None and 0 <= at - first < within:
            return True
        self._heard[key] = at
        self._heard.move_to_end(key)
        while len(self._heard) > _MOST:
            self._heard.popitem(last=False)
        return False
