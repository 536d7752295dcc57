"""When a target wants peace: so many messages an hour, and none at night. Pure; the time comes in as an argument."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import TYPE_CHECKING, Final, Self

from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)\Z")
_HOUR_S: Final = 3600.0


@dataclass(frozen=True)
class Quiet:
    """A time of day, from and until, by the clock on the wall.

    What that clock shows counts, also in the night in which it is changed: an hour that comes twice is quiet twice, and
    the end of quiet hours that fall into the hour left out is when the clock has gone past it.
    """

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `22:00-07:00`.

        Raises:
            Invalid: it is no such text.
        """
        found = _HOURS.match(text)
        if not found or found[1] + found[2] == found[3] + found[4]:
            raise Invalid(f'quiet {text[:40]!r} is no time of day; write for example quiet = "22:00-07:00"')
        hours = [int(number) for number in found.groups()]
        return cls(time(hours[0], hours[1]), time(hours[2], hours[3]))

    def covers(self, at: float, zone: ZoneInfo) -> bool:
        """Whether `at`, seconds since 1970 UTC, is within it in `zone`."""
        wall = datetime.fromtimestamp(at, zone).time()
        if self.start < self.end:
            return self.start <= wall < self.end
        return wall >= self.start or wall < self.end


@dataclass
class Bucket:
    """A rate limit: full at the start, each message takes one token, and `per_hour` come back in an hour.

    Args:
        per_hour: also what it holds at most.
    """

    per_hour: int
    _tokens: float = field(init=False)
    _at: float = field(init=False, default=float("-inf"))

    def __post_init__(self) -> None:
        self._tokens = float(self.per_hour)

    def take(self, at: float) -> float:
        """Take a token; return 0, or the seconds until there is one.

        Args:
            at: seconds of a clock that is never set.
        """
        rate = self.per_hour / _HOUR_S
        gained = max(0.0, at - self._at) * rate
        self._tokens, self._at = min(self._tokens + gained, float(self.per_hour)), at
        if self._tokens >= 1.0 - 1e-9:
            self._tokens = max(0.0, self._tokens - 1.0)
            return 0.0
        return (1.0 - self._tokens) / rate

    def give_back(self) -> None:
        """Return the token that was taken for a message that did not go out."""
        self._tokens = min(self._tokens + 1.0, float(self.per_hour))
