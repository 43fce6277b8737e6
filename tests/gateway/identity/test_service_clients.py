"""The services' own clients: registered once, with the secrets of the settings, for tokens of one trust."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.identity.bootstrap import bootstrap
from gateway.identity.clients.rules import service_client, service_client_id
from gateway.identity.hashing import new_secret
from gateway.identity.roles import ROLES, SCOPES
from kit.ids import PLATFORM
from tests.gateway.identity.conftest import identity_settings
from tests.gateway.identity.desk import SECOND_TRUST, Desk, Json, said
from tests.support.databases import Clone
from tests.support.tokens import PROSPERE

Start = Callable[..., AbstractAsyncContextManager[Desk]]


def credentials(service: str, secret: str) -> Json:
    """What a service sends."""
    return {"client_id": service_client_id(service), "client_secret": secret}


async def test_identity_registers_a_client_for_each_service(committed_database: Clone, identity_on: Start) -> None:
    secrets = {name: new_secret()[0] for name in ("academy", "reporting")}
    async with identity_on(committed_database, service_clients=secrets) as desk:
        for service, secret in secrets.items():
            answer = await desk.ask_as(credentials(service, secret), trust="16846")
            claims = said(answer.json()["access_token"])
            assert (claims["roles"], claims["trust"]) == (["service-reader"], str(PROSPERE))
            assert claims["sub"] == f"client:{service_client(service)}"
    async with identity_on(committed_database, service_clients=secrets) as desk:
        assert (await desk.ask_as(credentials("academy", secrets["academy"]), trust="16846")).status_code == 200
        async with committed_database.admin() as admin:
            found = await admin.fetch("select role from identity.role_grant where trust_id = $1", PLATFORM)
    assert sorted(row["role"] for row in found) == ["follower", "follower", "service-reader", "service-reader"]


async def test_a_new_secret_in_the_settings_replaces_the_old_one(committed_database: Clone, identity_on: Start) -> None:
    old, new = new_secret()[0], new_secret()[0]
    async with identity_on(committed_database, service_clients={"academy": old}):
        pass
    async with identity_on(committed_database, service_clients={"academy": new}) as desk:
        assert (await desk.ask_as(credentials("academy", old), trust="16846")).status_code == 401
        assert (await desk.ask_as(credentials("academy", new), trust="16846")).status_code == 200


async def test_what_an_operator_ended_stays_ended(committed_database: Clone, identity_on: Start) -> None:
    secret = new_secret()[0]
    started = identity_on(committed_database, service_clients={"academy": secret})
    async with started, committed_database.admin() as admin:
        await admin.execute("update identity.role_grant set ended_at = now(), ended_by = 'operator'")
    async with identity_on(committed_database, service_clients={"academy": secret}) as desk:
        refused = await desk.ask_as(credentials("academy", secret), trust="16846")
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")


async def test_two_identities_that_start_at_once_register_one_client(
    committed_database: Clone, identity_on: Start
) -> None:
    secret = new_secret()[0]

    async def start() -> int:
        async with identity_on(committed_database, service_clients={"academy": secret}) as desk:
            return (await desk.ask_as(credentials("academy", secret), trust="16846")).status_code

    assert set(await asyncio.gather(start(), start(), start())) == {200}


def test_a_secret_of_another_shape_is_refused() -> None:
    with pytest.raises(ValidationError, match="the secret of academy"):
        identity_settings("postgresql://nobody@/nothing", service_clients={"academy": "hunter2"})


async def test_bootstrap_shows_no_secret_that_stands_in_the_settings(committed_database: Clone) -> None:
    secrets = {"academy": new_secret()[0]}
    made = await bootstrap(identity_settings(committed_database.url("identity_app"), service_clients=secrets))
    assert [one.service for one in made] == [None, "research", "reporting"]


# --- Tokens of one trust


async def test_a_service_readers_token_is_of_the_trust_it_names(desk: Desk) -> None:
    client = await desk.machine("service-reader", trust=None)
    for name, trust in (("16846", PROSPERE), (str(SECOND_TRUST), SECOND_TRUST)):
        claims = said((await desk.ask_as(client, trust=name)).json()["access_token"])
        assert claims["trust"] == str(trust)
        assert (claims["academies"], claims["leads"], claims["roles"]) == (None, [], ["service-reader"])
        assert set(claims["scope"].split()) == ROLES["service-reader"].scopes


async def test_a_service_reader_names_a_trust_that_is_known_and_active(desk: Desk) -> None:
    client = await desk.machine("service-reader", trust=None)
    operator = await desk.administrator(None)
    tag = (await operator.get("/identity/v1/tenants/3010")).headers["etag"]
    changed = await operator.patch("/identity/v1/tenants/3010", json={"is_active": False}, headers={"If-Match": tag})
    assert changed.status_code == 200
    for form in ({}, {"trust": "999999"}, {"trust": "nonsense"}, {"trust": "3010"}, {"role": "service-reader"}):
        refused = await desk.ask_as(client, **form)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request"), form
        assert "trust" in refused.json()["error_description"]


@pytest.mark.parametrize("role", ["platform-operator", "follower"])
async def test_nobody_else_gets_a_token_of_a_trust_by_naming_it(desk: Desk, role: str) -> None:
    client = await desk.machine(role, trust=None)
    refused = await desk.ask_as(client, trust="16846")
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")
    assert "service-reader" in refused.json()["error_description"]


async def test_reading_and_following_are_two_tokens(desk: Desk) -> None:
    """No token both follows every trust and reads in one."""
    client = await desk.machine("service-reader", trust=None)
    await desk.grant("follower", trust=None, client_id=client["id"])
    follows = said((await desk.ask_as(client)).json()["access_token"])
    assert (follows["roles"], follows.get("trust")) == (["follower"], None)
    reads = said((await desk.ask_as(client, trust="16846")).json()["access_token"])
    assert reads["roles"] == ["service-reader"]
    assert "events:follow" not in reads["scope"].split()


@pytest.mark.parametrize("scope", [scope for scope in SCOPES if not scope.endswith(":read")])
async def test_a_service_reader_gets_no_scope_that_writes(desk: Desk, scope: str) -> None:
    client = await desk.machine("service-reader", trust=None)
    refused = await desk.ask_as(client, trust="16846", scope=scope)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")


async def test_a_trust_gives_the_role_to_nobody(desk: Desk) -> None:
    client = await desk.register()
    administrator = await desk.administrator()
    body: dict[str, Any] = {"role": "service-reader", "client_id": client["id"]}
    refused = await administrator.post("/identity/v1/grants", json=body)
    assert refused.status_code == 403
