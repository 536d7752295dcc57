"""Who is meant: targets and groups by name, e-mail addresses, and the old `action` with its `targets`. Pure."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from services.notify.note import MOST_TARGETS
from services.notify.settings import address_fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.notify.settings import Target

SEND: Final = "send"
"""`notify/send` is the topic where the body says who is meant; no target has this name."""
_PUSH: Final = ("push", "prowl", "ios")


@dataclass(frozen=True)
class Recipient:
    """One to deliver to.

    Args:
        label: what the answer calls it: a target's name, or an address.
        target: whose lane it takes.
        address: an e-mail address, where it is not the target's own.
    """

    label: str
    target: str
    address: str | None = None


@dataclass(frozen=True)
class Whom:
    """The names of a house.

    Args:
        targets: its targets, in the order of its file.
        groups: its groups and their members.
    """

    targets: Mapping[str, Target]
    groups: Mapping[str, tuple[str, ...]]

    def named(self, name: str) -> list[Recipient]:
        """Return who a target or group is.

        Raises:
            ValueError: there is none of that name.
        """
        if name not in self.targets and name not in self.groups:
            known = [*self.targets, *self.groups]
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known) or 'none at all'}"
            raise ValueError(f"no target {name[:80]!r}; {hint}")
        return [Recipient(member, member) for member in self.groups.get(name, (name,))]

    def asked(self, body: Mapping[str, Any]) -> list[Recipient]:
        """Return who the body of a request to `notify/send` means.

        Args:
            body: `action`, one of push, prowl, ios, where anything else and nothing is e-mail; and `targets`, a name
                or address or a list of them: without, all of the action's.

        Raises:
            ValueError: nobody, or somebody who is not known.
        """
        push = body.get("action") in _PUSH
        given = body.get("targets") or self._default(body.get("action"))
        names = [given] if isinstance(given, str) else given
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError(f"targets is {str(given)[:40]!r}; write a name or a list of names")
        found: dict[str, Recipient] = {}
        for name in names:
            for recipient in [self._address(name)] if "@" in name and not push else self.named(name):
                found.setdefault(recipient.label, recipient)
        if len(found) > MOST_TARGETS:
            raise ValueError(f"targets names {len(found)}; a request reaches at most {MOST_TARGETS}")
        return list(found.values())

    def _default(self, action: object) -> list[str]:
        """Everybody an action reaches: e-mail the first target of that kind, push all others."""
        kinds = {name: target.kind for name, target in self.targets.items()}
        if action not in _PUSH:
            found = [name for name, kind in kinds.items() if kind == "email"][:1]
            missing = 'no target of kind = "email"'
        else:
            prowl = [name for name, kind in kinds.items() if kind == "prowl"]
            others = [name for name, kind in kinds.items() if kind != "email"]
            found = prowl if prowl and action != "push" else others
            missing = 'no target of a kind other than "email"'
        if not found:
            raise ValueError(f"there is {missing}; a table [notify.targets.NAME] makes one")
        return found

    def _address(self, address: str) -> Recipient:
        fault = address_fault(address)
        if fault:
            raise ValueError(f"targets: {fault}")
        return Recipient(address, self._default("email")[0], address)
