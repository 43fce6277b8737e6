"""`POST /identity/v1/token` for machines."""

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import text

from gateway.identity.clients.rules import client_id_of
from gateway.identity.hashing import SecretHasher
from kit import clock as house_clock
from kit.identity.keys import StaticKeys
from kit.identity.tokens import verify
from tests.conftest import Clock
from tests.gateway.identity.desk import SECOND_TRUST, Desk, said
from tests.support.databases import Sandbox
from tests.support.tokens import AUDIENCE, ISSUER, PROSPERE


async def test_a_machine_gets_a_token_that_says_what_its_grant_gives(desk: Desk) -> None:
    client = await desk.machine("status-reader", academies=[137083, 100001])
    response = await desk.ask_as(client)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 600)
    keys = StaticKeys((await desk.anybody.get("/.well-known/jwks.json")).json())
    claims = await verify(answer["access_token"], keys, issuer=ISSUER, audience=AUDIENCE, now=house_clock.now())
    assert claims.subject == f"client:{client['id']}"
    assert claims.client_id == client["oauth_client_id"]
    assert claims.trust == PROSPERE
    assert claims.roles == {"status-reader"}
    assert claims.academies == frozenset({100001, 137083})
    assert claims.scopes == set(answer["scope"].split())
    assert claims.expires_at - claims.issued_at == timedelta(minutes=10)


async def test_the_secret_may_come_by_basic_form_encoded(desk: Desk) -> None:
    client = await desk.machine()
    pair = f"{quote(client['oauth_client_id'])}:{quote(client['client_secret'])}".encode()
    header = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
    response = await desk.ask(grant_type="client_credentials", headers=header)
    assert response.status_code == 200


async def test_a_platform_operator_has_no_trust(desk: Desk) -> None:
    client = await desk.machine("platform-operator", trust=None)
    claims = said((await desk.ask_as(client)).json()["access_token"])
    assert "trust" not in claims
    assert "reference:write" in claims["scope"].split()


async def test_a_scope_can_be_narrowed_and_not_widened(desk: Desk) -> None:
    client = await desk.machine()
    narrow = await desk.ask_as(client, scope="rag-statuses:read")
    assert narrow.json()["scope"] == "rag-statuses:read"
    assert said(narrow.json()["access_token"])["scope"] == "rag-statuses:read"
    for scope in ("rag-statuses:read ratings:moderate", "everything"):
        wide = await desk.ask_as(client, scope=scope)
        assert (wide.status_code, wide.json()["error"]) == (400, "invalid_scope")


async def test_grants_of_different_reach_are_never_put_together(desk: Desk) -> None:
    client = await desk.machine("auditor")
    await desk.grant("data-manager", client_id=client["id"], academies=[137083])
    whole = said((await desk.ask_as(client)).json()["access_token"])
    assert (whole["roles"], whole["academies"]) == (["auditor"], None)
    assert "observations:write" not in whole["scope"]
    one = said((await desk.ask_as(client, role="data-manager")).json()["access_token"])
    assert (one["roles"], one["academies"]) == (["data-manager"], [137083])
    assert "identity:read" not in one["scope"]


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "password", "client_id": "a"}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "client_id": "a", "code": "x"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "a"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "a", "audience": "others"}, 400, "invalid_target"),
        (
            {"grant_type": "client_credentials", "client_id": "a", "resource": f"{ISSUER}.evil.example"},
            400,
            "invalid_target",
        ),
    ],
)
async def test_refusals_are_those_of_oauth(desk: Desk, form: dict[str, str], status: int, error: str) -> None:
    form = {"client_id": "someone", **form} if error != "invalid_client" else form
    response = await desk.ask(**form)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"] == "application/json"
    if status == 401:
        assert response.headers["www-authenticate"].startswith("Basic ")


async def test_a_body_of_another_type_is_not_taken(desk: Desk) -> None:
    response = await desk.anybody.post("/identity/v1/token", json={"grant_type": "client_credentials"})
    assert response.status_code == 415


async def test_a_trust_may_be_named_if_it_is_the_clients(desk: Desk) -> None:
    client = await desk.machine()
    for name in (str(PROSPERE), "16846", "TR03794"):
        assert (await desk.ask_as(client, trust=name)).status_code == 200
    for name in ("3010", "999", "nonsense"):
        response = await desk.ask_as(client, trust=name)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


async def test_a_client_without_a_current_grant_gets_nothing(desk: Desk, clock: Clock) -> None:
    client = await desk.register()
    assert (await desk.ask_as(client)).json()["error"] == "unauthorized_client"
    await desk.grant("status-reader", client_id=client["id"], starts_on="2025-10-02", ends_on="2025-10-03")
    assert (await desk.ask_as(client)).json()["error"] == "unauthorized_client"
    clock.advance(days=1)
    assert (await desk.ask_as(client)).status_code == 200
    assert (await desk.ask_as(client, role="auditor")).json()["error"] == "unauthorized_client"
    clock.advance(days=2)
    assert (await desk.ask_as(client)).json()["error"] == "unauthorized_client"


async def test_a_token_expires_with_its_grant_at_midnight_in_london(desk: Desk, clock: Clock) -> None:
    client = await desk.machine(ends_on="2025-10-01")
    # British summer time: the day ends at 23:00 UTC.
    clock.set(datetime(2025, 10, 1, 22, 57, tzinfo=UTC))
    answer = (await desk.ask_as(client)).json()
    assert answer["expires_in"] == 180
    clock.advance(minutes=3)
    assert (await desk.ask_as(client)).json()["error"] == "unauthorized_client"


