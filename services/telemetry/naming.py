"""What the numbers in a record are called: templates, and the parts of a topic they are filled with.

    sensor/hall/temperature        {kind} sensor  {place} hall     {quantity} temperature  {field} value
    host/pi/disk/root              {kind} host    {place} pi.disk  {quantity} root         {field} used, free, ...
    light/desk                     {kind} light   {place} desk     {quantity} on, ...      {field} value

`{topic}` is the whole topic, `{device}` and `{unit}` are what the message says, empty where it says nothing. A record
with a `value` gives that one number; any other gives each number and bool of its body's first level. Texts, lists,
maps, null, NaN and infinities give nothing.

Pure. Which characters a name may have is each sink's own rule, and comes in as a function.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from hearthbus.errors import Invalid
from services.telemetry.units import converter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from services.telemetry.records import Record

_Name = TypeVar("_Name")
VALUE: Final = "value"
MAX_NAMES: Final = 50_000
"""Names remembered; when a house makes up more, all are forgotten and made anew."""
_RATIOS: Final = frozenset({"battery", "brightness", "open_ratio", "power_factor"})
"""Quantities that are a share and say so by having no unit."""
_BRACES: Final = re.compile(r"\{([^{}]*)\}|[{}]")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a template may speak of. `unit` is that of the number that is sent, after its conversion."""

    topic: str
    kind: str
    place: str
    quantity: str
    field: str
    device: str
    unit: str


PLACEHOLDERS: Final = tuple(Parts.__slots__)


def parts_of(topic: str, *, field: str = VALUE, device: str = "", unit: str = "") -> Parts:
    """Take a topic apart. `field` is the body's key the number stands under."""
    kind, *rest = topic.split("/")
    if len(rest) < 2:
        return Parts(topic, kind, "".join(rest), field, VALUE, device, unit)
    return Parts(topic, kind, ".".join(rest[:-1]), rest[-1], field, device, unit)


def untold(parts: Parts, placeholders: frozenset[str]) -> str:
    """Return the key of one of several numbers in a message, where templates with `placeholders` do not tell it.

    Empty for the `value` of a message, and for what is told. The numbers of one message shall never be mixed.
    """
    if parts.field != VALUE:
        return "" if "field" in placeholders else parts.field
    if parts.topic.count("/") > 1 or parts.quantity == VALUE:
        return ""
    return "" if "quantity" in placeholders else parts.quantity


class Template:
    """A text with placeholders, checked when it is made.

    Args:
        text: for example `{kind}.{place}.{quantity}`.
        key: what the configuration calls it, for the error.

    Raises:
        Invalid: an unknown placeholder, with the nearest that is known; a brace without its partner; no text at all.
    """

    __slots__ = ("_pieces", "text")

    def __init__(self, text: str, *, key: str = "template") -> None:
        self.text = text
        pieces: list[tuple[str, str]] = []
        at = 0
        for found in _BRACES.finditer(text):
            pieces.append((text[at : found.start()], _placeholder(found[1], text, key)))
            at = found.end()
        if not text:
            raise Invalid(f"{key} is empty; write for example {{kind}}.{{place}}.{{quantity}}")
        self._pieces = (*pieces, (text[at:], ""))

    @property
    def placeholders(self) -> frozenset[str]:
        """The parts it speaks of."""
        return frozenset(name for _, name in self._pieces if name)

    @property
    def literals(self) -> str:
        """Its own text, without the placeholders."""
        return "".join(text for text, _ in self._pieces)

    def fill(self, parts: Parts, clean: Callable[[str], str] = str) -> str:
        """Put the parts in, each as `clean` returns it; the template's own text stays as it is."""
        return "".join(text + (clean(getattr(parts, name)) if name else "") for text, name in self._pieces)


class Names(Generic[_Name]):
    """The numbers of records under their names, each name made once.

    Args:
        make: what a sink calls a series: a text, a line's beginning, anything; None: a series it does not take.
        units: by the unit that is published, the unit that is sent.

    Raises:
        Invalid: a conversion nobody knows.
    """

    def __init__(self, make: Callable[[Parts], _Name | None], *, units: Mapping[str, str] | None = None) -> None:
        self._make = make
        self._ways = {source: (target, converter(source, target)) for source, target in (units or {}).items()}
        self._known: dict[tuple[str, str, str, str], tuple[_Name | None, Callable[[float], float] | None]] = {}

    def samples(self, record: Record) -> list[tuple[_Name, float | bool]]:
        """Return what is sent of `record`: each number under its name, bools as they are, the rest converted."""
        topic, body, known = record.topic, record.body, self._known
        unit, device = _text(body.get("unit")), _text(body.get("device"))
        found: list[tuple[_Name, float | bool]] = []
        for field in (VALUE,) if VALUE in body else body:
            value = body[field]
            kind = type(value)
            if (kind is not float or value - value) and kind is not int and kind is not bool:
                continue
            key = (topic, field, unit, device)
            name, convert = known.get(key) or self._learn(key)
            if name is None:
                continue
            if convert is not None and kind is not bool:
                value = convert(value)
                if value - value:
                    continue
            found.append((name, value))
        return found

    def _learn(self, key: tuple[str, str, str, str]) -> tuple[_Name | None, Callable[[float], float] | None]:
        topic, field, unit, device = key
        parts = parts_of(topic, field=field, device=device, unit=unit if field == VALUE else "")
        if not parts.unit and _RATIOS & {parts.quantity, parts.field}:
            parts = parts_of(topic, field=field, device=device, unit="ratio")
        target, convert = self._ways.get(parts.unit, (parts.unit, None))
        learned = (self._make(parts_of(topic, field=field, device=device, unit=target)), convert)
        if len(self._known) >= MAX_NAMES:
            self._known.clear()
        self._known[key] = learned
        return learned


def _text(said: Any) -> str:
    if type(said) is str:
        return said
    return str(said) if type(said) is int else ""


def _placeholder(name: str | None, text: str, key: str) -> str:
    if name in PLACEHOLDERS:
        return name
    if name is None:
        raise Invalid(f"{key} {text!r} has a brace without its partner; placeholders are {_offer()}")
    from hearthbus.cli.spelling import nearest

    near = nearest(name, PLACEHOLDERS)
    meant = f"did you mean {{{near}}}?" if near else f"placeholders are {_offer()}"
    raise Invalid(f"{key} {text!r}: {{{name}}} is unknown; {meant}")


def _offer() -> str:
    return " ".join(f"{{{name}}}" for name in PLACEHOLDERS)
