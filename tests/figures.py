"""Figures that tests of faults print, for docs/reliability.md, which says how to see them."""

from __future__ import annotations


def figure(fault: int, text: str) -> None:
    """Print one: the number of the fault in the table of docs/reliability.md, and what was measured."""
    print(f"fault {fault}: {text}")  # noqa: T201 - it is what the reader of `-rP` wants
