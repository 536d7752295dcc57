"""A secret that stands where none belongs is refused, and not repeated: a private address, a password before a host."""

from __future__ import annotations

from typing import Any

import pytest

from hearthbus import Invalid
from hearthbus.config.schema import build
from services.calendar import Calendar
from services.notify import Notify
from services.telemetry import Telemetry

HUSH = "hush-4711"


def calendar(**table: Any) -> tuple[type, dict[str, Any]]:
    """Return the configuration of one calendar."""
    return Calendar, {"calendars": {"family": table}}


def sink(kind: str, **table: Any) -> tuple[type, dict[str, Any]]:
    """Return the configuration of one sink."""
    return Telemetry, {kind: {"archive": table}}


@pytest.mark.parametrize(
    ("service", "table", "key"),
    [
        (*calendar(google=f"https://calendar.google.com/calendar/ical/x/private-{HUSH}/basic.ics"), "google"),
        (*calendar(file=f"https://council.example/private-{HUSH}/bins.ics"), "file"),
        (*calendar(ics=f"ftp://council.example/private-{HUSH}/bins.ics"), "ics"),
        (Calendar, {"endpoint": f"https://me:{HUSH}@proxy.example/"}, "endpoint"),
        (Calendar, {"endpoint": f"https://proxy.example/?key={HUSH}"}, "endpoint"),
        (*sink("mqtt", host=f"mqtt://me:{HUSH}@mqtt.example"), "host"),
        (*sink("mqtt", host=f"me:{HUSH}@mqtt.example"), "host"),
        (*sink("graphite", host=f"http://me:{HUSH}@graphite.example"), "host"),
        (*sink("webhook", url="https://barn.example/", headers={f"Authorization: Bearer {HUSH}": "x"}), "headers"),
        (*sink("influxdb", url=f"http://me:{HUSH}@influx.example", database="house"), "url"),
        *(
            (Notify, {"targets": {"mail": {"kind": "email", "host": host, "sender": "a@b.c", "to": ["a@b.c"]}}}, "host")
            for host in (f"me:{HUSH}@mail.example", f"smtp://me:{HUSH}@mail.example:587")
        ),
    ],
)
def test_it_is_refused_and_not_repeated(service: Any, table: dict[str, Any], key: str) -> None:
    """What is wrong is told by its key."""
    with pytest.raises(Invalid) as caught:
        build(service.Config, table, within=service)

    assert key in str(caught.value)
    assert HUSH not in str(caught.value)
