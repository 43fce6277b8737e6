"""What the kit's tests share: the sample service and its clients."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from kit.web.app import Service
from tests.kit.sample import reset, sample_client, sample_service


@pytest.fixture(scope="session")
def sample() -> Service:
    """The sample service."""
    return sample_service()


@pytest_asyncio.fixture
async def thing_client(sample: Service) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the sample service with all scopes; every answer is held against the contract."""
    reset()
    async with sample_client(sample) as client:
        yield client
