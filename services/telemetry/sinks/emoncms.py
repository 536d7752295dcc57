"""emoncms, emoncms.org or your own: `POST /input/bulk`, rows of `[time, node, {input: value}, ...]`, whole seconds.

The time the batch is sent goes with it (`sentat`), so a clock that is wrong on either side does no harm as long as it
runs evenly; values are dated later by as many seconds as change while the batch is on its way. An input that is written
twice for a second has the later value: a batch may come twice. Its server tells errors with status 200, and stops at
the first bad row; that is why a batch with one is refused and halved.
Source: emoncms, Modules/input/input_methods.php and input_controller.php, of 2016 and 2026: of each object in a row old
servers read the first key only, therefore each input has one of its own.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from hearthbus.config.secret import Secret  # noqa: TC001 - the configuration's reader asks for it
from services.telemetry.naming import Names, Parts, Template
from services.telemetry.outcomes import Delivered, Held, Outcome, Refused
from services.telemetry.sinks.exchange import Answer, Outgoing, ordinary, words
from services.telemetry.sinks.series import fitted, full_name
from services.telemetry.sinks.web import WebSettings, gathered, header_value, parse_url
from services.telemetry.units import check_units

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from services.telemetry.records import Record
    from services.telemetry.sinks import Sink

MOST: Final = 1000
"""Records of one call, as emonHub sends them."""
MAX_INPUT: Final = 64
"""Letters of an input's name; emoncms.org says ok to a longer one and forgets it."""
_LETTERS: Final = re.compile(r"[A-Za-z0-9_.-]")
_KEY: Final = re.compile(r"api ?key|authenticat|authoriz|permission|access", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Emoncms(WebSettings):
    """emoncms.

    [telemetry.emoncms.energy]
    url = "http://emonpi.local/emoncms"
    key = { file = "secrets/emoncms" }
    """

    key: Secret
    """The API key that may read and write: 32 letters and digits, on emoncms's account page."""
    url: str = "https://emoncms.org"
    """Where it is; your own is often `http://emonpi.local` or `http://host/emoncms`."""
    node: str = "{place}"
    """Under which node an input is listed: a template."""
    input: str = "{quantity}"
    """What an input is called: a template; `_` and the key of one of several numbers follow where it lacks that."""
    node_letters: int = 16
    """Letters of a node's name, at most; emoncms.org says ok to a longer one and forgets it."""
    units: dict[str, str] = field(default_factory=dict)
    """By the unit that is published, the unit that is stored: `{ "Wh" = "kWh" }`."""
    every_s: float = 30.0
    """Seconds a message waits for others to be sent with."""

    def faults(self) -> Iterator[str]:
        """Add what is wrong with address, key, names and units."""
        yield from super().faults()
        if not 8 <= self.node_letters <= 64:
            yield f"node_letters {self.node_letters} is not within 8 to 64"
        yield from gathered(
            lambda: parse_url(self.url),
            lambda: header_value(self.key.reveal(), key="key"),
            lambda: Template(self.node, key="node"),
            lambda: Template(self.input, key="input"),
            lambda: check_units(self.units.items()),
        )

    def sink(self, name: str) -> Sink:
        """Make what carries records to it."""
        return self.carrier(name, BulkFormat(self), parse_url(self.url))


class BulkFormat:
    """Rows in, `ok` out."""

    merges = True
    most = MOST

    def __init__(self, settings: Emoncms) -> None:
        self._node = Template(settings.node)
        self._input = Template(settings.input)
        self._node_letters = settings.node_letters
        self._names = Names(self._name, units=settings.units)
        self._headers = {
            "Authorization": f"Bearer {settings.key.reveal()}",
            "Content-Type": "application/x-www-form-urlencoded",
        }

    def encode(self, records: Sequence[Record], now: float) -> Outgoing | Outcome:
        """Write the rows; what comes for one node and second shares one."""
        rows = [
            [second, node, *({name: value} for name, value in inputs.items())]
            for second, node, inputs in self._rows(records)
        ]
        if not rows:
            return Delivered()
        data = json.dumps(rows, separators=(",", ":"), allow_nan=False)
        body = urlencode({"sentat": int(now), "data": data}).encode()
        return Outgoing("POST", "/input/bulk", self._headers, body)

    def judge(self, answer: Answer) -> Outcome:
        """Read the body: of emoncms's own errors the status says nothing."""
        if answer.status != 200:
            return ordinary(answer)
        said = answer.said
        if answer.text.strip().strip('"').lower() == "ok" or (isinstance(said, dict) and said.get("success") is True):
            return Delivered()
        told = words(answer) or "an empty answer"
        if "<" in answer.text or not told[:1].isalpha():
            return Held(f"this is not emoncms's input, or something stands before it: {told}")
        if _KEY.search(told):
            return Held(f"it does not accept the key: {told}")
        return Refused(f"it does not take this: {told}")

    def _rows(self, records: Sequence[Record]) -> Iterator[tuple[int, str, Mapping[str, float]]]:
        """Yield second, node and inputs, in order; a row ends where an input would come twice in it."""
        second, node, inputs = 0, "", dict[str, float]()
        for record in records:
            at = record.time_ns // 1_000_000_000
            for (of, name), value in self._names.samples(record):
                if inputs and ((at, of) != (second, node) or name in inputs):
                    yield second, node, inputs
                    inputs = {}
                second, node = at, of
                inputs[name] = int(value) if isinstance(value, bool) else value
        if inputs:
            yield second, node, inputs

    def _name(self, parts: Parts) -> tuple[str, str]:
        node = fitted(self._node.fill(parts), allowed=_LETTERS, most=self._node_letters)
        return node, fitted(full_name(self._input, parts), allowed=_LETTERS, most=MAX_INPUT)
