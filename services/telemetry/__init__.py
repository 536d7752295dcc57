"""Carry what is said in the house to where it is kept and drawn."""

from __future__ import annotations

from dataclasses import dataclass

from hearthbus import Service


class Telemetry(Service):
    """Every sink of a house."""

    @dataclass(frozen=True)
    class Config:
        """Nothing yet."""
