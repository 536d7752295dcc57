"""Secrets under a passphrase. Knows the cryptography and nothing of files.

    sealed  = "hearthbus sealed 1" newline log2(n) r p salt(16) nonce(12) ciphertext
    key     = scrypt(passphrase in UTF-8, salt, n, r, p), 32 bytes
    cipher  = ChaCha20-Poly1305 (RFC 8439) over the content; what stands before it is authenticated too

scrypt (RFC 7914) with n = 2**16 and r = 8 wants 64 MB and about a second of a Raspberry Pi for each guess.
"""

from __future__ import annotations

import hashlib
import os
import struct
from typing import TYPE_CHECKING, Final

from hearthbus.errors import Invalid, Refused, Unavailable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

_MAGIC: Final = b"hearthbus sealed 1\n"
_HEAD: Final = struct.Struct("!19sBBB16s12s")
_LOG_N: Final = 16
_R: Final = 8
_P: Final = 1
_MOST_LOG_N: Final = 20
"""A file that asks for more than a gigabyte of memory is no backup of ours."""


def seal(content: bytes, passphrase: str) -> bytes:
    """Return `content` under a passphrase.

    Raises:
        Unavailable: the package that does it is not installed.
    """
    cipher = _cipher()
    head = _HEAD.pack(_MAGIC, _LOG_N, _R, _P, os.urandom(16), os.urandom(12))
    return head + cipher(_key(head, passphrase)).encrypt(head[-12:], content, head)


def unseal(sealed: bytes, passphrase: str) -> bytes:
    """Return what was sealed.

    Raises:
        Invalid: it is nothing that `seal` made.
        Refused: the passphrase is another one.
        Unavailable: as `seal`.
    """
    cipher = _cipher()
    from cryptography.exceptions import InvalidTag

    head = sealed[: _HEAD.size]
    if not is_sealed(sealed):
        raise Invalid("what should be the secrets of this backup are none, or those of a newer hearthbus")
    try:
        return cipher(_key(head, passphrase)).decrypt(head[-12:], sealed[_HEAD.size :], head)
    except InvalidTag:
        raise Refused("the passphrase is not the one this backup was made with") from None


def is_sealed(sealed: bytes) -> bool:
    """Whether `sealed` begins as `seal` begins it."""
    if len(sealed) < _HEAD.size:
        return False
    magic: bytes
    log_n: int
    r: int
    p: int
    magic, log_n, r, p, _, _ = _HEAD.unpack(sealed[: _HEAD.size])
    return magic == _MAGIC and 1 <= log_n <= _MOST_LOG_N and 1 <= r <= _R and 1 <= p <= 4


def _key(head: bytes, passphrase: str) -> bytes:
    _, log_n, r, p, salt, _ = _HEAD.unpack(head)
    n = 1 << log_n
    return hashlib.scrypt(passphrase.encode(), salt=salt, n=n, r=r, p=p, maxmem=132 * n * r, dklen=32)


def _cipher() -> type[ChaCha20Poly1305]:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
    except ImportError:
        from hearthbus.plugins import to_install

        how = to_install("hearthbus[backup]")
        raise Unavailable(f"secrets need the Python package cryptography; {how}, or add --without-secrets") from None
    return ChaCha20Poly1305
