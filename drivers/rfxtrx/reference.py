"""The RFXtrx packets and protocols as Markdown, in pages that are named.

    python -m drivers.rfxtrx.reference docs/rfxtrx.md

The declarations are the source; beside them stands what other programs read and write. Rewrites what stands between
`<!-- totals -->`, `<!-- packets -->`, `<!-- subtypes -->` or `<!-- protocols -->` and `<!-- end -->`.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drivers.rfxtrx import modes, peers
from drivers.rfxtrx.codec import PACKETS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    Pair = tuple[int, int]

_BLOCK: Final = re.compile(r"(<!-- (totals|packets|subtypes|protocols) -->\n).*?(?=<!-- end -->)", re.DOTALL)
DECODES: Final = frozenset((packet.kind, each.subtype) for packet in PACKETS for each in packet.variants)
"""Type and subtype of all we read."""
ENCODES: Final = frozenset((packet.kind, each.subtype) for packet in PACKETS for each in packet.variants if each.sends)
"""Of all that a stick transmits, or obeys."""
_COLUMNS: Final = (
    ("ours", DECODES, ENCODES),
    ("pyRFXtrx 0.34", peers.PYRFXTRX_DECODES, peers.PYRFXTRX_ENCODES),
    ("node-rfxcom 2.6.2", peers.NODE_DECODES, peers.NODE_ENCODES),
)


def totals() -> str:
    """Return how many types and subtypes each program knows."""
    rows = [_total(name, read, sent) for name, read, sent in _COLUMNS]
    (_, py_read, py_sent), (_, node_read, node_sent) = _COLUMNS[1:]
    rows.append(_total("both others together", py_read | node_read, py_sent | node_sent))
    head = [
        "| | types read | subtypes read | types sent | subtypes sent | subtypes read or sent |",
        "|---|" + "---:|" * 5,
    ]
    return "\n".join(["", *head, *rows, "", ""])


def _total(name: str, read: Collection[Pair], sent: Collection[Pair]) -> str:
    types_read, types_sent = ({kind for kind, _ in pairs} for pairs in (read, sent))
    either = {*read, *sent}
    return f"| {name} | {len(types_read)} | {len(read)} | {len(types_sent)} | {len(sent)} | {len(either)} |"


def packets() -> str:
    """Return every packet: how many of its subtypes each program reads and sends."""
    names = list(dict.fromkeys((packet.kind, packet.name) for packet in PACKETS))
    head = "| packet | type | " + " | ".join(f"{name} reads | sends" for name, _, _ in _COLUMNS) + " |"
    rows = []
    for kind, name in sorted(names):
        cells = [_count(pairs, kind, name) for _, read, sent in _COLUMNS for pairs in (read, sent)]
        rows.append(f"| `{name}` | 0x{kind:02X} | {' | '.join(cells)} |")
    return "\n".join(["", head, "|---|---|" + "---:|" * 6, *rows, "", ""])


def _count(pairs: Collection[Pair], kind: int, name: str) -> str:
    """Return how many subtypes of a packet are among `pairs`; two packets may share a type, never a subtype."""
    ours = {(packet.kind, each.subtype) for packet in PACKETS if packet.name == name for each in packet.variants}
    others = {(packet.kind, each.subtype) for packet in PACKETS if packet.name != name for each in packet.variants}
    found = Counter(pair in ours or pair not in others for pair in pairs if pair[0] == kind)[True]
    return str(found) if found else ""


def subtypes() -> str:
    """Return every subtype: its name and products, and who reads (r) and sends (s) it."""
    head = "| type | subtype | packet | name | products | " + " | ".join(name for name, _, _ in _COLUMNS) + " |"
    rows: dict[Pair, str] = {}
    for packet in PACKETS:
        for each in packet.variants:
            pair = (packet.kind, each.subtype)
            marks = (_mark(pair, read, sent) for _, read, sent in _COLUMNS)
            numbers = (f"0x{number:02X}" for number in pair)
            cells = (*numbers, f"`{packet.name}`", each.name, each.products.replace("|", "/"), *marks)
            rows.setdefault(pair, f"| {' | '.join(cells)} |")
    return "\n".join(["", head, "|---|---|---|---|---|---|---|---|", *(rows[pair] for pair in sorted(rows)), "", ""])


def _mark(pair: Pair, read: Collection[Pair], sent: Collection[Pair]) -> str:
    return " ".join(word for word, pairs in (("r", read), ("s", sent)) if pair in pairs)


def protocols() -> str:
    """Return every protocol a stick can be set to receive: its name, what it is for, and which sticks have it."""
    tables = (("433", modes.MODES_433), ("868", modes.MODES_868))
    where: dict[str, list[str]] = {}
    for band, table in tables:
        for name in (name for row in table for name in row if name):
            where.setdefault(name, []).append(band)
    rows = [f"| `{name}` | {', '.join(bands)} | {modes.PRODUCTS.get(name, '')} |" for name, bands in where.items()]
    return "\n".join(["", "| protocol | MHz | for |", "|---|---|---|", *rows, "", ""])


def refreshed(page: str) -> str:
    """Return `page` with all of them as they are now."""
    blocks: dict[str, Callable[[], str]] = {
        "totals": totals, "packets": packets, "subtypes": subtypes, "protocols": protocols,
    }  # fmt: skip
    return _BLOCK.sub(lambda found: found[1] + blocks[found[2]](), page)


if __name__ == "__main__":
    for page in sys.argv[1:]:
        path = Path(page)
        path.write_text(refreshed(path.read_text(encoding="utf-8")), encoding="utf-8")
