"""A real web server for tests, to which ntfy, Pushover, Prowl and Telegram are sent; its answers are scripted."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass(frozen=True)
class Call:
    """One request it got."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body as JSON."""
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """Its body as a form."""
        return {key: values[0] for key, values in parse_qs(self.body.decode()).items()}


@dataclass
class Phone:
    """What was asked, and what is answered instead of 200: the next of `replies`.

    A reply is a status, a status and a body, "stall" (no answer as long as the server lives) or "hang up".
    """

    port: int = 0
    calls: list[Call] = field(default_factory=list)
    replies: list[int | tuple[int, str] | Literal["stall", "hang up"]] = field(default_factory=list)
    stalled: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.calls.append(Call(head[0].split()[1], headers, body))
            reply = self.replies.pop(0) if self.replies else 200
            if reply == "stall":
                self.stalled.set()
                await self.go_on.wait()
            elif reply != "hang up":
                status, text = (reply, "{}") if isinstance(reply, int) else reply
                writer.write(
                    f"HTTP/1.1 {status} -\r\nlocation: {self.url}/log-in\r\ncontent-length: {len(text.encode())}\r\n"
                    f"connection: close\r\n\r\n{text}".encode()
                )
                await writer.drain()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def phone() -> AsyncIterator[Phone]:
    """Run a server for a block."""
    served = Phone()
    server = await asyncio.start_server(served.answer, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        served.go_on.set()
        server.close()
