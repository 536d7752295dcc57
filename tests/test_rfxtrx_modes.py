"""Protocols by name: the tables of both bands, older names, what is unwise."""

from __future__ import annotations

import pytest

from drivers.rfxtrx import modes


@pytest.mark.parametrize(
    ("mask", "receiver", "names"),
    [
        ((0x10, 0x0C, 0x2F, 0x01, 0), "433.92",
         {"rsl", "hideki", "lacrosse", "x10", "arc", "ac", "homeeasy_eu", "oregon", "keeloq"}),
        ((0x30, 0, 0, 0, 0), "433.92", {"rsl", "byron_sx"}),
        ((0, 0x10, 0, 0x80, 0), "310", {"legrand_cad", "funkbus"}),
        ((0x08, 0x05, 0x80, 0x20, 0x02), "868.00", {"davis_eu", "edisio", "fs20", "visonic", "orcon", "davis_id_1"}),
        ((0, 0x20, 0, 0x08, 0), "433.92", {"msg4_20", "msg6_08"}),
        ((0x30, 0, 0, 0, 0), "unknown_254", {"msg3_10", "msg3_20"}),
    ],
)  # fmt: skip
def test_bits_are_names_and_back(mask: modes.Mask, receiver: str, names: set[str]) -> None:
    """By band; a bit without a name is called by its place."""
    assert names == modes.names(mask, receiver)
    assert mask == modes.mask(names, receiver)


@pytest.mark.parametrize(
    ("given", "receiver", "name"),
    [
        ("AC", "433.92", "ac"), ("BYRONSX", "433.92", "byron_sx"), ("aeblyss", "433.92", "ae_blyss"),
        ("fs20", "433.92", "legrand_cad"), ("fs20", "868.00", "fs20"), ("proguard", "433.92", "msg4_20"),
        ("proguard", "868.00", "proguard"), ("Blinds T4", "433.92", "blinds_t1"), ("homeeasy", "433.92", "homeeasy_eu"),
        ("LIGHTWAVERF", "868.95", "lightwaverf"),
    ],
)  # fmt: skip
def test_older_names(given: str, receiver: str, name: str) -> None:
    """Names of other programs and of earlier years are understood, however they are written."""
    assert name == modes.canonical(given, receiver)


def test_every_alias_leads_somewhere() -> None:
    """None is for a protocol that no stick has."""
    assert [] == modes.check([*modes.ALIASES, *modes.ALIASES_433, *modes.PRODUCTS])


def test_names_nobody_has() -> None:
    """The text names the place; for a stick that is known also what it has."""
    assert 1 == len(modes.check(["nothing", "ac", "orcon"]))
    with pytest.raises(ValueError, match=r"'orcon': a 433.92 MHz stick has none of that name; it has ae_blyss, "):
        modes.mask(["orcon"], "433.92")


def test_too_many() -> None:
    """More than ten cost sensitivity; undecoded is for diagnosis."""
    every = modes.names((0x7F, 0xFF, 0xFF, 0, 0), "433.92")

    assert [] == modes.warnings({"ac", "oregon"})
    assert "23 protocols" in modes.warnings(every)[0]
    assert "cannot be saved" in modes.warnings({"undecoded"})[0]
