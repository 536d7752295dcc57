"""`hearthbus calendar`."""

from __future__ import annotations


def main(argv: list[str]) -> int:
    """Do nothing yet."""
    del argv
    return 0
