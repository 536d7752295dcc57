"""Until when somebody moves at a place: a node's own end, or a time-out where it never comes.

Pure: times are seconds since 1970 UTC, and come in; after a restart they come from the retained readings.
"""

from __future__ import annotations


class Motions:
    """The places where somebody moves now."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def moving(self, place: str, *, at: float, timeout_s: float) -> None:
        """Somebody moves, as of `at`: for `timeout_s` at most, unless it is said again."""
        self._until[place] = max(at + timeout_s, self._until.get(place, 0.0))

    def ended(self, place: str) -> None:
        """The node itself has said that nobody moves any more."""
        self._until.pop(place, None)

    def over(self, *, at: float) -> list[str]:
        """Return the places whose time is up, and forget them."""
        places = [place for place, until in self._until.items() if at >= until]
        for place in places:
            del self._until[place]
        return places

    def shift(self, seconds: float) -> None:
        """The clock was set by so much."""
        self._until = {place: until + seconds for place, until in self._until.items()}

    def due(self) -> float | None:
        """Return when the next time is up; None: nobody moves."""
        return min(self._until.values(), default=None)
