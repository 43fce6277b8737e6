"""Trusts over HTTP."""

from datetime import date

import pytest

from gateway.identity.tenants.demo import DEMO_TENANTS
from tests.academy.rows import PROSPERE, add_school, add_trust
from tests.support.clients import Clients
from tests.support.databases import Sandbox


@pytest.fixture
async def trusts(database: Sandbox) -> None:
    """Three trusts; Prospere has two academies, one of which is to come."""
    async with database.admin() as session:
        trust = await add_trust(session, "16846", group_id="TR03794", name="Prospere Learning Trust", ukprn="10067144")
        await add_trust(session, "2044", name="Ark 100% Schools")
        await add_trust(session, "5143", name="Beech Federation", kind="federation", group_id=None, status="closed")
        await add_school(session, 136105, trust=trust)
        await add_school(session, 136106, trust=trust, joined_on=date(2099, 9, 1))


@pytest.mark.usefixtures("trusts")
async def test_trusts_are_listed_by_name(client: Clients) -> None:
    reader = await client("academy", "trustee")
    body = (await reader.get("/academy/v1/trusts")).json()
    assert [trust["group_uid"] for trust in body["items"]] == ["2044", "5143", "16846"]
    assert body["next"] is None
    backwards = (await reader.get("/academy/v1/trusts", params={"sort": "-name"})).json()
    assert backwards["items"] == body["items"][::-1]


@pytest.mark.usefixtures("trusts")
@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"q": "prospere"}, ["16846"]),
        ({"q": "tr03794"}, ["16846"]),
        ({"q": "10067144"}, ["16846"]),
        ({"q": "100%"}, ["2044"]),
        ({"q": "_"}, []),
        ({"kind": "federation"}, ["5143"]),
        ({"kind": ["federation", "multi_academy_trust"], "status": "open"}, ["2044", "16846"]),
        ({"q": "nobody"}, []),
    ],
)
async def test_trusts_are_found(client: Clients, params: dict[str, str], found: list[str]) -> None:
    reader = await client("academy", "trustee")
    body = (await reader.get("/academy/v1/trusts", params=params)).json()
    assert [trust["group_uid"] for trust in body["items"]] == found


@pytest.mark.usefixtures("trusts")
async def test_pages_of_trusts_join_up(client: Clients) -> None:
    reader = await client("academy", "trustee")
    seen, params = [], {"limit": "2"}
    while True:
        response = await reader.get("/academy/v1/trusts", params=params)
        body = response.json()
        seen += [trust["name"] for trust in body["items"]]
        if body["next"] is None:
            assert "Link" not in response.headers
            break
        assert 'rel="next"' in response.headers["Link"]
        params["cursor"] = body["next"]
    assert seen == ["Ark 100% Schools", "Beech Federation", "Prospere Learning Trust"]


@pytest.mark.usefixtures("trusts")
@pytest.mark.parametrize("name", ["16846", "TR03794", "tr03794", str(PROSPERE)])
async def test_a_trust_has_several_names(client: Clients, name: str) -> None:
    reader = await client("academy", "trustee")
    response = await reader.get(f"/academy/v1/trusts/{name}")
    assert response.status_code == 200
    body = response.json()
    assert (body["id"], body["group_id"], body["academy_count"]) == (str(PROSPERE), "TR03794", 1)
    unchanged = await reader.get(f"/academy/v1/trusts/{name}", headers={"If-None-Match": response.headers["ETag"]})
    assert unchanged.status_code == 304


async def test_an_unknown_trust_is_not_found(client: Clients) -> None:
    reader = await client("academy", "trustee")
    for name in ("999999", "TR99999", "0b0f6bd4-35a0-5f83-9d4b-4c1c6c0a3a51", "nonsense"):
        response = await reader.get(f"/academy/v1/trusts/{name}")
        assert (response.status_code, response.json()["code"]) == (404, "trust-not-found")


@pytest.mark.usefixtures("trusts")
async def test_a_cursor_of_other_filters_is_refused(client: Clients) -> None:
    reader = await client("academy", "trustee")
    cursor = (await reader.get("/academy/v1/trusts", params={"limit": 1})).json()["next"]
    response = await reader.get("/academy/v1/trusts", params={"limit": 1, "cursor": cursor, "q": "ark"})
    assert (response.status_code, response.json()["code"]) == (400, "invalid-cursor")


@pytest.mark.parametrize("path", ["/academy/v1/trusts", "/academy/v1/trusts/16846"])
async def test_trusts_need_a_token_with_the_scope(client: Clients, path: str) -> None:
    assert (await (await client("academy")).get(path)).status_code == 401
    assert (await (await client("academy", "trustee", scopes=["events:read"])).get(path)).status_code == 403


async def test_unknown_parameters_and_values_are_refused(client: Clients) -> None:
    reader = await client("academy", "trustee")
    for params in ({"name": "x"}, {"sort": "size"}, {"kind": "school"}, {"limit": "0"}, {"q": ""}):
        assert (await reader.get("/academy/v1/trusts", params=params)).status_code == 422


async def test_a_name_that_the_register_shouts_is_written_as_identity_has_it(
    client: Clients, database: Sandbox
) -> None:
    async with database.admin() as session:
        for trust in DEMO_TENANTS:
            await add_trust(session, trust.group_uid, group_id=trust.group_id, name=trust.name.upper())
        await add_school(session, 139148, trust=PROSPERE)
    reader = await client("academy", "trustee")
    for trust in DEMO_TENANTS:
        assert (await reader.get(f"/academy/v1/trusts/{trust.group_uid}")).json()["name"] == trust.name
    academy = (await reader.get("/academy/v1/academies/139148")).json()
    assert academy["trust"]["name"] == DEMO_TENANTS[0].name
