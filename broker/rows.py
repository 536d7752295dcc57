"""What the core hands to the store, and gets back from it: one topic, one transaction. Values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TopicRow:
    """One topic as the store keeps it."""

    name: str
    seq: int
    offset: int
    retained: bytes


@dataclass(frozen=True, kw_only=True)
class Commit:
    """One transaction for the store."""

    frames: list[bytes]
    topics: list[TopicRow]
    forgotten: list[str]
    """Topics that are not kept any more."""
    consumers: dict[str, int | None]
    numbers: dict[bytes, int]
    offset: int
    epoch: int
    oldest_needed: int
    oldest: int
    """Publisher's time of its messages, from here"""
    newest: int
    """to here; nanoseconds since 1970 UTC."""
