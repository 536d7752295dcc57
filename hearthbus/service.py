"""A service: a class whose marked methods the bus calls.

    class Thermostat(Service):
        @dataclass(frozen=True)
        class Config:
            place: str
            target: float = 20.0

        @on("sensor/{place}/temperature")
        async def regulate(self, reading: Message) -> None: ...

`@on`, `@every` and `@serve` only mark a method; it stays an ordinary method, callable from a test. What calls it is
`hearthbus.running.runtime`; what makes the process around it is `runner` beside it. Knows no sockets, signals or files.
"""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from weakref import WeakKeyDictionary

from hearthbus.bus import DEFAULT_TIMEOUT, DEFAULT_TTL
from hearthbus.clock import Clock
from hearthbus.errors import Invalid
from hearthbus.topics import check_pattern

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from hearthbus.bus import Bus
    from hearthbus.message import Message
    from hearthbus.transport import Subscription

_Method = TypeVar("_Method", bound="Callable[..., Any]")
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MARKS = "_hearthbus_marks"


@dataclass(frozen=True)
class On:
    """The mark of `@on`."""

    pattern: str
    max_age: float | None


@dataclass(frozen=True)
class Every:
    """The mark of `@every`."""

    seconds: float | str


@dataclass(frozen=True)
class Serve:
    """The mark of `@serve`."""

    pattern: str


Mark = On | Every | Serve


def on(pattern: str, *, max_age: float | None = None) -> Callable[[_Method], _Method]:
    """Call the method with each message of `pattern`: first the retained state, then what comes live.

    A service's `@on` and `@every` methods run one at a time, messages in their order, so its state needs no locks.

    Args:
        pattern: a topic pattern. `{place}` stands for the field `place` of the config, or `{name}` for the service's
            own name; a field that is a list of strings makes one pattern of each.
        max_age: seconds; an older message (retained, or replayed after an outage) is counted and skipped.
    """
    _check_shape(pattern)
    return _marking(On(pattern, max_age))


def every(seconds: float | str) -> Callable[[_Method], _Method]:
    """Call the method, without arguments, once at the start and then every `seconds`.

    The rhythm is that of a clock which never jumps. A call that is due while the one before still runs is skipped.

    Args:
        seconds: the period, or `"{interval}"` for the field `interval` of the config.
    """
    if not isinstance(seconds, str) and not seconds > 0:
        raise Invalid(f"@every({seconds}): the period is a number of seconds above 0")
    if isinstance(seconds, str) and not _PLACEHOLDER.fullmatch(seconds):
        raise Invalid(f'@every({seconds!r}): write a number of seconds, or "{{field}}" for a field of the config')
    return _marking(Every(seconds))


def serve(pattern: str) -> Callable[[_Method], _Method]:
    """Answer each request for `pattern` with the mapping the method returns (None: an empty answer).

    A `HearthbusError`, `ValueError` or `KeyError` it raises is the caller's `HandlerError`, with its text; of any other
    exception the caller learns the type only. Requests are answered beside each other and beside `@on` and `@every`.

    Args:
        pattern: a topic pattern with placeholders, as in `on`.
    """
    _check_shape(pattern)
    return _marking(Serve(pattern))


@dataclass(frozen=True)
class Binding:
    """One mark of one method, its placeholders filled in."""

    method: str
    mark: Mark
    patterns: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass
class Counts:
    """What a service has done since it started."""

    handled: int = 0
    errors: int = 0
    skipped: int = 0
    """Messages older than their handler's `max_age`."""
    lost: int = 0
    """Messages the bus could neither deliver nor find again."""


@dataclass(frozen=True)
class NoConfig:
    """The config of a service that needs none."""


