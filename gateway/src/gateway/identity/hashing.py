"""Client secrets: made here, kept as argon2id hashes, checked in threads of their own.

A check costs some 20 ms and 19 MiB on purpose. So only a few run at once, off the event loop; the others wait, and
when too many wait, the next one is refused and can try again later.
"""

import asyncio
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
# OWASP Password Storage Cheat Sheet, argon2id: 19 MiB, two passes, one lane.
_TIME_COST: Final = 2
_MEMORY_KIB: Final = 19 * 1024


class HasherBusy(Exception):
    """Too many secrets are waiting to be checked."""


def new_secret() -> tuple[str, str]:
    """A secret (`trellis_<hint>_<random>`) and the hint, by which people can tell it from others without seeing it."""
    hint = secrets.token_hex(_HINT_BYTES)
    return f"{PREFIX}_{hint}_{secrets.token_urlsafe(_SECRET_BYTES)}", hint


def hint_of(secret: str) -> str:
    """The hint in a secret; empty when it isn't one of ours."""
    prefix, _, rest = secret.partition("_")
    hint, _, _ = rest.partition("_")
    return hint if prefix == PREFIX and len(hint) == 2 * _HINT_BYTES else ""


class SecretHasher:
    """Hashes and checks secrets, a few at a time."""

    def __init__(self, *, workers: int = 2, waiting: int = 64, argon2: PasswordHasher | None = None) -> None:
        self._argon2 = argon2 or PasswordHasher(time_cost=_TIME_COST, memory_cost=_MEMORY_KIB, parallelism=1)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="hasher")
        self._most_at_once = workers + waiting
        self._at_once = 0
        # Checked when there is nothing to check against, so that an unknown client takes as much work as a known.
        self._dummy = self._argon2.hash(secrets.token_urlsafe(_SECRET_BYTES))

    async def hash(self, secret: str) -> str:
        """The hash to store."""
        return await self._in_thread(self._argon2.hash, secret)

    async def verify(self, stored: str | None, secret: str) -> bool:
        """Whether the secret belongs to the stored hash; the same work and False when there is none.

        Raises HasherBusy when too many are waiting already.
        """
        if self._at_once >= self._most_at_once:
            raise HasherBusy
        matches = await self._in_thread(self._check, stored or self._dummy, secret)
        return matches and stored is not None

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
