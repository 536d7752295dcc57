"""A session with an MQTT v5 server, by paho: what goes in is sent, what comes back is a queue of events.

paho's own reconnecting is off, because when to try again depends on why the connection ended; its queue is never used,
because the journal is the queue. Its thread reads and answers pings between batches. One client is kept for the life of
the process, so that a connection that was lost is taken up with the same session, and what was in flight is sent again
as the repetition it is. Knows no records and no outcomes.
"""

from __future__ import annotations

import socket
import ssl
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

if TYPE_CHECKING:
    from collections.abc import Callable

    from paho.mqtt.client import ConnectFlags, DisconnectFlags
    from paho.mqtt.reasoncodes import ReasonCode

    from services.telemetry.sinks.mqtt import MqttSettings
    from services.telemetry.sinks.mqtt_messages import Outgoing

CONNECT_S: Final = 10.0
"""Seconds for each address of a host to take the connection, and for TLS."""
ONLINE: Final = b"online"
OFFLINE: Final = b"offline"
MOST: Final = 65535
"""Numbers a packet can have; and what a server takes that names no limit."""
NO_LIMIT: Final = 268_435_455
"""Bytes of the largest packet of MQTT."""


@dataclass(frozen=True, slots=True)
class Greeted:
    """The server answered the greeting: its reason code, and what it takes."""

    code: int
    receive: int
    packet: int
    qos: int
    retain: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """The server answered message `mid` with a reason code."""

    mid: int
    code: int


@dataclass(frozen=True, slots=True)
class Gone:
    """The connection has ended; `code` is the reason the server gave, 0 where it said nothing."""

    code: int


@dataclass(frozen=True, slots=True)
class Opening:
    """A connection is being made; what was told before is of an older one."""


Event = Opening | Greeted | Answered | Gone


class Session:
    """One session.

    Args:
        settings: the table.
        client_id: its name.
        state_topic: where it is said whether it is there; "" for nowhere.
        wake: called from paho's thread after each event.

    Raises:
        OSError: the certificates to trust cannot be read.
    """

    def __init__(self, settings: MqttSettings, *, client_id: str, state_topic: str, wake: Callable[[], None]) -> None:
        self.events: deque[Event] = deque()
        self._settings = settings
        self._state_topic = state_topic
        self._wake = wake
        self._abandoned = False
        self._client = client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.max_inflight_messages_set(MOST)
        client.connect_timeout = CONNECT_S
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        if settings.user is not None:
            client.username_pw_set(settings.user.reveal(), settings.password.reveal() if settings.password else None)
        if settings.tls:
            context = ssl.create_default_context(cafile=settings.ca)
            context.sslsocket_class = _Closing
            client.tls_set_context(context)
        if state_topic:
            client.will_set(state_topic, OFFLINE, qos=1, retain=True)

    def connect(self) -> None:
        """Connect and greet; the answer is an event. Blocks for `CONNECT_S` and more.

        Raises:
            OSError: the network, TLS.
        """
        self.abort()
        self._client.loop_stop()
        self._client._reset_sockets(sockpair_only=True)  # noqa: SLF001 - loop_start makes new ones and forgets these
        self._tell(Opening())
        properties = _properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = self._settings.session_expiry_s
        port = self._settings.port or (8883 if self._settings.tls else 1883)
        self._client.connect(self._settings.host, port, keepalive=self._settings.keepalive_s, properties=properties)
        if self._abandoned:
            self.abort()
        else:
            self._client.loop_start()

    def publish(self, message: Outgoing, *, expire_s: int | None) -> int | None:
        """Send a message and return its number, or None where there is none free."""
        info = self._client.publish(
            message.topic, message.payload, qos=1, retain=message.retain, properties=properties_of(message, expire_s)
        )
        return None if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE else info.mid

    def say_state(self, state: bytes) -> int:
        """Say that the bridge is there, or not, and return the message's number."""
        return self._client.publish(self._state_topic, state, qos=1, retain=True).mid

    def abort(self) -> None:
        """Cut the connection without a word, so that the last will is published."""
        sock = self._client.socket()
        if sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # type: ignore[arg-type]  # without TLS's goodbye

    def abandon(self) -> None:
        """Cut the connection for good, also one that `connect` makes in another thread only later."""
        self._abandoned = True
        self.abort()

    def end(self) -> None:
        """Say goodbye, end the session, and wait for paho's thread. Blocks."""
        properties = _properties(PacketTypes.DISCONNECT)
        properties.SessionExpiryInterval = 0
        self._client.disconnect(properties=properties)
        self._client.loop_stop()

    def _on_connect(
        self, _client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        def said(name: str, default: int) -> int:
            value: int = getattr(properties, name, default)
            return value

        self._tell(
            Greeted(
                code=reason.value,
                receive=said("ReceiveMaximum", MOST),
                packet=said("MaximumPacketSize", NO_LIMIT),
                qos=said("MaximumQoS", 2),
                retain=bool(said("RetainAvailable", 1)),
            )
        )

    def _on_publish(self, _client: Client, _data: Any, mid: int, reason: ReasonCode, _properties: Properties) -> None:
        self._tell(Answered(mid, reason.value))

    def _on_disconnect(
        self, _client: Client, _data: Any, flags: DisconnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self._tell(Gone(reason.value if flags.is_disconnect_packet_from_server else 0))

    def _tell(self, event: Event) -> None:
        self.events.append(event)
        self._wake()


class _Closing(ssl.SSLSocket):
    """A socket that is closed when TLS fails; paho leaves it to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the library's own signature
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def properties_of(message: Outgoing, expire_s: int | None) -> Properties:
    """Return what is said beside a message: its time and id, that it is text, and when it may be thrown away."""
    properties = _properties(PacketTypes.PUBLISH)
    properties.UserProperty = [("ts", message.ts), ("id", message.id)]
    properties.PayloadFormatIndicator = 1
    if expire_s is not None:
        properties.MessageExpiryInterval = expire_s
    return properties


def packet_bytes(message: Outgoing) -> int:
    """Return how large the packet of a message can be, with every header."""
    return len(message.topic.encode()) + len(message.payload) + len(message.ts) + len(message.id) + 40


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call]  # paho has left it out
