"""`/identity/v1/people`."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from gateway.identity.people.service import trust_of
from tests.conftest import Clock
from tests.gateway.identity.desk import SECOND_TRUST, Desk, Json
from tests.gateway.identity.provider import ISSUER
from tests.support.clients import Clients
from tests.support.databases import Sandbox
from tests.support.tokens import PROSPERE

PATH = "/identity/v1/people"
# The same in every process of a run: tests are known by it.
ABSENT = "01900000-0000-7000-8000-000000000000"
NUTT: Json = {"email": "a.nutt@example.org"}
ACCOUNT: Json = {"issuer": ISSUER, "subject": "248289761001"}


@pytest.fixture
async def administrator(desk: Desk) -> httpx.AsyncClient:
    return await desk.administrator()


async def read(administrator: httpx.AsyncClient, person: Json) -> httpx.Response:
    return await administrator.get(f"{PATH}/{person['id']}")


async def test_somebody_is_invited_by_address_or_by_account(administrator: httpx.AsyncClient) -> None:
    by_address = await administrator.post(PATH, json=NUTT)
    assert by_address.status_code == 201
    invited = by_address.json()
    assert (invited["is_bound"], invited["email"], invited["display_name"]) == (False, NUTT["email"], None)
    assert by_address.headers["location"] == f"{PATH}/{invited['id']}"
    assert (await read(administrator, invited)).json() == invited
    by_account = (await administrator.post(PATH, json=ACCOUNT)).json()
    assert (by_account["is_bound"], by_account["email"]) == (True, None)


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "#/email", "sign_in_impossible"),
        ({"display_name": "A"}, "#/email", "sign_in_impossible"),
        ({"issuer": ISSUER}, "#/subject", "account_incomplete"),
        ({"subject": "1"}, "#/issuer", "account_incomplete"),
        ({"issuer": "https://evil.example", "subject": "1"}, "#/issuer", "unknown_issuer"),
        ({"email": "no address"}, "#/email", "string_pattern_mismatch"),
        ({"email": "\N{CYRILLIC SMALL LETTER A}.nutt@example.org"}, "#/email", "string_pattern_mismatch"),
        ({"email": "a@b"}, "#/email", "string_pattern_mismatch"),
        ({**NUTT, "telephone": "1"}, "#/telephone", "unknown_field"),
    ],
)
async def test_who_could_never_sign_in_is_not_invited(
    administrator: httpx.AsyncClient, body: Json, pointer: str, code: str
) -> None:
    response = await administrator.post(PATH, json=body)
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)


async def test_a_provider_of_another_trust_is_unknown_here(
    desk: Desk, app_of: Callable[[str], Awaitable[FastAPI]], believed: Callable[..., None]
) -> None:
    believed(trusts=["3010"])
    administered = await app_of("identity")
    administered.state.equipment = desk.app.state.equipment
    here, there = await desk.administrator(), await desk.administrator(SECOND_TRUST)
    response = await here.post(PATH, json=ACCOUNT)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (422, "unknown_issuer")
    assert (await there.post(PATH, json=ACCOUNT)).status_code == 201


async def test_addresses_and_accounts_are_unique_in_a_trust_and_only_there(
    desk: Desk, administrator: httpx.AsyncClient
) -> None:
    await desk.invite(**NUTT)
    await desk.invite(**ACCOUNT)
    for body in ({"email": "A.NUTT@example.org"}, ACCOUNT):
        again = await administrator.post(PATH, json=body)
        assert (again.status_code, again.json()["code"]) == (409, "person-known")
    await desk.invite(trust=SECOND_TRUST, **NUTT)
    await desk.invite(trust=SECOND_TRUST, **ACCOUNT)


async def test_a_list_is_newest_first_in_pages_of_one_query(
    desk: Desk, administrator: httpx.AsyncClient, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    people = [await desk.invite(email=f"p{number}@example.org") for number in range(3)]
    bound = await desk.invite(**ACCOUNT)
    with count_queries() as queries:
        first = (await administrator.get(PATH, params={"limit": 2})).json()
    assert len(queries) == 1
    second = (await administrator.get(PATH, params={"limit": 2, "cursor": first["next"]})).json()
    assert [one["id"] for one in first["items"] + second["items"]] == [
        bound["id"],
        *(person["id"] for person in reversed(people)),
    ]
    assert second["next"] is None
    only = (await administrator.get(PATH, params={"is_bound": "true"})).json()["items"]
    assert [one["id"] for one in only] == [bound["id"]]
    assert (await administrator.get(PATH, params={"is_active": "false"})).json()["items"] == []
    assert (await administrator.get(PATH, params={"is_active": "true", "cursor": first["next"]})).status_code == 400


async def test_people_of_another_trust_are_not_found(desk: Desk, administrator: httpx.AsyncClient) -> None:
    theirs = await desk.invite(trust=SECOND_TRUST, **NUTT)
    for person in (theirs, {"id": str(uuid4())}):
        path = f"{PATH}/{person['id']}"
        for call in (
            administrator.get(path),
            administrator.patch(path, json={"is_active": False}, headers={"If-Match": "*"}),
            administrator.delete(path, headers={"If-Match": "*"}),
        ):
            response = await call
            assert (response.status_code, response.json()["code"]) == (404, "person-not-found")


async def test_null_removes_and_absent_stays(desk: Desk, administrator: httpx.AsyncClient) -> None:
    person = await desk.invite(display_name="A. Nutt", **NUTT)
    path = f"{PATH}/{person['id']}"
    tag = (await read(administrator, person)).headers["etag"]
    changed = await administrator.patch(path, json={"display_name": None}, headers={"If-Match": tag})
    assert changed.json() == {**person, "display_name": None, "updated_at": changed.json()["updated_at"]}
    stale = await administrator.patch(path, json={"display_name": "B"}, headers={"If-Match": tag})
    assert stale.status_code == 412
    assert (await administrator.patch(path, json={"display_name": "B"})).status_code == 428
    tag = changed.headers["etag"]
    impossible = await administrator.patch(path, json={"email": None}, headers={"If-Match": tag})
    assert (impossible.status_code, impossible.json()["code"]) == (422, "person-invalid")
    await desk.invite(email="taken@example.org")
    taken = await administrator.patch(path, json={"email": "taken@example.org"}, headers={"If-Match": tag})
    assert taken.status_code == 409
    assert (await administrator.get(path, headers={"If-None-Match": tag})).status_code == 304


async def test_a_bound_person_needs_no_address(desk: Desk, administrator: httpx.AsyncClient) -> None:
    person = await desk.invite(**NUTT, **ACCOUNT)
    tag = (await read(administrator, person)).headers["etag"]
    changed = await administrator.patch(f"{PATH}/{person['id']}", json={"email": None}, headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["email"]) == (200, None)


async def test_erasing_leaves_nothing_of_a_person_but_an_id(
    desk: Desk, administrator: httpx.AsyncClient, database: Sandbox
) -> None:
    person = await desk.invite(display_name="Agatha Nutt", **NUTT, **ACCOUNT)
    await desk.grant("trustee", person_id=person["id"])
    tag = (await read(administrator, person)).headers["etag"]
    assert (await administrator.delete(f"{PATH}/{person['id']}", headers={"If-Match": tag})).status_code == 204
    assert (await read(administrator, person)).status_code == 404
    assert (await administrator.get(PATH)).json()["items"] == []
    (grant,) = (await administrator.get("/identity/v1/grants", params={"person_id": person["id"]})).json()["items"]
    assert grant["state"] == "ended"
    async with database.admin() as session:
        everything = [
            str(row)
            for table in ("person", "sign_in", "event", "role_grant", "idempotency_key", "failed_attempt")
            for row in (await session.execute(text(f"select t::text from identity.{table} t"))).scalars()
        ]
    assert not any(word in row for row in everything for word in ("Nutt", "nutt", "248289761001", "example.org"))
    await desk.invite(**NUTT)


async def test_erasing_everywhere_says_when_it_is_done_and_hides_what_the_person_did(
    clock: Clock, desk: Desk, administrator: httpx.AsyncClient, database: Sandbox
) -> None:
    person = await desk.invite(display_name="Agatha Nutt", **NUTT, **ACCOUNT)
    async with database.admin() as session:
        await session.execute(text("update identity.client set created_by = :by"), {"by": f"person:{person['id']}"})
        invited = await desk.invite(email="b.holm@example.org")
        await session.execute(
            text("update identity.person set created_by = :by where id = :id"),
            {"by": f"person:{person['id']}", "id": invited["id"]},
        )
    answer = await administrator.post(f"{PATH}/{person['id']}/erase")
    assert answer.status_code == 202
    assert answer.json() == {
        "person_id": person["id"],
        "erased_at": "2025-10-01T12:00:00Z",
        "done_by": "2025-10-02T12:00:00Z",
    }
    assert clock.now.isoformat() == "2025-10-01T12:00:00+00:00"
    assert (await read(administrator, person)).status_code == 404
    again = await administrator.post(f"{PATH}/{person['id']}/erase")
    assert (again.status_code, again.json()["code"]) == (404, "person-not-found")
    made_by = (await read(administrator, invited)).json()["created_by"]
    assert made_by.startswith("erased:")
    async with database.admin() as session:
        (data,) = (
            await session.execute(
                text("select data from identity.event where type = 'org.trellis.identity.person-data.erased.v1'")
            )
        ).scalars()
        held = (await session.execute(text("select count(*) from identity.sign_in"))).scalar_one()
    assert data["person_id"] == person["id"]
    assert data["tables"]["person"] == 1
    assert held == 1


async def test_a_person_is_found_by_their_id_also_when_they_were_erased(desk: Desk, database: Sandbox) -> None:
    person = UUID((await desk.invite(**NUTT))["id"])
    assert await trust_of(database.of("identity"), person) == PROSPERE
    await (await desk.administrator()).post(f"{PATH}/{person}/erase")
    assert await trust_of(database.of("identity"), person) == PROSPERE
    assert await trust_of(database.of("identity"), UUID(ABSENT)) is None


async def test_sign_ins_hold_no_address(desk: Desk, database: Sandbox) -> None:
    await desk.invite(**NUTT)
    async with database.admin() as session:
        (row,) = (await session.execute(text("select s::text from identity.sign_in s"))).scalars()
    assert "nutt" not in row.lower()
    assert NUTT["email"].encode().hex() not in row


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PATH),
        ("POST", PATH),
        ("GET", f"{PATH}/{ABSENT}"),
        ("PATCH", f"{PATH}/{ABSENT}"),
        ("DELETE", f"{PATH}/{ABSENT}"),
        ("POST", f"{PATH}/{ABSENT}/erase"),
    ],
)
async def test_others_may_not(client: Clients, method: str, path: str) -> None:
    nobody = await client("identity")
    assert (await nobody.request(method, path)).status_code == 401
    for role in ("chief-executive", "headteacher", "mis-client", *(["auditor"] if method != "GET" else [])):
        other = await client("identity", role, academies=[1])
        assert (await other.request(method, path)).status_code == 403
