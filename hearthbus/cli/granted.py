"""Reading state with a key that may not read all of it: what it may, and why not the rest. Knows no tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hearthbus.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hearthbus.bus import Bus
    from hearthbus.message import Message


async def granted(bus: Bus, patterns: Sequence[str]) -> tuple[list[Message], dict[str, Refused]]:
    """Return the retained messages of those `patterns` that may be read, sorted by topic, and why not of each other.

    Raises:
        HearthbusError: what went wrong beside a refusal.
    """
    found: dict[str, Message] = {}
    refused: dict[str, Refused] = {}
    try:
        return await bus.get(*patterns), refused
    except Refused as error:
        if len(patterns) == 1:
            return [], {patterns[0]: error}
    for pattern in patterns:
        try:
            found |= {message.topic: message for message in await bus.get(pattern)}
        except Refused as error:
            refused[pattern] = error
    return [found[topic] for topic in sorted(found)], refused
