"""Tokens of the fake Google: service accounts whose JWT is verified, logins, OAuth clients and API keys.

By Google's "Using OAuth 2.0 for server to server applications" and "for desktop apps" (PKCE, RFC 7636).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from fake_google_events import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from email.message import Message
    from pathlib import Path

SCOPE = "https://www.googleapis.com/auth/calendar.events.readonly"
AUDIENCE = "https://oauth2.googleapis.com/token"
TIMEFRAME = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
    "Check your iat and exp values in the JWT claim."
)
_SKEW_S = 300.0


@cache
def key_pair(number: int = 0) -> rsa.RSAPrivateKey:
    """Return a key; making one costs 0.1 s, therefore each test process makes it once."""
    del number
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certify(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of 127.0.0.1 that its own key signed; returns its file and the key's."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key_pair().public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key_pair(), hashes.SHA256())
    )
    certificate, key = folder / "fake.crt", folder / "fake.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(_pem(key_pair()))
    return certificate, key


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@dataclass
class Tokens:
    """Who is who."""

    now: Callable[[], float]
    keys: dict[str, rsa.RSAPublicKey] = field(default_factory=dict)
    """Service account -> its key."""
    refresh: dict[str, str] = field(default_factory=dict)
    """Refresh token -> account."""
    access: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Access token -> account, and when it ends."""
    api_keys: set[str] = field(default_factory=set)
    client_id: str = "4711-house.apps.googleusercontent.com"
    client_secret: str = field(default_factory=lambda: f"GOCSPX-{secrets.token_urlsafe(21)}")
    consents: str = "yes"
    """What the person at Google's page does: `yes`, `no`, or leaves the box for calendars `unticked`."""
    gives_refresh: bool = True
    codes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    claims: list[dict[str, Any]] = field(default_factory=list)
    """What stood in the JWTs that came."""
    secrets: set[str] = field(default_factory=set)
    """Everything made here that nobody may see."""

    def robot(self, name: str, token_uri: str) -> str:
        """Return the credentials file of a service account."""
        private = key_pair()
        self.keys[name] = private.public_key()
        pem = _pem(private).decode()
        self.secrets |= set(pem.splitlines()[1:-1])
        info = {"type": "service_account", "project_id": "house", "private_key_id": "0c5a", "private_key": pem}
        return json.dumps({**info, "client_email": name, "client_id": "1", "token_uri": token_uri})

    def login(self, name: str, token_uri: str) -> str:
        """Return a token file."""
        info = {"type": "authorized_user", "client_id": self.client_id, "client_secret": self.client_secret}
        self.secrets.add(self.client_secret)
        return json.dumps({**info, "refresh_token": self._refresh_token(name), "token_uri": token_uri})

    def client(self, kind: str, *, auth_uri: str, token_uri: str) -> str:
        """Return the file of an OAuth client."""
        self.secrets.add(self.client_secret)
        client = {"client_id": self.client_id, "client_secret": self.client_secret, "project_id": "house"}
        return json.dumps({kind: {**client, "auth_uri": auth_uri, "token_uri": token_uri}})

    def api_key(self) -> str:
        """Return an API key."""
        key = f"AIza{secrets.token_hex(17)}"
        self.api_keys.add(key)
        self.secrets.add(key)
        return key

    def account_of(self, credentials: str) -> str:
        """Return whose credentials these are."""
        info = json.loads(credentials)
        return str(info.get("client_email") or self.refresh[info["refresh_token"]])

    def reader(self, headers: Message, query: Mapping[str, str]) -> str | None:
        """Return who asks: an account, or None for an API key."""
        key = headers.get("x-goog-api-key") or query.get("key")
        if key is not None:
            if key not in self.api_keys:
                raise Refusal(400, "keyInvalid")
            return None
        account, until = self.access.get((headers.get("Authorization") or "").removeprefix("Bearer "), ("", 0.0))
        if not account or until < self.now():
            raise Refusal(401, "authError")
        return account

    def grant(self, form: Mapping[str, list[str]], authorization: str = "") -> tuple[int, dict[str, Any]]:
        """Answer a question for a token; an OAuth client names itself in the form, or by HTTP's Basic."""
        asked = {key: values[-1] for key, values in form.items()}
        if authorization.startswith("Basic "):
            named = base64.b64decode(authorization.removeprefix("Basic ")).decode()
            asked["client_id"], _, asked["client_secret"] = named.partition(":")
        kind = asked.get("grant_type", "")
        if kind == "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return self._of_jwt(asked["assertion"])
        if (asked.get("client_id"), asked.get("client_secret")) != (self.client_id, self.client_secret):
            return 401, {"error": "invalid_client", "error_description": "The OAuth client was not found."}
        if kind == "refresh_token":
            account = self.refresh.get(asked["refresh_token"])
            if account is None:
                return _invalid("Token has been expired or revoked.")
            return 200, self._access(account)
        return self._of_code(asked)

    def consent(self, query: Mapping[str, str]) -> str:
        """Return where Google's page sends the browser after the person decided."""
        assert query["response_type"] == "code"
        assert query["client_id"] == self.client_id
        assert urlsplit(query["redirect_uri"]).hostname in {"127.0.0.1", "localhost"}
        assert (query["access_type"], query["prompt"]) == ("offline", "consent")
        answer = {"state": query["state"]}
        if self.consents == "no":
            answer["error"] = "access_denied"
        else:
            answer |= {"code": self._secret("4/"), "scope": query["scope"]}
            self.codes[answer["code"]] = query
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def expire(self) -> None:
        """Let every access token end now, an hour before its time."""
        self.access.clear()

    def _of_code(self, asked: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        query = self.codes.pop(asked.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(asked.get("code_verifier", "").encode()).digest())
        if query is None or query["redirect_uri"] != asked["redirect_uri"]:
            return _invalid("Malformed auth code.")
        if query["code_challenge"] != challenge.decode().rstrip("="):
            return _invalid("Invalid code verifier.")
        scope = "openid" if self.consents == "unticked" else query["scope"]
        more = {"refresh_token": self._refresh_token("ann@example.org")} if self.gives_refresh else {}
        return 200, {**self._access("ann@example.org"), **more, "scope": scope}

    def _of_jwt(self, assertion: str) -> tuple[int, dict[str, Any]]:
        self.secrets.add(assertion)
        head, body, signature = assertion.split(".")
        claims = json.loads(_decoded(body))
        self.claims.append(claims)
        key = self.keys.get(claims["iss"])
        if key is None:
            return _invalid("Invalid grant: account not found")
        if json.loads(_decoded(head))["alg"] != "RS256" or claims["aud"] != AUDIENCE:
            return _invalid("Invalid JWT: bad header or audience.")
        if claims["exp"] - claims["iat"] > 3600 or not claims["iat"] - _SKEW_S <= self.now() <= claims["exp"]:
            return _invalid(TIMEFRAME)
        try:
            key.verify(_decoded(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return _invalid("Invalid JWT Signature.")
        if claims["scope"] != SCOPE:
            return 400, {"error": "invalid_scope", "error_description": "Bad scope."}
        return 200, self._access(str(claims["iss"]))

    def _access(self, account: str) -> dict[str, Any]:
        token = self._secret("ya29.")
        self.access[token] = (account, self.now() + 3599)
        return {"access_token": token, "expires_in": 3599, "token_type": "Bearer", "scope": SCOPE}

    def _refresh_token(self, account: str) -> str:
        token = self._secret("1//")
        self.refresh[token] = account
        return token

    def _secret(self, prefix: str) -> str:
        made = prefix + secrets.token_urlsafe(40)
        self.secrets.add(made)
        return made


def _invalid(description: str) -> tuple[int, dict[str, Any]]:
    return 400, {"error": "invalid_grant", "error_description": description}


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
