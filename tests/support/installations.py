"""Fixtures of the installation that journeys share: many at once, or one alone that breaks things."""

import fcntl
from collections.abc import Iterator

import pytest

from tests.support.stack import Stack, shared_stack


def _held(how: int) -> Iterator[Stack]:
    stack = shared_stack()
    with (stack.state.parent / "use").open("a") as file:
        fcntl.flock(file, how)
        yield stack


@pytest.fixture
def stack() -> Iterator[Stack]:
    """The demo installation of the run, with two demo trusts. Nothing of it is killed meanwhile."""
    yield from _held(fcntl.LOCK_SH)


@pytest.fixture
def stack_alone() -> Iterator[Stack]:
    """The same, with nobody else at it: for tests that kill its programs and leave all of them ready again."""
    yield from _held(fcntl.LOCK_EX)
