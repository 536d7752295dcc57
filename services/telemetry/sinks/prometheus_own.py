"""The bus itself on a page for Prometheus: who is there, how each service is, how the broker is. Tables, and pure.

    service/sun           {status: online}             hearthbus_service_up{service="sun"} 1
    service/sun/health    {loop_lag_s: 0.002}          hearthbus_service_loop_lag_seconds{service="sun"} 0.002
    broker/stats          {refused_by: {kitchen: 3}}   hearthbus_broker_refused_by_key_total{key="kitchen"} 3

The keys are those of docs/topics.md. A name that ends with `_total` is a counter, any other a gauge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from services.telemetry.sinks.prometheus_names import labels_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STATS: Final = "broker/stats"
TOPICS: Final = ("service/+", "service/+/health", STATS)
"""What is read besides what the table of the page names."""
Sample = tuple[tuple[str, str], "float | bool"]
"""Name and labels of a series, and its value."""

_SERVICE: Final[Mapping[str, tuple[str, str]]] = {
    "handled": ("handled_total", "Messages, timers and requests a service has handled well."),
    "errors": ("errors_total", "Messages, timers and requests whose handler failed, or that it refused."),
    "skipped": ("skipped_total", "Messages that were too old for their handler."),
    "lost": ("lost_messages_total", "Messages the bus could neither deliver to a service nor find again."),
    "queue": ("queue_messages", "Messages that wait for a handler."),
    "answering": ("requests_in_progress", "Requests a service is answering."),
    "reconnects": ("reconnects_total", "How often the broker came back to a service."),
    "restarts": ("restarts_total", "How often a service failed and was started anew in the same process."),
    "uptime_s": ("uptime_seconds", "How long a service has run."),
    "loop_lag_s": ("loop_lag_seconds", "How late the timers of a service were, at most, since it told before."),
    "rss_bytes": ("resident_memory_bytes", "Memory of a service's process."),
    "failing": ("failing", "Whether a service failed and waits to be started again."),
    "trouble": ("trouble", "Whether something is wrong though the service runs; service/NAME/health says what."),
}
"""Key of a service's health: the end of the series' name, and what it says."""
_BROKER: Final[Mapping[str, tuple[str, str]]] = {
    "uptime_s": ("uptime_seconds", "How long the broker has run."),
    "clients": ("clients", "Clients connected now."),
    "subscriptions": ("subscriptions", "Subscriptions the broker holds."),
    "topics": ("topics", "Topics the broker knows."),
    "messages": ("messages_total", "Messages since the journal was begun."),
    "messages_per_s": ("messages_per_second", "Messages a second, since the broker told before."),
    "requests_waiting": ("requests_waiting", "Requests that are not answered yet."),
    "refused": ("refused_total", "Publishes refused."),
    "strangers": ("strangers_total", "Connections refused for their key."),
    "subscribers_refilled": ("refilled_messages", "Messages sent again to clients that are connected now."),
    "subscribers_lost": ("lost_messages", "Messages lost by clients that are connected now."),
    "rss_bytes": ("resident_memory_bytes", "Memory of the broker's process."),
    "journal_waiting": ("journal_waiting_messages", "Messages that are not on the disk yet."),
    "journal_waiting_bytes": ("journal_waiting_bytes", "Bytes of the messages that are not on the disk yet."),
    "journal_dropped": ("journal_dropped_total", "Messages that never came to the disk."),
    "journal_error": ("journal_error", "Whether something is wrong with the broker's disk; broker/stats says what."),
}
"""Key of the broker's figures: as above."""
_MAPS: Final[Mapping[str, tuple[str, str, str]]] = {
    "dropped": ("frames_dropped_total", "reason", "Frames the broker dropped."),
    "refused_by": ("refused_by_key_total", "key", "Requests of a key that its access table does not grant."),
}
"""Key of a map in the broker's figures: the end of the name, what the map's keys are, and what it says."""
_ONLINE: Final = ("up", "Whether a service is online.")
_INFO: Final = ("info", "What runs; the figure is always 1.")
_FIGURE: Final = ("figure", "A figure of a service's own, which service/NAME/health explains.")
THERE: Final = "broker_up"
"""The name, without the page's prefix, of what is known of the broker without it."""
FAILING: Final = "_service_failing"
"""The end of the one name that stays on the page of a service that is away."""
HELP: Final[Mapping[str, str]] = {
    **{f"service_{name}": text for name, text in (*_SERVICE.values(), _ONLINE, _INFO, _FIGURE)},
    **{f"broker_{name}": text for name, text in (*_BROKER.values(), _INFO)},
    **{f"broker_{name}": text for name, _, text in _MAPS.values()},
    THERE: "Whether the broker answers; nothing of the bus' own is shown while it does not.",
}
"""What each series says, by its name without the page's prefix."""


