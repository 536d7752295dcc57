"""The configuration of a house: hearthbus.toml and what it includes, checked whole before anything starts.

    include = ["conf.d/*.toml"]

    [house]                      shared by every service that has fields of these names
    latitude = 51.5
    longitude = -0.13
    timezone = "Europe/London"

    [sun]                        a service by its name
    [hall-thermostat]            another instance of a service, under a name of its own
    service = "thermostat"
    place = "hall"

    [cellar]                     a class in a file beside this one, cellar_watch.py
    service = "cellar_watch:CellarWatch"

`[bus]` says where the broker is, `[broker]` configures it. Knows files and tables; what a table may hold is said by the
dataclasses of those who use it (`hearthbus.config.schema`). Opens no connection.
"""

# ruff: noqa: PTH100, PTH111, PTH113, PTH120 - pathlib costs each service process 10 ms and 0.65 MB

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hearthbus import plugins
from hearthbus.bus import check_name
from hearthbus.config.files import Table, read_tables
from hearthbus.config.problems import Problem, nearest, similar
from hearthbus.config.schema import Reader
from hearthbus.config.tables import STAND_IN, BusSettings, Place, beside, broker_url, check_url, key_for
from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Collection

    from hearthbus.service import Service

SERVICES = "hearthbus.services"
"""Entry points of service classes, by service name."""
BROKER = "hearthbus.broker"
"""Entry point `config`: the dataclass of `[broker]`."""
RESERVED = ("bus", "broker", "house")
INSTALLED = "/etc/hearthbus"
"""Where the configuration of an installed house is, for its group to read."""
_CLASS = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True)
class Instance:
    """One service to run: a table of the configuration."""

    name: str
    service: str
    """The service's name among the entry points, or `module:Class`."""
    kind: type[Service]
    config: Any


@dataclass(frozen=True)
class House:
    """A checked configuration."""

    path: str
    """The main file."""
    example: bool
    """No file of the user's was found: this is the house shipped with hearthbus."""
    files: tuple[str, ...]
    """Every file that was read."""
    url: str
    """Where services find the broker."""
    joins: bool
    """That broker is another's: `[bus] url` or HEARTHBUS_URL names it, and `[broker]` would not listen there."""
    place: Place
    broker: Any
    """What `[broker]` says, as the broker's own dataclass; None where only some services were asked for."""
    tables: tuple[str, ...]
    """Names of the services the files have tables for."""
    services: dict[str, Instance]
    """What is to run, by name: all of `tables`, or those asked for."""
    url_from: str = ""
    """The setting that gave `url`, `HEARTHBUS_URL` or `[bus] url`; empty where none did."""
    key: str = ""
    """File of the key that services show there; empty where they need none."""


def load(
    path: str | os.PathLike[str] | None = None, *, only: Collection[str] | None = None, broker: bool = False
) -> House:
    """Read and check a configuration.

    Args:
        path: the main file; None looks for ./hearthbus.toml, $XDG_CONFIG_HOME/hearthbus/hearthbus.toml,
            /etc/hearthbus/hearthbus.toml, then takes the example house.
        only: names of the services wanted. Only their classes are imported, and only their tables are checked against
            them; a service without a table gets an empty one.
        broker: check `[broker]` although `only` is given: what the broker itself wants, with no service.

    Raises:
        Invalid: with every problem of every file, each with its place.
    """
    main, example = (os.fspath(path), False) if path is not None else find_file()
    tables, files, problems = read_tables(main)
    reader = _Checker(tables, main, problems)
    bus = reader.reserved("bus", BusSettings) or BusSettings()
    place = reader.place()
    settings = reader.reserved("broker", reader.broker_kind()) if only is None or broker else None
    folder_of_keys: str = getattr(settings, "keys", "")
    if settings is not None and folder_of_keys:
        settings = replace(settings, keys=beside(folder_of_keys, tables["broker"].source.folder))
    services = reader.services(place, only)
    override = os.environ.get("HEARTHBUS_URL")
    if override:
        reader.check_override(override)
    if reader.problems:
        order = {file: at for at, file in enumerate(files)}
        in_order = sorted(reader.problems, key=lambda problem: (order.get(problem.file, -1), problem.line))
        ordered = [str(problem) for problem in in_order]
        count = "1 problem" if len(ordered) == 1 else f"{len(ordered)} problems"
        raise Invalid(f"{count} in the configuration {main}", problems=tuple(ordered))
    own = broker_url(tables["broker"].values.get("address") if "broker" in tables else None)
    url = override or bus.url or own
    joins = url.replace("://localhost:", "://127.0.0.1:") != own
    url_from = "HEARTHBUS_URL" if override else "[bus] url" if bus.url else ""
    key = key_for(url, bus, folder=tables["bus"].source.folder if "bus" in tables else "")
    return House(main, example, files, url, joins, place, settings, _own(tables), services, url_from, key)


