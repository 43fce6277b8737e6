"""What every test can ask for: a migrated Postgres, callers' tokens, clients, a clock that stands still."""

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from fastapi import FastAPI

from kit import clock as house_clock
from tests.support import cluster as clusters
from tests.support.clients import Clients, create_app
from tests.support.cluster import Cluster, shared_cluster
from tests.support.databases import Clone, Sandbox, Sandboxes, clone, counted
from tests.support.order import is_long, long_first
from tests.support.sockets import refuse_network
from tests.support.tokens import issue_token as issue

refuse_network()


def pytest_configure(config: pytest.Config) -> None:
    """The process that governs the run says where its Postgres will be."""
    # Compiling everything in each of its many processes takes longer than importing it.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if not hasattr(config, "workerinput"):
        clusters.announce()


def pytest_unconfigure(config: pytest.Config) -> None:
    """... and stops it, also after Ctrl-C."""
    if not hasattr(config, "workerinput"):
        clusters.end()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On several workers, long tests begin first."""
    if hasattr(config, "workerinput"):
        workers = config.workerinput["workercount"]
        items[:] = long_first(items, workers, is_long=is_long, module=lambda item: item.path)


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """This worker's embedded Postgres."""
    return shared_cluster()


@pytest_asyncio.fixture(scope="session")
async def worker_database(cluster: Cluster) -> AsyncIterator[Clone]:
    """This worker's own database; tests see it through `database`, which is rolled back."""
    async with clone(cluster, "worker") as copy:
        yield copy


@pytest_asyncio.fixture(scope="session")
async def sandboxes(worker_database: Clone) -> AsyncIterator[Sandboxes]:
    """The connection that this worker's sandboxes take in turn."""
    made = Sandboxes(worker_database.admin_url)
    yield made
    await made.dispose()


@pytest_asyncio.fixture
async def database(sandboxes: Sandboxes) -> AsyncIterator[Sandbox]:
    """A migrated database, rolled back after the test: `database.of("academy")` is what academy sees."""
    async with sandboxes.sandbox() as box:
        yield box


@pytest_asyncio.fixture
async def committed_database(cluster: Cluster) -> AsyncIterator[Clone]:
    """A database of the test's own, for what needs real commits: feed, idempotency, jobs, row-level security."""
    async with clone(cluster) as copy:
        yield copy


@pytest.fixture
def issue_token() -> Callable[..., str]:
    """Makes access tokens: `issue_token("headteacher", trust=..., academies=[100001])`."""
    return issue


@pytest_asyncio.fixture(scope="session")
async def app_of(worker_database: Clone) -> AsyncIterator[Callable[[str], Awaitable[FastAPI]]]:
    """The started app of a service, made at first use and kept for this worker."""
    async with AsyncExitStack() as stack:
        apps: dict[str, FastAPI] = {}

        async def start(service: str) -> FastAPI:
            if service not in apps:
                app = create_app(service, worker_database.url(f"{service}_app"))
                await stack.enter_async_context(app.router.lifespan_context(app))
                apps[service] = app
            return apps[service]

        yield start


@pytest_asyncio.fixture
async def client(app_of: Callable[[str], Awaitable[FastAPI]], database: Sandbox) -> AsyncIterator[Clients]:
    """Makes clients: `await client("academy", "chief-executive", trust=...)`; rows are rolled back."""
    clients = Clients(app_of, database.of)
    yield clients
    await clients.aclose()


@pytest_asyncio.fixture
async def committed_client(
    app_of: Callable[[str], Awaitable[FastAPI]], committed_database: Clone
) -> AsyncIterator[Clients]:
    """The same on the test's own database, where commits are commits."""
    clients = Clients(app_of, committed_database.of)
    yield clients
    await clients.aclose()


@pytest_asyncio.fixture
async def count_queries(database: Sandbox) -> Callable[[], AbstractContextManager[list[str]]]:
    """Counts statements on `database`: `with count_queries() as queries: ...`, then `len(queries)`."""
    driver = await database.driver()
    return lambda: counted(driver, database.connection)


class Clock:
    """The house's clock, standing still until it is told otherwise."""

    def __init__(self, at: datetime) -> None:
        self.now = at

    def set(self, at: datetime) -> None:
        """It is now this time (with a zone)."""
        self.now = at.astimezone(UTC)

    def advance(self, **by: float) -> None:
        """Let time pass: `advance(days=1)`."""
        self.now += timedelta(**by)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stops the clock for everything in this process (not in the database) at noon on 1 October 2025."""
    stopped = Clock(datetime(2025, 10, 1, 12, tzinfo=UTC))
    monkeypatch.setattr(house_clock, "now", lambda: stopped.now)
    return stopped
