"""Fixtures of the installations that journeys share: one for many at once, and one for those that break things."""

import fcntl
from collections.abc import Iterator

import pytest

from tests.support.stack import Stack, shared_stack


@pytest.fixture
def stack() -> Stack:
    """The demo installation of the run, with two demo trusts. Nothing of it is killed."""
    return shared_stack("stack")


@pytest.fixture
def stack_alone() -> Iterator[Stack]:
    """Another, with nobody else at it: for tests that kill its programs and leave all of them ready again."""
    stack = shared_stack("fragile")
    with (stack.state.parent / "use").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield stack
