"""The ring of secret keys: the newest makes, every one is accepted.

A service holds a ring of its own: the keys of its purposes, derived from the installation's secrets, from which no
other key can be made (ADR 0074). Identity alone holds the secrets.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# Long enough that nobody finds a key by trying.
SHORTEST_SECRET = 32
KEY_ID_BYTES = 8
_KEY_BYTES: Final = 32

CURSORS: Final = "cursors"
"""The purpose of the keys that sign cursors."""
PEOPLE: Final = "people"
"""... of those that make the pseudonyms of erased people, the same in every service."""


def answers_of(service: str) -> str:
    """... of those that seal the kept answers of a service."""
    return f"{service} answers"


def purposes_of(service: str) -> tuple[str, ...]:
    """Everything that a service needs keys for; identity needs more, and holds the secrets themselves."""
    return CURSORS, PEOPLE, answers_of(service)


@dataclass(frozen=True, slots=True)
class DerivedKey:
    """A key for one purpose, and the id of the secret that it was made from."""

    id: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Secret:
    """A secret, from which the key for every purpose can be made."""

    secret: str = field(repr=False)

    @property
    def id(self) -> bytes:
        return key_id(self.secret)

    def key(self, purpose: str) -> bytes:
        if purpose == CURSORS:
            # From before keys were derived for each purpose; another way would break every cursor.
            return hmac.digest(self.secret.encode(), b"trellis cursors v1", hashlib.sha256)
        info = f"trellis {purpose} v1".encode()
        return HKDF(SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(self.secret.encode())


@dataclass(frozen=True, slots=True)
class _Share:
    """What one service holds of a secret: the keys for its purposes."""

    id: bytes
    keys: Mapping[str, bytes] = field(repr=False)

    def key(self, purpose: str) -> bytes:
        if purpose not in self.keys:
            raise ValueError(f"this program holds no key for {purpose}")
        return self.keys[purpose]


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The secret keys of an installation, or what one service holds of them, newest first; never empty.

    Ids follow from the secrets, 8 bytes each, and say nothing about them.
    """

    _keys: tuple[_Secret | _Share, ...] = field(repr=False)

    @classmethod
    def of(cls, secrets: Sequence[str]) -> Self:
        """The ring of these secrets. Raises ValueError when there is none, one is too short or one is there twice."""
        if not secrets:
            raise ValueError("at least one secret key is needed")
        if any(len(secret) < SHORTEST_SECRET for secret in secrets):
            raise ValueError(f"each secret key must have at least {SHORTEST_SECRET} characters")
        if len(set(secrets)) < len(secrets):
            raise ValueError("a secret key is listed twice")
        return cls(tuple(map(_Secret, secrets)))

    @classmethod
    def of_shares(cls, text: str) -> Self:
        """The ring that `shares` wrote. Raises ValueError when the text isn't such a ring."""
        try:
            shares = tuple(_share(one) for one in json.loads(text))
        except (TypeError, AttributeError, KeyError, binascii.Error):
            shares = ()
        if not shares or any(len(one.id) != KEY_ID_BYTES or not one.keys for one in shares):
            raise ValueError("these are no derived keys")
        return cls(shares)

    def shares(self, purposes: Sequence[str]) -> str:
        """The keys for these purposes as text, for a program that is to hold no others."""
        shares = [
            {"id": one.id.hex(), "keys": {name: base64.b64encode(one.key(name)).decode() for name in purposes}}
            for one in self._keys
        ]
        return json.dumps(shares)

    @property
    def ids(self) -> tuple[bytes, ...]:
        """The ids of the keys, newest first."""
        return tuple(one.id for one in self._keys)

    def derive(self, purpose: str) -> tuple[DerivedKey, ...]:
        """32 bytes for one purpose from each key (HKDF, RFC 5869), newest first.

        Raises ValueError when the ring is a service's own and the purpose isn't among its own.
        """
        return tuple(DerivedKey(one.id, one.key(purpose)) for one in self._keys)


def _share(share: Mapping[str, Any]) -> _Share:
    keys = {str(name): base64.b64decode(key, validate=True) for name, key in share["keys"].items()}
    if any(len(key) != _KEY_BYTES for key in keys.values()):
        raise ValueError("a derived key has another length")
    return _Share(bytes.fromhex(share["id"]), keys)


def listed(keys: str) -> list[str]:
    """The keys in one variable: a JSON list, or with commas between them. Raises ValueError for broken JSON."""
    if keys.lstrip().startswith("["):
        found: list[str] = json.loads(keys)
        return found
    return [key.strip() for key in keys.split(",") if key.strip()]


def key_id(secret: str) -> bytes:
    """The id of a secret key."""
    return hmac.digest(secret.encode(), b"trellis key id v1", hashlib.sha256)[:KEY_ID_BYTES]
