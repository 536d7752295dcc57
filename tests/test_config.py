"""The configuration: what a file may say, and how every fault of it is told."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from hearthbus.config import load
from hearthbus.config.secret import HOW
from hearthbus.errors import Invalid
from hearthbus.plugins import to_install

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SERVICES = """
from dataclasses import dataclass, field
from typing import Literal

from hearthbus import Invalid, Service, on
from hearthbus.config.secret import Secret


@dataclass(frozen=True)
class Zone:
    sensor: str
    target: float = 20.0


class Heating(Service):
    @dataclass(frozen=True)
    class Config:
        place: str
        target: float = 20.0
        tries: int = 3
        mode: Literal["eco", "comfort"] = "eco"
        rooms: tuple[str, ...] = ()
        zones: dict[str, Zone] = field(default_factory=dict)
        plan: list[Zone] = field(default_factory=list)
        token: Secret | None = None

        def __post_init__(self) -> None:
            if self.target > 30:
                raise Invalid(f"target {self.target} is above 30")

    @on("sensor/{place}/temperature")
    async def regulate(self, reading): ...


class Sky(Service):
    @dataclass(frozen=True)
    class Config:
        latitude: float
        longitude: float = 0.0
        timezone: str = "UTC"
"""
ENTRY_POINTS = """
[hearthbus.services]
heating = faked_services:Heating
sky = faked_services:Sky
heavy = faked_heavy:Heavy
"""
OWN = 'a name of your own needs a line: service = "..."'
NAME = "a table's name is the service's name on the bus: at most 60 of a-z 0-9 _ . -"
LACKS = "'heavy' needs the Python package 'no_such_package'"


@pytest.fixture(autouse=True)
def _packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package with services, and be in an empty folder with no environment."""
    site = tmp_path / "site"
    (site / "faked-1.0.dist-info").mkdir(parents=True)
    (site / "faked-1.0.dist-info" / "entry_points.txt").write_text(ENTRY_POINTS)
    (site / "faked_services.py").write_text(SERVICES)
    (site / "faked_heavy.py").write_text("import no_such_package\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(__import__("sys").modules, "faked_services", raising=False)
    monkeypatch.delenv("HEARTHBUS_URL", raising=False)
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Write a file, hearthbus.toml unless named, and return its path."""

    def write(text: str, name: str = "hearthbus.toml") -> Path:
        file = tmp_path / "home" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip("\n"))
        return file

    return write


def problems(file: Path, only: tuple[str, ...] | None = None) -> list[str]:
    """Return what is wrong with a configuration, each without the folder."""
    with pytest.raises(Invalid) as caught:
        load(file, only=only)
    return [problem.replace(f"{file.parent}/", "") for problem in caught.value.problems]


def test_every_problem_is_told_at_once_with_its_line(write: Callable[[str], Path]) -> None:
    """One reading tells all faults of a file, each with line, key and what to write."""
    file = write("""
        [heating]
        place = 7
        traget = 21.0
        mode = "ecco"
        rooms = [
            "hall",
            3,
        ]
        token = "hunter2"

        [heating.zones.north]
        target = true

        [[heating.plan]]
        sensor = "p1"

        [[heating.plan]]
        sensr = "p2"
    """)

    assert [
        "hearthbus.toml:2: heating.place: 7 is wrong; write text in quotes",
        "hearthbus.toml:3: heating.traget: unknown key; did you mean 'target'?",
        "hearthbus.toml:4: heating.mode: \"ecco\" is none of the choices; did you mean 'eco'?",
        "hearthbus.toml:7: heating.rooms[1]: 3 is wrong; write text in quotes",
        f"hearthbus.toml:9: heating.token: a secret is not written here; write {HOW}",
        "hearthbus.toml:11: heating.zones.north: sensor is missing; set it to text in quotes",
        "hearthbus.toml:12: heating.zones.north.target: true is wrong; write a number",
        "hearthbus.toml:17: heating.plan[1]: sensor is missing; set it to text in quotes",
        "hearthbus.toml:18: heating.plan[1].sensr: unknown key; did you mean 'sensor'?",
    ] == problems(file)


def test_a_dataclass_s_own_complaint_gets_the_place_of_its_key(write: Callable[[str], Path]) -> None:
    """What `__post_init__` raises is a problem of the key it speaks of."""
    file = write("""
        [heating]
        place = "hall"
        target = 99
    """)

    assert ["hearthbus.toml:3: heating.target: target 99.0 is above 30"] == problems(file)


def test_a_config_that_makes_no_topic_is_a_problem(write: Callable[[str], Path]) -> None:
    """A value that stands in a topic must make one, and that is known before anything starts."""
    file = write("""
        [heating]
        place = "Hall"
    """)

    assert [
        "hearthbus.toml:1: heating: bad pattern 'sensor/Hall/temperature': upper case in 'Hall'; write 'hall'"
    ] == problems(file)


def test_an_unknown_table_gets_the_nearest_service(write: Callable[[str], Path]) -> None:
    """A table is a service or says which one it is."""
    file = write("""
        [heatting]
        place = "hall"

        [attic]
        service = "heeting"
    """)

    assert [
        f"hearthbus.toml:1: heatting: no service 'heatting'; did you mean 'heating'?; {OWN}",
        "hearthbus.toml:5: attic.service: no service 'heeting'; did you mean 'heating'?",
    ] == problems(file)


def test_a_second_instance_has_a_name_of_its_own(write: Callable[[str], Path]) -> None:
    """`service = ` makes another instance of a service."""
    house = load(
        write("""
            [heating]
            place = "hall"

            [attic-heating]
            service = "heating"
            place = "attic"
        """)
    )

    assert [("heating", "heating", "hall"), ("attic-heating", "heating", "attic")] == [
        (one.name, one.service, one.config.place) for one in house.services.values()
    ]


def test_an_instance_s_name_must_do_on_the_bus(write: Callable[[str], Path]) -> None:
    """A table's name becomes a topic's segment, so it obeys its grammar."""
    file = write("""
        ["Hall Heating"]
        service = "heating"
        place = "hall"
    """)

    assert [
        "hearthbus.toml:1: Hall Heating: a table's name is the service's name on the bus: at most 60 of a-z 0-9 _ . -"
    ] == problems(file)


def test_a_service_whose_package_is_missing_says_what_to_install(write: Callable[[str], Path]) -> None:
    """A service that needs more than is installed names the package."""
    file = write("[heavy]\n")

    assert [f"hearthbus.toml:1: heavy: {LACKS}; {to_install('no_such_package')}"] == problems(file)


def test_problems_of_all_files_are_told_together(write: Callable[..., Path]) -> None:
    """A fault in an included file names that file, and does not hide the others."""
    write('[heating]\nplace = "hall"\nmode = "echo"\n', "conf.d/heating.toml")
    write("[sky\n", "conf.d/sky.toml")
    file = write("""
        include = ["conf.d/*.toml", "gone.toml"]
        colour = "red"
        [house]
        latitude = 91.0
        [bus]
        url = "http://broker"
    """)

    assert [
        "hearthbus.toml:1: include[1]: there is no file gone.toml",
        "hearthbus.toml:2: colour: unknown key; every key but include stands in a table: [sun], [house], ...",
        "hearthbus.toml:4: house.latitude: latitude 91.0 is outside -90 to 90",
        "hearthbus.toml:6: bus.url: url 'http://broker': write tcp://HOST:PORT or ipc:///PATH",
        "conf.d/heating.toml:3: heating.mode: \"echo\" is none of the choices; did you mean 'eco'?",
        "conf.d/sky.toml:1: no TOML: Expected ']' at the end of a table declaration",
    ] == problems(file)


def test_the_house_s_place_is_shared(write: Callable[[str], Path]) -> None:
    """A service takes latitude, longitude and time zone from [house] unless its own table says otherwise."""
    house = load(
        write("""
            [house]
            latitude = 51.5
            longitude = -0.13
            timezone = "Europe/London"

            [sky]
            longitude = 10.0
        """)
    )
    config = house.services["sky"].config

    assert (51.5, 10.0, "Europe/London") == (config.latitude, config.longitude, config.timezone)


def test_what_is_missing_for_the_house_may_be_set_there(write: Callable[[str], Path]) -> None:
    """A missing place of the house names [house] as the other place to set it."""
    assert ["hearthbus.toml:1: sky: latitude is missing; set it here or in [house] to a number"] == problems(
        write("[sky]\n")
    )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Europe/Londn", "; did you mean 'Europe/London'?"),
        ("Nowhere/Atall", ""),
        ("../../etc/passwd", ""),
    ],
)
def test_an_unknown_time_zone_gets_the_nearest(write: Callable[[str], Path], name: str, hint: str) -> None:
    """Time zones are checked with the names the machine knows; a path is none."""
    file = write(f'[house]\ntimezone = "{name}"\n')

    assert [f"hearthbus.toml:2: house.timezone: timezone {name!r} is not known{hint}"] == problems(file)


def test_only_what_is_asked_for_is_imported(write: Callable[[str], Path]) -> None:
    """A process for one service neither imports nor checks the others'."""
    file = write('[heavy]\n[sky]\nlatitude = "north"\n[heating]\nplace = "hall"\n')
    house = load(file, only=["heating"])

    assert ["heating"] == list(house.services)
    assert ("heavy", "sky", "heating") == house.tables


def test_a_service_without_a_table_has_an_empty_one(write: Callable[[str], Path]) -> None:
    """A service that needs no configuration runs without a table; one that does says what is missing."""
    file = write("")

    assert ["hearthbus.toml:1: heating: place is missing; set it to text in quotes"] == problems(file, ("heating",))
    assert ["hearthbus.toml:1: no service 'heatting'; did you mean 'heating'?"] == problems(file, ("heatting",))
