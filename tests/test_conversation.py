"""The client's conversation when things happen in an unlucky order."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
import zmq

from hearthbus import protocol
from hearthbus.client import conversation
from hearthbus.client.durable import ZmqDurable
from hearthbus.client.zeromq import ZmqTransport
from hearthbus.errors import Unavailable

if TYPE_CHECKING:
    from conftest import Broker

    from hearthbus.bus import Bus
    from hearthbus.keys import Key


class DeadLetters:
    """A link without a socket."""

    def __init__(self, url: str, owner: conversation.Conversation, *, key: Key | None = None) -> None:
        del url, owner, key
        self.sent: list[bytes] = []
        self.heard_at: list[str] = []

    def send(self, frame: bytes) -> bool:
        """Keep it."""
        self.sent.append(frame)
        return True

    def listen(self, fanout: str) -> None:
        """Note where the fan-out is."""
        self.heard_at.append(fanout)


class Nobody:
    """A listener that does not care."""

    def greeted(self) -> None:
        """Ignore it."""

    def gone(self) -> None:
        """Ignore it."""

    def messages(self, frames: list[bytes]) -> None:
        """Ignore them."""

    def asked(self, ticket: int, timeout_s: float, frame: bytes) -> None:
        """Ignore it."""

    def checked(self, offset: int, changed: list[tuple[str, int]], *, complete: bool) -> None:
        """Ignore it."""

    def verified(self) -> tuple[int, int, int]:
        """Nothing to report."""
        return 0, 0, 0


def _welcome(epoch: int, fanout: str, number: int = 0) -> bytes:
    return protocol.encode(
        protocol.WELCOME,
        version=protocol.VERSION,
        epoch=epoch,
        fanout=fanout,
        offset=0,
        number=number,
        beat_ms=1000,
        silence_ms=3000,
        clock=1,
        limits={},
    )


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A conversation whose link is in the test's hand."""
    monkeypatch.setattr(conversation, "Link", DeadLetters)
    return lambda: conversation.Conversation("ipc:///x", Nobody(), name="client", presence=False, will=None)


async def test_the_last_word_of_a_dead_broker_is_not_the_new_ones(talk: Any) -> None:
    """A greeting that was still in the socket when its broker died does not stand for the broker after it."""
    client = talk()
    client.on_up()
    client.on_down()
    client.on_up()
    client.on_answer(_welcome(1, "ipc:///old"))
    client.on_answer(_welcome(2, "ipc:///new"))

    assert 2 == client.epoch
    assert ["ipc:///old", "ipc:///new"] == client.link.heard_at
    assert client.up.is_set()


async def test_a_new_connection_voids_the_greeting(talk: Any) -> None:
    """When a connection appears while the client believes in one, it greets, and sends again what is unanswered."""
    client = talk()
    client.on_up()
    client.on_answer(_welcome(1, "ipc:///x"))
    await asyncio.wait_for(_published(client, b"\x80"), 1)
    client.on_up()
    client.on_answer(_welcome(1, "ipc:///x"))
    batches = [protocol.decode_batch(frame) for frame in client.link.sent if frame[:1] == protocol.PUBLISH]

    assert 2 == len(batches)
    assert batches[0] == batches[1]


async def test_greeted_twice_is_greeted_once(talk: Any) -> None:
    """A slow broker answers every greeting: the second answer of the same broker disturbs nobody."""
    client = talk()
    client.on_up()
    client.on_answer(_welcome(1, "ipc:///x"))
    asking = asyncio.create_task(client.ask(protocol.SNAPSHOT, patterns=["#"], after=""))
    await asyncio.sleep(0)
    client.on_answer(_welcome(1, "ipc:///x"))
    client.on_answer(protocol.encode(protocol.DONE, id=1))

    assert {"id": 1} == await asking


async def _published(client: conversation.Conversation, body: bytes) -> None:
    waiting = client.publisher.publish("a/b", body, 0, False, False, 30.0)
    if waiting is not None:
        await waiting
    await asyncio.sleep(0)


async def test_a_client_reads_what_it_wrote(broker: Broker) -> None:
    """What a client published is there when its own next question is answered."""
    async with broker.bus("writer") as bus:
        seen = []
        for number in range(50):
            await bus.publish("sensor/hall/power", value=number, retain=True)
            seen += [message["value"] for message in await bus.get("sensor/hall/power")]

    assert list(range(50)) == seen


@pytest.mark.timeout(30)
async def test_a_loop_of_questions_sees_the_broker_go(broker: Broker) -> None:
    """A durable reader that asks again and again in the moment of the broker's death lets the event loop go on."""
    async with broker.bus("reader") as bus, bus.subscribe("sensor/#", durable="reader") as messages:
        assert isinstance(messages, ZmqDurable)
        broker.kill()
        _wait_for_dead_socket(bus)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(messages), 0.2)

        assert not bus.connected
        with pytest.raises(Unavailable):
            await bus.get("#")


def _wait_for_dead_socket(bus: Bus) -> None:
    """Hold up the event loop until ZeroMQ has noticed, so that the client has not."""
    assert isinstance(bus._transport, ZmqTransport)
    dealer = bus._transport._conversation.link._dealer
    assert dealer is not None
    until = time.monotonic() + 10
    while int(dealer.getsockopt(zmq.EVENTS)) & zmq.POLLOUT:
        assert time.monotonic() < until
