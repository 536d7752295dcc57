"""Topics and patterns: their grammar, matching, and the prefix a broker filters by.

    topic    = segment *( "/" segment )          at most 200 bytes
    segment  = 1*( a-z 0-9 _ . - )
    pattern  = part *( "/" part )
    part     = segment | "+" | "#"               "#" only as the last part

`+` stands for exactly one segment, `#` for any tail, the empty one too: `sensor/#` matches `sensor` and
`sensor/hall/temperature`, and never `sensors`. A name that starts with `$` is the bus's own and no topic.
Knows strings only: no sockets, no messages.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_TOPIC_BYTES = 200
MAX_PARTS = 32

_SEGMENT = re.compile(r"[a-z0-9_.-]+\Z")
_TOPIC = re.compile(r"[a-z0-9_.-]+(?:/[a-z0-9_.-]+)*\Z")


_Branch: TypeAlias = dict[str, "_Branch"]
_END = ""
"""In a branch: a pattern ends here. No segment is empty."""


def check_topic(topic: str) -> str:
    """Return `topic` unchanged if it is one.

    Raises:
        Invalid: with the first rule it breaks, in words.
    """
    if _TOPIC.match(topic) and len(topic) <= MAX_TOPIC_BYTES and topic.count("/") < MAX_PARTS:
        return topic
    raise Invalid(f"bad topic {_shown(topic)}: {_fault(topic, wildcards=False)}")


def check_pattern(pattern: str) -> str:
    """Return `pattern` unchanged if it is a topic or a pattern.

    Raises:
        Invalid: with the first rule it breaks, in words.
    """
    fault = _fault(pattern, wildcards=True)
    if fault:
        raise Invalid(f"bad pattern {_shown(pattern)}: {fault}")
    return pattern


def matches(pattern: str, topic: str) -> bool:
    """Whether `pattern` covers `topic`; both must be valid."""
    return matcher(pattern)(topic)


@lru_cache(maxsize=4096)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Compile `pattern` to a predicate on topics."""
    if pattern == "#":
        return lambda _topic: True
    if "+" not in pattern and "#" not in pattern:
        return pattern.__eq__
    parts = pattern.split("/")
    tail = parts[-1] == "#"
    source = "/".join("[^/]+" if part == "+" else re.escape(part) for part in parts[: -1 if tail else None])
    compiled = re.compile(source + (r"(?:/.*)?\Z" if tail else r"\Z"), re.DOTALL)
    return lambda topic: compiled.match(topic) is not None


@lru_cache(maxsize=256)
def covers(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """Compile several patterns to one predicate on topics, whose cost hardly grows with their number.

    They become a tree of their parts; a topic walks down it, at each segment by its own name and by `+`.
    """
    exact = frozenset(pattern for pattern in patterns if "+" not in pattern and "#" not in pattern)
    root = _tree(pattern for pattern in patterns if pattern not in exact)

    def covered(topic: str) -> bool:
        if topic in exact:
            return True
        branches = [root]
        for segment in topic.split("/"):
            below = []
            for branch in branches:
                if "#" in branch:
                    return True
                if segment in branch:
                    below.append(branch[segment])
                if "+" in branch:
                    below.append(branch["+"])
            branches = below
            if not branches:
                return False
        return any(_END in branch or "#" in branch for branch in branches)

    return covered


def _tree(patterns: Iterable[str]) -> _Branch:
    root: _Branch = {}
    for pattern in patterns:
        branch = root
        for part in pattern.split("/"):
            branch = branch.setdefault(part, {})
        branch[_END] = {}
    return root


def prefixes(pattern: str) -> tuple[bytes, ...]:
    """Return the bytes a topic of `pattern` starts with on the wire: what ZeroMQ filters by.

    The NUL that ends a topic on the wire is part of a prefix where it can be, so that a subscriber of `sensor/hall`
    is not sent `sensor/hallway`: `sensor/hall/#` gives `sensor/hall NUL` and `sensor/hall/`.
    """
    wild = min((at for at in (pattern.find("+"), pattern.find("#")) if at >= 0), default=-1)
    if wild < 0:
        return (pattern.encode() + b"\0",)
    prefix = pattern[:wild].encode()
    if pattern[wild] == "#" and prefix:
        return (prefix[:-1] + b"\0", prefix)
    return (prefix,)


def overlaps(covering: str, pattern: str) -> bool:
    """Whether every topic of `pattern` is covered by `covering`: what an access table asks."""
    outer, inner = covering.split("/"), pattern.split("/")
    for at, part in enumerate(outer):
        if part == "#":
            return True
        if at >= len(inner) or inner[at] == "#":
            return False
        if part != "+" and part != inner[at]:
            return False
    return len(outer) == len(inner)


def _fault(text: str, *, wildcards: bool) -> str:
    """Say which rule `text` breaks; empty when it breaks none."""
    if not text:
        return "it is empty; write for example sensor/hall/temperature"
    if len(text.encode(errors="replace")) > MAX_TOPIC_BYTES:
        return f"longer than {MAX_TOPIC_BYTES} bytes"
    parts = text.split("/")
    if len(parts) > MAX_PARTS:
        return f"more than {MAX_PARTS} segments"
    for at, part in enumerate(parts):
        if wildcards and part == "+":
            continue
        if wildcards and part == "#":
            if at != len(parts) - 1:
                return "'#' stands only at the end; use '+' for one segment"
            continue
        fault = _segment_fault(part, wildcards=wildcards)
        if fault:
            return fault
    return ""


def _segment_fault(part: str, *, wildcards: bool) -> str:
    if not part:
        return "empty segment: no '/' at the start or end, and no '//'"
    if _SEGMENT.match(part):
        return ""
    if part.lower() != part and _SEGMENT.match(part.lower()):
        return f"upper case in {part!r}; write {part.lower()!r}"
    if "+" in part or "#" in part:
        return f"{part!r} mixes a wildcard with text" if wildcards else "wildcards are for patterns, not for topics"
    bad = next((char for char in part if not _SEGMENT.match(char)), part)
    return f"{bad!r} is not allowed; segments are made of a-z 0-9 _ . -"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
