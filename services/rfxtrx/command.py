"""`hearthbus rfxtrx`: what frames mean, and what a stick is set to."""

from __future__ import annotations

from hearthbus.errors import Invalid


def main(argv: list[str]) -> int:
    """Run the verb."""
    raise Invalid(f"rfxtrx {' '.join(argv)}: there is no such action yet")
