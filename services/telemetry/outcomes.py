"""How an attempt to deliver records ended, and thereby what is done next. Values only; each attempt ends in one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Delivered:
    """The sink has them. `dropped` of them it took and threw away, for the `reason` it gave, such as its retention."""

    dropped: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Later:
    """Not now: network, 408, 429, 5xx. Kept and repeated, with back-off; `after_s` is the sink's own Retry-After."""

    reason: str
    after_s: float | None = None


@dataclass(frozen=True)
class Held:
    """401, 403, 404: somebody must act. Kept; tried again rarely, with an alert."""

    reason: str


@dataclass(frozen=True)
class Refused:
    """400, 422: something in this batch. Halved until the record at fault stands alone; that one is set aside."""

    reason: str


@dataclass(frozen=True)
class TooLarge:
    """413: sent again in halves."""

    reason: str


Outcome = Delivered | Later | Held | Refused | TooLarge
