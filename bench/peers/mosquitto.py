"""Mosquitto with paho-mqtt.

MQTT has no back-pressure between publisher and subscriber: at QoS 0 the broker drops what a slow subscriber does not
take, so the sender keeps a window.
"""

from __future__ import annotations

import signal
import socket
import time
from typing import TYPE_CHECKING

import msgpack

from bench.peers.base import Peer, find, first_line, missing_of, package_version

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import paho.mqtt.client as mqtt

    from bench.work import Batches, Reading

# mosquitto.conf(5): no disk, no log, twice our window may wait for a subscriber, no Nagle.
_CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
user root
log_dest none
max_queued_messages 8192
set_tcp_nodelay true
"""


class Mosquitto(Peer):
    """QoS 0; the sender turns paho's loop itself, a tenth faster here than the thread of `loop_start`."""

    name = "Mosquitto + paho-mqtt"
    driven = "QoS 0, persistence off, `loop` in the sender, `loop_forever` in the receiver, TCP_NODELAY"
    window = 4096

    def missing(self) -> str:
        return missing_of(program="mosquitto", package="mosquitto", distribution="paho-mqtt")

    def version(self) -> str:
        server = first_line(find("mosquitto"), "-h").removeprefix("mosquitto version ")
        return f"{server} / {package_version('paho-mqtt')}"

    def command(self, home: Path, port: int) -> list[str]:
        config = home / "mosquitto.conf"
        config.write_text(_CONFIG.format(port=port))
        return [find("mosquitto"), "-c", str(config)]

    def receive(self, port: int, take: Callable[[Reading], None], ready: Callable[[], None]) -> None:
        client = _client(port)
        unpack = msgpack.unpackb
        client.on_message = lambda _client, _data, message: take(unpack(message.payload))
        client.on_subscribe = lambda *_ignored: ready()
        client.subscribe("sensor/#", qos=0)
        client.loop_forever()

    def send(self, port: int, batches: Batches, done: Callable[[], None], *, retain: bool) -> None:
        client = _client(port)
        pack = msgpack.packb
        for pause, readings in batches:
            if pause:
                time.sleep(pause)
            for topic, body in readings:
                client.publish(topic, pack(body), qos=0, retain=retain)
            client.loop(0.0)
        while client.want_write():
            client.loop(0.1)
        done()
        signal.pause()


def _client(port: int) -> mqtt.Client:
    import paho.mqtt.client as mqtt
    from paho.mqtt.enums import CallbackAPIVersion

    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    # paho leaves Nagle's algorithm on; with it one message in a hundred waits 20 to 40 ms for an acknowledgement.
    connection = client.socket()
    if not isinstance(connection, socket.socket):
        raise ConnectionError("paho-mqtt has no socket after connect()")
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client
