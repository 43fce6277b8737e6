"""What the tests of the `trellis` command share."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.answers import Served, serving


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[str, Served]]]:
    """Starts a server that gives the answers; its URL and what it was asked."""
    with serving() as start:
        yield start
