"""The identity app with its own keys, in demo mode, with an identity provider to believe."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from argon2 import PasswordHasher
from fastapi import FastAPI

from gateway.identity.hashing import SecretHasher
from gateway.identity.settings import IdentitySettings, OidcIssuer
from gateway.identity.tokens.id_tokens import IdTokens
from gateway.main import create_app
from tests.gateway.identity.desk import Desk
from tests.gateway.identity.provider import AUDIENCE, ISSUER, Provider, rsa_key, start_provider
from tests.support.clients import SECRET_KEY, Clients, settings_of
from tests.support.databases import Clone, Sandbox


@pytest.fixture(scope="session")
def quick_hasher() -> PasswordHasher:
    """argon2id at the lowest cost: what it costs isn't what these tests are about."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(scope="session")
def running_provider() -> Iterator[Provider]:
    """An identity provider, started once."""
    running = start_provider()
    running.keys = [rsa_key("one")]
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
def provider(running_provider: Provider) -> Provider:
    """An identity provider with one key, that nobody has asked yet."""
    running_provider.begin_again()
    return running_provider


def identity_settings(database_url: str, **changes: Any) -> IdentitySettings:
    """Identity's settings in these tests."""
    plain = settings_of("identity", database_url).model_dump() | {"env": "demo", "secret_key": SECRET_KEY}
    return IdentitySettings(**(plain | changes))


@pytest_asyncio.fixture(scope="session")
async def identity_app(worker_database: Clone, quick_hasher: PasswordHasher) -> AsyncIterator[FastAPI]:
    """The app with keys of its own, started once."""
    app = create_app(identity_settings(worker_database.url("identity_app")))
    hasher = SecretHasher(argon2=quick_hasher)
    app.state.equipment = replace(app.state.equipment, hasher=hasher)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def believed(identity_app: FastAPI, provider: Provider) -> Callable[..., None]:
    """Says what identity is told about the provider: `believed(algorithms=["ES256"], trusts=["16846"])`."""

    def believe(**told: Any) -> None:
        values: dict[str, Any] = {"issuer": ISSUER, "audiences": [AUDIENCE], "jwks_url": provider.url}
        issuer = OidcIssuer(**(values | told))
        equipment = identity_app.state.equipment
        settings = equipment.settings.model_copy(update={"oidc_issuers": [issuer]})
        identity_app.state.equipment = replace(equipment, settings=settings)
        identity_app.state.id_tokens = IdTokens([issuer], provider.outbound)

    believe()
    return believe


@pytest_asyncio.fixture
async def desk(
    identity_app: FastAPI,
    app_of: Callable[[str], Awaitable[FastAPI]],
    client: Clients,
    database: Sandbox,
    believed: Callable[..., None],
    quick_hasher: PasswordHasher,
) -> AsyncIterator[Desk]:
    """The token endpoint, and administrators who prepare it, on a database that is rolled back."""
    administered = await app_of("identity")
    before = administered.state.equipment
    issuers = identity_app.state.equipment.settings.oidc_issuers
    administered.state.equipment = replace(
        before,
        hasher=SecretHasher(argon2=quick_hasher),
        settings=before.settings.model_copy(update={"oidc_issuers": issuers}),
    )
    prepared = Desk(identity_app, client, database.of("identity"))
    prepared.forget_keys()
    yield prepared
    await prepared.aclose()
    prepared.forget_keys()
    administered.state.equipment = before


@pytest_asyncio.fixture
async def anybody(desk: Desk) -> httpx.AsyncClient:
    """Somebody without a token."""
    return desk.anybody


@pytest_asyncio.fixture
async def behind_gateway(desk: Desk, client: Clients) -> AsyncIterator[Desk]:
    """The same app as our gateway reaches it: over a Unix socket, which has no address."""
    behind = Desk(desk.app, client, desk.database, peer=None)
    yield behind
    await behind.aclose()


@pytest.fixture
def identity_on(client: Clients, quick_hasher: PasswordHasher) -> Callable[..., AbstractAsyncContextManager[Desk]]:
    """Starts an app of its own on a clone: `async with identity_on(committed_database) as desk: ...`."""

    @asynccontextmanager
    async def start(clone: Clone, **changes: Any) -> AsyncIterator[Desk]:
        app = create_app(identity_settings(clone.url("identity_app"), **changes))
        app.state.equipment = replace(app.state.equipment, hasher=SecretHasher(argon2=quick_hasher))
        async with app.router.lifespan_context(app):
            started = Desk(app, client, app.state.tools.database)
            yield started
            await started.aclose()

    return start
