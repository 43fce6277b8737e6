"""Feeds to follow: identity and academy as apps on a test's own database, reached as services reach each other."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from gateway.identity.clients.rules import service_client_id
from gateway.identity.hashing import new_secret
from gateway.identity.settings import IdentitySettings
from gateway.main import create_app as create_identity
from kit.calls.client import Calls
from kit.calls.retrying import RetryPolicy
from kit.events.followers import FollowerTimings
from kit.settings import ServiceSettings
from tests.support.clients import SECRET_KEY, create_app, settings_of
from tests.support.databases import Clone

QUICK = FollowerTimings(page=3, wait=1.0, lock=0.1, first_pause=0.05, longest_pause=0.2)
SECRET = new_secret()[0]


def identity_settings(clone: Clone, **changes: Any) -> IdentitySettings:
    """Identity in a demo, which registers the client that follows."""
    plain = settings_of("identity", clone.url("identity_app")).model_dump()
    told = {
        "env": "demo",
        "secret_key": SECRET_KEY,
        "follower_database_url": clone.url("identity_follower"),
        "service_clients": {"reporting": SECRET},
    }
    return IdentitySettings(**(plain | told | changes))


def reporting_settings(clone: Clone) -> ServiceSettings:
    """Reporting, with its client."""
    return settings_of("reporting", clone.url("reporting_app")).model_copy(
        update={
            "service_client_id": service_client_id("reporting"),
            "service_client_secret": SecretStr(SECRET),
            "follower_database_url": clone.url("reporting_follower"),
        }
    )


@asynccontextmanager
async def feeds(clone: Clone) -> AsyncIterator[dict[str, FastAPI]]:
    """Identity and academy on one database; identity's tokens are believed by academy."""
    async with AsyncExitStack() as stack:
        identity = create_identity(identity_settings(clone))
        await stack.enter_async_context(identity.router.lifespan_context(identity))
        url = clone.url("academy_follower")
        academy = create_app("academy", clone.url("academy_app"), follower_database_url=url)
        academy.state.tools.authenticator._keys = identity.state.tools.keys
        await stack.enter_async_context(academy.router.lifespan_context(academy))
        yield {"identity": identity, "academy": academy}


def calls_to(apps: Mapping[str, Any], settings: ServiceSettings) -> Calls:
    """Calls that reach these apps."""
    return Calls(
        settings,
        transports=lambda service: httpx.ASGITransport(apps[service]),
        policy=RetryPolicy(deadline=5.0, tries=2, first_pause=0.01, longest_pause=0.02),
    )
