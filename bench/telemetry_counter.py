"""`python -m bench.telemetry_counter`: a server that counts the lines of InfluxDB's writes, in its own process.

`POST` anything: 204, below /slow after 20 s and uncounted; `GET`: how many lines there were.
Prints its port when it listens.
"""

from __future__ import annotations

import asyncio
import gzip
from typing import Final

SLOW_S: Final = 20.0


class Counter:
    """Lines of all writes."""

    def __init__(self) -> None:
        self.lines = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                if head.startswith("get"):
                    said = str(self.lines).encode()
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))
                elif head.startswith("post /slow"):
                    await asyncio.sleep(SLOW_S)
                    writer.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
                else:
                    whole = gzip.decompress(body) if fields.get("content-encoding") == "gzip" else body
                    self.lines += whole.rstrip(b"\n").count(b"\n") + 1
                    writer.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            writer.close()


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.start_server(Counter().talk, "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
