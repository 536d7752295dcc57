"""Protocols a stick can receive: which bit of its mode is which, what may be saved, what is too much. No I/O.

A stick's mode is five bytes, msg3 to msg7; each bit is a protocol, or nothing yet. What it means depends on the band.
Where no name is known it is called by its place: `msg6_08` is the bit 0x08 of msg6.

Sources: RFXCOM's tables as Domoticz has them, today's names; those of pyRFXtrx and node-rfxcom, some of them older, are
aliases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.rfxtrx.interface import IS_868, RECEIVERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Mask = tuple[int, int, int, int, int]
"""msg3 to msg7."""

MODES_433: Final = (
    ("ae_blyss", "rubicson", "fineoffset", "lighting4", "rsl", "byron_sx", "imagintronix", "undecoded"),
    ("mertik", "lightwaverf", "hideki", "lacrosse", "legrand_cad", "", "blinds_t0", "blinds_t1"),
    ("x10", "arc", "ac", "homeeasy_eu", "meiantech", "oregon", "ati", "visonic"),
    ("keeloq", "homeconfort", "ddxxxx", "", "", "", "mcz", "funkbus"),
    ("", "", "", "", "", "", "", ""),
)
"""By byte, msg3 first, and bit, 0x01 first: 310 to 434 MHz."""
MODES_868: Final = (
    ("cavius", "davis_au", "davis_us", "davis_eu", "lacrosse", "fineoffset", "alecto_ach2010", "undecoded"),
    ("edisio", "lightwaverf", "fs20", "gaposa", "", "", "", ""),
    ("", "", "", "", "proguard", "", "meiantech", "visonic"),
    ("keeloq", "honeywell_chime", "", "", "itho_hru400", "orcon", "itho_eco", "itho_cve_rft"),
    ("davis_id_0", "davis_id_1", "davis_id_2", "", "", "", "", ""),
)
"""868 MHz."""
PRODUCTS: Final[Mapping[str, str]] = {
    "ae_blyss": "AE, Blyss", "rubicson": "Rubicson, La Crosse, Banggood", "fineoffset": "Fine Offset, Viking, WS5500",
    "lighting4": "PT2262 and its like", "rsl": "Conrad RSL, Revolt", "byron_sx": "Byron SX, SelectPlus",
    "imagintronix": "Imagintronix, Opus", "undecoded": "whatever does not decode: for diagnosis only",
    "mertik": "Mertik Maxitrol fireplaces", "lightwaverf": "LightwaveRF, Siemens", "hideki": "Hideki, UPM, TFA, Cresta",
    "lacrosse": "La Crosse", "legrand_cad": "Legrand CAD", "blinds_t0": "RollerTrol, Hasta new",
    "blinds_t1": "blinds of types 1 to 4", "x10": "X10 lighting, security, remotes", "arc": "code switches: KAKU, Elro",
    "ac": "AC: KlikAanKlikUit, Nexa, Chacon, HomeEasy UK", "homeeasy_eu": "HomeEasy EU",
    "meiantech": "Meiantech, Atlantic", "oregon": "Oregon Scientific, OWL", "ati": "ATI and Medion remotes",
    "visonic": "Visonic PowerCode and CodeSecure", "keeloq": "KeeLoq", "homeconfort": "HomeConfort",
    "ddxxxx": "Brel, Dooya blinds", "mcz": "MCZ pellet stoves", "funkbus": "Gira, Insta", "cavius": "Cavius alarms",
    "davis_au": "Davis, Australia", "davis_us": "Davis, USA", "davis_eu": "Davis, Europe",
    "alecto_ach2010": "Alecto ACH2010", "edisio": "Edisio", "fs20": "FS20", "gaposa": "Gaposa", "proguard": "ProGuard",
    "honeywell_chime": "Honeywell ActivLink", "itho_hru400": "Itho HRU400", "orcon": "Orcon", "itho_eco": "Itho ECO",
    "itho_cve_rft": "Itho CVE RFT", "davis_id_0": "Davis transmitter 1", "davis_id_1": "Davis transmitter 2",
    "davis_id_2": "Davis transmitter 3",
}  # fmt: skip
"""What is received by it, in short."""
ALIASES: Final[Mapping[str, str]] = {
    "ae": "ae_blyss", "blyss": "ae_blyss", "pt2262": "lighting4", "revolt": "rsl", "byron": "byron_sx",
    "selectplus": "byron_sx", "sx": "byron_sx", "opus": "imagintronix", "viking": "fineoffset", "ad": "lightwaverf",
    "adlightwaverf": "lightwaverf", "upm": "hideki", "legrand": "legrand_cad", "blindst2": "blinds_t1",
    "blindst3": "blinds_t1", "blindst4": "blinds_t1", "homeeasy": "homeeasy_eu", "heeu": "homeeasy_eu",
    "atlantic": "meiantech", "brel": "ddxxxx", "dooya": "ddxxxx", "gira": "funkbus", "insta": "funkbus",
    "alecto": "alecto_ach2010", "ws5500": "fineoffset", "ithocve": "itho_cve_rft", "hru400": "itho_hru400",
}  # fmt: skip
"""Other names, without blanks and signs."""
ALIASES_433: Final[Mapping[str, str]] = {"fs20": "legrand_cad", "proguard": "msg4_20"}
"""Names that two bits had before 2018; pyRFXtrx still calls them so."""
NOT_SAVED: Final = frozenset({"undecoded"})
"""What the stick's own memory does not keep: it is to be set after each start. Nor does it keep raw reception."""
MANY: Final = 10
"""Protocols above which a stick hears each of them noticeably worse."""


