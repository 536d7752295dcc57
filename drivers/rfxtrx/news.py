"""What the talk with a stick has to tell, and how long its steps take. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from drivers.rfxtrx.frames import Skipped
from drivers.rfxtrx.interface import Status, Status868, StatusShort

AnyStatus = Status | Status868 | StatusShort


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A frame from the air, or a remote the stick knows."""

    frame: bytes


@dataclass(frozen=True, kw_only=True)
class Told:
    """The stick has said how it is set."""

    status: AnyStatus


@dataclass(frozen=True, kw_only=True)
class Ready:
    """It receives; `greeting` is empty where its firmware has none."""

    greeting: str


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What a person may want to know."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Fault:
    """It is not ready, or not any more; the text says what is done about it."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Reopen:
    """The port is to be closed and opened again."""

    reason: str


News = Heard | Told | Ready | Notice | Fault | Reopen | Skipped


class Phase(Enum):
    """Where the talk is."""

    CLOSED = "its port is closed"
    DEAF = "it was just reset"
    ASKING = "asked for its status"
    WAITING = "waiting for its boot loader to end"
    SETTING = "told its modes"
    STARTING = "told to receive"
    READY = "ready"
    BACKING_OFF = "it does not answer"


@dataclass(frozen=True, kw_only=True)
class Times:
    """How long everything takes, in seconds; tests have less of it."""

    deaf: float = 0.5
    """After a reset; what comes meanwhile is left from before."""
    answer: float = 2.0
    """After which a status, modes or the start are asked again."""
    patience: float = 16.0
    """The slowest status reply in the logs, over a network."""
    boot: float = 5.5
    """A boot loader gives up when nothing was sent to it for so long."""
    probe: float = 5.0
    """After which a stick that was ready, and is asked for its status, does not answer any more."""
    silence: float = 60.0
    """After so long without a frame a stick is asked for its status."""
    deaf_for: float = 900.0
    """One that has heard packets, answers, and has heard none for so long is reset: the receiver of some stalls."""
    back_off: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
    """Before the port is opened again, by how often the start has failed; each is varied by a fifth."""
