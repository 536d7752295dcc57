"""Are the keys private, is each one let in somewhere, and is each name in the access table somebody's?"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hearthbus.doctor.finding import bad, ok, warn
from hearthbus.errors import Invalid
from hearthbus.keys import ALLOWED, BROKER, check_folder, read_allowed, read_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hearthbus.doctor.finding import Finding
    from hearthbus.doctor.scene import Scene

LOCAL = "local"
"""The access table of this machine's own clients, which have no key."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The keys of this machine; no secret is among them."""

    joins: str = ""
    """Address of the broker, where it is not this house's own."""
    network: str = ""
    folder: str = ""
    hidden: bool = False
    """The folder of keys is another user's, as it should be."""
    faults: tuple[str, ...] = ()
    missing: bool = False
    """There is no key of the broker's own."""
    owner: str = ""
    """Whose the folder is."""
    foreign: tuple[str, ...] = ()
    """Files in it that are not his, so that the broker cannot read them."""
    allowed: tuple[str, ...] = ()
    """Names that are let in."""
    granted: tuple[str, ...] = ()
    """Names with an access table."""
    key: str = ""
    """File of the key this machine shows to a broker."""
    name: str = ""
    fault: str = ""
    matches: bool = True
    """That key was made for the broker whose key is in the folder."""
    let_in: bool = True
    """That key is among those let in."""


def gather(scene: Scene) -> Facts:
    """Read public keys and modes; keep nothing secret."""
    table = scene.tables.get("broker", {})
    access = table.get("access")
    given = table.get("keys")
    folder = os.path.join(scene.folder, os.path.expanduser(given)) if isinstance(given, str) and given else ""  # noqa: PTH111, PTH118 - as written
    faults: list[str] = []
    allowed: dict[str, str] = {}
    own = ""
    hidden = bool(folder) and os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK)  # noqa: PTH112 - as above
    missing = not hidden and os.path.isdir(folder) and not Path(folder, f"{BROKER}.key").exists()  # noqa: PTH112 - as above
    owner, foreign = _strangers(folder) if folder and not hidden else ("", ())
    if folder and not hidden and not missing:
        try:
            own = read_key(os.path.join(check_folder(folder), f"{BROKER}.key")).public  # noqa: PTH118 - as above
        except Invalid as error:
            faults.append(str(error))
    if folder and not hidden:
        try:
            allowed = read_allowed(folder)
        except Invalid as error:
            faults += [str(error)] if str(error) not in faults else []
    name, fault, matches, let_in = "", "", True, True
    if scene.key:
        try:
            key = read_key(scene.key)
            name, matches = key.name, not own or key.broker == own
            let_in = not own or not matches or key.public in allowed
        except Invalid as error:
            fault = str(error)
    return Facts(
        joins=scene.url if scene.joins else "",
        network=str(table.get("network", "")),
        folder=folder,
        hidden=hidden,
        faults=tuple(faults),
        missing=missing,
        owner=owner,
        foreign=foreign,
        allowed=tuple(sorted(allowed.values())),
        granted=tuple(sorted(access)) if isinstance(access, dict) else (),
        key=scene.key,
        name=name,
        fault=fault,
        matches=matches,
        let_in=let_in,
    )


def _strangers(folder: str) -> tuple[str, tuple[str, ...]]:
    """Return whose the folder is, and which keys the broker needs of it are another's."""
    root, allowed = Path(folder), Path(folder, ALLOWED)
    try:
        owner = root.stat().st_uid
        files = (root / f"{BROKER}.key", allowed, *allowed.glob("*.pub"))
        found = tuple(str(file) for file in files if file.exists() and file.stat().st_uid != owner)
        return root.owner(), found
    except (OSError, KeyError):  # what cannot be read is one of the faults
        return "", ()


def judge(facts: Facts) -> Iterator[Finding]:
    """Say what is open that should be shut, and shut that should be open."""
    for fault in facts.faults:
        yield bad(fault, "do what it says; the broker takes no key that others can read")
    if facts.missing:
        yield bad(
            f"{facts.folder} has no {BROKER}.key: the broker does not start without",
            "take it out of a backup: hearthbus restore; or make another, and each machine's key anew: sudo hearthbus "
            "keys init",
        )
    for path in facts.foreign:
        yield bad(
            f"{path} is not {facts.owner}'s, as its folder is: the broker cannot read it",
            f"sudo chown {facts.owner} {path}",
        )
    if facts.fault:
        yield bad(
            facts.fault,
            "do what it says, or make a new one on the broker's machine and carry it over: hearthbus keys new NAME",
        )
    if not facts.matches:
        yield bad(
            f"{facts.key} was made for another broker", "make a new one: hearthbus keys new NAME, and carry it over"
        )
    if not facts.let_in:
        yield bad(
            f"the key {facts.name} is not among those let in", "hearthbus keys list shows them; it may be revoked"
        )
    yield from _of_the_broker(facts)
    if facts.key and facts.name:
        yield ok(f"this machine shows the key {facts.name}")
    elif facts.joins and not facts.fault:
        yield ok(f"this machine shows no key to the broker at {facts.joins}")
    elif not facts.folder and not facts.key:
        yield ok("no keys are used: the broker is for this machine alone")


def _of_the_broker(facts: Facts) -> Iterator[Finding]:
    """Compare those let in with those who may do something."""
    if facts.hidden:
        yield ok(f"{facts.folder} is shut to who asks, as it should be; sudo hearthbus doctor looks inside")
    elif facts.folder:
        for name in facts.allowed:
            if name not in facts.granted:
                yield warn(
                    f"the key {name} is let in and may do nothing",
                    f"write a table [broker.access.{name}], or: hearthbus keys revoke {name}",
                )
        for name in facts.granted:
            if name not in facts.allowed and name != LOCAL and not facts.faults:
                yield warn(f"[broker.access.{name}] is nobody's", f"hearthbus keys new {name}, or remove the table")
        yield ok(
            f"{len(facts.allowed)} keys are let in"
            + (f", at {facts.network}" if facts.network else ", and [broker] network is not set")
        )
