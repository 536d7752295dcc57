"""A message's body as a person types it: `key=value` words, or one JSON object, or lines of them on standard input.

A value is read as JSON where it is JSON (`21.5`, `true`, `null`, `[255,0,0]`, `"21"`), and as a string where it is not.
Pure: words and lines in, bodies out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

STDIN = "-"
"""The word that stands for standard input."""


def parse_body(words: Sequence[str]) -> dict[str, Any]:
    """Return the body that `words` give: nothing, `key=value`..., or one JSON object.

    Raises:
        Invalid: a word is neither, a key comes twice, or the JSON is bad.
    """
    if words and words[0].lstrip().startswith(("{", "[")):
        if len(words) > 1:
            raise Invalid(f"a JSON body is one word, and {words[1]!r} follows it; put the JSON in single quotes")
        return parse_object(words[0])
    body: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise Invalid(f"{word!r} is not key=value; write for example value={word.lstrip('=') or 21.5}")
        if key in body:
            raise Invalid(f"{key!r} is given twice")
        body[key] = parse_value(value)
    return body


def parse_value(text: str) -> Any:
    """Return the JSON value `text` is, or `text` itself where it is none."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text


def parse_object(text: str, *, place: str = "") -> dict[str, Any]:
    """Return the JSON object `text` is; `place` says in an error where it was found.

    Raises:
        Invalid: it is no JSON, or no object.
    """
    where = f" {place}" if place else ""
    try:
        body = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Invalid(f"bad JSON{where}: {error.msg} at column {error.colno}: {_shown(text, error.pos)}") from None
    except RecursionError:
        raise Invalid(f"bad JSON{where}: nested too deep") from None
    except ValueError as error:
        raise Invalid(f"bad JSON{where}: {error}") from None
    if not isinstance(body, dict):
        raise Invalid(
            f'bad JSON{where}: a body is an object, for example {{"value": 21.5}}, and this is {_shown(text, 0)}'
        )
    return body


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _shown(text: str, at: int) -> str:
    """Return the piece of `text` around a fault."""
    start = max(0, at - 15)
    return repr(("..." if start else "") + text[start : at + 15].strip() + ("..." if at + 15 < len(text) else ""))
