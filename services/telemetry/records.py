"""What is sent to a sink: messages of the bus, and the numbers in them. Knows no sink and no bus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Record:
    """One message: the unit that is delivered, refused, repeated or set aside.

    Args:
        topic: its topic.
        body: what it says.
        time_ns: when it was published, nanoseconds since 1970 UTC: what is stored, however late it is sent.
        offset: its place in the broker's journal.
        retained: it was published as state, which the bus keeps for who comes late.
    """

    topic: str
    body: Mapping[str, Any]
    time_ns: int
    offset: int
    retained: bool = False

    @property
    def id(self) -> str:
        """Its name for a receiver that wants to know whether it has it already."""
        return f"{self.time_ns}-{self.offset}"
