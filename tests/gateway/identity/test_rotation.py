"""The secret key is replaced: nothing is lost while both are in the ring, nor after the old one is dropped."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from gateway.identity.bootstrap import bootstrap
from gateway.identity.resealing import reseal
from gateway.identity.settings import OidcIssuer
from gateway.identity.tenants.schemas import TenantCreate
from kit.secrets.__main__ import reseal as reseal_answers_of
from kit.secrets.answers import Moved
from tests.gateway.identity.conftest import identity_settings
from tests.gateway.identity.desk import Desk, Json
from tests.gateway.identity.provider import AUDIENCE, ISSUER, Provider
from tests.support.databases import Clone

OLD, NEW = "the-old-secret-key-of-these-tests-only", "the-new-secret-key-of-these-tests-only"
TRUST = TenantCreate(group_uid="2046", group_id="TR00002", name="Abbey Multi Academy Trust")
CLIENTS, PEOPLE, GRANTS = "/identity/v1/clients", "/identity/v1/people", "/identity/v1/grants"

Installed = Callable[..., AbstractAsyncContextManager[Desk]]


def ring(*keys: str) -> Json:
    """The settings of a ring."""
    return {"secret_key": None, "secret_keys": keys}


@pytest.fixture
def installed(committed_database: Clone, identity_on: Callable[..., Any], provider: Provider) -> Installed:
    """The app, restarted with this ring: `async with installed(NEW, OLD) as desk: ...`."""
    issuer = OidcIssuer(issuer=ISSUER, audiences=[AUDIENCE], jwks_url=provider.url)

    @asynccontextmanager
    async def start(*keys: str) -> AsyncIterator[Desk]:
        told = {"env": "production", "oidc_issuers": [issuer], "outbound_allow": [provider.host], **ring(*keys)}
        async with identity_on(committed_database, **told) as desk:
            yield desk

    return start


class Trust:
    """A trust with an administrator, a portal and two people, and what they keep over a restart."""

    def __init__(self, provider: Provider) -> None:
        self.a_nutt = provider.id_token()
        self.b_leaf = provider.id_token(sub="2", email="b.leaf@example.org")
        self.credentials: Json = {}
        self.portal: Json = {}
        self.token = ""
        self.cursors: dict[str, str] = {}
        self.kept: list[tuple[str, Json, Json, Json]] = []

    async def begin(self, clone: Clone, desk: Desk) -> None:
        """Prepare everything under the old key."""
        settings = identity_settings(clone.url("identity_app"), env="production", **ring(OLD))
        credentials = await bootstrap(settings, trust=TRUST)
        (administrator,) = [one for one in credentials if one.role == "trust-admin"]
        self.credentials = {
            "client_id": administrator.client_id,
            "client_secret": administrator.client_secret,
        }
        self.token = await self.new_token(desk)
        holder = await desk.holder(self.token)
        self.portal = (await holder.post(CLIENTS, json={"name": "Portal", "kind": "public"})).json()
        for name in ("a.nutt", "b.leaf"):
            person = (await holder.post(PEOPLE, json={"email": f"{name}@example.org"})).json()
            await holder.post(GRANTS, json={"role": "trustee", "person_id": person["id"]})
        made = await self.post(desk, CLIENTS, {"name": "MIS", "kind": "confidential"}, {})
        await self.post(desk, f"{CLIENTS}/{made['id']}/rotate-secret", {}, {"If-Match": '"1"'})
        for path in (CLIENTS, "/identity/v1/events"):
            self.cursors[path] = (await holder.get(path, params={"limit": 1})).json()["next"]

    async def new_token(self, desk: Desk) -> str:
        """The administrator's, asked for now."""
        answer = await desk.ask_as(self.credentials)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    async def post(self, desk: Desk, path: str, body: Json, headers: Json) -> Json:
        """A request whose answer holds a secret, kept to be repeated."""
        holder = await desk.holder(self.token)
        headers = {**headers, "Idempotency-Key": str(uuid4())}
        answer = await holder.post(path, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        assert "client_secret" in answer.json()
        self.kept.append((path, body, headers, answer.json()))
        made: Json = answer.json()
        return made

    async def check(self, desk: Desk, *, cursors: int) -> None:
        """Everything still works; the old cursors are answered with this status."""
        holder = await desk.holder(self.token)
        assert (await holder.get("/identity/v1/me")).status_code == 200
        assert await self.new_token(desk)
        for path, body, headers, first in self.kept:
            again = await holder.post(path, json=body, headers=headers)
            assert (again.headers.get("idempotency-replayed"), again.json()) == ("true", first)
        for path, cursor in self.cursors.items():
            name = "after" if path.endswith("events") else "cursor"
            answer = await holder.get(path, params={name: cursor})
            assert answer.status_code == cursors, answer.text


async def test_a_secret_key_is_replaced_without_a_loss(
    committed_database: Clone, installed: Installed, provider: Provider
) -> None:
    trust = Trust(provider)
    settings = identity_settings(
        committed_database.url("identity_app"),
        env="production",
        follower_database_url=committed_database.url("identity_follower"),
        **ring(NEW, OLD),
    )
    async with installed(OLD) as desk:
        await trust.begin(committed_database, desk)
        assert (await desk.exchange(trust.portal, trust.a_nutt)).status_code == 200
    async with installed(NEW, OLD) as desk:
        await trust.check(desk, cursors=200)
        # Bound under the old key, and rewritten by signing in; the other one is left to the command.
        assert (await desk.exchange(trust.portal, trust.a_nutt)).status_code == 200
    done = await reseal(settings)
    assert (done.signing_keys, done.sign_ins) == (Moved(2), Moved(1))
    assert await reseal_answers_of(settings) == Moved(2)
    again = await reseal(settings)
    assert (again.signing_keys, again.sign_ins, await reseal_answers_of(settings)) == (Moved(), Moved(), Moved())
    async with installed(NEW) as desk:
        await trust.check(desk, cursors=400)
        for id_token in (trust.a_nutt, trust.b_leaf):
            assert (await desk.exchange(trust.portal, id_token)).status_code == 200


async def test_without_reseal_the_old_key_cannot_be_dropped(
    committed_database: Clone, installed: Installed, provider: Provider
) -> None:
    trust = Trust(provider)
    async with installed(OLD) as desk:
        await trust.begin(committed_database, desk)
    async with installed(NEW) as desk:
        assert (await desk.ask_as(trust.credentials)).json()["code"] == "no-signing-key"
    settings = identity_settings(committed_database.url("identity_app"), **ring(NEW))
    assert (await reseal(settings)).signing_keys == Moved(0, unreadable=2)


async def _run(clone: Clone, *module: str) -> tuple[int, str]:
    environment = {
        "PATH": os.environ["PATH"],
        "TRELLIS_IDENTITY_DATABASE_URL": clone.url("identity_app"),
        "TRELLIS_IDENTITY_FOLLOWER_DATABASE_URL": clone.url("identity_follower"),
        "TRELLIS_SECRET_KEYS": f"{NEW},{OLD}",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *module,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_the_commands_say_how_much_they_moved(
    committed_database: Clone, installed: Installed, provider: Provider
) -> None:
    async with installed(OLD) as desk:
        await Trust(provider).begin(committed_database, desk)
    code, output = await _run(committed_database, "gateway.identity.resealing")
    assert (code, "2 signing keys and 2 sign-ins moved" in output) == (0, True), output
    code, output = await _run(committed_database, "kit.secrets", "identity")
    assert (code, output) == (0, "identity: 2 kept answers moved to the newest key.\n")
