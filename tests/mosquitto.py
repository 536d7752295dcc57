"""Mosquitto for tests: Debian's broker with a folder and a port of its own, and somebody who reads along.

Knows the server and a plain client; not what is tested with them.
"""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.subscribeoptions import SubscribeOptions
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from paho.mqtt.client import MQTTMessage

SOON_S = 30.0


class Mosquitto:
    """One broker of a test; `users` may log in, `acl` and `settings` are lines of its files."""

    def __init__(
        self, folder: Path, *, users: dict[str, str] | None = None, acl: str = "", settings: str = "", tls: bool = False
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.ca = folder / "server.crt"
        self._users = users or {}
        self._acl = acl
        self._settings = settings
        self._tls = tls
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and return when it listens."""
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        assert program, "mosquitto is missing: apt-get install mosquitto, or scripts/test, which does"
        self.folder.mkdir(exist_ok=True)
        config = self.folder / "mosquitto.conf"
        config.write_text("\n".join(self._lines()))
        with (self.folder / "output").open("ab") as log:
            self._process = subprocess.Popen((program, "-c", str(config)), stdout=log, stderr=log)
        deadline = time.monotonic() + SOON_S
        while not self._listens():
            assert self._process.poll() is None, (self.folder / "output").read_text()
            assert time.monotonic() < deadline, "mosquitto does not listen"
            time.sleep(0.01)

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def log(self) -> str:
        """Return what it said."""
        return (self.folder / "output").read_text()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _lines(self) -> list[str]:
        lines = [f"listener {self.port} 127.0.0.1", f"user {getpass.getuser()}", "persistence false", self._settings]
        lines.append(f"allow_anonymous {'false' if self._users else 'true'}")
        if self._users:
            lines.append(f"password_file {self.folder}/users")
            for at, (user, password) in enumerate(self._users.items()):
                create = ("-c",) if at == 0 else ()
                file = str(self.folder / "users")
                subprocess.run(("mosquitto_passwd", *create, "-b", file, user, password), check=True, timeout=20)
        if self._acl:
            (self.folder / "acl").write_text(self._acl)
            lines.append(f"acl_file {self.folder}/acl")
        if self._tls:
            self._make_certificate()
            lines += [f"certfile {self.ca}", f"keyfile {self.folder}/server.key"]
        return lines

    def _make_certificate(self) -> None:
        files = ("-keyout", str(self.folder / "server.key"), "-out", str(self.ca))
        name = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        kind = ("-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
        subprocess.run(("openssl", "req", *kind, *name, *files), check=True, capture_output=True, timeout=20)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@dataclass(frozen=True)
class Heard:
    """One message as a subscriber gets it."""

    topic: str
    payload: str
    retain: bool
    """It was published to be retained."""
    properties: dict[str, str]
    expiry: int | None

    @property
    def id(self) -> str:
        """The record it comes from."""
        return self.properties["id"]


class Ear:
    """Subscribes everything at QoS 0, so that the broker hands a message over before it answers its publisher."""

    def __init__(self, port: int, *, on_message: Callable[[int], None] | None = None) -> None:
        self.heard: list[Heard] = []
        self._news = threading.Condition()
        self._subscribed = 0
        self._on_message = on_message
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._begun
        self._client.on_message = self._got
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.listening(1)

    def listening(self, times: int) -> None:
        """Wait until it has subscribed for the `times`th time."""
        self._wait(lambda: self._subscribed >= times, "no subscription")

    def until(self, found: Callable[[list[Heard]], object], what: str = "message") -> list[Heard]:
        """Return what was heard, once it has `found` in it what it looks for."""
        self._wait(lambda: bool(found(self.heard)), f"no {what}")
        with self._news:
            return list(self.heard)

    def payloads(self, topic: str, count: int) -> list[str]:
        """Return what was said on a topic, once it was `count` times."""
        heard = self.until(lambda all_: sum(each.topic == topic for each in all_) >= count, f"{count} of {topic}")
        return [each.payload for each in heard if each.topic == topic]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _wait(self, ready: Callable[[], bool], what: str) -> None:
        with self._news:
            assert self._news.wait_for(ready, SOON_S), f"{what}; heard {len(self.heard)}"

    def _connected(self, client: Client, *_: Any) -> None:
        client.subscribe("#", options=SubscribeOptions(qos=0, retainAsPublished=True))

    def _begun(self, *_: Any) -> None:
        with self._news:
            self._subscribed += 1
            self._news.notify_all()

    def _got(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        properties = dict(getattr(message.properties, "UserProperty", []))
        expiry = getattr(message.properties, "MessageExpiryInterval", None)
        one = Heard(message.topic, message.payload.decode(), message.retain, properties, expiry)
        with self._news:
            self.heard.append(one)
            self._news.notify_all()
        if self._on_message is not None:
            self._on_message(len(self.heard))
