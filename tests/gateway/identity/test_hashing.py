"""Client secrets."""

import asyncio
import threading
import time
from typing import Literal

import pytest
from argon2 import PasswordHasher, Type

from gateway.identity.hashing import (
    HasherBusy,
    SecretHasher,
    digest_of,
    hint_of,
    is_long_enough,
    is_of,
    new_secret,
)


class Slow(PasswordHasher):
    """Holds every check until it is let go, and counts who is at it."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.go = threading.Event()
        self.running = 0
        self.most = 0
        self.threads: set[int] = set()
        self._lock = threading.Lock()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - argon2's own name
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
            self.threads.add(threading.get_ident())
        self.go.wait(10)
        with self._lock:
            self.running -= 1
        return super().verify(hash, password)


def test_secrets_are_long_random_and_carry_a_hint() -> None:
    secret, hint = new_secret()
    assert secret.startswith(f"trellis_{hint}_")
    assert len(secret) > 60
    assert hint_of(secret) == hint
    assert new_secret()[0] != secret


@pytest.mark.parametrize("text", ["", "trellis", "trellis_", "trellis_abc_def", "other_0123456789ab_x", "_" * 20])
def test_what_is_no_secret_of_ours_has_no_hint(text: str) -> None:
    assert hint_of(text) == ""


async def test_secrets_are_kept_as_argon2id_hashes() -> None:
    hasher = SecretHasher()
    stored = await hasher.hash("s")
    assert stored.startswith("$argon2id$")
    assert await hasher.verify(stored, "s")
    assert not await hasher.verify(stored, "t")
    assert not await hasher.verify("nonsense", "s")
    assert PasswordHasher().type is Type.ID


def test_a_digest_belongs_to_one_secret() -> None:
    secret, _ = new_secret()
    assert is_of(digest_of(secret), secret)
    assert not is_of(digest_of(secret), secret[:-1])
    assert not is_of(b"", secret)
    assert len(digest_of(secret)) == 32


@pytest.mark.parametrize(("random", "is_long"), [("x" * 43, True), ("x" * 42, False), ("", False)])
def test_a_secret_that_can_be_guessed_is_too_short(random: str, *, is_long: bool) -> None:
    assert is_long_enough(f"trellis_0123456789ab_{random}") is is_long
    assert not is_long_enough(f"other_0123456789ab_{random}")
    assert is_long_enough(new_secret()[0])


async def test_checks_run_in_a_few_threads_and_leave_the_loop_alone() -> None:
    slow = Slow()
    hasher = SecretHasher(workers=2, waiting=50, argon2=slow)
    stored = slow.hash("s")
    checks = [asyncio.create_task(hasher.verify(stored, "s")) for _ in range(8)]
    began = time.monotonic()
    await asyncio.sleep(0.05)
    assert time.monotonic() - began < 1
    slow.go.set()
    assert all(await asyncio.gather(*checks))
    assert slow.most == 2
    assert threading.get_ident() not in slow.threads


async def test_too_many_who_wait_are_told_to_come_back() -> None:
    slow = Slow()
    hasher = SecretHasher(workers=1, waiting=1, argon2=slow)
    stored = slow.hash("s")
    checks = [asyncio.create_task(hasher.verify(stored, "s")) for _ in range(2)]
    await asyncio.sleep(0.05)
    with pytest.raises(HasherBusy):
        await hasher.verify(stored, "s")
    slow.go.set()
    assert all(await asyncio.gather(*checks))
