"""`hearthbus devices`: the devices a stick has heard, and their names."""

from __future__ import annotations

from hearthbus.errors import Invalid


def main(argv: list[str]) -> int:
    """Run the verb."""
    raise Invalid(f"devices {' '.join(argv)}: there is no such action yet")
