"""A node's settings, set over the air: what is asked, what its whole block becomes, and what came of each attempt.

    ask ─▶ pending ──the node listens──▶ round: a `set` for each change; with all acked, `commit` with the block's check
              ▲                            ├── commit acked, or the node announces that check ──▶ done
              └── nobody acked ────────────┤
                                           └── the node refused, or it was the last round ──▶ failed

A node tells of its settings only their check, so a block is known when a candidate has the check the node announced.
Pure: what is known of the node and the time, on a clock that never jumps, come in; what sends is `tuner`'s affair.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from drivers.rf12.hearth import BANDS, LIMITS, AckCode, Key, Settings
from hearthbus import Invalid
from services.checks import refuse
from services.jeenode.parcels import Fate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from services.jeenode.parcels import Outcome

FIELDS: Final = {
    "id": "node", "group": "group", "band": "band", "report_s": "report_s", "hold_s": "hold_s", "offset": "offset",
}  # fmt: skip
"""What a request calls each field of the block."""
ROUNDS: Final = 3
"""A node that sleeps is spoken to after so many of its reports."""
STAGED_S: Final = 90.0
"""A node forgets what was staged and not committed after 60 s, by a clock that may be slow."""
_MEGAHERTZ: Final = {band: megahertz for megahertz, band in BANDS.items()}


@dataclass(frozen=True)
class Order:
    """What is to become of one node."""

    wanted: Settings
    changed: frozenset[str]
    """Fields of the block that the node may have otherwise."""


def order(
    request: Mapping[str, Any], *, group: int, node: int, check: int | None, committed: Mapping[str, Any]
) -> Order:
    """Return what a request makes of a node's settings.

    Args:
        request: values by the names of `FIELDS`.
        group: the node's, as it is now.
        node: its id, as it is now.
        check: of its settings, as it announced last; None where nobody has heard that.
        committed: what it was given last, as `shown`; may be empty.

    Raises:
        Invalid: a value the node would not take, or too few, where its present settings are not known.
    """
    unknown = request.keys() - FIELDS.keys()
    if unknown:
        raise Invalid(f"{min(unknown)!r} is no setting of a node; there are {', '.join(FIELDS)}")
    if not request:
        raise Invalid(f"nothing to set; name at least one of {', '.join(FIELDS)}")
    refuse(_faults(request))
    values = {FIELDS[name]: BANDS[value] if name == "band" else value for name, value in request.items()}
    base = _base(group=group, node=node, check=check, committed=committed)
    if base is not None:
        wanted = replace(base, **values)
        return Order(wanted, frozenset(name for name in values if getattr(wanted, name) != getattr(base, name)))
    missing = [name for name in FIELDS if name not in request]
    if missing:
        heard = "it has not announced its settings" if check is None else "its settings are none this service gave it"
        raise Invalid(f"{heard}, so name all of {', '.join(FIELDS)}: {', '.join(missing)} are missing")
    return Order(Settings(**values), frozenset(values))


def shown(settings: Settings) -> dict[str, int]:
    """Return a block as a request names it."""
    values = {name: getattr(settings, of_block) for name, of_block in FIELDS.items()}
    return {**values, "band": _MEGAHERTZ[settings.band]}


def restored(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts about settings that an earlier run has left in a node's state."""
    facts: dict[str, Any] = {}
    if type(body.get("settings_crc")) is int:
        facts["settings_crc"] = body["settings_crc"]
    committed = body.get("committed")
    if isinstance(committed, dict) and committed.keys() == FIELDS.keys() and not list(_faults(committed)):
        facts["committed"] = committed
    if body.get("settings") == "pending":
        facts.update(settings="failed", settings_reason="the service was started anew; ask again")
    elif body.get("settings") in {"done", "failed"}:
        facts.update({key: body[key] for key in ("settings", "settings_reason") if isinstance(body.get(key), str)})
    return facts


class Fared(Enum):
    """How a round ended."""

    DONE = "done"
    REFUSED = "refused"
    """The node has understood, and said no."""
    LOST = "lost"
    """Nobody has acked, or no gateway could send."""


@dataclass(frozen=True)
class Verdict:
    """What came of a round."""

    fared: Fared
    reason: str = ""
    over: bool = True
    """Whether there will be no other."""


@dataclass(frozen=True)
class Round:
    """What to say to the node now."""

    order: Order
    sets: tuple[tuple[Key, int], ...]

    @property
    def check(self) -> int:
        """What the commit carries."""
        return self.order.wanted.check

    def all_set(self, outcomes: Sequence[Outcome]) -> bool:
        """Whether the node has acked every `set`, so that a commit makes sense."""
        return all(outcome.fate is Fate.ACKED and _code(outcome) == AckCode.DONE for outcome in outcomes)

    def judge(self, outcomes: Sequence[Outcome], commit: Outcome | None) -> Verdict:
        """Return what came of it.

        Args:
            outcomes: of `sets`, in their order.
            commit: that of the commit; None: there was none, because not all were acked.
        """
        for (key, value), outcome in zip(self.sets, outcomes, strict=True):
            verdict = _verdict(outcome, _said(key, value))
            if verdict.fared is not Fared.DONE:
                return verdict
        assert commit is not None  # noqa: S101 - for the type checker: with all acked there was a commit
        if commit.fate is Fate.ACKED and _code(commit) == AckCode.NOT_COMMITTED:
            names = ", ".join(FIELDS)
            return Verdict(
                Fared.REFUSED, f"its other settings are not what it announced; nothing is changed; name all of {names}"
            )
        return _verdict(commit, "the commit")


