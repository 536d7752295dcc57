"""RFXtrx on the bus: what the stick hears is published, what the bus asks is transmitted."""

from __future__ import annotations

from dataclasses import dataclass

from hearthbus import Service


class RFXtrx(Service):
    """The stick and its devices."""

    @dataclass(frozen=True)
    class Config:
        """Where the stick is."""

        port: str

    config: Config
