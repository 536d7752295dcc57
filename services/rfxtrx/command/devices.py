"""`hearthbus devices`: the devices an RFXtrx has heard, and their names.

Reads the retained `rfxtrx/devices/<device>`, and asks the service to change them; knows no stick and no packet.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from hearthbus.cli.arguments import add_json, add_url, parse
from hearthbus.cli.bodies import number, seconds_since, text
from hearthbus.cli.durations import age, iso_utc
from hearthbus.cli.output import cut, table, value_text
from hearthbus.errors import Invalid, NoResponder

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping, Sequence

    from hearthbus.bus import Bus
    from hearthbus.cli.output import Output
    from hearthbus.message import Message

SERVICE: Final = "rfxtrx"
HEAD: Final = ("id", "kind", "name", "last value", "last seen", "battery", "signal", "heard")
RIGHT: Final = frozenset({4, 5, 6, 7})
ALWAYS: Final = 2
"""Columns shown even where they are empty."""
VALUES_WIDTH: Final = 40
"""Characters of the last value; `--json` has all of it."""
_NO_VALUE: Final = frozenset({
    "battery_level", "repeat", "repeats", "max_repeats", "pulse_us", "check_byte", "id_4", "press", "meter_number",
})  # fmt: skip
"""Fields that nobody looks for in a table, nor for those that begin with `_SPARE`."""
_SPARE: Final = "spare"
_UNITS: Final = {
    "celsius": "°C", "setpoint_celsius": "°C", "percent": "%", "hpa": "hPa", "mm": "mm", "mm_per_hour": "mm/h",
    "degrees": "°", "metres_per_second": "m/s", "watts": "W", "watt_hours": "Wh", "volt_amperes": "VA", "amperes": "A",
    "volts": "V", "battery_volts": "V", "hertz": "Hz", "kilograms": "kg", "centimetres": "cm", "kilometres": "km",
}  # fmt: skip
"""Fields whose unit says as much as their name."""
_WORDS: Final = frozenset({"command", "status"})

_LIST: Final = """\
examples:
  hearthbus devices                                            a table of the devices
  hearthbus devices --json | jq 'select(.battery_low) | .name'   those that want a battery, for a program
  hearthbus devices name lighting2.ac.123abcd.5 desk           call a device desk, from now on
  hearthbus devices replace balcony temperature.temp1.2f00     balcony has a new battery, and with it a new id

A device without a name was heard often enough to be no noise; what it says is published once it has a name, here or in
the configuration's [rfxtrx.devices.NAME]."""
_NAME: Final = """\
examples:
  hearthbus devices name lighting2.ac.123abcd.5 desk
  hearthbus devices name lighting2.ac.123abcd.7 hall --kind motion
  hearthbus devices name desk ''                              take the name away

The service keeps the name. Once it is to stay for ever, write it into the configuration."""
_REPLACE: Final = """\
examples:
  hearthbus devices replace balcony temperature.temp1.2f00
  hearthbus devices replace temperature.temp1.2e00 temperature.temp1.2f00

The new device has the name of the old one, which is forgotten; topics and history go on under that name."""


def main(argv: list[str]) -> int:
    """Run the verb.

    Raises:
        HearthbusError: a mistake in `argv`, no broker, or what the service says.
    """
    from hearthbus.cli.session import run

    action = argv[0] if argv else ""
    if action == "name":
        args = _parse(argv[1:], "name", "give a device a name", _NAME, _add_name)
        ask = partial(name, service=args.service, device=args.device, called=args.name, kind=args.kind)
    elif action == "replace":
        args = _parse(argv[1:], "replace", "give the name of one device to another", _REPLACE, _add_replace)
        ask = partial(replace, service=args.service, old=args.old, new=args.new)
    else:
        if action and not action.startswith("-"):
            raise Invalid(f"devices: there is no action {action[:60]!r}; there is name, replace, or none to list them")
        args = _parse(argv, "", "show the devices that were heard, and what they are called", _LIST)
        ask = partial(show, service=args.service)
    return run(ask, url=args.url, json=args.json)


def _parse(words: list[str], action: str, description: str, epilog: str, add: Any = None) -> Namespace:
    def add_arguments(parser: ArgumentParser) -> None:
        if add is not None:
            add(parser)
        parser.add_argument("--service", metavar="NAME", default=SERVICE, help=f"whose; default: {SERVICE}")
        add_json(parser)
        add_url(parser)
        parser.epilog = epilog

    prog = f"hearthbus devices {action}".rstrip()
    return parse(words, prog=prog, description=description, add_arguments=add_arguments)


