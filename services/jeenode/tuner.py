"""Settings over the air, between bus and node: a request becomes an order, the node's state says what came of it.

What to say to a node and what its acks mean is `tuning`'s affair; roads and the bus come in as functions.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from drivers.rf12 import hearth
from hearthbus import Invalid, Unavailable
from services.jeenode import tuning
from services.jeenode.parcels import SPEAKING, Fate
from services.jeenode.tuning import Fared, Tuning

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Mapping

    from services.jeenode.known import Known
    from services.jeenode.parcels import Outcome
    from services.jeenode.roster import Found, Key, Roster, Say
    from services.jeenode.tuning import Order, Round, Verdict

_LISTENS: Final = (hearth.Announce, hearth.Room, hearth.Temperature)
"""After these a node that sleeps listens for 250 ms; after `Motion` it does not."""


class Tuner:
    """The settings of all nodes.

    Args:
        roster: the nodes.
        gateways: gives group and id of each gateway.
        send: carries a payload to a node; the last argument is whether an ack is wanted.
        say: publishes.
        ticks: seconds on a clock that never jumps.
        log: for what a person may want to know.
    """

    def __init__(
        self,
        roster: Roster,
        *,
        gateways: Callable[[], set[Key]],
        send: Callable[[Key, bytes, bool], Awaitable[Outcome]],
        say: Callable[[Say], Awaitable[None]],
        ticks: Callable[[], float],
        log: logging.Logger,
    ) -> None:
        self._roster = roster
        self._gateways = gateways
        self._send = send
        self._say = say
        self._ticks = ticks
        self._log = log
        self._tunings: defaultdict[Key, Tuning] = defaultdict(Tuning)
        self._locks: defaultdict[Key, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._listening: asyncio.Queue[Key] = asyncio.Queue()

    async def configure(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Take a request; return the settings that are wanted, and whether the node has them or they wait for it.

        Raises:
            Invalid: the request makes no sense, or the node refuses.
            Unavailable: a node that always listens does not ack.
        """
        values = dict(request)
        key = self._roster.find(values.pop("node", None))
        known = self._roster.node(key)
        self._check_ours(known)
        async with self._locks[key]:
            facts = known.facts
            order = tuning.order(
                values, group=key[0], node=key[1], check=facts.get("settings_crc"), committed=facts.get("committed", {})
            )
            target = _target(order)
            taken = "a gateway" if target in self._gateways() else self._roster.owner(target)
            if target != key and taken:
                raise Invalid(f"node {target[1]} of group {target[0]} is {taken} already")
            self._tunings[key].ask(order)
            answer = {"node": known.device.removeprefix("rf12-"), "settings": tuning.shown(order.wanted)}
            warning = _warning(known, order)
            answer |= {"warning": warning} if warning else {}
            if not _listens_always(known):
                await self._tell(known, "pending", "it sleeps until its next report")
                return {**answer, "pending": True}
            verdict = await self._round(key, last=True)
        if verdict.fared is not Fared.DONE:
            kind = Invalid if verdict.fared is Fared.REFUSED else Unavailable
            raise kind(f"{known.device}: {verdict.reason}")
        return {**answer, "pending": False}

    async def heard(self, found: Found) -> None:
        """Take what a node has said: it may listen now, and it may say that it is set."""
        key, packet = found.sender, found.packet
        if key is None:
            return
        if isinstance(packet, hearth.Announce):
            await self._announced(key, packet.settings_crc)
        waits = key in self._tunings and self._tunings[key].order is not None
        if waits and isinstance(packet, _LISTENS) and not self._locks[key].locked():
            self._listening.put_nowait(key)

    async def keep(self) -> None:
        """Speak, for ever, to nodes that listen."""
        async with asyncio.TaskGroup() as group:
            while True:
                key = await self._listening.get()
                group.create_task(self._speak(key), name=f"settings of {key[0]}-{key[1]}")

    async def _speak(self, key: Key) -> None:
        async with self._locks[key]:
            if self._tunings[key].order is not None:
                await self._round(key, last=False)

    async def _round(self, key: Key, *, last: bool) -> Verdict:
        """Say what waits to a node, and have its state tell what came of it."""
        one, known = self._tunings[key], self._roster.node(key)
        flown = one.begin(at=self._ticks())
        assert flown is not None  # noqa: S101 - for the type checker: its callers have looked
        verdict = one.land(flown, await self._fly(key, flown), last=last)
        if verdict.fared is Fared.DONE:
            await self._done(known, flown.order)
        elif verdict.over:
            await self._tell(known, "failed", verdict.reason)
        else:
            await self._tell(known, "pending", f"{verdict.reason}; it is tried again at its next report")
        return verdict

    async def _fly(self, key: Key, flown: Round) -> Verdict:
        """Send all sets at once, for a node listens for a short time only; with all acked, the commit.

        A commit that nobody acks is sent twice: to commit the same again changes nothing, and the node may have.
        """
        known = self._roster.node(key)
        *numbers, first, second = (known.next_number() for _ in range(len(flown.sets) + 2))
        await self._say(self._roster.say(key))  # before they are used: a restart must not use them again
        sets = [
            hearth.Set(sender=SPEAKING, sequence=number, key=which, value=value)
            for number, (which, value) in zip(numbers, flown.sets, strict=True)
        ]
        outcomes = await asyncio.gather(*(self._send(key, each.encode(), True) for each in sets))
        if not flown.all_set(outcomes):
            return flown.judge(outcomes, None)
        for number in (first, second):
            packet = hearth.Commit(sender=SPEAKING, sequence=number, check=flown.check)
            commit = await self._send(key, packet.encode(), True)
            if commit.fate is not Fate.NOT_ACKED:
                break
        return flown.judge(outcomes, commit)

    async def _announced(self, key: Key, check: int) -> None:
        for old, one in list(self._tunings.items()):
            order = one.announced(group=key[0], node=key[1], check=check)
            if order is not None:
                await self._done(self._roster.node(old), order)

    async def _done(self, known: Known, order: Order) -> None:
        """Remember what the node has now, under the id and group it has now."""
        target = _target(order)
        new = self._roster.node(target)
        new.facts.update(committed=tuning.shown(order.wanted), settings_crc=order.wanted.check)
        new.story.trust(order.wanted.report_s)
        if new is not known:
            await self._say(self._roster.say(target))
        await self._tell(known, "done", "" if new is known else f"it is node {target[1]} of group {target[0]} now")

    async def _tell(self, known: Known, how: str, reason: str) -> None:
        if known.facts.get("settings") != how:
            level = self._log.warning if how == "failed" else self._log.info
            level("%s: its settings are %s%s", known.device, how, f": {reason}" if reason else "")
        known.facts.update(settings=how, settings_reason=reason or None)
        await self._say(self._roster.say((known.group, known.node)))

    @staticmethod
    def _check_ours(known: Known) -> None:
        profile = "hearth" if known.settings is None else known.settings.profile
        if profile != "hearth":
            raise Invalid(f"{known.device} is no node of ours (profile {profile}): it takes no settings over the air")
        if known.facts.get("kind") == "gateway":
            raise Invalid(f"{known.device} is a gateway: it is set on its serial port")


def _target(order: Order) -> Key:
    return order.wanted.group, order.wanted.node


def _listens_always(known: Known) -> bool:
    return known.facts.get("kind") == "led" or (known.settings is not None and known.settings.is_light)


def _warning(known: Known, order: Order) -> str:
    """Return what else must be changed, so that the node is heard and known by its name; may be empty."""
    wanted, texts = order.wanted, []
    if (known.group, known.node) != _target(order):
        group = f", group = {wanted.group}" if wanted.group != known.group else ""
        texts.append(f"write id = {wanted.node}{group} in [jeenode.nodes.{known.name or 'NAME'}]")
    if wanted.group != known.group:
        texts.append(f"a gateway must be of group {wanted.group}, or nobody hears it")
    if order.changed & {"band", "offset"}:
        shown = tuning.shown(wanted)
        texts.append(f"a gateway must be at {shown['band']} MHz, offset {shown['offset']}, or nobody hears it")
    return "; ".join(texts)
