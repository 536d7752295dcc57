"""One run: a server, its receivers and one sender as processes, watched through their boards.

Knows processes and boards; what the work is says `bench.work`, how a bus does it `bench.peers`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.board import Board, Slot
from bench.process import Failed, child, cpu_seconds, free_port, listens, tail, wait_for

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Sequence

    from bench.peers.base import Peer
    from bench.work import Load

_STILL_S = 12.0
"""When the sender is done and nobody received anything for so long, the rest is lost."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server of `peer`."""

    key: str
    peer: Peer
    pid: int
    port: int
    home: Path


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of one load."""

    sent: int
    received: tuple[int, ...]
    """Complete messages of each receiver."""
    broken: int
    doubled: bool
    """A receiver has as many as were sent, and they are not the ones that were sent."""
    seconds: float
    """From the first message sent to the last one received."""
    broker_cpu_s: float
    sender_cpu_s: float
    receivers_cpu_s: float
    delays_ns: tuple[int, ...]

    @property
    def lost(self) -> int:
        """Messages sent that a receiver did not get."""
        return sum(self.sent - count for count in self.received)

    @property
    def rate(self) -> float:
        """Messages a second, received complete, over all receivers."""
        return sum(self.received) / self.seconds if self.seconds else 0.0

    @property
    def broker_us(self) -> float:
        """Broker CPU for each message sent, microseconds."""
        return self.broker_cpu_s / self.sent * 1e6 if self.sent else 0.0

    @property
    def sender_us(self) -> float:
        """The sender's CPU for each message sent, microseconds."""
        return self.sender_cpu_s / self.sent * 1e6 if self.sent else 0.0

    @property
    def receiver_us(self) -> float:
        """The receivers' CPU for each message received, microseconds."""
        return self.receivers_cpu_s / sum(self.received) * 1e6 if sum(self.received) else 0.0


@dataclass(frozen=True, kw_only=True)
class Client:
    """A running sender or receiver."""

    process: subprocess.Popen[bytes]
    board: Board
    log: Path


@contextmanager
def serving(key: str, peer: Peer, *, home: Path | None = None) -> Iterator[Server]:
    """Run a server on a random loopback port for the length of the block.

    Its files are in `home`, or in a private directory that is removed at the end.

    Raises:
        Failed: it does not come up.
    """
    with ExitStack() as stack:
        if home is None:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"bench-{key}-")))
        port = free_port()
        log = home / "server.log"
        process = stack.enter_context(child(peer.command(home, port), log=log))
        wait_for(lambda: listens(port), what=f"{peer.name} server", watched=process, log=log)
        yield Server(key=key, peer=peer, pid=process.pid, port=port, home=home)


@contextmanager
def receiving(server: Server, load: Load, *, many: int = 1, together: int = 1, life: float) -> Iterator[list[Client]]:
    """Run `many` receivers, all subscribed, so many `together` in one process."""
    with ExitStack() as stack:
        clients: list[Client] = []
        for begin in range(0, many, together):
            names = [f"receiver-{at}" for at in range(begin, min(begin + together, many))]
            clients += stack.enter_context(_clients(server, "receive", names, load, life=life))
        for client in clients:
            _wait_ready(server, client)
        yield clients


@contextmanager
def sending(server: Server, load: Load, *, watched: Sequence[Client] = (), life: float) -> Iterator[Client]:
    """Run a connected sender that waits for the go; its window follows the `watched` receivers."""
    boards = [str(client.board.path) for client in watched]
    with _clients(server, "send", ["sender"], load, life=life, watched=boards) as (client,):
        _wait_ready(server, client)
        yield client


def run(server: Server, load: Load, *, many: int = 1, together: int = 1, timeout: float = 60.0) -> Run:
    """Send one load to `many` receivers and wait until they have it, or nothing comes any more.

    Raises:
        Failed: a client did not start or ended on its own.
    """
    life = timeout + 60.0
    with (
        receiving(server, load, many=many, together=together, life=life) as receivers,
        sending(server, load, watched=receivers, life=life) as sender,
    ):
        pids = (server.pid, sender.process.pid, *{client.process.pid for client in receivers})
        before = [cpu_seconds(pid) for pid in pids]
        sender.board[Slot.GO] = 1
        wait_until_quiet(sender, receivers, load, timeout=timeout)
        broker, sending_one, *receiving_ones = (
            cpu_seconds(pid) - since for pid, since in zip(pids, before, strict=True)
        )
        last = max(client.board[Slot.LAST] for client in receivers)
        return Run(
            sent=sender.board[Slot.COUNT],
            received=tuple(client.board[Slot.COUNT] for client in receivers),
            doubled=any(
                client.board[Slot.COUNT] == load.count and client.board[Slot.SUM] != load.count * (load.count - 1) // 2
                for client in receivers
            ),
            broken=sum(client.board[Slot.BROKEN] for client in receivers),
            seconds=max(0, last - sender.board[Slot.FIRST]) / 1e9,
            broker_cpu_s=broker,
            sender_cpu_s=sending_one,
            receivers_cpu_s=sum(receiving_ones),
            delays_ns=tuple(delay for client in receivers for delay in client.board.samples()),
        )


def wait_until_quiet(
    sender: Client,
    receivers: Sequence[Client],
    load: Load,
    *,
    timeout: float,
    look: Callable[[], None] | None = None,
) -> None:
    """Return when all receivers have the load, or the sender is done and nothing has come for a while, or in time.

    `look` is called a hundred times a second meanwhile.

    Raises:
        Failed: a client ended on its own.
    """
    end = time.monotonic() + timeout
    seen, since = -1, time.monotonic()
    while time.monotonic() < end:
        counts = [client.board[Slot.COUNT] for client in receivers]
        if min(counts) >= load.count:
            return
        for client in (sender, *receivers):
            if client.process.poll() is not None:
                raise Failed(f"a client ended with code {client.process.returncode}: {tail(client.log)}")
        if sum(counts) != seen:
            seen, since = sum(counts), time.monotonic()
        elif sender.board[Slot.DONE] and time.monotonic() - since > _STILL_S:
            return
        if look:
            look()
        time.sleep(0.01)


@contextmanager
def _clients(
    server: Server, role: str, names: Sequence[str], load: Load, *, life: float, watched: Sequence[str] = ()
) -> Iterator[list[Client]]:
    """Run one process with a client for each name."""
    paths = [server.home / f"{name}.board" for name in names]
    log = server.home / f"{names[0]}.log"
    samples = load.count if load.timed and role == "receive" else 0
    plan = {
        "port": server.port,
        "boards": [str(path) for path in paths],
        "load": asdict(load),
        "life": int(life),
        "watched": list(watched),
    }
    command = [sys.executable, "-m", "bench.role", server.key, role, json.dumps(plan)]
    with ExitStack() as stack:
        boards = [stack.enter_context(Board(path, samples=samples)) for path in paths]
        process = stack.enter_context(child(command, log=log, grace=0))
        yield [Client(process=process, board=board, log=log) for board in boards]


def _wait_ready(server: Server, client: Client) -> None:
    wait_for(
        lambda: bool(client.board[Slot.READY]),
        what=f"{server.peer.name} client",
        watched=client.process,
        log=client.log,
    )
