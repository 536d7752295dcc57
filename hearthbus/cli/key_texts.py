"""What `hearthbus keys` prints: the lines for the other machine, those for this one, and the list of keys.

Reads of the configuration what concerns keys, however much else of it is wrong: the command is needed to mend it.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hearthbus.bus import DEFAULT_URL
from hearthbus.cli.output import table
from hearthbus.config import INSTALLED
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

VERBS: Final = ("publish", "subscribe", "serve", "call", "names")
RELOAD: Final = "Change it as you like, then let the broker read it: systemctl reload hearthbus-broker"
SHOWN: Final = 3
"""Patterns of one kind in the list; the rest is counted."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the configuration says of keys, and what it leaves out."""

    file: str
    """The configuration that is to say it."""
    folder: str
    """The folder of keys."""
    address: str = ""
    network: str = ""
    keys: str = ""
    access: Mapping[str, Any] = field(default_factory=dict)


def read_setting(config: str | None, folder: str | None) -> Setting:
    """Read what `[broker]` says of keys; `folder` is what --keys says.

    Raises:
        Invalid: the configuration is no TOML.
    """
    from hearthbus.config import find_file
    from hearthbus.config.files import read_tables
    from hearthbus.config.tables import beside

    try:
        file, example = (config, False) if config else find_file()
    except Invalid:
        file, example = "", True
    said: dict[str, Any] = {}
    keys = ""
    if not example:
        tables, _, problems = read_tables(file)
        if problems and not tables:
            raise Invalid(f"{problems[0]}; mend it first")
        if "broker" in tables:
            said = {key: value for key, value in tables["broker"].values.items() if isinstance(value, str | dict)}
            keys = beside(str(said["keys"]), tables["broker"].source.folder) if said.get("keys") else ""
    file = f"{_home()}/hearthbus.toml" if example else os.path.abspath(file)  # noqa: PTH100 - it is text from here on
    return Setting(
        file=file,
        folder=os.path.abspath(folder or keys or _default_folder(file)),  # noqa: PTH100 - as above
        address=str(said.get("address", "")),
        network=str(said.get("network", "")),
        keys=keys,
        access=said["access"] if isinstance(said.get("access"), dict) else {},
    )


def after_init(setting: Setting, *, new: bool, name: str) -> list[str]:
    """What to do once the folder is there."""
    lines = [f"The {name} has {'a' if new else 'its'} key, in {setting.folder}."]
    missing = _missing(setting)
    if missing:
        lines += ["", f"Write in {setting.file}, then restart the broker:", "", *missing]
    return [*lines, "", "Next, a key for another machine: hearthbus keys new NAME"]


def after_new(setting: Setting, name: str, *, file: str, everything: bool, before: bool) -> list[str]:
    """What is to be carried and written, and where."""
    sudo = "sudo " if os.geteuid() == 0 else ""
    old = " The one it had stays revoked." if before else ""
    lines = [
        f"{name} is let in from now on, by this file; carry it there, then remove it here.{old}",
        "",
        f"  {file}",
        "",
        "For example so:",
        "",
        f"  {sudo}cat {file} | ssh {name} 'umask 077; cat > {name}.key'",
        f"  {sudo}rm {file}",
        "",
        "There, in the hearthbus.toml beside it:",
        "",
        "[bus]",
        f'url = "tcp://{socket.gethostname()}:{_port(setting)}"{_by_number(_port(setting))}',
        f'key = "{name}.key"',
    ]
    if name in setting.access:
        lines += ["", f"What it may do is said in [broker.access.{name}]: {_in_short(setting.access[name])}."]
    else:
        lines += ["", f"Here, in {setting.file}: what {name} may do, and nothing else.", RELOAD]
        lines += ["", *_snippet(name, everything=everything)]
    missing = _missing(setting)
    return [
        *lines,
        *(["", "The broker does not listen to other machines yet; it needs:", "", *missing] if missing else []),
    ]


