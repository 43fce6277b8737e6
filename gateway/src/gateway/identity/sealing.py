"""What is kept unreadable at rest: private keys and secret answers encrypted, look-ups by keyed digest.

Every key is derived from `TRELLIS_SECRET_KEY` (HKDF, RFC 5869), one per purpose. Without it a copy of the database
gives neither a signing key nor a name; with another one the stored keys can't be used any more.
"""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_NONCE_BYTES = 12


class SealBroken(Exception):
    """The bytes were sealed with another `TRELLIS_SECRET_KEY`, for another purpose, or were altered."""


def _derive(secret_key: str, purpose: str) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=f"trellis identity {purpose} v1".encode()).derive(
        secret_key.encode()
    )


class Seal:
    """Encrypts for one purpose (AES-256-GCM); what is sealed for one name can't be opened under another."""

    def __init__(self, secret_key: str, purpose: str) -> None:
        self._cipher = AESGCM(_derive(secret_key, purpose))

    def close(self, name: str, plain: bytes) -> bytes:
        """The sealed bytes."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, plain, name.encode())

    def open(self, name: str, sealed: bytes) -> bytes:
        """The plain bytes. Raises SealBroken."""
        nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            if sealed[:1] != _VERSION:
                raise SealBroken(name)
            return self._cipher.decrypt(nonce, rest, name.encode())
        except (InvalidTag, ValueError) as error:
            raise SealBroken(name) from error


class Digests:
    """Keyed digests: equal for equal values, and meaningless to whoever hasn't the key."""

    def __init__(self, secret_key: str) -> None:
        self._key = _derive(secret_key, "digests")

    def of(self, kind: str, *values: str) -> bytes:
        """The digest of these values as one kind of thing; 32 bytes."""
        # Lengths keep ("ab", "c") and ("a", "bc") apart.
        message = b"".join(len(part).to_bytes(4) + part for part in (value.encode() for value in (kind, *values)))
        return hmac.digest(self._key, message, hashlib.sha256)