def table(receiver: str) -> tuple[tuple[str, ...], ...]:
    """Return the names of a receiver's bits, see `MODES_433`; a receiver that is not known has only places."""
    if receiver in IS_868:
        modes = MODES_868
    elif receiver in RECEIVERS.values():
        modes = MODES_433
    else:
        modes = (("",) * 8,) * 5
    return tuple(
        tuple(name or f"msg{number}_{1 << bit:02x}" for bit, name in enumerate(row))
        for number, row in enumerate(modes, 3)
    )


def names(mask: Mask, receiver: str) -> frozenset[str]:
    """Return the protocols that are on.

    Args:
        mask: msg3 to msg7.
        receiver: as a status names it, such as "433.92".
    """
    return frozenset(
        name for row, byte in zip(table(receiver), mask, strict=True) for bit, name in enumerate(row) if byte >> bit & 1
    )


def mask(wanted: Iterable[str], receiver: str) -> Mask:
    """Return the five bytes for some protocols: any of their names, however written.

    Raises:
        ValueError: the receiver has no such protocol; the text names those it has.
    """
    found = [0] * 5
    for given in wanted:
        name = canonical(given, receiver)
        for at, row in enumerate(table(receiver)):
            if name in row:
                found[at] |= 1 << row.index(name)
    return (found[0], found[1], found[2], found[3], found[4])


def canonical(given: str, receiver: str) -> str:
    """Return a protocol's name in our spelling.

    Raises:
        ValueError: the receiver has no such protocol; the text names those it has.
    """
    name = _find(given, receiver)
    if name is None:
        has = ", ".join(each for row in table(receiver) for each in row if not each.startswith("msg"))
        stick = f"a {receiver} MHz stick" if receiver in RECEIVERS.values() else f"this stick, receiver {receiver},"
        raise ValueError(f"protocol {given!r}: {stick} has none of that name; it has {has or 'msg3_01 to msg7_80'}")
    return name


def spelled(given: Iterable[str], receiver: str) -> frozenset[str]:
    """Return names in our spelling; as they are where this receiver has no such protocol."""
    return frozenset(_find(name, receiver) or name for name in given)


def check(wanted: Iterable[str]) -> list[str]:
    """Return what is wrong with names, before it is known which stick they are for: one line each."""
    return [
        f"protocol {given!r}: no stick has one of that name; {_hint(given)}"
        for given in wanted
        if _find(given, RECEIVERS[0x53]) is None and _find(given, RECEIVERS[0x55]) is None
    ]


def _hint(given: str) -> str:
    from difflib import get_close_matches

    known = [name for bits in (*MODES_433, *MODES_868) for name in bits if name]
    close = get_close_matches(given.lower(), known, n=1)
    return f"did you mean {close[0]!r}?" if close else "`hearthbus rfxtrx modes` lists them"


def warnings(on: Iterable[str]) -> list[str]:
    """Return what is unwise about protocols, in our spelling, being on together: one line each."""
    on = frozenset(on)
    found = []
    if len(on) > MANY:
        found.append(
            f"{len(on)} protocols are on: each costs the others sensitivity; leave on what you have, up to {MANY}"
        )
    found.extend(
        f"{name} is on: it is for diagnosis, reports noise as packets, and cannot be saved in the stick"
        for name in sorted(on & NOT_SAVED)
    )
    return found


def _find(given: str, receiver: str) -> str | None:
    """Return our spelling of a name, today's meaning first; None where this receiver has no such protocol."""
    every = {_bare(name): name for row in table(receiver) for name in row}
    bare = _bare(given)
    older = {} if receiver in IS_868 else ALIASES_433
    return every.get(bare) or every.get(_bare(older.get(bare) or ALIASES.get(bare, "")))


def _bare(name: str) -> str:
    return "".join(each for each in name.lower() if each.isalnum())
