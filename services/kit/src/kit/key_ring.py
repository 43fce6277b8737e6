"""The ring of secret keys: the newest makes, every one is accepted."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# Long enough that nobody finds a key by trying.
SHORTEST_SECRET = 32
KEY_ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class DerivedKey:
    """A key for one purpose, and the id of the secret that it was made from."""

    id: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The secret keys of an installation, newest first; never empty.

    Ids follow from the secrets, 8 bytes each, and say nothing about them.
    """

    secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def of(cls, secrets: Sequence[str]) -> Self:
        """The ring of these secrets. Raises ValueError when there is none, one is too short or one is there twice."""
        if not secrets:
            raise ValueError("at least one secret key is needed")
        if any(len(secret) < SHORTEST_SECRET for secret in secrets):
            raise ValueError(f"each secret key must have at least {SHORTEST_SECRET} characters")
        if len(set(secrets)) < len(secrets):
            raise ValueError("a secret key is listed twice")
        return cls(tuple(secrets))

    @property
    def ids(self) -> tuple[bytes, ...]:
        """The ids of the keys, newest first."""
        return tuple(key_id(secret) for secret in self.secrets)

    def derive(self, purpose: str) -> tuple[DerivedKey, ...]:
        """32 bytes for one purpose from each key (HKDF, RFC 5869), newest first."""
        return tuple(DerivedKey(key_id(secret), _derived(secret, purpose)) for secret in self.secrets)


def listed(keys: str) -> list[str]:
    """The keys in one variable: a JSON list, or with commas between them. Raises ValueError for broken JSON."""
    if keys.lstrip().startswith("["):
        found: list[str] = json.loads(keys)
        return found
    return [key.strip() for key in keys.split(",") if key.strip()]


def key_id(secret: str) -> bytes:
    """The id of a secret key."""
    return hmac.digest(secret.encode(), b"trellis key id v1", hashlib.sha256)[:KEY_ID_BYTES]


def _derived(secret: str, purpose: str) -> bytes:
    info = f"trellis {purpose} v1".encode()
    return HKDF(SHA256(), length=32, salt=None, info=info).derive(secret.encode())
