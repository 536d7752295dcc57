"""The report: sections of text and tables, printed as Markdown. Pure but for the facts about this machine."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.budgets import verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Section:
    """One measurement: what was done, a table, remarks, and the figures that have a budget."""

    title: str
    text: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    remarks: Sequence[str] = ()
    budgets: Mapping[str, float] = field(default_factory=dict)


def markdown(section: Section) -> str:
    """Write one section."""
    parts = [f"## {section.title}", section.text]
    if section.rows:
        parts.append(table(section.head, section.rows))
    if section.remarks:
        parts.append("\n".join(f"- {remark}" for remark in section.remarks))
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table, columns aligned so that it reads in a terminal too; all but the first to the right."""
    widths = [max(3, *(len(row[at]) for row in (head, *rows))) for at in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first, *others = (
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "| " + " | ".join((first, *others)) + " |"

    rule = "| " + " | ".join("-" * (width - 1) + ":" if at else "-" * width for at, width in enumerate(widths)) + " |"
    return "\n".join((line(head), rule, *(line(row) for row in rows)))


def summary(sections: Sequence[Section]) -> str:
    """Write all figures that have a budget beside it."""
    rows = [verdict(name, value) for section in sections for name, value in section.budgets.items()]
    if not rows:
        return ""
    return "## Against the budgets\n\n" + table(("what", "measured", "budget", "verdict"), rows) + "\n"


def machine() -> str:
    """Describe this machine in a line: what the figures depend on."""
    cpu = platform.machine()
    for text in Path("/proc/cpuinfo").read_text().splitlines():
        if text.startswith(("model name", "Model")):
            cpu = text.partition(":")[2].strip()
            break
    memory_kb = int(Path("/proc/meminfo").read_text().split()[1])
    load = os.getloadavg()[0]
    return (
        f"{cpu}, {os.cpu_count()} cores, {memory_kb * 1024 / 1e9:.1f} GB, Linux {platform.release()}, "
        f"Python {platform.python_version()}; load average before the run {load:.2f}"
    )
