"""Tell people what the house has to say."""

from __future__ import annotations

from dataclasses import dataclass

from hearthbus import Service


class Notify(Service):
    """Every target of a house."""

    @dataclass(frozen=True)
    class Config:
        """Nothing yet."""
