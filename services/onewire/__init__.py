"""Bring 1-wire sensors on the bus."""

from __future__ import annotations

from dataclasses import dataclass

from hearthbus import Service


class OneWire(Service):
    """The sensors of a 1-wire bus."""

    @dataclass(frozen=True)
    class Config:
        """Nothing yet."""
