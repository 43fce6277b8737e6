"""`/identity/v1/tenants`, and who administers them first."""

from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from kit.ids import tenant_id
from tests.gateway.identity.desk import SECOND_TRUST, Desk, Json
from tests.gateway.identity.provider import ISSUER, Provider
from tests.support.clients import Clients
from tests.support.databases import Sandbox
from tests.support.tokens import PROSPERE

PATH = "/identity/v1/tenants"
NEW = {"group_uid": "2046", "group_id": "TR00002", "name": "Abbey Multi Academy Trust"}


@pytest.fixture
async def operator(desk: Desk) -> httpx.AsyncClient:
    return await desk.administrator(None)


async def test_a_trust_is_registered_and_found_by_any_of_its_names(operator: httpx.AsyncClient) -> None:
    response = await operator.post(PATH, json=NEW)
    assert response.status_code == 201
    made = response.json()
    assert made["id"] == str(tenant_id("gias-group:2046"))
    for name in (made["id"], "2046", "TR00002", "tr00002"):
        assert (await operator.get(f"{PATH}/{name}")).json() == made
    for name in ("1", "TR99999", str(uuid4()), "nonsense"):
        assert (await operator.get(f"{PATH}/{name}")).json()["code"] == "tenant-not-found"


async def test_a_trust_is_registered_once(operator: httpx.AsyncClient) -> None:
    await operator.post(PATH, json=NEW)
    for body in (NEW, {**NEW, "group_id": None}, {**NEW, "group_uid": "1"}):
        again = await operator.post(PATH, json=body)
        assert (again.status_code, again.json()["code"]) == (409, "tenant-known")


async def test_the_demos_tenants_are_there_in_order_of_their_names(operator: httpx.AsyncClient) -> None:
    names = [item["name"] for item in (await operator.get(PATH)).json()["items"]]
    assert names == ["Education and Leadership Trust", "Prospere Learning Trust"]
    first = (await operator.get(PATH, params={"limit": 1})).json()
    second = (await operator.get(PATH, params={"limit": 1, "cursor": first["next"]})).json()
    assert [item["id"] for item in first["items"] + second["items"]] == [str(SECOND_TRUST), str(PROSPERE)]
    assert second["next"] is None
    assert (await operator.get(PATH, params={"is_active": "false"})).json()["items"] == []


async def test_a_tenant_changes_for_who_read_it(operator: httpx.AsyncClient) -> None:
    made = await operator.post(PATH, json=NEW)
    path = f"{PATH}/2046"
    tag = made.headers["etag"]
    assert (await operator.patch(path, json={"name": "Abbey"})).status_code == 428
    changed = await operator.patch(path, json={"name": "Abbey", "group_id": None}, headers={"If-Match": tag})
    assert (changed.json()["name"], changed.json()["group_id"]) == ("Abbey", None)
    assert (await operator.patch(path, json={"name": "A"}, headers={"If-Match": tag})).status_code == 412
    tag = changed.headers["etag"]
    assert (await operator.get(path, headers={"If-None-Match": tag})).status_code == 304
    same = await operator.patch(path, json={"name": "Abbey"}, headers={"If-Match": tag})
    assert same.headers["etag"] == tag
    taken = await operator.patch(path, json={"group_id": "TR03794"}, headers={"If-Match": tag})
    assert taken.status_code == 409


async def test_an_operator_names_the_first_administrator_and_no_further_one(
    desk: Desk, operator: httpx.AsyncClient, provider: Provider
) -> None:
    await operator.post(PATH, json=NEW)
    path = f"{PATH}/TR00002/administrators"
    response = await operator.post(path, json={"issuer": ISSUER, "subject": "248289761001"})
    assert response.status_code == 201
    trust = tenant_id("gias-group:2046")
    assert response.json()["tenant_id"] == str(trust)
    # It lies in that trust and not with the platform, and works at once.
    administrator = await desk.administrator(trust)
    (grant,) = (await administrator.get("/identity/v1/grants")).json()["items"]
    assert (grant["id"], grant["role"]) == (response.json()["grant_id"], "trust-admin")
    assert (await operator.get("/identity/v1/people")).json()["items"] == []
    again = await operator.post(path, json={"email": "it@example.org"})
    assert (again.status_code, again.json()["code"]) == (409, "tenant-has-administrator")


async def test_an_invitation_that_nobody_took_does_not_block_another(operator: httpx.AsyncClient) -> None:
    await operator.post(PATH, json=NEW)
    path = f"{PATH}/2046/administrators"
    assert (await operator.post(path, json={"email": "typo@example.org"})).status_code == 201
    assert (await operator.post(path, json={"email": "typo@example.org"})).status_code == 409
    assert (await operator.post(path, json={"email": "it@example.org"})).status_code == 201
    assert (await operator.post(path, json={})).status_code == 422
    assert (await operator.post(f"{PATH}/1/administrators", json={"email": "a@example.org"})).status_code == 404


async def test_changes_of_tenants_are_on_record_for_the_platform(
    operator: httpx.AsyncClient, database: Sandbox
) -> None:
    made: Json = (await operator.post(PATH, json=NEW)).json()
    tag = (await operator.get(f"{PATH}/2046")).headers["etag"]
    await operator.patch(f"{PATH}/2046", json={"is_active": False}, headers={"If-Match": tag})
    async with database.admin() as session:
        rows = (
            await session.execute(
                text("select type, data from identity.event where subject = :s order by seq"),
                {"s": f"tenants/{made['id']}"},
            )
        ).all()
    assert [row.type.split(".")[4] for row in rows] == ["created", "changed"]
    assert rows[1].data["after"]["is_active"] is False


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PATH),
        ("POST", PATH),
        ("GET", f"{PATH}/16846"),
        ("PATCH", f"{PATH}/16846"),
        ("POST", f"{PATH}/16846/administrators"),
    ],
)
async def test_only_platform_operators_see_tenants(client: Clients, method: str, path: str) -> None:
    nobody = await client("identity")
    assert (await nobody.request(method, path)).status_code == 401
    for role in ("trust-admin", "chief-executive", "auditor", "follower"):
        other = await client("identity", role)
        assert (await other.request(method, path)).status_code == 403


@pytest.mark.parametrize(
    "body", [{}, {**NEW, "group_uid": "x"}, {**NEW, "group_id": "X1"}, {**NEW, "name": " "}, {**NEW, "id": "1"}]
)
async def test_what_is_no_trust_is_refused(operator: httpx.AsyncClient, body: Json) -> None:
    assert (await operator.post(PATH, json=body)).status_code == 422