def find_file() -> tuple[str, bool]:
    """Return the configuration file to use where none is named, and whether it is the example house.

    Raises:
        Invalid: there is none, not even the example.
    """
    user = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    own = ("hearthbus.toml", f"{user}/hearthbus/hearthbus.toml", f"{INSTALLED}/hearthbus.toml")
    here = os.path.dirname(os.path.dirname(__file__))
    shipped = (f"{here}/house.toml", f"{os.path.dirname(here)}/deploy/house.toml")
    for file in (*own, *shipped):
        if os.path.isfile(file):
            return file, file in shipped
    raise Invalid(f"no configuration: there is none of {', '.join(own)}; name one with --config FILE")


class _Checker:
    """Checks tables against those who use them, gathering problems."""

    def __init__(self, tables: dict[str, Table], main: str, problems: list[Problem]) -> None:
        self.problems = problems
        self._tables = tables
        self._main = main
        self._known = plugins.find(SERVICES)

    def reserved(self, name: str, kind: Any) -> Any:
        table = self._tables.get(name)
        if kind is None:
            return None
        return kind() if table is None else self._read(table, kind, table.values)

    def place(self) -> Place:
        """Return `[house]`; where it has faults, something good in place of the fields it meant to set."""
        made: Place | None = self.reserved("house", Place)
        if made is not None and not any(self._is_house(name) for name in self._tables.keys() - {"house"}):
            return made
        keys = [key for table in self._tables.values() if self._is_house(table.name) for key in table.values]
        meant = {name for key in keys for name in similar(key, STAND_IN)}
        return Place(**{name: STAND_IN[name] for name in meant})

    def _is_house(self, name: str) -> bool:
        """Whether a table is `[house]`, or that misspelt."""
        return name not in self._known and similar(name, [*self._known, *RESERVED]) == ["house"]

    def broker_kind(self) -> Any:
        target = plugins.find(BROKER).get("config")
        return None if target is None else plugins.load("broker", target)

    def check_override(self, url: str) -> None:
        try:
            check_url("HEARTHBUS_URL", url)
        except Invalid as error:
            self.problems.append(Problem("", 0, "", str(error)))

    def services(self, place: Place, only: Collection[str] | None) -> dict[str, Instance]:
        wanted = _own(self._tables) if only is None else dict.fromkeys(only)
        made = (self._service(name, place) for name in wanted)
        return {instance.name: instance for instance in made if instance is not None}

    def _service(self, name: str, place: Place) -> Instance | None:
        table = self._tables.get(name)
        if table is None:
            if name not in self._known:
                names = {*self._known, *self._tables} - {*RESERVED}
                self.problems.append(Problem(self._main, 1, "", f"no service {name!r}{nearest(name, names)}"))
                return None
            table = Table.empty(name, self._main)
        service = table.values.get("service", name)
        if isinstance(service, str) and _CLASS.fullmatch(service):
            folder = os.path.abspath(table.source.folder)
            if folder not in sys.path:
                sys.path.append(folder)
            return self._instance(name, service, service, table, place)
        if service not in self._known:
            key = (name, "service") if "service" in table.values else (name,)
            more = "" if "service" in table.values else '; a name of your own needs a line: service = "..."'
            names = {*self._known, *([] if "service" in table.values else similar(name, [*self._known, *RESERVED]))}
            self._note(table, key, f"no service {service!r}{nearest(str(service), names)}{more}")
            return None
        return self._instance(name, service, self._known[service], table, place)

    def _instance(self, name: str, service: str, target: str, table: Table, place: Place) -> Instance | None:
        from hearthbus.service import bind

        try:
            kind = _service_class(service, target)
        except Invalid as error:
            self._note(table, (name, "service") if "service" in table.values else (name,), str(error))
            return None
        values = {key: value for key, value in table.values.items() if key != "service"}
        config = self._read(table, kind.Config, values, within=kind, shared=place.shared())
        if config is None:
            return None
        try:
            _check_instance(name)
            bind(kind, config, name)
        except Invalid as error:
            self._note(table, (name,), str(error))
            return None
        return Instance(name, service, kind, config)

    def _read(self, table: Table, kind: Any, values: dict[str, Any], **options: Any) -> Any:
        reader = Reader(table.source)
        made = reader.table(kind, values, (table.name,), **options)
        self.problems += reader.problems
        return made

    def _note(self, table: Table, key: tuple[str, ...], text: str) -> None:
        self.problems.append(table.source.problem(key, text))


def _service_class(service: str, target: str) -> type[Service]:
    from hearthbus.service import Service

    kind = plugins.load(service, target)
    if not (isinstance(kind, type) and issubclass(kind, Service)):
        raise Invalid(f"{target} is no service: a service is a subclass of hearthbus.Service")
    return kind


def _own(tables: dict[str, Table]) -> tuple[str, ...]:
    """Return the names of the tables that are services."""
    return tuple(name for name in tables if name not in RESERVED)


def _check_instance(name: str) -> None:
    try:
        check_name(name)
    except Invalid:
        raise Invalid("a table's name is the service's name on the bus: at most 60 of a-z 0-9 _ . -") from None
