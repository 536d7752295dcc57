"""A powerconfig.json, as the power control of 2013 had it, as our own configuration: a text to lines, no files.

    {"switches": {"0x00abcdef/1": "desk"}, "receivers": {"lamp": "0x00123456/2"},
     "triggerconfig": {"desk": {"on": [{"location": "lamp", "command": "on"}], "off": [...]}}}

A switch becomes a remote, a receiver a switch of the service `rfxtrx`, a trigger a rule of the service `trigger`. What
cannot be said the same way is a comment for a person to look at.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final

from hearthbus.errors import Invalid
from services.importing import plain, quote, slug, unique
from services.rfxtrx import naming

KEYS: Final = ("switches", "receivers", "triggerconfig")
COMMANDS: Final = {"on": "true", "off": "false"}
_ID: Final = re.compile(r"(?:0x)?([0-9a-f]{1,8})/(\d{1,3})", re.IGNORECASE)
_HOUSES: Final = range(0x41, 0x51)
"""Letters A to P, the first byte of an old id of lighting1: the second is its unit."""
_SHOWN: Final = 60


def convert(text: str, *, name: str) -> tuple[list[str], int]:
    """Return the lines of a configuration, and how many places of it a person should look at.

    Raises:
        Invalid: it is no JSON, or has none of a powerconfig.json's keys.
    """
    twice: list[str] = []

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        twice.extend(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        return dict(pairs)

    try:
        found = json.loads(text.lstrip("\ufeff"), object_pairs_hook=table)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"import: {name} is no JSON: {error}") from None
    if not isinstance(found, dict) or not found.keys() & set(KEYS):
        raise Invalid(f"import: {name} is no powerconfig.json: it has none of {', '.join(KEYS)}")
    work = _Import()
    work.looks += [f"{_show(key)} stands there twice in one table; the last one holds" for key in twice]
    work.looks += [f"{_show(key)}: nobody knows what that is; left out" for key in found if key not in KEYS]
    work.receivers(_pairs(found, "receivers", work.looks))
    work.switches(_pairs(found, "switches", work.looks))
    work.triggers(_pairs(found, "triggerconfig", work.looks))
    head = [f"# Switches, receivers and triggers from {plain(Path(name).name)}; add them to hearthbus.toml."]
    if work.devices:
        head.append("# [rfxtrx] needs its port, such as /dev/serial/by-id/usb-RFXCOM_...: see docs/rfxtrx.md.")
    looks = [f"# LOOK {plain(text)}" for text in work.looks]
    return [*head, *looks, *work.devices, *work.rules], len(looks)


def _pairs(found: dict[str, Any], key: str, looks: list[str]) -> dict[str, Any]:
    part = found.get(key, {})
    if isinstance(part, dict):
        return part
    looks.append(f"{key}: {_show(part)} is no table of names; left out")
    return {}


class _Import:
    """One file on its way: what is written so far, and what is to be looked at."""

    def __init__(self) -> None:
        self.looks: list[str] = []
        self.devices: list[str] = []
        self.rules: list[str] = []
        self._names: Counter[str] = Counter()
        self._rule_names: Counter[str] = Counter()
        self._keys: dict[str, str] = {}
        """The device of each key: the name of its table."""
        self._sent: dict[str, str] = {}
        """The table of each receiver's old name."""
        self._heard: dict[str, list[tuple[str, str]]] = {}
        """By a switch's old name, the topics it is heard on, and the key of their bodies that says what was done."""

    def receivers(self, pairs: dict[str, Any]) -> None:
        """Take over what is switched."""
        for old, text in pairs.items():
            address = self._address(f"receiver {_show(old)}", text)
            if address is None:
                continue
            if address in self._keys:
                self.looks.append(f"receiver {_show(old)} is {self._keys[address]} too; the first one holds")
                self._sent[old] = self._keys[address]
                continue
            table = unique(slug(old, "receiver"), self._names)
            self._sent[old] = self._keys[address] = table
            self._device(table, address, "switch")

    def switches(self, pairs: dict[str, Any]) -> None:
        """Take over what is heard; one that is a receiver too is heard as that one's state."""
        for text, old in pairs.items():
            if not isinstance(old, str):
                self.looks.append(f"switch {_show(text)}: {_show(old)} is no name; left out")
                continue
            address = self._address(f"switch {_show(old)}", text)
            if address is None:
                continue
            if address in self._keys:
                table = self._keys[address]
                self.looks.append(f"switch {_show(old)} has the id of the receiver {table}: it is heard as its state")
                self._heard.setdefault(old, []).append((f"switch/{table}", "on"))
                continue
            wanted = slug(old, "switch")
            table = unique(f"{wanted}-remote" if wanted in self._sent.values() else wanted, self._names)
            self._keys[address] = table
            self._heard.setdefault(old, []).append((f"remote/{table}", "button"))
            self._device(table, address, "remote")

    def triggers(self, pairs: dict[str, Any]) -> None:
        """Take over what happens when a switch is pressed."""
        for old, states in pairs.items():
            if old not in self._heard:
                self.looks.append(f"trigger {_show(old)}: there is no such switch; left out")
                continue
            for pressed, actions in states.items() if isinstance(states, dict) else [("", states)]:
                if pressed not in COMMANDS or not isinstance(actions, list):
                    self.looks.append(f"trigger {_show(old)}: {_show(pressed)} is no list for on or off; left out")
                    continue
                for action in actions:
                    self._rule(old, pressed, action)

    def _rule(self, old: str, pressed: str, action: object) -> None:
        fields = action if isinstance(action, dict) else {}
        location, command = fields.get("location"), fields.get("command")
        if not isinstance(location, str) or not isinstance(command, str) or not location:
            self.looks.append(
                f"trigger {_show(old)} {pressed}: {_show(action)} names no location and command; left out"
            )
            return
        body = COMMANDS.get(command.lower())
        place = self._sent.get(location)
        if body is None or place is None:
            why = "is no receiver of this file" if place is None else f"is told {_show(command)}, neither on nor off"
            self.looks.append(f"trigger {_show(old)} {pressed}: {_show(location)} {why}; who serves it now?")
            return
        for topic, key in self._heard[old]:
            if topic == f"switch/{place}":
                self.looks.append(f"trigger {_show(old)} {pressed}: {place} would switch itself; left out")
                continue
            rule = unique(f"{topic.partition('/')[2]}-{pressed}-{place}", self._rule_names)
            said = quote(pressed) if key == "button" else COMMANDS[pressed]
            self.rules += [
                "",
                f"[trigger.rules.{rule}]",
                f"topic = {quote(topic)}",
                f"when = {{ {key} = {said} }}",
                f"request = {quote(f'switch/{place}/set')}",
                f"body = {{ on = {body} }}",
            ]

    def _device(self, table: str, address: str, kind: str) -> None:
        self.devices += ["", f"[rfxtrx.devices.{table}]", f"id = {quote(address)}", f"kind = {quote(kind)}"]

    def _address(self, what: str, text: object) -> str | None:
        """Return a device's key; None, and a word about it, where an id is none."""
        found = _ID.fullmatch(text.strip()) if isinstance(text, str) else None
        if found is None:
            self.looks.append(f"{what}: {_show(text)} is no 0xid/unit; left out")
            return None
        number, unit = int(found[1], 16), int(found[2])
        house, low = number >> 8, number & 0xFF
        if house in _HOUSES and len(found[1].lstrip("0")) <= 4 and low == unit:
            self.looks.append(f"{what}: {_show(text)} is of an X10 or code switch; if not X10's, mend lighting1.x10")
            key = f"lighting1.x10.{chr(house).lower()}.{unit}"
        else:
            key = f"lighting2.ac.{number:x}.{unit}"
        try:
            address = naming.read(key)
            naming.make(address, {"command": "on"})
        except Invalid as error:
            self.looks.append(f"{what}: {error}; left out")
            return None
        return address.key


def _show(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
