"""What the broker says of itself on broker/stats. Pure but for the memory figure it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from broker.core import Core


class Stats:
    """Totals, and rates since the last time it was asked."""

    def __init__(self, *, started: float) -> None:
        self._started = started
        self._at = started
        self._received = 0

    def body(
        self, core: Core, *, version: str, rss_bytes: int, subscriptions: int, strangers: int = 0
    ) -> dict[str, Any]:
        """The body of broker/stats at the core's present time."""
        stream = core.stream
        seconds = max(core.mono - self._at, 0.001)
        rate = (stream.received - self._received) / seconds
        self._at, self._received = core.mono, stream.received
        return {
            "version": version,
            "uptime_s": round(core.mono - self._started, 1),
            "clients": len(core.clients.by_ident) - (core.own_session in core.clients.by_session),
            "subscriptions": subscriptions,
            "topics": len(stream.topics.by_name),
            "messages": stream.offset,
            "messages_per_s": round(rate, 2),
            "requests_waiting": len(core.requests.pending),
            "refused": stream.refused,
            "refused_by": dict(core.guard.refused),
            "strangers": strangers,
            "dropped": dict(core.dropped),
            "subscribers_refilled": sum(client.refilled for client in core.clients.by_ident.values()),
            "subscribers_lost": sum(client.lost for client in core.clients.by_ident.values()),
            "rss_bytes": rss_bytes,
            "journal_waiting": len(stream.memory.frames),
            "journal_waiting_bytes": stream.memory.size,
            "journal_dropped": stream.memory.dropped,
            "journal_error": core.commits.error,
        }
