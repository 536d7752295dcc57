"""The client of the bus: publish, subscribe, ask, answer.

    async with Bus() as bus, bus.subscribe("sensor/#") as messages:
        await bus.publish("sensor/hall/temperature", value=20.5, unit="°C", retain=True)
        async for message in messages:
            print(message.topic, message["value"])

Checks what the caller gives and fills in defaults; carrying it is the transport's part. Does not know ZeroMQ.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any, Self

from hearthbus.errors import Invalid
from hearthbus.message import MAX_NAME_BYTES, encode_body
from hearthbus.topics import check_pattern, check_topic

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType

    from hearthbus.keys import Key
    from hearthbus.message import Message
    from hearthbus.transport import Responder, Subscription, Transport

DEFAULT_URL = "tcp://127.0.0.1:7600"
DEFAULT_TTL = 30.0
"""Seconds a message may wait for the broker to come back before it is dropped and counted."""
DEFAULT_TIMEOUT = 5.0
LONGEST_TIMEOUT = 3600.0
_KNOWN_TOPICS = 4096
_FOREVER = 2**63 - 1


def default_url() -> str:
    """Return the broker's address: `HEARTHBUS_URL`, or the default port on this machine."""
    return os.environ.get("HEARTHBUS_URL") or DEFAULT_URL


def default_name(key: Key | None = None) -> str:
    """Return a name for a client that was given none: its program and process id, behind the name of its key."""
    program = os.path.basename(sys.argv[0] or "python").removesuffix(".py").lower()  # noqa: PTH119 - pathlib costs 10 ms
    plain = "".join(char if char.isalnum() or char in "_.-" else "-" for char in program if char.isascii())
    whose, end = "" if key is None else f"{key.name}.", f"-{os.getpid()}"
    room = min(40, MAX_NAME_BYTES - len(whose) - len(end))
    return f"{whose}{plain.strip('-')[:room] or 'python'}{end}"