def service_of(topic: str, *, health: bool) -> str:
    """Return the name of the service whose presence, or health, a topic has; empty where it has none."""
    kind, _, rest = topic.partition("/")
    name, _, part = rest.partition("/")
    return name if kind == "service" and part == ("health" if health else "") else ""


def is_own(topic: str) -> bool:
    """Whether a topic is the bus' own: a service's presence or health, or the broker's figures."""
    return topic == STATS or bool(service_of(topic, health=False) or service_of(topic, health=True))


def samples_of(topic: str, body: Mapping[str, Any], *, prefix: str) -> dict[tuple[str, str], float | bool] | None:
    """Return the samples of a message of the bus' own; None where it is none of them."""
    if name := service_of(topic, health=False):
        return dict(_presence(name, body, f"{prefix}_service"))
    if name := service_of(topic, health=True):
        return dict(_health(name, body, f"{prefix}_service"))
    if topic == STATS:
        return dict(_stats(body, f"{prefix}_broker"))
    return None


def _presence(name: str, body: Mapping[str, Any], prefix: str) -> Iterator[Sample]:
    if "status" in body:
        yield (f"{prefix}_up", labels_of({"service": name})), body["status"] == "online"
        yield from _info({"service": name, "version": body.get("version"), "host": body.get("host")}, prefix)


def _health(name: str, body: Mapping[str, Any], prefix: str) -> Iterator[Sample]:
    labels = labels_of({"service": name})
    for key, (end, _) in _SERVICE.items():
        if (value := _figure(body.get(key, ""))) is not None and (key in body or end in {"failing", "trouble"}):
            yield (f"{prefix}_{end}", labels), value
    for key, value in body.items():
        if key not in _SERVICE and not isinstance(value, str) and (number := _figure(value)) is not None:
            yield (f"{prefix}_figure", labels_of({"service": name, "figure": key})), number


def _stats(body: Mapping[str, Any], prefix: str) -> Iterator[Sample]:
    for key, (end, _) in _BROKER.items():
        if key in body and (value := _figure(body[key])) is not None:
            yield (f"{prefix}_{end}", ""), value
    for key, (end, label, _) in _MAPS.items():
        inner = body.get(key)
        for what, count in inner.items() if isinstance(inner, dict) else ():
            if not isinstance(count, str) and (value := _figure(count)) is not None:
                yield (f"{prefix}_{end}", labels_of({label: what})), value
    yield from _info({"version": body.get("version")}, prefix)


def _info(labels: Mapping[str, Any], prefix: str) -> Iterator[Sample]:
    if isinstance(labels.get("version"), str):
        yield (f"{prefix}_info", labels_of({key: value for key, value in labels.items() if isinstance(value, str)})), 1


def _figure(value: Any) -> float | bool | None:
    """Return a finite number as it is, a text as whether it says anything, None for the rest."""
    if isinstance(value, str):
        return value != ""
    return value if isinstance(value, int | float) and value - value == 0 else None
