"""Log a person in to Google: OAuth for installed apps, whose answer comes to a port of this machine's loopback.

    person's browser --> Google: may hearthbus read calendars? --> http://127.0.0.1:PORT/?code=...&state=...
    this process <------------------------------------------------------------'   code + PKCE --> refresh token

By https://developers.google.com/identity/protocols/oauth2/native-app. Knows sockets and Google's OAuth package; where
the token is kept is not its business.
"""

from __future__ import annotations

import hmac
import json
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from google_auth_oauthlib.flow import InstalledAppFlow
from oauthlib.oauth2 import OAuth2Error  # type: ignore[import-untyped] # has no types
from requests.exceptions import RequestException

from hearthbus.errors import Invalid, Refused, Timeout, Unavailable
from services.calendar.google.credentials import SCOPE, TOKEN_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NEEDED: Final = ("client_id", "client_secret", "auth_uri", "token_uri")
_ANSWER_S: Final = 5.0
"""A browser has so long to send its few bytes."""
_THANKS: Final = "hearthbus may read calendars now. You can close this page."
_DENIED: Final = "Nothing was changed. You can close this page."
_NO: Final = "Google's page was left without a yes; begin anew when you like"


@dataclass(frozen=True)
class Client:
    """A checked client file: a program that asks Google on a person's behalf."""

    config: Mapping[str, Any]


def read_client(text: str) -> Client:
    """Check the content of a client file.

    Raises:
        Invalid: it is another file.
    """
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise Invalid("the client file is no JSON file of Google's; docs/calendar-google.md says where to download it")
    if config.get("type") == "service_account":
        raise Invalid("the client file is the key of a service account; that needs no login: name it as credentials =")
    if "refresh_token" in config:
        raise Invalid("the client file is a token that a login has made already; name it as credentials =")
    if "web" in config:
        raise Invalid('the client file is that of a web application; make an OAuth client of the type "Desktop app"')
    inner = config.get("installed")
    missing = [key for key in _NEEDED if not (isinstance(inner, dict) and isinstance(inner.get(key), str))]
    if missing:
        raise Invalid(f"the client file has no {missing[0]}; download it anew from Google's console")
    return Client({"installed": inner})


def log_in(client: Client, *, port: int, wait_s: float, show: Callable[[str, int], None]) -> str:
    """Let a person agree in a browser; returns the token file's content, JSON.

    Args:
        client: who asks.
        port: of 127.0.0.1, where the browser is sent back to; 0 takes any.
        wait_s: how long the person has.
        show: gets the address to open, and the port.

    Raises:
        Unavailable: the port is in use, or Google cannot be reached.
        Timeout: nobody came.
        Refused: the person or Google said no.
    """
    flow = InstalledAppFlow.from_client_config(client.config, scopes=[SCOPE])
    with _listen(port) as server:
        flow.redirect_uri = f"http://127.0.0.1:{server.server_port}/"
        # consent: without it Google gives a refresh token at a person's first login only
        address, server.state = flow.authorization_url(prompt="consent")
        show(address, server.server_port)
        code = server.wait(wait_s)
    return _token_file(flow, code)


class _Server(HTTPServer):
    """Waits for the browser; whoever else looks in is sent away."""

    allow_reuse_address = True
    state = ""
    answer: Mapping[str, str] | None = None

    def wait(self, seconds: float) -> str:
        deadline = time.monotonic() + seconds
        while self.answer is None:
            self.timeout = deadline - time.monotonic()
            if self.timeout <= 0:
                raise Timeout(f"nobody agreed at Google's page within {seconds:.0f} s; begin anew")
            self.handle_request()
        if "code" not in self.answer:
            raise Refused(_NO)
        return self.answer["code"]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of somebody who hung up."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _ANSWER_S
    server: _Server

    def do_GET(self) -> None:
        """Take Google's answer: an address with our `state`, which nobody else can know."""
        parts = urlsplit(self.path)
        answer = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        ours = hmac.compare_digest(answer.get("state", "").encode(), self.server.state.encode())
        if parts.path != "/" or not ours or not {"code", "error"} & answer.keys():
            self._say(404, "This page is for Google's answer only.")
            return
        self._say(200, _THANKS if "code" in answer else _DENIED)
        self.server.answer = answer

    def log_message(self, *_: object) -> None:
        """Stay quiet: the address has the code in it."""

    def _say(self, status: int, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(content)


def _listen(port: int) -> _Server:
    failed = None
    try:
        return _Server(("127.0.0.1", port), _Handler)
    except OSError as error:
        failed = error.strerror
    raise Unavailable(f"port {port} of 127.0.0.1 cannot be had: {failed}; take another with --port")


def _token_file(flow: InstalledAppFlow, code: str) -> str:
    failure: Exception
    try:
        token = flow.fetch_token(code=code, timeout=_ANSWER_S * 6)
    except RequestException:
        failure = Unavailable("Google's token server cannot be reached; begin anew when there is a network")
    except OAuth2Error as error:
        why = error.error if isinstance(error.error, str) and error.error.replace("_", "").isalpha() else "?"
        failure = Refused(f"Google gives no token ({why[:40]}); is the clock of this machine right? Begin anew")
    except Warning:  # oauthlib raises one where another scope comes back than was asked for
        failure = Refused("Google's page had a box for calendars that was not ticked; begin anew and tick it")
    except Exception:  # noqa: BLE001 - oauthlib's reader is not made for answers that are no token's
        failure = Unavailable("Google's token server gave an answer that is no token; begin anew later")
    else:
        return _stored(token, flow.client_config)
    raise failure  # here, so that the library's error, which may hold the code, is not its context


def _stored(token: Mapping[str, Any], client: Mapping[str, Any]) -> str:
    refresh = token.get("refresh_token")
    if not isinstance(refresh, str) or not refresh:
        raise Refused(
            "Google gave no token that lasts; remove hearthbus at myaccount.google.com/connections, begin anew"
        )
    return json.dumps(
        {
            "type": "authorized_user",
            "client_id": client["client_id"],
            "client_secret": client["client_secret"],
            "refresh_token": refresh,
            "token_uri": client.get("token_uri") or TOKEN_ADDRESS,
            "scopes": [SCOPE],
        },
        indent=2,
    )
