"""What a sink is, whatever protocol it speaks. Shapes only; the kinds are the modules beside this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.telemetry.outcomes import Outcome
    from services.telemetry.records import Record


class Sink(Protocol):
    """Where records go. One call at a time."""

    @property
    def merges(self) -> bool:
        """Whether a record that comes twice does no harm: the sink keeps one value for a series and a time."""

    @property
    def most(self) -> int:
        """Records of one call at most."""

    async def send(self, records: Sequence[Record]) -> Outcome:
        """Deliver `records`, in order, all or none unless it merges. Never raises but when cancelled."""

    async def close(self) -> None:
        """Let go of connections and threads."""