class Service:
    """Base of every service. Subclass it, mark methods, name what can be configured in a nested `Config`.

    Args:
        bus: an open connection; its name is the service's.
        config: an instance of the class's own `Config`.
        clock: where time comes from.
    """

    Config: ClassVar[type[Any]] = NoConfig
    """A frozen dataclass. Annotate `config: Config` in your class where a type checker shall know it too."""
    config: Any
    marks: ClassVar[tuple[tuple[str, Mark], ...]] = ()
    """(method, mark) of every marked method, the base class's first."""

    def __init_subclass__(cls, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        found: dict[str, tuple[Mark, ...]] = {}
        for base in reversed(cls.__mro__):
            for name, value in vars(base).items():
                if name in found or hasattr(value, _MARKS):
                    found[name] = getattr(value, _MARKS, ())
        cls.marks = tuple((name, mark) for name, marks in found.items() for mark in marks)

    def __init__(self, *, bus: Bus, config: object, clock: Clock | None = None) -> None:
        self.bus = bus
        self.config = config
        self.name = bus.name
        self.log = logging.getLogger(bus.name)
        self.clock = clock or Clock()
        self.counts = Counts()
        self._streams: WeakKeyDictionary[Subscription, bool] = WeakKeyDictionary()
        self.trouble = ""
        """What is wrong though the service runs, for people, such as "no stick at /dev/ttyUSB0"; empty: nothing.

        It is on `service/<name>/health` within a second, and in `hearthbus status`.
        """

    async def on_start(self) -> None:
        """Prepare: called once, connected, before the first message, timer or request."""

    async def on_stop(self) -> None:
        """Tidy up: called once at the end, still connected if the broker is there; it has a second."""

    async def main(self) -> None:
        """Run beside the handlers; override it to read a stream, for example a serial port.

        It is cancelled when the service stops. When it returns, the service is done and stops; when it raises, the
        service is started anew.
        """
        await asyncio.get_running_loop().create_future()

    def health(self) -> dict[str, Any]:
        """Return figures for `service/<name>/health`; extend it with your own."""
        counts = self.counts
        return {
            "handled": counts.handled,
            "errors": counts.errors,
            "skipped": counts.skipped,
            "lost": counts.lost + sum(stream.lost for stream in self._streams),
        }

    @property
    def unread(self) -> int:
        """Messages that wait in streams of its own; the journal behind a durable one is none of them."""
        return sum(stream.unread for stream, durable in self._streams.items() if not durable)

    def now(self) -> float:
        """Return UTC wall time, seconds since 1970; in a test it is the test's."""
        return self.clock.now()

    async def sleep(self, seconds: float) -> None:
        """Wait; in a test on the test's clock."""
        await self.clock.sleep(seconds)

    async def publish(
        self,
        topic: str,
        body: Mapping[str, Any] | None = None,
        /,
        *,
        retain: bool = False,
        confirm: bool = False,
        ttl: float = DEFAULT_TTL,
        **fields: Any,
    ) -> None:
        """Publish one message, as `Bus.publish`."""
        await self.bus.publish(topic, body, retain=retain, confirm=confirm, ttl=ttl, **fields)

    async def request(
        self, topic: str, body: Mapping[str, Any] | None = None, /, *, timeout: float = DEFAULT_TIMEOUT, **fields: Any
    ) -> dict[str, Any]:
        """Ask the one responder of `topic`, as `Bus.request`."""
        return await self.bus.request(topic, body, timeout=timeout, **fields)

    async def get(self, *patterns: str) -> list[Message]:
        """Return the retained messages of `patterns`, as `Bus.get`."""
        return await self.bus.get(*patterns)

    def subscribe(self, *patterns: str, retained: bool = True, durable: str | None = None) -> Subscription:
        """Return a stream of messages of your own, as `Bus.subscribe`: for `main()`."""
        stream = self.bus.subscribe(*patterns, retained=retained, durable=durable)
        self._streams[stream] = durable is not None
        return stream

    def replay(self, *patterns: str, since: int = 0, until: int = 2**63 - 1) -> AsyncIterator[Message]:
        """Read the journal, as `Bus.replay`."""
        return self.bus.replay(*patterns, since=since, until=until)


def bind(kind: type[Service], config: object, name: str) -> tuple[Binding, ...]:
    """Fill the placeholders of every mark of `kind` from `config`.

    Raises:
        Invalid: a placeholder that is no field, or a value that makes no pattern or period.
    """
    return tuple(_bind(method, mark, config, name) for method, mark in kind.marks)


def _bind(method: str, mark: Mark, config: object, name: str) -> Binding:
    if isinstance(mark, Every):
        seconds = mark.seconds
        if isinstance(seconds, str):
            seconds = _field(seconds[1:-1], config, name)
            if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
                raise Invalid(f"{mark.seconds[1:-1]} is {seconds!r}; it is a number of seconds above 0")  # type: ignore[index]  # a str here
        return Binding(method, mark, seconds=seconds)
    patterns = [""]
    at = 0
    for found in _PLACEHOLDER.finditer(mark.pattern):
        values = _texts(found[1], config, name)
        literal = mark.pattern[at : found.start()]
        patterns = [pattern + literal + value for pattern in patterns for value in values]
        at = found.end()
    return Binding(method, mark, patterns=tuple(check_pattern(pattern + mark.pattern[at:]) for pattern in patterns))


def _field(field: str, config: object, name: str) -> Any:
    if hasattr(config, field):
        return getattr(config, field)
    if field == "name":
        return name
    raise Invalid(f"{{{field}}} in a pattern is no field of {type(config).__qualname__}")


def _texts(field: str, config: object, name: str) -> list[str]:
    value = _field(field, config, name)
    values = value if isinstance(value, tuple | list) else (value,)
    texts = [str(getattr(item, "value", item)) for item in values]
    if "" in texts:
        raise Invalid(f"{field} is empty; it is part of a topic")
    return texts


def _marking(mark: Mark) -> Callable[[_Method], _Method]:
    def marking(method: _Method) -> _Method:
        setattr(method, _MARKS, (*getattr(method, _MARKS, ()), mark))
        return method

    return marking


def _check_shape(pattern: str) -> None:
    """Refuse at the decorator what no config could make a pattern."""
    check_pattern(_PLACEHOLDER.sub("x", pattern))
