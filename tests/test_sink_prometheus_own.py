"""Services and broker on the page of Prometheus: every figure of docs/topics.md, by its name, and honest about age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_sink_prometheus import AT, board, read
from test_sink_prometheus_page import program, run
from test_topics_page import FAMILIES

from services.telemetry.sinks.prometheus_own import HELP, samples_of

if TYPE_CHECKING:
    from collections.abc import Mapping

SUN = (("service", "sun"),)
HEALTH: Mapping[str, Any] = {
    "handled": 7, "errors": 1, "skipped": 0, "lost": 0, "queue": 3, "answering": 1, "reconnects": 2, "restarts": 0,
    "uptime_s": 60.5, "loop_lag_s": 0.002, "rss_bytes": 13_000_000, "sent": 12, "words": "no number",
}  # fmt: skip
STATS: Mapping[str, Any] = {
    "version": "0.1.0", "uptime_s": 5.0, "clients": 2, "subscriptions": 9, "topics": 3, "messages": 40,
    "messages_per_s": 2.5, "requests_waiting": 0, "refused": 1, "dropped": {"malformed": 2, 'odd "one"': 1},
    "refused_by": {"kitchen": 3}, "strangers": 4, "subscribers_refilled": 0, "subscribers_lost": 0,
    "rss_bytes": 25_000_000, "journal_waiting": 1, "journal_waiting_bytes": 90, "journal_dropped": 0,
    "journal_error": "",
}  # fmt: skip


def page(*messages: tuple[str, Mapping[str, Any]]) -> str:
    """Return the page once these messages were heard."""
    made = board()
    for topic, body in messages:
        made.hear(topic, body, AT)
    return made.page()


def figures(text: str) -> dict[str, float]:
    """Return the samples of the service `sun` and of the broker by name."""
    return {name: value for (name, labels), value in read(text).items() if labels in {SUN, ()}}


def test_the_health_of_a_service() -> None:
    """Each figure has its base unit and its kind in its name; what it counts besides has one name for all services."""
    text = page(("service/sun", {"status": "online"}), ("service/sun/health", HEALTH))

    assert {
        "hearthbus_service_up": 1,
        "hearthbus_service_handled_total": 7,
        "hearthbus_service_queue_messages": 3,
        "hearthbus_service_requests_in_progress": 1,
        "hearthbus_service_loop_lag_seconds": 0.002,
        "hearthbus_service_resident_memory_bytes": 13_000_000,
        "hearthbus_service_reconnects_total": 2,
        "hearthbus_service_trouble": 0,
        "hearthbus_service_failing": 0,
    }.items() <= figures(text).items()
    assert 12 == read(text)["hearthbus_service_figure", (*SUN, ("figure", "sent"))]
    assert "words" not in text


def test_a_service_that_is_away_has_no_figures() -> None:
    """What it told before it went is no figure of now; whether it fails, and that it is not there, stays."""
    away = page(
        ("service/sun", {"status": "online"}), ("service/sun/health", {**HEALTH, "failing": True}),
        ("service/sun", {"status": "offline"}),
    )  # fmt: skip
    late = page(("service/sun", {"status": "lost"}), ("service/sun/health", HEALTH))
    back = page(
        ("service/sun", {"status": "lost"}), ("service/sun/health", HEALTH), ("service/sun", {"status": "online"})
    )

    assert (0, 1) == (figures(away)["hearthbus_service_up"], figures(away)["hearthbus_service_failing"])
    assert "queue" not in away
    assert "queue" not in late
    assert 3 == figures(back)["hearthbus_service_queue_messages"]


def test_without_the_broker_nobody_knows_who_is_there() -> None:
    """What it told last is no figure of now: neither of its own, nor of any service; the house's values stay."""
    made = board()
    for topic, body in (("service/sun", {"status": "online"}), ("service/sun/health", HEALTH), ("broker/stats", STATS),
                        ("sensor/hall/temperature", {"value": 21.5})):  # fmt: skip
        made.hear(topic, body, AT)
    away, there = read(made.page(broker=False)), read(made.page(broker=True))

    assert ["hearthbus_broker_up"] == [name for name, _ in away if "_broker_" in name or "_service_" in name]
    assert (0, 1) == (away["hearthbus_broker_up", ()], there["hearthbus_broker_up", ()])
    assert 'kind="service"' not in made.page(broker=False)
    assert 21.5 == away["hearthbus_sensor_temperature", (("place", "hall"),)]
    assert 1 == there["hearthbus_service_up", SUN]


@pytest.mark.parametrize(("topic", "body"), [("service/+/health", HEALTH), ("broker/stats", STATS)])
def test_every_number_of_the_page_of_topics_is_shown(topic: str, body: Mapping[str, Any]) -> None:
    """No figure that docs/topics.md promises is left out, and each has a help text of its own."""
    [family] = [family for family in FAMILIES if family.pattern == topic]
    wanted = {key.name.partition(".")[0] for key in family.keys if key.always and key.type != "text"}
    names = {name.removeprefix("hearthbus_") for name, _ in samples_of(topic, body, prefix="hearthbus") or {}}

    assert set() == wanted - body.keys()
    assert len(names) >= len(wanted)
    assert set() == names - HELP.keys()


async def test_promtool_has_nothing_to_say() -> None:
    """Prometheus' own checker reads the whole of it without a remark."""
    text = page(("service/sun", {"status": "online", "version": "1", "host": "pi"}), ("service/sun/health", HEALTH),
                ("broker/stats", STATS))  # fmt: skip

    assert (0, "") == await run(program("promtool"), "check", "metrics", given=text.encode())


ANY = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dictionaries(st.text(), st.integers())


@given(
    st.dictionaries(st.sampled_from([*HEALTH, *STATS, "status", "failing", "trouble"]), ANY),
    st.sampled_from(["service/sun", "service/sun/health", "broker/stats"]),
)
def test_no_body_can_break_the_page(body: dict[str, Any], topic: str) -> None:
    """Whatever a client publishes there, the page can be read."""
    assert read(page((topic, body)))
