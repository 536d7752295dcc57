"""What may stand in a credentials file, and Google's credentials made of it.

    {"type": "service_account", "client_email": ..., "private_key": ..., "token_uri": ...}     a robot's key
    {"type": "authorized_user", "client_id": ..., "client_secret": ..., "refresh_token": ...}  a person's login

Every other file Google hands out is told by its name, with what to do instead. No text made here holds a value of
the file, but for the robot's address, with which a calendar is shared.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from hearthbus.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.auth.credentials import Credentials as GoogleCredentials

SCOPE: Final = "https://www.googleapis.com/auth/calendar.events.readonly"
"""All that is asked for: to read events. Nothing can be changed with it."""
TOKEN_ADDRESS: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
LOGIN: Final = "hearthbus calendar login --client FILE --token FILE"
_HOW: Final = "docs/calendar-google.md says how to get one"


class _Kind(NamedTuple):
    name: str
    needs: tuple[str, ...]


_KINDS: Final = {
    "service_account": _Kind("the key of a service account", ("client_email", "private_key", "token_uri")),
    "authorized_user": _Kind("a login", ("client_id", "client_secret", "refresh_token")),
}
_OTHER_TYPES: Final = {
    "external_account": "credentials of workload identity federation, which need another machine's tokens",
    "external_account_authorized_user": "credentials of workforce identity federation",
    "impersonated_service_account": "credentials of somebody who impersonates a service account",
    "gdch_service_account": "an account of Google Distributed Cloud",
}
_CLIENT_FILES: Final = {"installed": "a desktop app", "web": "a web application"}
"""How the file of an OAuth client begins -> whose it is."""


@dataclass(frozen=True)
class Credentials:
    """A checked credentials file. Shows no secret of it."""

    type: str
    robot: str = ""
    """The service account's e-mail address: the calendar is shared with it. Empty for a login."""
    _info: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def make(self) -> GoogleCredentials:
        """Return Google's own object; nothing is asked over the network yet.

        Raises:
            Invalid: the private key is none.
        """
        return _service_account(self._info) if self.type == "service_account" else _login(self._info)


def read_credentials(text: str) -> Credentials:
    """Check the content of a credentials file; imports nothing of Google's.

    Raises:
        Invalid: it is another file; the text says which, and what to do.
    """
    info = _parsed(text)
    for key, whose in _CLIENT_FILES.items():
        if key in info:
            raise Invalid(
                f"the credentials are the client file of {whose}, which cannot read calendars by itself; "
                f"type: {LOGIN}, and name the token file here"
            )
    kind = info.get("type")
    if isinstance(kind, str) and kind in _OTHER_TYPES:
        raise Invalid(f"the credentials are {_OTHER_TYPES[kind]}; use the key of a service account, {_HOW}")
    if "refresh_token" in info and kind is None:
        kind = "authorized_user"  # as google-auth's own to_json() writes it
    if not isinstance(kind, str) or kind not in _KINDS:
        raise Invalid(f'the credentials have no "type" that is known; they are the key of a service account, {_HOW}')
    missing = [key for key in _KINDS[kind].needs if not (isinstance(info.get(key), str) and info[key])]
    if missing:
        raise Invalid(
            f"the credentials are {_KINDS[kind].name}, but without {' and '.join(missing)}: the file is not whole; "
            "download it anew" + ("" if kind == "service_account" else f", or type: {LOGIN}")
        )
    if not _is_sound(info.get("token_uri", TOKEN_ADDRESS)):
        raise Invalid("the credentials' token_uri is no https address, which Google's is; download the file anew")
    return Credentials(kind, info["client_email"] if kind == "service_account" else "", info)


def check_api_key(text: str) -> None:
    """Check that `text` can be an API key.

    Raises:
        Invalid: it is something else.
    """
    if text.lstrip().startswith("{"):
        raise Invalid("api_key holds JSON, not an API key; name that file with credentials =")
    if not (text.isascii() and text.isprintable()) or " " in text or not 20 <= len(text) <= 200:
        raise Invalid(f"api_key is no API key of Google's: those are about 39 characters without spaces; {_HOW}")


def _parsed(text: str) -> Mapping[str, Any]:
    bare = text.strip()
    if bare.startswith("AIza"):
        raise Invalid("the credentials are an API key; name that file with api_key =")
    if bare.startswith("-----BEGIN"):
        raise Invalid(f"the credentials are a bare private key; the JSON file around it is needed, {_HOW}")
    if bare.startswith("GOCSPX-"):
        raise Invalid(f"the credentials are a client secret; type: {LOGIN}, and name the token file here")
    try:
        info = json.loads(bare)
    except (ValueError, RecursionError):
        info = None
    if not isinstance(info, dict):
        raise Invalid(f"the credentials are no JSON file of Google's; {_HOW}")
    return info


def _is_sound(address: object) -> bool:
    """Whether a secret may be sent there: over TLS, or within this machine."""
    try:
        parts = urlsplit(address) if isinstance(address, str) else None
    except ValueError:
        return False
    if parts is None or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"})


def _service_account(info: Mapping[str, Any]) -> GoogleCredentials:
    from google.oauth2 import service_account

    bad = False
    try:
        made: GoogleCredentials = service_account.Credentials.from_service_account_info(info, scopes=[SCOPE])  # type: ignore[no-untyped-call] # google-auth has no types here
    except Exception:  # noqa: BLE001 - cryptography's own errors differ from release to release, and quote the key
        bad = True
    if bad:
        raise Invalid("the private key in the credentials cannot be read: the file is damaged; download a new key")
    return made


def _login(info: Mapping[str, Any]) -> GoogleCredentials:
    from google.oauth2.credentials import Credentials as UserCredentials

    return UserCredentials(  # type: ignore[no-untyped-call] # google-auth has no types here
        token=None,
        refresh_token=info["refresh_token"],
        token_uri=info.get("token_uri", TOKEN_ADDRESS),
        client_id=info["client_id"],
        client_secret=info["client_secret"],
        scopes=[SCOPE],
    )