class Bus:
    """A connection to the bus, open for as long as its `async with` block.

    Args:
        url: the broker's address, `tcp://host:port` or `ipc:///path`; default `HEARTHBUS_URL`, then port 7600 here.
        key: file of the key with which to come to a broker on another machine; default `HEARTHBUS_KEY`, then none.
            Not used, and not read, with `ipc://`: there the file's permissions are the check.
        name: who speaks; every message carries it. Default: the key's name, program and process id.
        presence: announce this client as `service/<name>`: online now, offline at the end, lost if it dies.
        will: (topic, body) the broker publishes retained if this client dies.
        connect_timeout: seconds to wait for the broker at the start, None for ever. Later the bus reconnects
            by itself and for ever.
        transport: what carries the messages; default by the URL's scheme.

    Raises:
        Invalid: a bad address, name or will, or a key's file that is none or that others can use.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        key: str | os.PathLike[str] | None = None,
        name: str | None = None,
        presence: bool = False,
        will: tuple[str, Mapping[str, Any]] | None = None,
        connect_timeout: float | None = 5.0,
        transport: Transport | None = None,
    ) -> None:
        self.url = url or default_url()
        found = None if transport is not None else _key_for(self.url, key)
        self.name = check_name(name or default_name(found))
        self._connect_timeout = connect_timeout
        self._topics: set[str] = set()
        if will is not None:
            check_topic(will[0])
            encode_body(will[1])
        self._transport = transport or _transport_for(self.url, name=self.name, presence=presence, will=will, key=found)

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            Unavailable: no broker answered within `connect_timeout`.
            Refused: the broker does not want this client, or does not speak its version.
        """
        await self._transport.open(self._connect_timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.close()

    @property
    def connected(self) -> bool:
        """Whether the broker answers now."""
        return self._transport.connected

    @property
    def answered_at(self) -> float:
        """Event loop time at which the broker last answered a heartbeat; 0.0 before it has."""
        return self._transport.answered_at

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
        """Publish one message; its body is `body` and `fields` together.

        While the broker is away a retained topic keeps its newest value until the broker is back; any other
        message waits for at most `ttl` seconds in a bounded queue.

        Args:
            topic: where.
            body: keys and values; needed where a key is not a Python name, or `retain`, `confirm`, `ttl`.
            retain: keep it as the state of the topic. An empty body forgets the state.
            confirm: return only when the broker has it on disk.
            ttl: seconds it may wait for the broker.
            fields: more keys and values.

        Raises:
            Invalid: a bad topic or body.
            Unavailable: with `confirm`, it could not be stored within `ttl`.
            Refused: with `confirm`, the broker refused it.
        """
        if topic not in self._topics:
            self._remember(topic)
        data = encode_body(fields if body is None else {**body, **fields} if fields else body)
        wait = self._transport.publish(topic, data, time.time_ns(), retain, confirm, ttl)
        if wait is not None:
            await wait

    def subscribe(self, *patterns: str, retained: bool = True, durable: str | None = None) -> Subscription:
        """Return the stream of messages of `patterns`; leave it by `async with`, or it goes on being filled.

        It begins with the retained state (each message has `replayed` set), then goes on live, with no gap and no
        duplicate between the two, and over a reconnection.

        Args:
            patterns: topics, with `+` and `#`.
            retained: begin with the retained state.
            durable: a name under which the broker stores the place of the last `ack`: a later subscription of
                that name goes on there, however long it was away. It begins, the first time, with what comes next.

        Raises:
            Invalid: a bad pattern.
        """
        if not patterns:
            raise Invalid("subscribe() needs a pattern; '#' stands for everything")
        for pattern in patterns:
            check_pattern(pattern)
        if durable is not None:
            check_name(durable)
        return self._transport.subscribe(patterns, retained=retained, durable=durable)

    async def get(self, *patterns: str) -> list[Message]:
        """Return the retained messages of `patterns` as they are now, sorted by topic.

        Raises:
            Invalid: a bad pattern.
            Unavailable: the broker is away.
        """
        for pattern in patterns:
            check_pattern(pattern)
        return await self._transport.snapshot(patterns)

    def replay(self, *patterns: str, since: int = 0, until: int = _FOREVER) -> AsyncIterator[Message]:
        """Read the journal, oldest first.

        Args:
            patterns: topics, with `+` and `#`.
            since: nanoseconds since 1970 UTC, inclusive.
            until: nanoseconds since 1970 UTC, exclusive.

        Raises:
            Invalid: a bad pattern.
            Unavailable: the broker is away.
        """
        for pattern in patterns:
            check_pattern(pattern)
        return self._transport.replay(patterns, since=since, until=until)

    async def request(
        self, topic: str, body: Mapping[str, Any] | None = None, /, *, timeout: float = DEFAULT_TIMEOUT, **fields: Any
    ) -> dict[str, Any]:
        """Ask the one responder of `topic` and return its answer.

        Raises:
            Invalid: a bad topic or body.
            NoResponder: nobody serves the topic (known at once).
            Timeout: no answer within `timeout` seconds.
            Refused: the broker refused the request.
            HandlerError: the responder answered with an error.
            Unavailable: the broker is away; the request was not and will not be sent.
        """
        if topic not in self._topics:
            self._remember(topic)
        data = encode_body({**body, **fields} if body else fields)
        if not timeout > 0:
            raise Invalid(f"the timeout {timeout!r} is not a number of seconds above 0")
        return await self._transport.request(topic, data, time=time.time_ns(), timeout=min(timeout, LONGEST_TIMEOUT))

    def serve(self, pattern: str) -> Responder:
        """Return the stream of requests for `pattern`, of which this client is then a responder.

        Raises:
            Invalid: a bad pattern.
        """
        return self._transport.serve(check_pattern(pattern))

    async def forget(self, consumer: str) -> None:
        """Delete the stored place of the durable subscription `consumer`.

        Raises:
            Refused: there is none of that name, or it is in use.
            Unavailable: the broker is away.
        """
        await self._transport.forget(check_name(consumer))

    def _remember(self, topic: str) -> None:
        check_topic(topic)
        if len(self._topics) >= _KNOWN_TOPICS:
            self._topics.clear()
        self._topics.add(topic)


def check_name(name: str) -> str:
    """Return `name` if it can name a client: one topic segment of at most 60 bytes.

    Raises:
        Invalid: otherwise.
    """
    if "/" in name or len(name) > MAX_NAME_BYTES:
        raise Invalid(f"bad name {name[:80]!r}: at most {MAX_NAME_BYTES} of a-z 0-9 _ . - and no '/'")
    return check_topic(name)


def _key_for(url: str, path: str | os.PathLike[str] | None) -> Key | None:
    """Read the key that is shown at `url`: that of `path`, where None stands for `HEARTHBUS_KEY` and "" for none."""
    file = os.environ.get("HEARTHBUS_KEY", "") if path is None else os.fspath(path)
    if not file or url.startswith("ipc://"):
        return None
    from hearthbus.keys import read_key

    key = read_key(file)
    if not key.broker:
        raise Invalid(f"{file} is the broker's own key; one for this machine is made there: `hearthbus keys new NAME`")
    return key


def _transport_for(
    url: str, *, name: str, presence: bool, will: tuple[str, Mapping[str, Any]] | None, key: Key | None
) -> Transport:
    """Choose the transport by the URL's scheme.

    Raises:
        Invalid: a scheme nobody carries.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or not rest or scheme not in {"tcp", "ipc"}:
        raise Invalid(f"bad bus address {url!r}: write tcp://HOST:PORT or ipc:///PATH (HEARTHBUS_URL)")
    if scheme == "tcp":
        host, colon, port = rest.rpartition(":")
        if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise Invalid(f"bad bus address {url!r}: write tcp://HOST:PORT (HEARTHBUS_URL)")
    from hearthbus.client.zeromq import ZmqTransport

    return ZmqTransport(url, name=name, presence=presence, will=will, key=key)
