"""Client secrets: made here, proved by a digest that costs nothing.

A secret has 256 random bits, which nobody guesses, so SHA-256 is enough to check one (ADR 0089), and a flood of wrong
secrets keeps no processor busy. A secret from before its digest was kept is checked once against its argon2id hash.
That costs some 20 ms and 19 MiB, so only a few run at once, off the event loop; when too many wait, the next one is
refused and can try again later.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

Result = TypeVar("Result")

PREFIX: Final = "trellis"
_HINT_BYTES: Final = 6
_SECRET_BYTES: Final = 32
# What `token_urlsafe` makes of that many bytes.
_RANDOM_CHARACTERS: Final = 43
# OWASP Password Storage Cheat Sheet, argon2id: 19 MiB, two passes, one lane.
_TIME_COST: Final = 2
_MEMORY_KIB: Final = 19 * 1024


class HasherBusy(Exception):
    """Too many hashes are waiting to be checked."""


def new_secret() -> tuple[str, str]:
    """A secret (`trellis_<hint>_<random>`) and the hint, by which people can tell it from others without seeing it."""
    hint = secrets.token_hex(_HINT_BYTES)
    return f"{PREFIX}_{hint}_{secrets.token_urlsafe(_SECRET_BYTES)}", hint


def hint_of(secret: str) -> str:
    """The hint in a secret; empty when it isn't one of ours."""
    prefix, _, rest = secret.partition("_")
    hint, _, _ = rest.partition("_")
    return hint if prefix == PREFIX and len(hint) == 2 * _HINT_BYTES else ""


def is_long_enough(secret: str) -> bool:
    """Whether a secret looks like one of ours and is too long to be guessed."""
    hint = hint_of(secret)
    return bool(hint) and len(secret) >= len(f"{PREFIX}_{hint}_") + _RANDOM_CHARACTERS


def digest_of(secret: str) -> bytes:
    """What is stored of a secret to check it by."""
    return hashlib.sha256(secret.encode()).digest()


def is_of(digest: bytes, secret: str) -> bool:
    """Whether the digest was made of this secret, in a time that doesn't depend on it."""
    return hmac.compare_digest(digest, digest_of(secret))


class SecretHasher:
    """Hashes secrets, and checks them against their hashes, a few at a time."""

    def __init__(self, *, workers: int = 2, waiting: int = 64, argon2: PasswordHasher | None = None) -> None:
        self._argon2 = argon2 or PasswordHasher(time_cost=_TIME_COST, memory_cost=_MEMORY_KIB, parallelism=1)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="hasher")
        self._most_at_once = workers + waiting
        self._at_once = 0

    async def hash(self, secret: str) -> str:
        """The hash to store."""
        return await self._in_thread(self._argon2.hash, secret)

    async def verify(self, stored: str, secret: str) -> bool:
        """Whether the secret belongs to the stored hash.

        Raises HasherBusy when too many are waiting already.
        """
        if self._at_once >= self._most_at_once:
            raise HasherBusy
        return await self._in_thread(self._check, stored, secret)

    async def _in_thread(self, work: Callable[..., Result], *arguments: str) -> Result:
        self._at_once += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._at_once -= 1

    def _check(self, stored: str, secret: str) -> bool:
        try:
            return self._argon2.verify(stored, secret)
        except (VerificationError, InvalidHashError):
            return False
