"""Numbers that have names: what a device does, what a sensor shows, the letter of a house. Knows no packet."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from drivers.bits import CodecError, Reason, Value, say

if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN: Final = "unknown_"
"""What the name of a number begins with that no table has: `unknown_35`."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A number that has a name; `sends` are the names that may be written, where those are fewer.

    A number that no table has is read, `unknown_35`, and never written: who knows how a device does no harm with it?
    """

    width: int
    names: Mapping[int, str]
    sends: frozenset[str] | None = None
    strict: bool = False
    """Whether a number without a name is an error, not `unknown_35`: noise, where it is part of an address."""
    also: Mapping[str, int] = field(default_factory=dict)
    """Other words for the same numbers, such as what another firmware does with them: see `named`."""

    def read(self, raw: int) -> Value:
        """Return the name of `raw`."""
        name = self.names.get(raw)
        if name is None and self.strict:
            raise CodecError(Reason.VALUE, f"{raw} is none of {', '.join(self.names.values())}")
        return f"{UNKNOWN}{raw}" if name is None else name

    def write(self, value: Value) -> int:
        """Return the number of a name, the lowest where several have it.

        Raises:
            CodecError: no number has it, or a device does not take it.
        """
        if not isinstance(value, str) or value not in self._numbers:
            raise CodecError(Reason.VALUE, f"{say(value)} is not there; there is {self._listed() or 'none'}")
        return self._numbers[value]

    def named(self, value: Any) -> Any:
        """Return the name that another word for the same number reads as; anything else as it is."""
        return self.names[self.also[value]] if isinstance(value, str) and value in self.also else value

    def _listed(self) -> str:
        names = [*self._numbers, *self.also]
        return ", ".join(names if len(names) <= 40 else [*names[:12], "and so on to " + names[-1]])

    @cached_property
    def _numbers(self) -> dict[str, int]:
        allowed = (name for name in self.names.values() if self.sends is None or name in self.sends)
        numbers = {name: number for number, name in sorted(self.names.items(), reverse=True)}
        return {name: numbers[name] for name in allowed}


class Echo(Choice):
    """A choice whose unknown numbers can be written back: what a sensor or a stick says of itself moves nothing."""

    def write(self, value: Value) -> int:
        """Return the number of a name, and of `unknown_66` too."""
        head, _, number = value.rpartition("_") if isinstance(value, str) else ("", "", "")
        digits = number.isascii() and number.isdecimal() and len(number) <= 3
        if f"{head}_" == UNKNOWN and digits and not int(number) >> self.width and int(number) not in self.names:
            return int(number)
        return super().write(value)


def letters(last: str) -> Choice:
    """Return a byte that is a letter from A to `last`; another is noise, not an address."""
    return Choice(width=8, names={code: chr(code) for code in range(ord("A"), ord(last) + 1)}, strict=True)
