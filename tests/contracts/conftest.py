"""What tests of contracts share: the installation of journeys, and the locked Node with its tools."""

import pytest

from tests.support.installations import stack
from tests.support.tools import missing
from trellis.contracts import nodetools
from trellis.contracts.documents import repository

__all__ = ["stack"]


@pytest.fixture(scope="session")
def node_tools() -> None:
    """Node and its tools."""
    if nodetools.node() is None or not nodetools.installed(repository() / "openapi" / "tools"):
        missing("no Node here, or its tools aren't installed (`make node-tools`)")
