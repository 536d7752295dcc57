"""What the retained messages tell of the services: who is there, since when, how it is, when it last spoke.

Presence is `service/<name>`, figures are `service/<name>/health`, and everything else a service retained shows when it
last did its work. Pure: messages and the time in, rows out. A body that is not as it should be gives an unknown, never
an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hearthbus.cli.bodies import number, text
from hearthbus.cli.durations import iso_utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hearthbus.message import Message

STATS = "broker/stats"
SILENT_AFTER = 75.0
"""Seconds without figures after which an online service is called silent; it sends them every 30 seconds."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One service; what is unknown is None or empty."""

    name: str
    status: str
    since: datetime | None = None
    version: str = ""
    pid: int | None = None
    last_message: int | None = None
    """Nanoseconds since 1970 UTC."""
    rss_bytes: float | None = None
    """Bytes."""
    queue: int | None = None
    """Messages that wait for a handler."""
    loop_lag_s: float | None = None
    handled: int | None = None
    errors: int | None = None
    failing: bool = False
    """It failed, and waits to be started again."""
    troubled: bool = False
    """Online, and something is wrong with it, or it has said nothing for long."""
    remarks: tuple[str, ...] = field(default=())

    def seconds_since(self, now: int) -> float | None:
        """Seconds it has had this status."""
        return None if self.since is None else now / 1e9 - self.since.timestamp()

    def as_object(self, now: int) -> dict[str, Any]:
        """Return the row as `--json` prints it."""
        seconds = self.seconds_since(now)
        return {
            "service": self.name,
            "status": self.status,
            "since": None if self.since is None else self.since.isoformat().replace("+00:00", "Z"),
            "seconds": None if seconds is None else round(seconds, 1),
            "version": self.version or None,
            "pid": self.pid,
            "rss_bytes": self.rss_bytes,
            "queue": self.queue,
            "loop_lag_s": self.loop_lag_s,
            "handled": self.handled,
            "errors": self.errors,
            "failing": self.failing,
            "last_message": None if self.last_message is None else iso_utc(self.last_message),
            "remarks": list(self.remarks),
        }


def rows(messages: Iterable[Message], *, now: int) -> list[Row]:
    """Return the services, sorted by name; `now` in nanoseconds since 1970 UTC."""
    presence: dict[str, Message] = {}
    health: dict[str, Message] = {}
    spoke: dict[str, int] = {}
    for message in messages:
        kind, *rest = message.topic.split("/")
        if kind != "service":
            spoke[message.origin] = max(message.time, spoke.get(message.origin, 0))
        elif len(rest) == 1:
            presence[rest[0]] = message
        elif len(rest) == 2 and rest[1] == "health":
            health[rest[0]] = message
    return [_row(name, presence[name], health.get(name), spoke.get(name), now=now) for name in sorted(presence)]


def _row(name: str, presence: Message, health: Message | None, spoke: int | None, *, now: int) -> Row:
    body = presence.body
    status, since = text(body, "status") or "unknown", _moment(body.get("since"))
    figures: Mapping[str, Any] = health.body if health is not None and status == "online" else {}
    silence = _silence(health, since, now=now)
    failing = status == "offline" and health is not None and health.body.get("failing") is True
    return Row(
        name=name,
        status=status,
        since=since,
        version=text(body, "version"),
        pid=_whole(body, "pid"),
        last_message=spoke,
        rss_bytes=number(figures, "rss_bytes"),
        queue=_whole(figures, "queue"),
        loop_lag_s=number(figures, "loop_lag_s"),
        handled=_whole(figures, "handled"),
        errors=_whole(figures, "errors"),
        failing=failing,
        troubled=bool(figures) and (silence > SILENT_AFTER or bool(text(figures, "trouble"))),
        remarks=(
            (f"failing: {text(health.body, 'error')}",)
            if failing and health is not None
            else tuple(_remarks(body, figures, silence))
        ),
    )


def _silence(health: Message | None, since: datetime | None, *, now: int) -> float:
    """Return for how many seconds it has told no figures; those of its last run do not count against this one."""
    if health is None:
        return 0.0
    return health.age(now) if since is None else min(health.age(now), now / 1e9 - since.timestamp())


def _remarks(presence: Mapping[str, Any], figures: Mapping[str, Any], silence: float) -> Iterable[str]:
    if presence.get("status") != "offline" and text(presence, "reason"):
        yield text(presence, "reason")
    if not figures:
        return
    if text(figures, "trouble"):
        yield text(figures, "trouble")
    if silence > SILENT_AFTER:
        yield f"no figures for {silence:.0f} s"
    if lost := _whole(figures, "lost"):
        yield f"messages lost: {lost}"
    if restarts := _whole(figures, "restarts"):
        yield f"failures it was started anew after: {restarts}"


def _whole(body: Mapping[str, Any], key: str) -> int | None:
    value = number(body, key)
    return value if isinstance(value, int) else None


def _moment(value: object) -> datetime | None:
    """Return the moment of an ISO text or of seconds since 1970; None for anything else."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo is not None else None
    except ValueError:
        pass
    return None