@dataclass
class Tuning:
    """What is under way for one node."""

    order: Order | None = None
    """What waits or flies; None: nothing."""
    _rounds: int = 0
    _unsure: Order | None = None
    """Given up without a word of the node, which may have it all the same."""
    _staged: dict[str, float] = field(default_factory=dict)
    """Fields the node may have staged without a commit, and until when."""

    def ask(self, order: Order) -> None:
        """Take an order in place of the one that waits."""
        self.order = order
        self._unsure = None
        self._rounds = 0

    def begin(self, *, at: float) -> Round | None:
        """Return what to say to the node, which listens now; None: nothing waits."""
        if self.order is None:
            return None
        self._rounds += 1
        held = {name for name, until in self._staged.items() if at < until}
        sets = [(each, each.name.lower()) for each in Key if each.name.lower() in self.order.changed | held]
        self._staged = dict.fromkeys((name for _, name in sets), at + STAGED_S)
        return Round(self.order, tuple((key, getattr(self.order.wanted, name)) for key, name in sets))

    def land(self, flown: Round, verdict: Verdict, *, last: bool = False) -> Verdict:
        """Take what came of a round; return it with whether there will be another.

        Args:
            flown: the round.
            verdict: its own.
            last: the node listens always: what does not reach it now is not worth waiting for.
        """
        if self.order is not flown.order:  # the node has announced the check meanwhile: only its ack was lost
            return Verdict(Fared.DONE)
        if verdict.fared is Fared.LOST and not last and self._rounds < ROUNDS:
            return replace(verdict, over=False)
        self.order = None
        self._unsure = flown.order if verdict.fared is Fared.LOST else None
        if verdict.fared is Fared.DONE:
            self._staged.clear()
        return verdict

    def announced(self, *, group: int, node: int, check: int) -> Order | None:
        """Return the order which a node's announcement shows to be done: its commit came, and the ack was lost."""
        done = self.order or self._unsure
        if done is None or (group, node, check) != (done.wanted.group, done.wanted.node, done.wanted.check):
            return None
        self.order = self._unsure = None
        self._staged.clear()
        return done


def _faults(request: Mapping[str, Any]) -> Iterator[str]:
    for name, value in request.items():
        limits: Sequence[int] = tuple(BANDS) if name == "band" else LIMITS[FIELDS[name]]
        if type(value) is not int or value not in limits:
            right = (
                f"a whole number from {limits[0]} to {limits[-1]}"
                if isinstance(limits, range)
                else f"one of {', '.join(map(str, limits))}"
            )
            yield f"{name} is {value!r}; write {right}"


def _base(*, group: int, node: int, check: int | None, committed: Mapping[str, Any]) -> Settings | None:
    """Return the node's present block: the one it was given last or that of the factory, if its check is the node's."""
    candidates = [
        Settings(node=node, group=group, band=band, report_s=300, hold_s=60, offset=1600) for band in _MEGAHERTZ
    ]
    if committed:
        block = {of_block: committed[name] for name, of_block in FIELDS.items()}
        candidates.insert(0, Settings(**{**block, "band": BANDS[committed["band"]]}))
    return next((each for each in candidates if each.check == check), None)


def _verdict(outcome: Outcome, what: str) -> Verdict:
    match outcome.fate:
        case Fate.ACKED if _code(outcome) == AckCode.DONE:
            return Verdict(Fared.DONE)
        case Fate.ACKED:
            known = {one.value: one.name.lower().replace("_", " ") for one in AckCode}
            return Verdict(Fared.REFUSED, f"{what}: the node says {known.get(_code(outcome), _code(outcome))}")
        case Fate.IMPOSSIBLE:
            return Verdict(Fared.REFUSED, f"{what}: {outcome.reason or outcome.fate.value}")
    tries = f" after {outcome.tries} tries" if outcome.tries else ""
    return Verdict(Fared.LOST, f"{what}: {outcome.reason or outcome.fate.value}{tries}")


def _code(outcome: Outcome) -> int:
    """Return what the ack says; an empty one, of a node of others, says nothing but that it came."""
    return outcome.ack[3] if len(outcome.ack) > 3 else AckCode.DONE


def _said(key: Key, value: int) -> str:
    name = next(name for name, of_block in FIELDS.items() if of_block == key.name.lower())
    return f"{name} = {_MEGAHERTZ[value] if key is Key.BAND else value}"
