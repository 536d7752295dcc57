"""Does the broker answer, is it of this version, and how are the services it knows?"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hearthbus.doctor.finding import bad, ok, warn
from hearthbus.doctor.machine import LIMIT_S
from hearthbus.errors import HearthbusError
from hearthbus.running.probe import answers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hearthbus.cli.services import Row
    from hearthbus.doctor.finding import Finding
    from hearthbus.doctor.scene import Scene
    from hearthbus.message import Message

SERVICES: Final = "the services"
PARTS: Final = {"broker/stats": "the broker's figures", "service/#": SERVICES}
"""What is asked of the broker, and how it is called."""
LAGS_S: Final = 1.0
"""A service's loop that is later than this holds something up."""
FIGURES: Final = {
    "journal_error": "the journal's disk: {}",
    "journal_dropped": "{} messages are missing in the journal",
    "subscribers_lost": "{} messages were lost by slow subscribers",
    "strangers": "{} connections without a key that is let in were refused",
}
"""Key of broker/stats -> what it means when it is not 0."""
_DO: Final = {
    "journal_error": "look at the line about the disk; the broker tries again by itself",
    "journal_dropped": "the disk took nothing for a while; it is gone for those who were away then",
    "subscribers_lost": "hearthbus status shows who; a slow service, or a slow machine",
    "strangers": "journalctl -u hearthbus-broker tells from where; a key may have been revoked or be of another broker",
}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the broker says."""

    url: str
    error: str = ""
    """Why it could not be asked."""
    refused: bool = False
    """It said no, rather than nothing."""
    hangs: bool = False
    """Somebody on this machine listens there, and says nothing."""
    version: str = ""
    ours: str = ""
    """Version of this hearthbus."""
    stats: Mapping[str, Any] | None = None
    unread: Mapping[str, str] = field(default_factory=dict)
    """What of it could not be read, and why: a key need not be allowed to."""
    rows: tuple[Row, ...] = ()
    configured: tuple[str, ...] = ()
    local: bool = True


def gather(scene: Scene) -> Facts:
    """Ask the broker for everything retained; a broker that does not answer is a fact too."""
    from hearthbus.cli.services import STATS, rows
    from hearthbus.version import VERSION

    common = {"url": scene.url, "ours": VERSION, "configured": tuple(scene.kinds), "local": not scene.joins}
    if not scene.joins and not _answers(scene.url):
        return Facts(error=f"nobody listens at {scene.url}", **common)  # type: ignore[arg-type]  # as they are named
    try:
        messages, unread = asyncio.run(_ask(scene.url, scene.key))
    except (HearthbusError, OSError, TimeoutError) as error:
        refused = type(error).__name__ in {"Refused", "Invalid"}
        hangs = not scene.joins and not refused
        why = f"somebody listens at {scene.url} and says nothing" if hangs else str(error) or "no answer"
        return Facts(error=why, refused=refused, hangs=hangs, **common)  # type: ignore[arg-type]  # as they are named
    nothing: dict[str, Any] = {}
    stats = next((message.body for message in messages if message.topic == STATS), nothing)
    found = tuple(rows(messages, now=time.time_ns()))
    return Facts(version=str(stats.get("version", "")), stats=stats, rows=found, unread=unread, **common)  # type: ignore[arg-type]  # as they are named


def _answers(url: str) -> bool:
    try:
        return answers(url)
    except ValueError:  # an address that the configuration's line tells of
        return False


async def _ask(url: str, key: str) -> tuple[list[Message], dict[str, str]]:
    """Return what is retained of services and broker, and why not all of it."""
    from hearthbus.bus import Bus
    from hearthbus.cli.granted import granted

    async with asyncio.timeout(LIMIT_S), Bus(url, key=key or None, connect_timeout=LIMIT_S * 0.7) as bus:
        found, refused = await granted(bus, tuple(PARTS))
        return found, {PARTS[pattern]: str(why) for pattern, why in refused.items()}


def judge(facts: Facts) -> Iterator[Finding]:
    """Say whether the broker answers, and which services are not well."""
    if facts.error:
        yield bad(f"the broker does not answer: {facts.error}", _how(facts))
        return
    if facts.version and facts.version != facts.ours:
        yield warn(
            f"the broker is hearthbus {facts.version}, this is {facts.ours}",
            "restart it: sudo systemctl restart hearthbus-broker" if facts.local else "upgrade the older one",
        )
    yield ok(f"the broker at {facts.url} answers, hearthbus {facts.version or 'of unknown version'}")
    for name, words in FIGURES.items():
        if facts.stats and facts.stats.get(name):
            yield warn(words.format(facts.stats[name]), _DO[name])
    for what, why in facts.unread.items():
        yield warn(
            f"{what} cannot be looked at: {why}",
            'ask on the broker\'s machine, or let this key read them: subscribe = ["service/#", "broker/stats"]',
        )
    if SERVICES not in facts.unread:
        yield from _of_services(facts)


def _of_services(facts: Facts) -> Iterator[Finding]:
    """Compare those that were here with those that are configured, and say how each is."""
    seen = {row.name: row for row in facts.rows}
    for name in facts.configured if facts.local else ():
        stopped = name in seen and seen[name].status == "offline" and not seen[name].failing
        if name not in seen or stopped:
            yield warn(
                f"{name} is configured and {'was stopped' if stopped else 'was never here'}",
                f"start it: hearthbus up, or sudo systemctl enable --now hearthbus@{name}",
            )
    for row in facts.rows:
        other = row.version not in {"", facts.ours} and facts.local and row.name in facts.configured
        if other and row.status == "online":
            yield warn(
                f"{row.name} is hearthbus {row.version}, this is {facts.ours}",
                f"restart it: sudo systemctl restart hearthbus@{row.name}, or Ctrl-C and hearthbus up",
            )
    well = 0
    for row in facts.rows:
        troubles = list(_troubles(row))
        well += not troubles and row.status == "online"
        yield from troubles
    yield ok(f"{well} of {len(facts.rows)} services are online and well")


def _how(facts: Facts) -> str:
    if facts.refused:
        return "what it says helps; see the lines about keys too"
    if facts.hangs:
        return "the line about its port says who: sudo systemctl restart hearthbus-broker, or Ctrl-C and hearthbus up"
    return "see the lines about ports" if facts.local else "is that machine on, its broker running, the network there?"


def _troubles(row: Row) -> Iterator[Finding]:
    log = f"journalctl -u hearthbus@{row.name} -n 20"
    remarks = f": {'; '.join(row.remarks)}" if row.remarks else ""
    if row.status == "lost":
        yield bad(f"{row.name} is lost{remarks}", f"it died, or its machine did; {log}")
    elif row.failing:
        yield bad(f"{row.name} fails{remarks}", log)
    elif row.status == "online" and row.remarks:
        yield warn(f"{row.name}{remarks}", log)
    elif row.status == "online" and (row.loop_lag_s or 0) > LAGS_S:
        yield warn(f"{row.name} is {row.loop_lag_s:.1f} s behind", "something in it blocks, or the machine is too busy")
