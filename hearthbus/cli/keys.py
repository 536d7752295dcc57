"""`hearthbus keys`: make, list and revoke the keys with which other machines come to the broker of this one.

Prints what is to be written where; changes the folder of keys and no configuration.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from hearthbus.errors import HearthbusError, Invalid

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping

    from hearthbus.cli.key_folder import KeyFolder
    from hearthbus.cli.key_texts import Setting
    from hearthbus.errors import Refused
    from hearthbus.message import Message

BROKER_S: Final = 1.0
"""Seconds a broker may take to answer; without one the list is the same, but for the remarks."""
USER: Final = "hearthbus"
"""The user as whom an installed broker runs."""

EXAMPLES: Final = """\
examples:
  hearthbus keys init              once, on the broker's machine: its own key
  hearthbus keys new kitchen       a key for another machine; says what to carry there and what to write
  hearthbus keys new laptop --all  the same for a machine that may do everything
  hearthbus keys list              who is let in, what each may do, who was revoked
  hearthbus keys revoke kitchen    its connections end within a second

The folder is --keys, else [broker] keys, else /etc/hearthbus/keys, else keys beside the configuration.
Exit codes: 0 done, 64 a mistake in what you typed or a folder open to others, 69 it cannot be written."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("action", metavar="ACTION", help="init, new, list or revoke")
    parser.add_argument("name", metavar="NAME", nargs="?", help="whose key: a machine, most often")
    parser.add_argument("--all", action="store_true", help="with new: print a table that allows everything")
    parser.add_argument("--keys", metavar="FOLDER", help="the folder of keys")
    parser.add_argument("--config", metavar="FILE", help="the broker's configuration; default as for `hearthbus up`")
    parser.epilog = EXAMPLES


def main(args: Namespace) -> int:
    """Run the verb."""
    from hearthbus.cli.key_folder import KeyFolder
    from hearthbus.cli.key_texts import read_setting
    from hearthbus.cli.spelling import nearest

    actions: Mapping[str, Callable[[Namespace, KeyFolder, Setting], list[str]]] = {
        "init": _init, "new": _new, "list": _list, "revoke": _revoke,
    }  # fmt: skip
    if args.action not in actions:
        near = nearest(args.action, actions)
        hint = f"did you mean {near}?" if near else f"there is {', '.join(actions)}"
        raise Invalid(f"keys: there is no action {args.action!r}; {hint}")
    if (args.name is None) == (args.action in {"new", "revoke"}):
        raise Invalid(f"keys {args.action}: " + ("whose? add a NAME" if args.name is None else f"{args.name}: no name"))
    setting = read_setting(args.config, args.keys)
    for line in actions[args.action](args, KeyFolder(setting.folder), setting):
        print(line)  # noqa: T201 - what was asked for
    return 0


def _init(_args: Namespace, keys: KeyFolder, setting: Setting) -> list[str]:
    from hearthbus.cli.key_texts import after_init

    return after_init(setting, new=keys.init(owner=_owner()), name=keys.broker().name)


def _new(args: Namespace, keys: KeyFolder, setting: Setting) -> list[str]:
    from hearthbus.cli.key_texts import after_new

    before = args.name in keys.revoked()
    return after_new(setting, args.name, file=str(keys.add(args.name)), everything=args.all, before=before)


def _list(_args: Namespace, keys: KeyFolder, setting: Setting) -> list[str]:
    from hearthbus.cli.key_texts import listing

    carried = {name: keys.carried(name) for name in keys.allowed()}
    heard = _heard(setting, list(carried)) if carried else {}
    return listing(setting, carried=carried, revoked=keys.revoked(), heard=heard)


def _revoke(args: Namespace, keys: KeyFolder, _setting: Setting) -> list[str]:
    keys.revoke(args.name)
    return [
        f"{args.name} is let in no more; a running broker ends its connections within a second.",
        f"Its file is worthless now. `hearthbus keys new {args.name}` makes it a fresh one.",
    ]


def _heard(setting: Setting, names: list[str]) -> dict[str, list[str]]:
    """Ask the broker, if it runs, which services of each key are online, and how often it was refused something."""
    import asyncio

    from hearthbus.bus import Bus
    from hearthbus.cli.granted import granted
    from hearthbus.cli.key_texts import heard_of
    from hearthbus.cli.main import complain
    from hearthbus.config.tables import broker_url
    from hearthbus.running.probe import answers

    url = broker_url(setting.address or None)
    if not answers(url):
        return {}

    async def ask() -> tuple[list[Message], dict[str, Refused]]:
        async with Bus(url, key="", connect_timeout=BROKER_S) as bus:
            return await granted(bus, ("service/+", "broker/stats"))

    try:
        messages, refused = asyncio.run(ask())
    except HearthbusError:
        return {}
    for why in refused.values():
        complain(f"remarks are missing: {why}")
    told = {message.topic: message for message in messages}
    online = [topic.partition("/")[2] for topic, message in told.items() if message.get("status") == "online"]
    counts = told["broker/stats"].get("refused_by") if "broker/stats" in told else None
    return {name: heard_of(setting, name, online, counts if isinstance(counts, dict) else {}) for name in names}


def _owner() -> tuple[int, int] | None:
    """Return who is to own a folder that root makes: the user of an installed broker, where there is one."""
    if os.geteuid() != 0:
        return None
    import pwd

    try:
        user = pwd.getpwnam(USER)
    except KeyError:
        return None
    return user.pw_uid, user.pw_gid
