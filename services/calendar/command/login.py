"""`hearthbus calendar login`: log in to Google in a browser, here or on another machine, and store the token."""

from __future__ import annotations

import getpass
import json
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hearthbus.cli.durations import parse_duration
from hearthbus.config.secret import read_secret
from hearthbus.errors import Invalid
from services.folder import write_whole

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_PORT: Final = 8085
_EXAMPLES: Final = """\
examples:
  hearthbus calendar login --client client.json --token secrets/google.json

FILE of --client is downloaded from Google's console: an OAuth client of the type "Desktop app". The token is written
for its owner's eyes only, and never printed. docs/calendar-google.md leads through all of it.
Exit codes: 0 done, 4 nobody came, 5 Google or the person said no, 69 the port is in use, or there is no network."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the action takes."""
    parser.add_argument("--client", metavar="FILE", required=True, help="the OAuth client, from Google's console")
    parser.add_argument("--token", metavar="FILE", required=True, help="where to store the token; [calendar] names it")
    parser.add_argument("--port", metavar="N", type=_port, default=_PORT, help=f"on loopback; default: {_PORT}")
    parser.add_argument("--wait", metavar="SPAN", type=parse_duration, default=600.0, help="default: 10m")
    parser.epilog = _EXAMPLES


def main(args: Namespace) -> int:
    """Log in.

    Raises:
        HearthbusError: it did not come about.
    """
    token = Path(args.token).expanduser().absolute()
    _check_place(token, Path(args.client).expanduser())
    text = read_secret({"file": str(Path(args.client).expanduser())}, base="").reveal()
    from services.calendar.google.login import log_in, read_client

    made = log_in(read_client(text), port=args.port, wait_s=args.wait, show=_show)
    write_whole(token, made.encode())
    sys.stdout.write(
        f"The token is in {token}. In hearthbus.toml:\n\n  [calendar]\n"
        f"  credentials = {{ file = {json.dumps(str(token), ensure_ascii=False)} }}\n"
    )
    sys.stdout.write("\nThen see whether it works: hearthbus calendar list\n")
    return 0


def _show(address: str, port: int) -> None:
    """Say what to open; on a machine without a screen, how a browser elsewhere reaches this port."""
    lines = [
        "Open this address in a browser, and let hearthbus read your calendars:",
        "",
        f"  {address}",
        "",
        "The browser must run on this machine. Is it on another one? Then type there first, and leave it open:",
        "",
        f"  ssh -L {port}:127.0.0.1:{port} {getpass.getuser()}@{socket.gethostname()}",
        "",
        "Waiting ...",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _check_place(token: Path, client: Path) -> None:
    """Refuse a place where the token cannot be written, before a person goes through Google's pages."""
    if token.resolve() == client.resolve():
        raise Invalid("--token and --client are the same file; the token needs one of its own")
    if token.is_dir():
        raise Invalid(f"--token {token} is a folder; name a file in it")
    if not os.access(token.parent, os.W_OK | os.X_OK):
        raise Invalid(f"--token {token}: the folder {token.parent} is not there, or cannot be written; make it first")
    if token.exists() and not _is_login(token):
        raise Invalid(f"--token {token} holds something else than a login; name another file, or remove it")


def _is_login(file: Path) -> bool:
    """Whether a file may be overwritten by a token: it holds one, or nothing."""
    from services.calendar.google.credentials import read_credentials

    try:
        text = file.read_text()
        return not text.strip() or read_credentials(text).type == "authorized_user"
    except (OSError, UnicodeDecodeError, Invalid):
        return False


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise Invalid(f"--port {text[:20]!r}: write a number from 0 (any) to 65535")
    return int(text)
