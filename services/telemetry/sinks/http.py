"""A sink behind HTTP: sends what a format writes over one kept connection, and tells how the attempt ended.

Knows time-outs, TLS, connections that have died and secrets in the words of a server; not what records look like nor
what an answer means: that is the format's. All that blocks is in a thread of the sink's own.
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from services.redact import redact
from services.telemetry.outcomes import Delivered, Held, Later, Outcome, Refused
from services.telemetry.sinks.connection import Connection
from services.telemetry.sinks.exchange import Outgoing
from services.telemetry.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from services.telemetry.records import Record
    from services.telemetry.sinks.exchange import Answer, Format
    from services.telemetry.sinks.web import Address

_UNWRITABLE: Final = (ValueError, TypeError, OverflowError, RecursionError)

_FAULTS: Final = (
    (TimeoutError, "{place} does not answer"),
    (socket.gaierror, "the address of {host} cannot be looked up"),
    (ConnectionRefusedError, "nothing listens at {place}"),
    ((ConnectionError, http.client.IncompleteRead), "{place} broke off"),
)


class HttpSink:
    """A server that takes records by HTTP.

    Args:
        form: the protocol it speaks.
        name: the sink's, for its thread.
        address: where it is.
        secrets: what must not be seen in any reason.
        timeout_s: seconds a call may last, from the name's look-up to the answer's last byte.
        authorities: file of certificates to trust instead of the machine's.
        wall: the clock, seconds since 1970.
    """

    def __init__(
        self,
        form: Format,
        *,
        name: str,
        address: Address,
        secrets: Iterable[str] = (),
        timeout_s: float = 30.0,
        authorities: Path | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._form = form
        self._address = address
        self._secrets = tuple(secrets)
        self._timeout_s = timeout_s
        self._authorities = authorities
        self._wall = wall
        self._connection = self._fresh()
        self._worker = Worker(name)
        self._busy = False

    @property
    def merges(self) -> bool:
        """Whether a record that comes twice does no harm."""
        return self._form.merges

    @property
    def most(self) -> int:
        """Records of one call at most."""
        return self._form.most

    async def send(self, records: Sequence[Record]) -> Outcome:
        """Deliver `records`; never raises but when cancelled."""
        connection = self._connection
        self._busy = True
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._worker.run(lambda: self._deliver(connection, records))
        except TimeoutError:
            self._abandon()
            return Later(f"{self._address.place} has not answered in full within {self._timeout_s:g} s")
        except asyncio.CancelledError:
            self._abandon()
            raise
        finally:
            self._busy = False

    async def close(self) -> None:
        """Let go of the connection; an attempt under way fails."""
        if self._busy:
            self._abandon()
        else:
            self._connection.close()
        self._worker.close()

    def _fresh(self) -> Connection:
        return Connection(self._address, authorities=self._authorities, timeout_s=self._timeout_s)

    def _abandon(self) -> None:
        """Cut the connection; the thread that has it finds out and closes it, and the next attempt makes its own."""
        connection, self._connection = self._connection, self._fresh()
        connection.abort()

    def _deliver(self, connection: Connection, records: Sequence[Record]) -> Outcome:
        try:
            outgoing = self._form.encode(records, self._wall())
        except _UNWRITABLE as error:
            return Refused(f"it holds what cannot be written down ({type(error).__name__})")
        if not isinstance(outgoing, Outgoing):
            return outgoing
        try:
            outcome = self._form.judge(self._unspoken(connection.exchange(outgoing)))
        except (OSError, http.client.HTTPException, ValueError) as error:
            return self._clean(_fault(error, self._address))
        if isinstance(outcome, Delivered) and outgoing.dropped:
            reasons = dict.fromkeys(filter(None, (outcome.reason, outgoing.reason)))
            outcome = Delivered(outcome.dropped + outgoing.dropped, "; ".join(reasons))
        return self._clean(outcome)

    def _unspoken(self, answer: Answer) -> Answer:
        """Take secrets out of an answer before its words are cut short: half a secret would not be found."""
        if not answer.body:
            return answer
        return replace(answer, body=redact(answer.text, self._secrets).encode())

    def _clean(self, outcome: Outcome) -> Outcome:
        return replace(outcome, reason=redact(outcome.reason, self._secrets))


def _fault(error: Exception, address: Address) -> Outcome:
    """Say what kept a request from being answered, in our own words."""
    place = address.place
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message or "not verified"
        return Held(f"the certificate of {place} is not trusted: {why}; where it is your own, name its file as ca")
    if isinstance(error, ssl.SSLError):
        return Later(f"no TLS with {place}: {(error.reason or 'broken off').lower().replace('_', ' ')}")
    for kind, text in _FAULTS:
        if isinstance(error, kind):
            return Later(text.format(place=place, host=address.host))
    if isinstance(error, OSError):
        return Later(f"{place}: {error.strerror or type(error).__name__}")
    return Later(f"{place} answers with something that is not HTTP ({type(error).__name__})")
