"""The table of an MQTT server that messages go out to: a cloud, Home Assistant, another house.

Knows what it may say; what is sent is `mqtt_messages`, how it is delivered `mqtt_sink`, and paho, which is imported
only where a house has such a table, `mqtt_session`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path  # noqa: TC003 - the type of a field is read when a table is
from typing import TYPE_CHECKING, Final, Literal

from hearthbus.config.secret import Secret  # noqa: TC001 - as above
from hearthbus.errors import Invalid
from hearthbus.plugins import to_install
from services.checks import host_faults
from services.telemetry.naming import Template
from services.telemetry.settings import Common
from services.telemetry.units import check_units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services.telemetry.sinks.mqtt_sink import Mqtt

_FORBIDDEN: Final = re.compile(r"[+#\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class MqttSettings(Common):
    """Where the server is, who asks, and what messages look like there."""

    host: str
    """The server's host."""
    port: int | None = None
    """Its port; default: 1883, and 8883 with `tls`."""
    user: Secret | None = None
    """Name to log in with."""
    password: Secret | None = None
    """Password to log in with; without `tls` everybody on the way can read it."""
    tls: bool = False
    """Whether the connection is encrypted, and the server's certificate verified."""
    ca: Path | None = None
    """Certificates that are trusted, a PEM file; default: those of the machine."""
    client_id: str = ""
    """Name of the session, one for each client of a server; default: `hearthbus-<machine>-<sink>`."""
    base: str = "hearthbus"
    """What every topic begins with; "" for nothing."""
    topic: str = "{topic}"
    """Topic below `base`; `{kind}`, `{place}`, `{quantity}`, `{field}`, `{device}` and `{unit}` are known too."""
    payload: Literal["json", "value"] = "json"
    """"json": the whole body and its time `ts`; "value": each number and bool alone, in a message of its own."""
    retain: bool = True
    """Whether the server retains what the bus retains."""
    expire_s: float | None = None
    """Age in seconds at which the server may throw a message away that nobody has fetched; default: never."""
    units: dict[str, str] = field(default_factory=dict)
    """What is converted: by the unit that is published, the unit that is sent."""
    state: bool = True
    """Whether `<base>/bridge/state` says, retained, `online`, and `offline` when the connection is gone."""
    in_flight: int = 100
    """Messages on their way without the server's answer, at most; the server may ask for fewer."""
    session_expiry_s: int = 3600
    """Seconds the server remembers the session after a connection is gone."""
    keepalive_s: int = 30
    """Seconds of silence after which each side asks for a sign of life."""
    timeout_s: float = 30.0
    """Seconds without an answer of the server after which the connection is given up."""

    def faults(self) -> Iterator[str]:
        """Add what is wrong with the address, the names and the numbers."""
        yield from super().faults()
        yield from host_faults(self.host)
        if find_spec("paho") is None:
            yield f"paho-mqtt is not installed; {to_install('hearthbus[mqtt]')}"
        if self.password is not None and self.user is None:
            yield "password needs a user"
        if self.ca is not None and not self.tls:
            yield "ca is read with tls = true only"
        if self.expire_s is not None and not 1 <= self.expire_s <= 2**32 - 1:
            yield f"expire_s {self.expire_s:g} is not within 1 to 4294967295"
        for key, most in (
            ("port", 65535),
            ("in_flight", 65535),
            ("session_expiry_s", 2**32 - 1),
            ("keepalive_s", 3600),
        ):
            value = getattr(self, key)
            if value is not None and not 1 <= value <= most:
                yield f"{key} {value} is not within 1 to {most}"
        if not 0 < self.timeout_s <= 600:
            yield f"timeout_s {self.timeout_s:g} is not within 0 to 600"
        yield from self._name_faults()

    def _name_faults(self) -> Iterator[str]:
        try:
            literals = Template(self.topic, key="topic").literals
        except Invalid as error:
            literals = ""
            yield from error.problems
        for key, text in (("base", self.base), ("topic", literals), ("client_id", self.client_id)):
            bad = _FORBIDDEN.search(text)
            if bad or text.startswith("$"):
                yield f"{key}: {bad[0] if bad else '$'!r} is not allowed there"
        try:
            check_units(self.units.items())
        except Invalid as error:
            yield from error.problems

    def sink(self, name: str) -> Mqtt:
        """Make the sink."""
        from services.telemetry.sinks.mqtt_sink import Mqtt

        return Mqtt(name, self)
