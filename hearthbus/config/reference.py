"""The keys of a house's own tables, as Markdown: `python -m hearthbus.config.reference docs/configuration.md`.

The dataclasses are the source: a field's name, type and default, and the docstring after it. Rewrites what stands
between `<!-- keys of TABLE -->` and `<!-- end -->` and leaves the rest of the page alone.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import re
import sys
import textwrap
from pathlib import Path
from typing import Any, Final, get_args, get_origin, get_type_hints

from hearthbus import plugins
from hearthbus.config import BROKER, SERVICES
from hearthbus.config.problems import words
from hearthbus.config.tables import BusSettings, Place

_DESCRIBED: Final = ("calendar", "notify", "onewire", "rfxtrx", "telemetry", "trigger")
"""Services whose tables are on the page; those of the others are told by the example house."""
_BLOCK: Final = re.compile(r"(<!-- keys of ([a-z0-9_.]+) -->\n).*?(?=<!-- end -->)", re.DOTALL)


def tables() -> dict[str, type]:
    """Return the dataclass of each table by the table's name."""
    broker = plugins.load("broker", plugins.find(BROKER)["config"])
    found = {"house": Place, "bus": BusSettings, "broker": broker, "broker.limits": get_type_hints(broker)["limits"]}
    services = plugins.find(SERVICES)
    for name in _DESCRIBED:
        kind = plugins.load(name, services[name]).Config
        own = {field: hint for field, hint in get_type_hints(kind).items() if not _members(hint)}
        if own:
            found[name] = kind
        found.update(
            (f"{name}.{field}", _members(hint)) for field, hint in get_type_hints(kind).items() if _members(hint)
        )
    return found


def _members(hint: Any) -> Any:
    """Return the dataclass of which a field has one for each name; None where it is no such field."""
    members = get_args(hint)
    return members[1] if get_origin(hint) is dict and dataclasses.is_dataclass(members[1]) else None


def keys(kind: Any) -> str:
    """Return the fields of a dataclass as a Markdown table.

    Raises:
        KeyError: a field has no docstring.
    """
    said, hints = _docstrings(kind), get_type_hints(kind)
    rows = [
        f"| `{field.name}` | {words(hints[field.name])} | {_default(field)} | {said[field.name]} |"
        for field in dataclasses.fields(kind)
    ]
    return "\n".join(["| key | is | default | meaning |", "|---|---|---|---|", *rows, ""])


def refreshed(page: str) -> str:
    """Return `page` with every table's keys as they are now."""
    known = tables()
    return _BLOCK.sub(lambda found: found[1] + keys(known[found[2]]), page)


def _docstrings(kind: type) -> dict[str, str]:
    """Return the docstring after each field of a class and of those it is derived from."""
    inherited = [_docstrings(base) for base in kind.__bases__ if dataclasses.is_dataclass(base)]
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - for the type checker: it is the source of a class
    own = {
        before.target.id: " ".join(ast.literal_eval(after.value).split())
        for before, after in zip(body.body, body.body[1:], strict=False)
        if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name)
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
    }
    return {name: text for said in (*inherited, own) for name, text in said.items()}


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING:
        return ""
    return "" if field.default in (None, "") else f"`{json.dumps(field.default)}`"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(refreshed(path.read_text(encoding="utf-8")), encoding="utf-8")
