"""What a person may set of the broker: the `[broker]` table, with every default. Knows no files and no sockets."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hearthbus.errors import Invalid
from hearthbus.keys import check_key_name
from hearthbus.message import MAX_BODY_BYTES
from hearthbus.topics import check_pattern

_ADDRESS: Final = re.compile(r"tcp://[^/\s]+:([0-9]{1,5}|\*)|ipc:///\S+")
_NETWORK: Final = re.compile(r"tcp://[^/\s]+:([0-9]{1,5}|\*)")
_LOOPBACK: Final = re.compile(r"tcp://(127\.[0-9.]+|localhost|\[::1\]):")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on everything a client can make grow; reaching one is refused, counted and said.

    What one stalled subscriber can cost is bounded by three of them: the fan-out holds at most `fanout_queue`
    messages for it, those above 2 KiB are limited to `large_bytes` in the seconds a silent connection lives, and
    16,000 x 2 KiB + 24 MB is less than 64 MB.
    """

    topics: int = 20_000
    """Topics the broker knows."""
    body_bytes: int = MAX_BODY_BYTES
    """Bytes of one message's body; the default is also the most."""
    connections: int = 500
    """Clients connected at one time."""
    subscriptions: int = 1_000
    """Patterns one connection may hold on the fan-out, and topics it may serve."""
    requests: int = 256
    """Requests of one client that wait for an answer."""
    page_messages: int = 1_000
    """Messages in one page of a snapshot or replay."""
    page_bytes: int = 128 * 1024
    """Bytes in one page of a snapshot or replay."""
    consumers: int = 256
    """Durable subscribers, whose place in the journal is kept while they are away."""
    fanout_queue: int = 16_000
    """Messages held for one subscriber that is slow."""
    large_bytes: int = 24 * 1024 * 1024
    """Bytes of messages above 2 KiB taken in within `silence_ms` and a second; more is refused."""
    memory_journal_bytes: int = 16 * 1024 * 1024
    """Messages held for a disk that does not take them; older ones are then dropped from the journal."""

    def __post_init__(self) -> None:
        problems = [f"{name} must be at least 1" for name in self.__dataclass_fields__ if getattr(self, name) < 1]
        if self.body_bytes > MAX_BODY_BYTES:
            problems.append(f"body_bytes can be {MAX_BODY_BYTES} at most: no client sends more")
        _refuse(problems)


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What one key may do, in patterns: nothing that is not said here."""

    publish: tuple[str, ...] = ()
    """Topics it may publish."""
    subscribe: tuple[str, ...] = ()
    """Topics it may read: live, retained, and in the journal."""
    serve: tuple[str, ...] = ()
    """Requests it may answer."""
    call: tuple[str, ...] = ()
    """Requests it may make."""
    names: tuple[str, ...] = ()
    """Services it may be, beside the key's own name and that with a dot and more behind it."""
    messages_per_s: float = 1_000.0
    """Messages it may send a second, after a burst of two seconds' worth."""
    body_bytes: int = MAX_BODY_BYTES
    """Bytes of the body of one of its messages."""

    def __post_init__(self) -> None:
        problems: list[str] = []
        for verb in ("publish", "subscribe", "serve", "call"):
            for pattern in getattr(self, verb):
                try:
                    check_pattern(pattern)
                except Invalid as error:
                    problems.append(f"{verb}: {error}")
        if self.messages_per_s <= 0:
            problems.append("messages_per_s must be above 0")
        if not 1 <= self.body_bytes <= MAX_BODY_BYTES:
            problems.append(f"body_bytes must be from 1 to {MAX_BODY_BYTES}")
        _refuse(problems)


