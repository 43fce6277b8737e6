"""HTTP clients of the services, without a network: each response is held against the contract."""

import atexit
import importlib
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from kit.database.sessions import Database
from kit.settings import ServiceSettings
from tests.support.contracts import Revalidation, contract
from tests.support.tokens import AUDIENCE, ISSUER, issue_token, trusted_keys

SECRET_KEY = "a-secret-key-that-only-the-tests-know"
BASE_URL = ISSUER
FACTORIES = {
    "academy": "academy.main",
    "research": "research.main",
    "reporting": "reporting.main",
    "identity": "gateway.main",
}


# One folder for the files of all tests of this process.
OBJECTS = tempfile.TemporaryDirectory(prefix="trellis-objects-")
atexit.register(OBJECTS.cleanup)


def settings_of(service: str, database_url: str) -> ServiceSettings:
    """What a service is told in tests."""
    values: dict[str, Any] = {
        "service": service,
        "env": "test",
        "database_url": database_url,
        "secret_key": SECRET_KEY,
        "public_url": ISSUER,
        "audience": AUDIENCE,
        "log_level": "WARNING",
        "object_store_url": Path(OBJECTS.name).as_uri(),
    }
    return ServiceSettings(**values)


def create_app(service: str, database_url: str, **overrides: Any) -> FastAPI:
    """The service's app, which trusts the tests' key."""
    factory: Callable[..., FastAPI] = importlib.import_module(FACTORIES[service]).create_app
    settings = settings_of(service, database_url).model_copy(update=overrides)
    return factory(settings, keys=trusted_keys())


class Transport(httpx.ASGITransport):
    """Calls the app, which works on the given database, and holds its answers against the contract."""

    def __init__(self, app: FastAPI, service: str, database: Database) -> None:
        super().__init__(app, client=("127.0.0.1", 50_000))
        self._app = app
        self._contract = contract(service)
        self._revalidated = Revalidation()
        self._database = database

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange."""
        self._app.state.tools.database = self._database
        response = await super().handle_async_request(request)
        await response.aread()
        if self._contract is not None:
            self._contract.check(request, response)
        self._revalidated.check(request, response)
        return response


class Clients:
    """Makes clients for one test and closes them at its end."""

    def __init__(self, app_of: Callable[[str], Awaitable[FastAPI]], database_of: Callable[[str], Database]) -> None:
        self._app_of = app_of
        self._database_of = database_of
        self._open = AsyncExitStack()

    async def __call__(
        self,
        service: str,
        role: str | None = None,
        *,
        database: Database | None = None,
        token: str | None = None,
        **claims: Any,
    ) -> httpx.AsyncClient:
        """A client of `service` with a token of `role` (and `trust`, `academies`, ... as in `issue_token`).

        Without role and token it sends none. Its rows are rolled back unless `database` is a clone's.
        """
        if token is None and (role is not None or claims):
            token = issue_token(role, **claims)
        transport = Transport(await self._app_of(service), service, database or self._database_of(service))
        client = httpx.AsyncClient(
            transport=transport,
            base_url=BASE_URL,
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )
        return await self._open.enter_async_context(client)

    async def aclose(self) -> None:
        """Close them all."""
        await self._open.aclose()