async def test_an_ended_grant_gives_nothing(desk: Desk) -> None:
    client = await desk.register()
    grant = await desk.grant("status-reader", client_id=client["id"])
    administrator = await desk.administrator()
    ended = await administrator.post(f"/identity/v1/grants/{grant['id']}/end", headers={"If-Match": '"1-current"'})
    assert ended.status_code == 200
    assert (await desk.ask_as(client)).json()["error"] == "unauthorized_client"


async def _disable(desk: Desk, client: dict[str, Any]) -> None:
    path = f"/identity/v1/clients/{client['id']}"
    administrator = await desk.administrator()
    tag = (await administrator.get(path)).headers["etag"]
    response = await administrator.patch(path, json={"is_active": False}, headers={"If-Match": tag})
    assert response.status_code == 200


async def _delete(desk: Desk, client: dict[str, Any]) -> None:
    path = f"/identity/v1/clients/{client['id']}"
    administrator = await desk.administrator()
    tag = (await administrator.get(path)).headers["etag"]
    assert (await administrator.delete(path, headers={"If-Match": tag})).status_code == 204


async def _disable_trust(desk: Desk, _: dict[str, Any]) -> None:
    operator = await desk.administrator(None)
    tag = (await operator.get("/identity/v1/tenants/16846")).headers["etag"]
    response = await operator.patch("/identity/v1/tenants/16846", json={"is_active": False}, headers={"If-Match": tag})
    assert response.status_code == 200


@pytest.mark.parametrize("ban", [_disable, _delete, _disable_trust])
async def test_disabled_deleted_and_unknown_clients_get_one_answer(desk: Desk, ban: Callable[..., Any]) -> None:
    client = await desk.machine()
    wrong = await desk.ask_as({**client, "client_secret": "trellis_000000000000_wrong"})
    await ban(desk, client)
    banned = await desk.ask_as(client)
    assert (banned.status_code, banned.json()) == (401, wrong.json())


class CountingHasher(PasswordHasher):
    """Counts how many hashes are checked."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.checked = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Any:  # noqa: A002 - argon2's own name
        self.checked += 1
        return super().verify(hash, password)


@pytest.fixture
def counting(identity_app: FastAPI) -> CountingHasher:
    hasher = CountingHasher()
    identity_app.state.equipment = replace(identity_app.state.equipment, hasher=SecretHasher(argon2=hasher))
    return hasher


async def test_every_refused_secret_takes_the_same_work_and_no_hash(
    desk: Desk, counting: CountingHasher, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    client = await desk.machine()
    public = await desk.register("Portal", "public")
    disabled = await desk.machine("auditor")
    await _disable(desk, disabled)
    elsewhere = await desk.machine(trust=SECOND_TRUST)
    unknown = client_id_of(PROSPERE, UUID(int=1))
    nobody = client_id_of(UUID(int=2), UUID(int=3))
    work = set()
    for number, credentials in enumerate(
        (
            {**client, "client_secret": client["client_secret"] + "x"},
            {**client, "client_secret": "guess"},
            {**public, "client_secret": "guess"},
            {"client_id": unknown, "client_secret": "guess"},
            {"client_id": nobody, "client_secret": client["client_secret"]},
            disabled,
            {"client_id": client["oauth_client_id"], "client_secret": elsewhere["client_secret"]},
        )
    ):
        with count_queries() as statements:
            response = await desk.ask_as(credentials, headers={"X-Forwarded-For": f"203.0.113.{number}"})
        assert response.status_code == 401, credentials
        work.add(tuple(statements))
    assert len(work) == 1
    assert (await desk.ask_as(client)).status_code == 200
    assert counting.checked == 0


async def test_a_secret_from_before_digests_is_checked_once_by_its_hash(
    desk: Desk, counting: CountingHasher, database: Sandbox
) -> None:
    client = await desk.machine()
    async with database.admin() as session:
        await session.execute(text("update identity.client_secret set digest = null"))
    wrong = {**client, "client_secret": client["client_secret"] + "x"}
    assert [(await desk.ask_as(one)).status_code for one in (wrong, client, wrong, client)] == [401, 200, 401, 200]
    assert counting.checked == 2


async def test_a_public_client_has_no_rights_of_its_own(desk: Desk) -> None:
    public = await desk.register("Portal", "public")
    assert public["client_secret"] is None
    response = await desk.ask(grant_type="client_credentials", client_id=public["oauth_client_id"])
    assert (response.status_code, response.json()["error"]) == (400, "unauthorized_client")


async def test_a_confidential_client_without_its_secret_is_unknown(desk: Desk) -> None:
    client = await desk.machine()
    response = await desk.ask(grant_type="client_credentials", client_id=client["oauth_client_id"])
    assert response.status_code == 401


async def test_the_day_of_the_last_use_is_told(desk: Desk, clock: Clock) -> None:
    client = await desk.machine()
    path = f"/identity/v1/clients/{client['id']}"
    administrator = await desk.administrator()
    before = await administrator.get(path)
    assert before.json()["secrets"][0]["last_used_on"] is None
    await desk.ask_as(client)
    after = await administrator.get(path, headers={"If-None-Match": before.headers["etag"]})
    assert after.json()["secrets"][0]["last_used_on"] == "2025-10-01"
    await desk.ask_as(client)
    again = await administrator.get(path, headers={"If-None-Match": after.headers["etag"]})
    assert again.status_code == 304


async def test_the_token_works_here(desk: Desk) -> None:
    client = await desk.machine("auditor")
    answer = (await desk.ask_as(client)).json()
    async with await desk.holder(answer["access_token"]) as holder:
        me = (await holder.get("/identity/v1/me")).json()
    assert me["subject"] == f"client:{client['id']}"
    assert me["trust"]["group_uid"] == "16846"
    assert me["views"] == [{"roles": ["auditor"], "extent": "trust", "academies": None, "project_id": None}]