@dataclass(frozen=True, kw_only=True)
class BrokerConfig:
    """Where the broker listens, where it keeps its files, and for how long."""

    address: str = "tcp://127.0.0.1:7600"
    """Clients of this machine connect here: tcp://127.0.0.1:PORT or ipc:///PATH."""
    fanout: str = ""
    """Address of the fan-out socket; default the next port, or PATH.fanout."""
    network: str = ""
    """Clients with a key connect here, from other machines too: tcp://0.0.0.0:7600. Its fan-out is the next port."""
    keys: str = ""
    """Folder of the keys that `network` needs, beside this file unless it begins with `/`; `hearthbus keys init` makes
    it."""
    access: dict[str, Grant] = field(default_factory=dict)
    """What each key may do, a table each; without one it may do nothing. `local` narrows this machine's clients."""
    data: str = ""
    """Folder of the journal, beside this file unless it begins with `/`; default $STATE_DIRECTORY, else
    ~/.local/state/hearthbus."""
    commit_s: float = 5.0
    """Seconds between commits to disk while nobody asks for a confirmation: what a power cut may cost."""
    keep_days: float = 30.0
    """Age at which journal entries are deleted."""
    keep_mb: int = 256
    """Size of the journal's messages at which the oldest are deleted."""
    journal: tuple[str, ...] = ("#",)
    """Patterns of the topics that are journaled."""
    stats_s: float = 10.0
    """Seconds between messages on broker/stats."""
    beat_ms: int = 1_000
    """How often clients must say that they are alive."""
    silence_ms: int = 3_000
    """Silence after which a client is lost."""
    limits: Limits = field(default_factory=Limits)
    """Bounds on what clients can make grow; a table of its own."""

    def __post_init__(self) -> None:
        problems: list[str] = []
        for pattern in self.journal:
            try:
                check_pattern(pattern)
            except Invalid as error:
                problems.append(f"journal: {error}")
        problems += _address_problems("address", self.address)
        if self.fanout or not problems:
            problems += _address_problems("fanout", self.fanout_address)
        problems += self._network_problems()
        if self.beat_ms < 50:
            problems.append("beat_ms must be at least 50")
        if self.silence_ms < 2 * self.beat_ms:
            problems.append("silence_ms must be at least twice beat_ms")
        if self.commit_s < 0:
            problems.append("commit_s must be 0 or more")
        if self.keep_mb < 1:
            problems.append("keep_mb must be at least 1")
        problems += [f"{name} must be above 0" for name in ("keep_days", "stats_s") if getattr(self, name) <= 0]
        _refuse(problems)

    @property
    def fanout_address(self) -> str:
        """The fan-out's address, derived from `address` unless given."""
        if self.fanout:
            return self.fanout
        return _next(self.address)

    @property
    def network_fanout(self) -> str:
        """The fan-out's address for those who come with a key."""
        return _next(self.network)

    @property
    def data_path(self) -> Path:
        """The folder of the journal."""
        if self.data:
            return Path(self.data).expanduser()
        if os.environ.get("STATE_DIRECTORY"):
            return Path(os.environ["STATE_DIRECTORY"].split(":")[0])
        home = os.environ.get("XDG_STATE_HOME")
        return (Path(home) if home else Path.home() / ".local" / "state") / "hearthbus"

    def _network_problems(self) -> list[str]:
        problems: list[str] = []
        if self.network:
            if not _NETWORK.fullmatch(self.network):
                problems.append(f"network {self.network!r}: write tcp://0.0.0.0:PORT or tcp://ADDRESS:PORT")
            if not self.keys:
                problems.append("network needs keys: type `hearthbus keys init`, and name the folder it tells as keys")
            taken = {_port(address) for address in (self.address, self.fanout_address)} - {0}
            port = _port(self.network)
            if taken & {port, port + 1}:
                problems.append(
                    f"network {self.network!r} has a port of address, or the one before: "
                    "let address be ipc:///run/hearthbus/bus, or take other ports"
                )
        for name in self.access:
            try:
                check_key_name(name)
            except Invalid as error:
                problems.append(f"access: {error}")
        return problems


def _next(address: str) -> str:
    if address.startswith("ipc://"):
        return address + ".fanout"
    host, _, port = address.rpartition(":")
    return f"{host}:{int(port) + 1 if port.strip('*0') else '*'}"


def _port(address: str) -> int:
    """The port of an address, 0 where it has none of its own."""
    port = address.rpartition(":")[2]
    return int(port) if address.startswith("tcp://") and port.isdigit() else 0


def _address_problems(name: str, address: str) -> list[str]:
    if not _ADDRESS.fullmatch(address):
        return [f"{name} {address!r}: write tcp://HOST:PORT or ipc:///PATH"]
    if address.startswith("tcp://") and not _LOOPBACK.match(address):
        who = "can be reached by others, and asks nobody who he is"
        return [
            f"{name} {address!r} {who}: use 127.0.0.1 or ipc:///PATH; for other machines there is network, with keys"
        ]
    return []


def _refuse(problems: list[str]) -> None:
    if problems:
        raise Invalid("; ".join(problems), problems=tuple(problems))
