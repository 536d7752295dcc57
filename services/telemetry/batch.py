"""What is in hand for one sink, in pieces and in order: how the one record that is refused is found. Pure.

    [ a b c d e f g h ]      refused
    [ a b c d ][ e f g h ]   the first half is delivered, the second refused
               [ e f ][ g h ]
               [ e ][ f ][ g h ]     e delivered, f alone refused: that is the one

Knows neither what the items are nor why they are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

_Item = TypeVar("_Item")


class Batch(Generic[_Item]):
    """Items that are to be delivered in their order.

    Args:
        items: all of them.
    """

    def __init__(self, items: Sequence[_Item]) -> None:
        self._items = list(items)
        self._at = 0
        self._ends = [len(self._items)]
        """Where pieces end, the nearest last."""
        self._sent = 0

    def __len__(self) -> int:
        return len(self._items) - self._at

    @property
    def first(self) -> _Item:
        """The oldest that is left."""
        return self._items[self._at]

    def piece(self, most: int) -> Sequence[_Item]:
        """Return the next piece, of at most `most`."""
        end = min(self._ends[-1], self._at + most)
        self._sent = end - self._at
        return self._items[self._at : end]

    def settle(self) -> None:
        """The piece is done with, delivered or set aside."""
        self._at += self._sent
        self._sent = 0
        while self._ends and self._ends[-1] <= self._at:
            self._ends.pop()

    def halve(self) -> None:
        """Cut the piece in two, of which the first is next."""
        if self._sent > 1:
            self._ends.append(self._at + self._sent)
            self._ends.append(self._at + self._sent // 2)

    def put_back(self, items: Sequence[_Item]) -> None:
        """Let `items` come again before what is left, everything uncut."""
        self._items = [*items, *self._items[self._at :]]
        self._at = 0
        self._ends = [len(self._items)]
