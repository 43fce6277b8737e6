"""The installation that journeys share."""

import pytest

from tests.support.stack import Stack, shared_stack


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The run's demo installation: gateway, services, worker, database, two demo trusts."""
    return shared_stack()