def listing(
    setting: Setting, *, carried: Mapping[str, bool], revoked: list[str], heard: Mapping[str, list[str]]
) -> list[str]:
    """The keys as a table: who is let in, and who was; `heard` is what a running broker has to say of each."""
    if not carried and not revoked:
        return ["no keys but the broker's own; `hearthbus keys new NAME` makes one"]
    rows = [("name", "state", "may", "remarks")]
    for name, away in carried.items():
        remarks = [*heard.get(name, ()), *([] if away else [f"its file is here still: {setting.folder}/{name}.key"])]
        granted = f"nothing: there is no [broker.access.{name}]"
        rows.append(
            (
                name,
                "allowed",
                _in_short(setting.access[name]) if name in setting.access else granted,
                "; ".join(remarks),
            )
        )
    rows += [(name, "revoked", "", "") for name in revoked]
    unknown = sorted({*setting.access} - {*carried, *revoked, "local"})
    rows += [(name, "no key", _in_short(setting.access[name]), "a table, and no key of that name") for name in unknown]
    return table(rows)


def heard_of(setting: Setting, name: str, online: list[str], refused: Mapping[str, Any]) -> list[str]:
    """What the services that are `online`, and the counts of what was `refused`, say of one key."""
    grant = setting.access.get(name)
    named = grant.get("names") if isinstance(grant, dict) else None
    own = [each for each in online if each == name or each.startswith(f"{name}.") or each in (named or ())]
    count = refused.get(name)
    return [
        *([f"online: {', '.join(own)}"] if own else []),
        *([f"refused {count} times" if count != 1 else "refused once"] if count else []),
    ]


def _snippet(name: str, *, everything: bool) -> list[str]:
    allowed = {verb: ["#"] for verb in VERBS[:-1]}
    if not everything:
        allowed = {
            "publish": [f"sensor/{name}/#"],
            "subscribe": [f"sensor/{name}/#", "sun/#"],
            "serve": [f"light/{name}/set"],
            "call": ["notify/+"],
        }
    lines = [f"{verb} = {json.dumps(patterns)}" for verb, patterns in allowed.items()]
    note = f"# services that run there, but for {name} itself and {name}.ANYTHING"
    return [f"[broker.access.{name}]", *lines, f"names = []  {note}"]


def _missing(setting: Setting) -> list[str]:
    """The lines that `[broker]` lacks for other machines to come in."""
    lines = []
    if not setting.network:
        lines.append(f'network = "tcp://0.0.0.0:{_port(setting)}"')
    if not setting.keys:
        lines.append(f'keys = "{setting.folder}"')
    return ["[broker]", *lines] if lines else []


def _port(setting: Setting) -> int:
    """The port of `network`, or a free one for it to have: not that of `address` and not next to it."""
    said = setting.network.rpartition(":")[2]
    if said.isdigit():
        return int(said)
    scheme, _, local = (setting.address or DEFAULT_URL).rpartition(":")
    return int(local) + 10 if scheme.startswith("tcp://") and local.isdigit() else 7600


def _in_short(grant: Any) -> str:
    if not isinstance(grant, dict):
        return "nothing"
    parts = []
    for verb in VERBS:
        patterns = grant.get(verb)
        if isinstance(patterns, list) and patterns:
            more = f" and {len(patterns) - SHOWN} more" if len(patterns) > SHOWN else ""
            parts.append(f"{'be' if verb == 'names' else verb} {', '.join(map(str, patterns[:SHOWN]))}{more}")
    return "; ".join(parts) or "nothing"


def _by_number(port: int) -> str:
    """A comment with this machine's number in the network, where it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: nobody's; connecting a datagram socket sends nothing
            own = str(probe.getsockname()[0])
        except OSError:
            return ""
    return f"  # if that name is not found: tcp://{own}:{port}"


def _home() -> str:
    if os.path.isdir(INSTALLED):  # noqa: PTH112 - as above
        return INSTALLED
    return f"{os.environ.get('XDG_CONFIG_HOME') or os.path.expanduser('~/.config')}/hearthbus"  # noqa: PTH111 - as above


def _default_folder(file: str) -> str:
    installed = f"{INSTALLED}/keys"
    if os.path.isdir(installed) or os.access(INSTALLED, os.W_OK):  # noqa: PTH112 - as above
        return installed
    return f"{os.path.dirname(file)}/keys"  # noqa: PTH120 - as above
