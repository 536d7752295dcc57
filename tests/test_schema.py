"""From a table of plain values to a dataclass: what each type of field takes, and how a fault is told."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest

from hearthbus.config.schema import build
from hearthbus.config.secret import Secret
from hearthbus.errors import Invalid


class Mode(Enum):
    """Two ways to heat."""

    ECO = "eco"
    COMFORT = "comfort"


@dataclass(frozen=True)
class Zone:
    """A nested table."""

    sensor: str
    target: float = 20.0


@dataclass(frozen=True)
class Everything:
    """One field of every type there may be."""

    text: str = ""
    whole: int = 0
    number: float = 0.0
    flag: bool = False
    mode: Mode = Mode.ECO
    level: Literal["low", "high", 3] = "low"
    texts: tuple[str, ...] = ()
    numbers: list[float] = field(default_factory=list)
    rgb: tuple[int, int, int] = (0, 0, 0)
    limits: dict[str, float] = field(default_factory=dict)
    zone: Zone | None = None
    zones: dict[str, Zone] = field(default_factory=dict)
    plan: tuple[Zone, ...] = ()
    body: dict[str, Any] = field(default_factory=dict)
    maybe: float | None = None
    either: int | str = 0
    path: Path = Path()
    secret: Secret | None = None
    moment: dt.datetime | None = None
    day: dt.date | None = None
    time: dt.time | None = None

    def __post_init__(self) -> None:
        if self.whole > 100:
            raise Invalid("whole is above 100")
        if self.number < 0:
            raise ValueError("number is below 0")


NOON = dt.datetime(2026, 6, 21, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("name", "given", "made"),
    [
        ("text", "hall", "hall"),
        ("whole", 3, 3),
        ("number", 2, 2.0),
        ("number", 2.5, 2.5),
        ("flag", True, True),
        ("mode", "comfort", Mode.COMFORT),
        ("mode", Mode.COMFORT, Mode.COMFORT),
        ("level", 3, 3),
        ("texts", ["a", "b"], ("a", "b")),
        ("texts", [], ()),
        ("numbers", (1, 2.5), [1.0, 2.5]),
        ("rgb", [1, 2, 3], (1, 2, 3)),
        ("limits", {"low": 5}, {"low": 5.0}),
        ("zone", {"sensor": "n"}, Zone("n")),
        ("zone", None, None),
        ("zones", {"north": {"sensor": "n", "target": 18}}, {"north": Zone("n", 18.0)}),
        ("plan", [{"sensor": "p"}], (Zone("p"),)),
        ("body", {"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
        ("maybe", 1, 1.0),
        ("either", 1, 1),
        ("either", "one", "one"),
        ("path", "a/b", Path("a/b")),
        ("secret", Secret("x"), Secret("x")),
        ("moment", NOON, NOON),
        ("day", NOON.date(), NOON.date()),
        ("time", NOON.time(), NOON.time()),
    ],
)
def test_a_value_that_fits_is_taken(name: str, given: object, made: object) -> None:
    """A field takes what its type says, and keeps it as that type."""
    value = getattr(build(Everything, {name: given}), name)

    assert (type(made), made) == (type(value), value)


@pytest.mark.parametrize(
    ("name", "given", "problem"),
    [
        ("text", 3, "text: 3 is wrong; write text in quotes"),
        ("number", float("nan"), "number: nan is wrong; write a number"),
        ("maybe", float("-inf"), "maybe: -inf is wrong; write a number"),
        ("whole", 2.5, "whole: 2.5 is wrong; write a whole number"),
        ("whole", True, "whole: true is wrong; write a whole number"),
        ("number", True, "number: true is wrong; write a number"),
        ("number", "1", 'number: "1" is wrong; write a number'),
        ("flag", 1, "flag: 1 is wrong; write true or false"),
        ("mode", "ecco", "mode: \"ecco\" is none of the choices; did you mean 'eco'?"),
        ("mode", 7, "mode: 7 is none of the choices; known: comfort, eco"),
        ("level", "middle", 'level: "middle" is none of the choices; known: 3, high, low'),
        ("texts", "a", 'texts: "a" is wrong; write a list of text in quotes'),
        ("texts", ["a", 1], "texts[1]: 1 is wrong; write text in quotes"),
        ("rgb", [1, 2], "rgb: 2 values where 3 belong; write a list of 3"),
        ("limits", [1], "limits: a list is wrong; write a table"),
        ("limits", {"low": "x"}, 'limits.low: "x" is wrong; write a number'),
        ("zone", "n", 'zone: "n" is wrong; write a table'),
        ("zone", {}, "zone: sensor is missing; set it to text in quotes"),
        ("zone", {"sensor": "n", "targt": 1}, "zone.targt: unknown key; did you mean 'target'?"),
        ("zones", {"n": {"sensor": 1}}, "zones.n.sensor: 1 is wrong; write text in quotes"),
        ("plan", [{"sensor": "p"}, {}], "plan[1]: sensor is missing; set it to text in quotes"),
        ("maybe", "1", 'maybe: "1" is wrong; write a number'),
        ("either", 1.5, "either: 1.5 is wrong; write a whole number or text in quotes"),
        ("day", NOON, "day: 2026-06-21 12:00:00+00:00 is wrong; write a date such as 2026-06-21"),
        ("text", {"a": 1}, "text: a table is wrong; write text in quotes"),
        ("text", None, "text: None is wrong; write text in quotes"),
        ("whole", 101, "whole: whole is above 100"),
        ("number", -1, "number: number is below 0"),
        ("txet", "", "txet: unknown key; did you mean 'text'?"),
    ],
)
def test_a_value_that_does_not_fit_is_told(name: str, given: object, problem: str) -> None:
    """A fault names the key, what stands there, and what to write instead."""
    with pytest.raises(Invalid) as caught:
        build(Everything, {name: given})

    assert (problem,) == caught.value.problems


def test_every_fault_is_told_at_once() -> None:
    """One fault does not hide another."""
    with pytest.raises(Invalid) as caught:
        build(Everything, {"text": 1, "whole": "x", "unknwon": 1, "zone": {"sensor": 1}})

    assert 4 == len(caught.value.problems)


def test_several_problems_of_a_dataclass_s_own_stay_several() -> None:
    """A `__post_init__` may gather its faults in `problems`; each gets its own place."""

    @dataclass(frozen=True)
    class Picky:
        a: int
        b: int

        def __post_init__(self) -> None:
            raise Invalid("two", problems=("a is odd", "b is even"))

    with pytest.raises(Invalid) as caught:
        build(Picky, {"a": 1, "b": 2})

    assert ("a: a is odd", "b: b is even") == caught.value.problems


def test_a_class_that_is_no_dataclass_is_told() -> None:
    """Who forgets the decorator learns which one."""

    class Config:
        place: str

    with pytest.raises(Invalid, match=r"is no dataclass; write @dataclass\(frozen=True\) above it"):
        build(Config, {})


def test_names_of_the_surrounding_class_are_found() -> None:
    """A Config may use another class of the service's body in its annotations, even as text."""

    class Lamp:
        @dataclass(frozen=True)
        class Scene:
            level: int

        @dataclass(frozen=True)
        class Config:
            scene: Scene  # type: ignore[name-defined]  # noqa: F821 - resolved through the class around it

    config = build(Lamp.Config, {"scene": {"level": 3}}, within=Lamp)

    assert Lamp.Config(Lamp.Scene(3)) == config


def test_a_long_value_is_cut_short() -> None:
    """A page of text in the wrong place does not fill the screen."""
    with pytest.raises(Invalid) as caught:
        build(Everything, {"whole": "x" * 100})

    assert (f'whole: "{"x" * 37}..." is wrong; write a whole number',) == caught.value.problems