def _add_name(parser: ArgumentParser) -> None:
    parser.add_argument("device", metavar="ID", help="its id, as `hearthbus devices` shows it, or its name until now")
    parser.add_argument("name", metavar="NAME", help="one part of a topic, of a-z 0-9 _ . -; '' takes its name away")
    parser.add_argument("--kind", metavar="KIND", help="what it is: light, switch, cover, motion, contact, ...")


def _add_replace(parser: ArgumentParser) -> None:
    parser.add_argument("old", metavar="OLD", help="a name, or the id that is heard no more")
    parser.add_argument("new", metavar="NEW", help="the id that is heard instead")


async def name(bus: Bus, output: Output, *, service: str, device: str, called: str, kind: str | None) -> int:
    """Have a device called so."""
    body = {"id": device, "name": called, **({} if kind is None else {"kind": kind})}
    answer = await bus.request(f"{service}/name", body)
    _tell(answer, output, f"{answer.get('device', device)} {f'is {called} now' if called else 'has no name now'}")
    return 0


async def replace(bus: Bus, output: Output, *, service: str, old: str, new: str) -> int:
    """Have a device stand for another."""
    answer = await bus.request(f"{service}/replace", {"old": old, "new": new})
    _tell(answer, output, f"{answer.get('device', new)} is {answer.get('name', old)} now")
    return 0


def _tell(answer: Mapping[str, Any], output: Output, text: str) -> None:
    if output.json:
        output.object(answer)
    else:
        output.line(text)


async def show(bus: Bus, output: Output, *, service: str) -> int:
    """Print the devices; returns the exit code.

    Raises:
        NoResponder: there is no such service, and never was.
    """
    messages = [message for message in await bus.get(f"{service}/devices/+") if message.body]
    presence = next((message.get("status") for message in await bus.get(f"service/{service}")), None)
    if presence is None and not messages:
        raise NoResponder(f"there is no service {service}; `hearthbus status` lists those there are")
    code = report(messages, output, now=time.time_ns())
    if presence != "online":
        output.note(f"{service} is {value_text(presence or 'gone')}: nothing is heard now; this is what it heard")
    return code


def report(messages: Sequence[Message], output: Output, *, now: int) -> int:
    """Print what the retained `messages` tell; `now` in nanoseconds since 1970 UTC. Returns the exit code."""
    messages = sorted((message for message in messages if message.body), key=_order)
    if output.json:
        for message in messages:
            output.object({"id": _id(message), **message.body, "told": iso_utc(message.time)})
    elif messages:
        _print_table(messages, output, now=now)
    else:
        output.note("no device was heard; `hearthbus rfxtrx info` says how the stick is, and what it listens to")
    return 0


def _print_table(messages: Sequence[Message], output: Output, *, now: int) -> None:
    cells = [HEAD, *(_cells(message, now=now) for message in messages)]
    used = [at for at in range(len(HEAD)) if at < ALWAYS or any(row[at] for row in cells[1:])]
    right = frozenset(to for to, at in enumerate(used) if at in RIGHT)
    lines = table([[row[at] for at in used] for row in cells], right=right)
    output.line(output.paint("head", lines[0]))
    for message, line in zip(messages, lines[1:], strict=True):
        colour = "warn" if message.get("battery_low") is True else None if message.get("name") else "faint"
        output.line(line if colour is None else output.paint(colour, line))


def _cells(message: Message, *, now: int) -> tuple[str, ...]:
    signal, heard = number(message, "rssi_dbm"), number(message, "heard")
    seen = seconds_since(message, "last_seen", now=now)
    return (
        _id(message),
        text(message, "kind"),
        text(message, "name"),
        cut(_values(message), VALUES_WIDTH, ascii_only=True),
        "" if seen is None else age(seen),
        _battery(message),
        "" if signal is None else f"{signal:.0f} dBm",
        "" if heard is None else f"{heard:.0f}",
    )


def _values(message: Message) -> str:
    values = message.get("values")
    if not isinstance(values, dict):
        return ""
    told = [_value(key, value) for key, value in values.items() if not (key in _NO_VALUE or key.startswith(_SPARE))]
    return ", ".join(word for word in told if word)


def _value(key: str, value: Any) -> str:
    if key in _UNITS:
        return f"{value_text(value)} {_UNITS[key]}"
    if key in _WORDS or isinstance(value, bool):
        return value_text(value) if key in _WORDS else key if value else ""
    return f"{key}={value_text(value)}"


def _battery(message: Message) -> str:
    """Return how its battery is: most devices tell no more than that it is low, or is not."""
    part = number(message, "battery")
    if message.get("battery_low") is True:
        return "low"
    if part is None:
        return ""
    return "good" if part >= 1 else f"{100 * part:.0f} %"


def _order(message: Message) -> tuple[bool, str, str]:
    called = text(message, "name")
    return not called, called, message.topic


def _id(message: Message) -> str:
    return message.topic.rpartition("/")[2]
