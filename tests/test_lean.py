"""asyncio without OpenSSL in a service's process, and with it for the service that wants it."""

from __future__ import annotations

import subprocess
import sys

WITHOUT = """
import sys
from hearthbus.running import lean
lean.import_asyncio()
import asyncio
from hearthbus.running import runner
lean.restore_tls()
print("ssl" in sys.modules, asyncio.run(asyncio.sleep(0, "ran")))
"""

WITH = """
import asyncio, sys
from hearthbus.running import lean
lean.import_asyncio()
import ssl
lean.restore_tls()

async def speak_tls_to_one_who_does_not():
    async def answer(reader, writer):
        writer.write(b"this is no TLS\\r\\n")
        writer.close()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    except ssl.SSLError as error:
        print(error.reason)
    server.close()

asyncio.run(speak_tls_to_one_who_does_not())
"""


def run(program: str) -> str:
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    return ended.stdout.strip()


def test_asyncio_runs_without_openssl() -> None:
    """A process that nobody asks for TLS does not load OpenSSL."""
    assert "False ran" == run(WITHOUT)


def test_a_service_that_imports_ssl_has_tls() -> None:
    """Once a service has imported ssl, asyncio speaks TLS: here to somebody who does not."""
    assert "WRONG_VERSION_NUMBER" == run(WITH)
