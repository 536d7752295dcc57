"""What every look starts from: the configuration as far as it can be read, and where things are."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hearthbus.backup.belongings import is_shut, usual_state
from hearthbus.bus import DEFAULT_URL
from hearthbus.config import INSTALLED, RESERVED, find_file, load
from hearthbus.config.files import read_tables
from hearthbus.errors import HearthbusError, Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping


_BUS = "ipc:///run/hearthbus/bus"
"""Where the broker of an installed house is."""
ONLY_UNITS = "is there only under systemd"
"""In the text about a secret that is a credential, where a person asks."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One house, before anything is looked at."""

    config: str = ""
    """Its main file; empty where none was found."""
    example: bool = False
    shut: bool = False
    """There is a configuration, which who asks may not read."""
    blind: bool = False
    """Nothing of the configuration can be read: what the house is, is not known."""
    problems: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    """Problems that are none for the units of systemd, which are given credentials."""
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The tables as they are written, whatever is wrong with them."""
    folder: str = ""
    """That of the main file."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """Service by the name of its table."""
    url: str = DEFAULT_URL
    key: str = ""
    """File of the key that clients show there."""
    broker: Any = None
    """What `[broker]` says, checked; None where it is wrong."""
    joins: bool = False
    """The broker is on another machine, or another's."""
    data: str = ""
    """Where the broker keeps its files; empty where it is another's."""
    systemd: bool = False
    """systemd runs this machine."""
    user: str = ""
    """As whom services run here."""


def look(config: str | None) -> Scene:
    """Read the configuration; whatever is wrong with it becomes one of `problems`."""
    try:
        main, example = (config, False) if config else find_file()
    except Invalid as error:
        return Scene(problems=error.problems, systemd=_systemd(), user=_user())
    if example and is_shut():
        data = str(usual_state(f"{INSTALLED}/"))
        return Scene(config=INSTALLED, shut=True, blind=True, url=_BUS, data=data, systemd=_systemd(), user=_user())
    tables, _, _ = read_tables(main)
    values = {name: table.values for name, table in tables.items()}
    scene = Scene(
        config=main,
        example=example,
        tables=values,
        folder=os.path.dirname(os.path.abspath(main)),  # noqa: PTH100, PTH120 - a link keeps its name
        kinds={name: str(table.get("service", name)) for name, table in values.items() if name not in RESERVED},
        url=_url(values) if values or not main.startswith(f"{INSTALLED}/") else _BUS,
        data=_data(main, values),
        systemd=_systemd(),
        user=_user(),
    )
    problems: tuple[str, ...]
    try:
        house = load(main)
    except HearthbusError as error:
        problems = getattr(error, "problems", (str(error),))
    except Exception as error:  # noqa: BLE001 - somebody's own service may do anything when it is imported
        problems = (f"{type(error).__name__}: {error}",)
    else:
        data = "" if house.joins else scene.data
        return replace(scene, url=house.url, key=house.key, broker=house.broker, joins=house.joins, data=data)
    hidden = tuple(problem for problem in problems if ONLY_UNITS in problem)
    told = tuple(each for each in problems if each not in hidden)
    return replace(scene, problems=told, hidden=hidden, blind=not values)


def _url(values: Mapping[str, Mapping[str, Any]]) -> str:
    """Return where the broker probably is."""
    given = os.environ.get("HEARTHBUS_URL") or values.get("bus", {}).get("url")
    given = given or values.get("broker", {}).get("address")
    return given if isinstance(given, str) and given else DEFAULT_URL


def _data(config: str, values: Mapping[str, Mapping[str, Any]]) -> str:
    own = values.get("broker", {}).get("data")
    if isinstance(own, str) and own:
        return str(Path(config).parent / Path(own).expanduser())
    state = usual_state(config)
    return str(state / "broker" if (state / "broker").is_dir() else state)


def _systemd() -> bool:
    return Path("/run/systemd/system").is_dir()


def _user() -> str:
    """Return the user `hearthbus` where there is one, else who asks."""
    import pwd

    for name in ("hearthbus", None):
        try:
            return (pwd.getpwnam(name) if name else pwd.getpwuid(os.getuid())).pw_name
        except KeyError:
            continue
    return str(os.getuid())
