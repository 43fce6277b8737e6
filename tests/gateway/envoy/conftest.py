"""One gateway for all tests that leave it as it is."""

from collections.abc import Iterator

import httpx
import pytest

from tests.gateway.envoy.doorway import Door, opened, token

ORIGIN = "https://board.example.org"


@pytest.fixture(scope="session")
def door() -> Iterator[Door]:
    """A running gateway with the default limits."""
    with opened(cors_origins=[ORIGIN]) as running:
        yield running


@pytest.fixture
def caller(door: Door) -> Iterator[httpx.Client]:
    """Somebody with a valid token."""
    with door.client(token()) as client:
        yield client


@pytest.fixture
def stranger(door: Door) -> Iterator[httpx.Client]:
    """Somebody without one."""
    with door.client() as client:
        yield client
