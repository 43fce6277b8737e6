"""What the tests of followers share."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.databases import Clone
from tests.support.notes import World, note_world


@pytest_asyncio.fixture
async def world(committed_database: Clone) -> AsyncIterator[World]:
    """Two services on one database; the tokens are identity's own."""
    async with note_world(committed_database) as made:
        yield made
