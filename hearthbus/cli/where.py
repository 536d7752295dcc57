"""Which broker a verb talks to, and with which key: as typed, as the environment says, as the configuration says.

Reads no more of the configuration than where the broker is: what else is wrong with it, `hearthbus check` tells.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hearthbus.bus import DEFAULT_URL
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from hearthbus.config.files import Table


def where(url: str | None, *, note: Callable[[str], None]) -> tuple[str, str]:
    """Return the broker's address and the file of the key to show there, empty for none.

    Args:
        url: the address that was typed, if one was.
        note: says a line: where a configuration is there that cannot be read.

    Raises:
        Invalid: the configuration is needed, and no TOML or wrong in [bus].
    """
    given = url or os.environ.get("HEARTHBUS_URL") or ""
    key = os.environ.get("HEARTHBUS_KEY") or ""
    if given and (key or given.startswith("ipc://")):
        return given, key
    tables = _tables(note, needed=not given)
    if not tables:
        return given or DEFAULT_URL, key
    from hearthbus.config.schema import Reader
    from hearthbus.config.tables import BusSettings, broker_url, key_for

    bus, folder = BusSettings(), ""
    if "bus" in tables:
        reader = Reader(tables["bus"].source)
        read = reader.table(BusSettings, tables["bus"].values, ("bus",))
        if read is None and not given:
            raise Invalid(str(reader.problems[0]))
        bus, folder = read or bus, tables["bus"].source.folder
    own = broker_url(tables["broker"].values.get("address") if "broker" in tables else None)
    found = given or bus.url or own
    return found, key_for(found, bus, folder=folder)


def _tables(note: Callable[[str], None], *, needed: bool) -> dict[str, Table]:
    """Read the user's own configuration, where there is one."""
    from hearthbus.config import INSTALLED, find_file
    from hearthbus.config.files import read_tables

    try:
        file, example = find_file()
    except Invalid:
        return {}
    readable = os.access(file, os.R_OK)
    if needed and (not readable or (example and os.path.isdir(INSTALLED) and not os.access(INSTALLED, os.X_OK))):  # noqa: PTH112 - text will do
        note(f"{INSTALLED} is not for you to read: log in again after `sudo adduser $USER hearthbus`, or say --url")
    if example or not readable:
        return {}
    tables, _, problems = read_tables(file)
    if problems and needed and not tables.keys() & {"bus", "broker"}:
        raise Invalid(f"{problems[0]}; mend it, or name the broker with --url")
    return tables
