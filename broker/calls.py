"""Requests in conversation: from the caller to the one responder, and back. Works on the core's tables; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from broker.requests import time_left_ms
from hearthbus import protocol
from hearthbus.errors import Invalid, NoResponder, Refused, Timeout
from hearthbus.message import encode_body
from hearthbus.topics import check_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.clients import Client
    from broker.core import Core


class Calls:
    """The verbs of requests."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def request(self, client: Client, fields: Mapping[str, Any]) -> None:
        """Give a request to its one responder."""
        core = self._core
        if client.requests >= core.config.limits.requests:
            raise Refused(f"{client.requests} requests of {client.name} wait already ([broker.limits] requests)")
        name = fields["message"].partition(b"\0")[0].decode(errors="replace")
        timeout_ms = time_left_ms(fields["timeout_ms"], deadline=fields["deadline"], clock=core.clock_ms)
        if timeout_ms <= 0:
            raise Timeout(f"{name}: nobody was asked, its time was over when the broker read it")
        responder = core.requests.responder(name)
        if responder is None:
            core.stream.check_request(client, fields["message"])
            raise NoResponder(f"nobody serves {name}")
        topic, frame = core.stream.copy_of_request(client, fields["message"])
        pending = core.requests.open(
            caller=client,
            number=fields["id"],
            responder=responder,
            deadline=core.mono + timeout_ms / 1000,
            topic=topic,
        )
        handed_on = protocol.encode(
            protocol.REQUEST,
            ticket=pending.ticket,
            timeout_ms=timeout_ms,
            deadline=core.clock_ms + timeout_ms,
            message=frame,
        )
        core.out.replies.append((responder.ident, handed_on))

    def answer(self, client: Client, fields: Mapping[str, Any]) -> None:
        """Give an answer to its caller."""
        core = self._core
        pending = core.requests.close(fields["ticket"], client)
        if pending is None:
            core.drop("answer too late")
        elif fields["ok"]:
            try:
                _check_body(client, fields["body"])
            except Invalid as error:
                core.reply_error(pending.caller, pending.id, "handler", f"{client.name} answered badly: {error}")
                return
            answer = protocol.encode(protocol.ANSWER, id=pending.id, body=fields["body"])
            core.out.replies.append((pending.caller.ident, answer))
        else:
            core.reply_error(pending.caller, pending.id, "handler", fields["text"][:1000])

    def serve(self, client: Client, fields: Mapping[str, Any]) -> None:
        """Make a client a responder."""
        core = self._core
        pattern = check_pattern(fields["pattern"])
        core.stream.allow(client, "serve", pattern)
        if len(core.requests.served_by(client)) >= core.config.limits.subscriptions:
            raise Refused(f"{client.name} serves too many patterns ([broker.limits] subscriptions)")
        core.requests.serve(client, pattern)
        core.done(client, fields)

    def unserve(self, client: Client, fields: Mapping[str, Any]) -> None:
        """End it."""
        core = self._core
        core.requests.unserve(client, fields["pattern"])
        core.done(client, fields)


def _check_body(client: Client, body: dict[str, Any]) -> None:
    size = len(encode_body(body))
    if size > client.body_bytes:
        raise Invalid(f"the body has {size} bytes; the limit is {client.body_bytes}")
