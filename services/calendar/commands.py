"""What an event's writer wants of the house: `#hb` lines in its description, and private extended properties.

    #hb heat=21.5 light=on note="the blue room"

Data only, nothing is evaluated: a key, and true, false, a number or text. Pure; knows no source and no bus.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Value = bool | int | float | str

MOST: Final = 20
"""Commands of one event; more are not read."""
LONGEST: Final = 200
"""Characters of a value; a longer one is not read."""
_LONGEST_LINE: Final = 4000

_LINE: Final = re.compile(r"^[ \t]*#hb[ \t]+(.+)$", re.IGNORECASE | re.MULTILINE)
_PAIR: Final = re.compile(
    r"""(?<!\S)([^\s=]{1,40})=          # key=
        (?: "([^"]*)" | “([^“”]*)” | „([^„“”]*)[“”]   # quoted; a telephone writes the others
          | (?!["“„])(\S+) )            # or one word
        (?!\S)""",
    re.VERBOSE,
)
_KEY: Final = re.compile(r"[a-z0-9_.-]{1,40}\Z")
_UNTOLD: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?\Z")
"""No `007`: what has leading zeros is a code, and stays text."""
_WORDS: Final = {"true": True, "false": False}


def parse(content: str, private: Mapping[str, str]) -> dict[str, Value]:
    """Return the commands of an event, at most `MOST`; what does not follow the rules is left out.

    A line wins over a property of the same name, a later line over an earlier one: a person wrote it.

    Args:
        content: the description as plain text (`services.calendar.plain`).
        private: Google's private extended properties; empty where there are none.
    """
    found: dict[str, Value] = {}
    for key, value in _of_lines(content):
        if key in found or len(found) < MOST:
            found[key] = value
    for name, text in private.items():
        key = name.lower()
        if key not in found and len(found) < MOST and _sound(key, text):
            found[key] = _value(text)
    return found


def _of_lines(content: str) -> Iterator[tuple[str, Value]]:
    for line in _LINE.finditer(content):
        for key, plain, curly, low, word in _PAIR.findall(line[1][:_LONGEST_LINE]):
            text = plain or curly or low
            if _sound(key.lower(), word or text):
                yield key.lower(), _value(word) if word else text


def _sound(key: str, text: str) -> bool:
    return bool(_KEY.match(key)) and len(text) <= LONGEST and not _UNTOLD.search(text)


def _value(text: str) -> Value:
    """Read a value that stands without quotes."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    number = _NUMBER.match(text)
    if not number:
        return text
    return float(text) if number[1] else int(text)
