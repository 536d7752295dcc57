"""What each key is held to: how much it may send, and how often it was refused. Pure: time comes in as an argument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.zap import is_local
from hearthbus.errors import Refused

if TYPE_CHECKING:
    from broker.config import Grant

BURST_S: Final = 2.0
SHARE: Final = 4
"""A key may have one in so many of what all share, connections for example: however greedy it is, others get in."""
COUNTED: Final = 50
"""Names that refusals are counted by; those of more are counted together."""
OTHERS: Final = "others"
MINUTE_S: Final = 60.0


def share(limit: int, who: str) -> int:
    """Return how much of what there is `limit` of one may have."""
    return limit if is_local(who) else max(1, limit // SHARE)


class Budget:
    """The messages one key may send: a bucket that fills with time."""

    def __init__(self, who: str, per_s: float, now: float) -> None:
        self.who = who
        self.per_s = per_s
        self._left = self._most = max(1.0, per_s * BURST_S)
        self._at = now

    def take(self, wanted: int, now: float) -> int:
        """Return how many of `wanted` messages may be taken in now."""
        self._left = min(self._most, self._left + (now - self._at) * self.per_s)
        self._at = now
        taken = min(wanted, int(self._left))
        self._left -= taken
        return taken

    def refusal(self) -> Refused:
        """What is said of the others."""
        return Refused(
            f"{self.who} sends more than {self.per_s:g} messages a second ([broker.access.{self.who}] messages_per_s)"
        )


class Guard:
    """Budgets and refusals of everybody."""

    def __init__(self) -> None:
        self.refused: dict[str, int] = {}
        """Refusals since the start, by who."""
        self._budgets: dict[str, Budget] = {}
        self._fresh: dict[str, tuple[int, str]] = {}
        self._warned: dict[str, int] = {}
        self._strangers = 0
        self._told_at = -MINUTE_S

    def budget(self, who: str, grant: Grant | None, now: float) -> Budget | None:
        """The budget of all connections of `who`; None where it has none."""
        if grant is None:
            return None
        budget = self._budgets.get(who)
        if budget is None or budget.per_s != grant.messages_per_s:
            budget = self._budgets[who] = Budget(who.partition(":")[0], grant.messages_per_s, now)
        return budget

    def note(self, who: str, why: object, count: int = 1) -> None:
        """Count refusals."""
        if who not in self.refused and len(self.refused) >= COUNTED:
            who = OTHERS
        self.refused[who] = self.refused.get(who, 0) + count
        self._fresh[who] = (self._fresh.get(who, (0, ""))[0] + count, str(why)[:200])

    def warn(self, text: str) -> None:
        """Note what is to be told of all together."""
        self._warned[text] = self._warned.get(text, 0) + 1

    def tell(self, now: float, *, strangers: int, last_stranger: str) -> list[str]:
        """At most once a minute, a line on each who was refused since the last time."""
        fresh = strangers - self._strangers
        if not (self._fresh or self._warned or fresh) or now - self._told_at < MINUTE_S:
            return []
        self._told_at, self._strangers = now, strangers
        lines = [f"{who} was refused {_times(count)}, at last: {why}" for who, (count, why) in self._fresh.items()]
        if fresh:
            lines.append(
                f"strangers were refused {_times(fresh)}, the last one at {last_stranger}: no key of this broker"
            )
        lines += [f"{text}, {_times(count)}" for text, count in self._warned.items()]
        self._fresh.clear()
        self._warned.clear()
        return lines


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
