"""A simulated RFXtrx stick behind a serial port, and the sensors and remotes it hears."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - the configuration reads the annotation

from hearthbus import Service


class Twin(Service):
    """The simulated stick."""

    @dataclass(frozen=True)
    class Config:
        """How it is. `link` is the port's name: what `port` of `[rfxtrx]` says."""

        link: Path

    config: Config
