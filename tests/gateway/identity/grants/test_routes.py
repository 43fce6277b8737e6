"""`/identity/v1/grants`."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from gateway.identity.roles import ROLES, Extent, Holder, Level
from tests.conftest import Clock
from tests.gateway.identity.desk import SECOND_TRUST, Desk, Json
from tests.gateway.identity.provider import ISSUER
from tests.support.clients import Clients
from tests.support.databases import Clone, Sandbox
from tests.support.tokens import PROSPERE

PATH = "/identity/v1/grants"
# The same in every process of a run: tests are known by it.
ABSENT = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
async def administrator(desk: Desk) -> httpx.AsyncClient:
    return await desk.administrator()


@pytest.fixture
async def person(desk: Desk) -> Json:
    return await desk.invite(email="a.nutt@example.org")


async def end(administrator: httpx.AsyncClient, grant: Json) -> httpx.Response:
    tag = (await administrator.get(f"{PATH}/{grant['id']}")).headers["etag"]
    return await administrator.post(f"{PATH}/{grant['id']}/end", headers={"If-Match": tag})


async def test_a_role_is_given(clock: Clock, administrator: httpx.AsyncClient, person: Json) -> None:
    body = {"role": "headteacher", "person_id": person["id"], "academies": [137083, 100001]}
    response = await administrator.post(PATH, json=body | {"ends_on": "2026-08-31"})
    assert response.status_code == 201
    grant = response.json()
    assert response.headers["location"] == f"{PATH}/{grant['id']}"
    assert (grant["extent"], grant["academies"], grant["state"]) == ("academies", [100001, 137083], "current")
    assert (grant["starts_on"], grant["ends_on"]) == ("2025-10-01", "2026-08-31")
    seen = await administrator.get(f"{PATH}/{grant['id']}")
    assert seen.json() == grant
    tag = seen.headers["etag"]
    assert (await administrator.get(f"{PATH}/{grant['id']}", headers={"If-None-Match": tag})).status_code == 304


async def test_every_role_of_the_trust_can_be_given_by_its_administrator_and_no_other(
    desk: Desk, administrator: httpx.AsyncClient, person: Json
) -> None:
    client = await desk.register()
    for role in ROLES.values():
        holder = {"person_id": person["id"]} if Holder.PERSON in role.holders else {"client_id": client["id"]}
        academies = {"academies": [137083]} if Extent.TRUST not in role.extents else {}
        response = await administrator.post(PATH, json={"role": role.code, **holder, **academies})
        if role.level is Level.PLATFORM:
            assert (response.status_code, response.json()["code"]) == (403, "role-not-grantable")
        else:
            assert response.status_code == 201, response.text


async def test_a_platform_operator_gives_platform_roles_and_no_other(desk: Desk) -> None:
    operator = await desk.administrator(None)
    client = await desk.register("Reporting", trust=None)
    for role in ROLES.values():
        response = await operator.post(PATH, json={"role": role.code, "client_id": client["id"]})
        expected = 201 if role.level is Level.PLATFORM else 403
        assert response.status_code == expected, role.code


async def test_an_administrator_reaches_into_no_other_trust(desk: Desk, administrator: httpx.AsyncClient) -> None:
    theirs = await desk.invite(trust=SECOND_TRUST, email="b@example.org")
    their_client = await desk.register(trust=SECOND_TRUST)
    platforms = await desk.register(trust=None)
    for holder, code in (
        ({"person_id": theirs["id"]}, "unknown_person"),
        ({"client_id": their_client["id"]}, "unknown_client"),
        ({"client_id": platforms["id"]}, "unknown_client"),
        ({"person_id": str(uuid4())}, "unknown_person"),
    ):
        response = await administrator.post(PATH, json={"role": "auditor", **holder})
        assert (response.status_code, response.json()["errors"][0]["code"]) == (422, code)
    grant = await desk.grant("trustee", trust=SECOND_TRUST, person_id=theirs["id"])
    assert (await administrator.get(f"{PATH}/{grant['id']}")).json()["code"] == "grant-not-found"
    ended = await administrator.post(f"{PATH}/{grant['id']}/end", headers={"If-Match": "*"})
    assert ended.status_code == 404
    assert (await administrator.get(PATH)).json()["items"] == []


async def test_nobody_gives_to_themselves(desk: Desk, person: Json) -> None:
    client = await desk.register()
    for subject, holder in (
        (f"person:{person['id']}", {"person_id": person["id"]}),
        (f"client:{client['id']}", {"client_id": client["id"]}),
    ):
        own = await desk.administrator(subject=subject)
        response = await own.post(PATH, json={"role": "auditor", **holder})
        assert (response.status_code, response.json()["code"]) == (403, "grant-to-oneself")


async def test_who_registered_a_client_gives_it_no_more_than_their_own_roles(desk: Desk) -> None:
    maker, other = [await desk.administrator(subject=f"person:{name}") for name in ("maker", "other")]
    made = (await maker.post("/identity/v1/clients", json={"name": "MIS", "kind": "confidential"})).json()
    for role in ("mis-client", "status-reader", "auditor"):
        response = await maker.post(PATH, json={"role": role, "client_id": made["id"]})
        assert (response.status_code, response.json()["code"]) == (403, "grant-to-oneself")
    # A second administrator's client shows nothing that its maker doesn't see.
    assert (await maker.post(PATH, json={"role": "trust-admin", "client_id": made["id"]})).status_code == 201
    assert (await other.post(PATH, json={"role": "mis-client", "client_id": made["id"]})).status_code == 201


async def test_nobody_gets_around_that_by_another_client_or_by_a_new_secret(desk: Desk) -> None:
    maker, other = [await desk.administrator(subject=f"person:{name}") for name in ("maker", "other")]

    async def made(by: httpx.AsyncClient, name: str) -> Json:
        answer = await by.post("/identity/v1/clients", json={"name": name, "kind": "confidential"})
        return {**answer.json(), "etag": answer.headers["ETag"]}

    async def give(by: httpx.AsyncClient, client: Json, role: str = "mis-client") -> str:
        answer = await by.post(PATH, json={"role": role, "client_id": client["id"]})
        return "given" if answer.status_code == 201 else str(answer.json()["code"])

    first, second = await made(maker, "First"), await made(maker, "Second")
    through = await desk.administrator(subject=f"client:{first['id']}")
    assert await give(through, second) == "grant-to-oneself"
    third = await made(through, "Third")
    assert await give(maker, third) == "grant-to-oneself"
    theirs = await made(other, "Theirs")
    path = f"/identity/v1/clients/{theirs['id']}/rotate-secret"
    rotated = await maker.post(path, json={"overlap_hours": 0}, headers={"If-Match": theirs["etag"]})
    assert rotated.status_code == 200, rotated.text
    assert await give(maker, theirs) == "grant-to-oneself"
    # A client that somebody else registered works for somebody else.
    assert await give(await desk.administrator(subject=f"client:{theirs['id']}"), second) == "grant-to-oneself"
    assert await give(other, second) == "given"
    assert await give(await desk.administrator(subject=f"client:{(await made(other, 'Sync'))['id']}"), first) == "given"


async def test_an_operator_gives_their_own_client_no_way_into_the_trusts(desk: Desk) -> None:
    maker, other = [await desk.administrator(None, subject=f"client:{name}") for name in ("maker", "other")]
    made = (await maker.post("/identity/v1/clients", json={"name": "Reader", "kind": "confidential"})).json()
    body = {"role": "service-reader", "client_id": made["id"]}
    assert (await maker.post(PATH, json=body)).json()["code"] == "grant-to-oneself"
    assert (await other.post(PATH, json=body)).status_code == 201


async def test_an_administrator_of_some_academies_gives_nothing(desk: Desk, person: Json) -> None:
    some = await desk.administrator(academies=[1, 2])
    body = {"role": "headteacher", "person_id": person["id"]}
    for reach in ({"academies": [1]}, {"academies": [1, 3]}, {}):
        refused = await some.post(PATH, json={**body, **reach})
        assert (refused.status_code, refused.json()["code"]) == (403, "whole-trust-only")


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ({"role": "trustee"}, {"holder_unclear"}),
        ({"role": "trustee", "person_id": "P", "client_id": "P"}, {"holder_unclear"}),
        ({"role": "headteacher", "person_id": "P"}, {"extent_unsuitable"}),
        ({"role": "mis-client", "person_id": "P"}, {"holder_unsuitable"}),
        ({"role": "research-lead", "person_id": "P", "academies": [1], "project_id": "P"}, {"extent_unclear"}),
        ({"role": "headteacher", "person_id": "P", "academies": [1, 1]}, {"academies_repeated"}),
        (
            {"role": "trustee", "person_id": "P", "starts_on": "2025-11-01", "ends_on": "2025-10-31"},
            {"ends_before_start"},
        ),
        (
            {"role": "trustee", "person_id": "P", "starts_on": "2025-09-01", "ends_on": "2025-09-30"},
            {"ends_in_the_past"},
        ),
        ({"role": "headteacher", "person_id": "P", "academies": []}, {"too_short"}),
        ({"role": "headteacher", "person_id": "P", "academies": [0]}, {"greater_than_equal"}),
        ({"role": "wizard", "person_id": "P"}, {"literal_error"}),
    ],
)
async def test_what_cannot_be_given_is_said_all_at_once(
    clock: Clock, administrator: httpx.AsyncClient, person: Json, body: Json, codes: set[str]
) -> None:
    wanted = {name: person["id"] if value == "P" else value for name, value in body.items()}
    response = await administrator.post(PATH, json=wanted)
    assert response.status_code == 422
    assert codes <= {error["code"] for error in response.json()["errors"]}


async def test_a_public_client_holds_no_role(desk: Desk, administrator: httpx.AsyncClient) -> None:
    portal = await desk.register("Portal", "public")
    response = await administrator.post(PATH, json={"role": "auditor", "client_id": portal["id"]})
    assert response.json()["errors"][0]["code"] == "client_public"


async def test_a_list_by_holder_role_and_state(
    clock: Clock,
    desk: Desk,
    administrator: httpx.AsyncClient,
    person: Json,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    client = await desk.register()
    given = {
        "current": await desk.grant("trustee", person_id=person["id"], ends_on="2025-10-01"),
        "scheduled": await desk.grant("auditor", client_id=client["id"], starts_on="2025-10-02"),
        "ended": await desk.grant("auditor", client_id=client["id"]),
    }
    await end(administrator, given["ended"])

    async def ids(**params: Any) -> list[str]:
        return [item["id"] for item in (await administrator.get(PATH, params=params)).json()["items"]]

    for state, grant in given.items():
        assert await ids(state=state) == [grant["id"]]
    assert await ids(role="trustee") == await ids(person_id=person["id"]) == [given["current"]["id"]]
    assert await ids(client_id=client["id"]) == [given["ended"]["id"], given["scheduled"]["id"]]
    with count_queries() as queries:
        first = (await administrator.get(PATH, params={"limit": 2})).json()
    assert len(queries) == 1
    second = (await administrator.get(PATH, params={"limit": 2, "cursor": first["next"]})).json()
    assert [len(first["items"]), len(second["items"]), second["next"]] == [2, 1, None]
    assert (await administrator.get(PATH, params={"state": "ended", "cursor": first["next"]})).status_code == 400
    clock.set(clock.now.replace(day=2, hour=0))
    later = await desk.administrator()
    states = {item["id"]: item["state"] for item in (await later.get(PATH)).json()["items"]}
    assert states[given["current"]["id"]] == "expired"
    assert states[given["scheduled"]["id"]] == "current"


async def test_a_grant_ends_once(desk: Desk, administrator: httpx.AsyncClient, person: Json) -> None:
    grant = await desk.grant("trustee", person_id=person["id"])
    path = f"{PATH}/{grant['id']}/end"
    assert (await administrator.post(path)).status_code == 428
    assert (await administrator.post(path, headers={"If-Match": '"0-current"'})).status_code == 412
    ended = await end(administrator, grant)
    assert (ended.status_code, ended.json()["state"], ended.json()["ended_by"]) == (200, "ended", "person:trust-admin")
    again = await end(administrator, grant)
    assert (again.status_code, again.json()["code"]) == (409, "grant-ended")


async def test_the_last_administrator_stays(desk: Desk, administrator: httpx.AsyncClient) -> None:
    client = await desk.register("Admin machine")
    last = await desk.grant("trust-admin", client_id=client["id"])
    # Somebody who was invited and never came can't help.
    invited = await desk.invite(email="never@example.org")
    await desk.grant("trust-admin", person_id=invited["id"])
    tag = (await administrator.get(f"/identity/v1/clients/{client['id']}")).headers["etag"]
    path = f"/identity/v1/clients/{client['id']}"
    for call in (
        end(administrator, last),
        administrator.patch(path, json={"is_active": False}, headers={"If-Match": tag}),
        administrator.delete(path, headers={"If-Match": tag}),
    ):
        response = await call
        assert (response.status_code, response.json()["code"]) == (409, "last-administrator")
    bound = await desk.invite(issuer=ISSUER, subject="1")
    second = await desk.grant("trust-admin", person_id=bound["id"])
    assert (await end(administrator, last)).status_code == 200
    assert (await end(administrator, second)).status_code == 409
    path = f"/identity/v1/people/{bound['id']}"
    tag = (await administrator.get(path)).headers["etag"]
    disabled = await administrator.patch(path, json={"is_active": False}, headers={"If-Match": tag})
    assert disabled.status_code == 409
    assert (await administrator.delete(path, headers={"If-Match": tag})).status_code == 409


async def test_who_ends_sooner_is_no_successor(clock: Clock, desk: Desk, administrator: httpx.AsyncClient) -> None:
    grants = {}
    for name, ends_on in (("today", "2025-10-01"), ("year", "2026-08-31"), ("ever", None)):
        client = await desk.register(name)
        grants[name] = await desk.grant("trust-admin", client_id=client["id"], ends_on=ends_on)
    refused = await end(administrator, grants["ever"])
    assert (refused.status_code, refused.json()["code"]) == (409, "last-administrator")
    assert "without an end" in refused.json()["detail"]
    path = f"/identity/v1/clients/{grants['ever']['client_id']}"
    tag = (await administrator.get(path)).headers["etag"]
    disabled = await administrator.patch(path, json={"is_active": False}, headers={"If-Match": tag})
    assert disabled.json()["code"] == "last-administrator"
    heir = await desk.register("heir")
    await desk.grant("trust-admin", client_id=heir["id"])
    assert (await end(administrator, grants["ever"])).status_code == 200
    assert (await end(administrator, grants["today"])).status_code == 200


async def test_of_administrators_who_all_end_the_last_stays(
    clock: Clock, desk: Desk, administrator: httpx.AsyncClient
) -> None:
    grants = []
    for ends_on in ("2025-10-01", "2026-08-31"):
        client = await desk.register(ends_on)
        grants.append(await desk.grant("trust-admin", client_id=client["id"], ends_on=ends_on))
    refused = await end(administrator, grants[1])
    assert (refused.status_code, refused.json()["code"]) == (409, "last-administrator")
    assert "until 2026-08-31 or later" in refused.json()["detail"]
    assert (await end(administrator, grants[0])).status_code == 200


async def test_the_last_operator_of_the_platform_stays(desk: Desk) -> None:
    operator = await desk.administrator(None)
    client = await desk.register("Operator", trust=None)
    grant = await desk.grant("platform-operator", trust=None, client_id=client["id"])
    assert (await end(operator, grant)).json()["code"] == "last-administrator"


async def test_two_administrators_who_end_each_other_at_once(
    committed_database: Clone, committed_client: Clients
) -> None:
    administrator = await committed_client("identity", "trust-admin", subject=f"person:{uuid4()}")
    grants = []
    for name in ("A", "B"):
        registered = await administrator.post("/identity/v1/clients", json={"name": name, "kind": "confidential"})
        body = {"role": "trust-admin", "client_id": registered.json()["id"]}
        grants.append((await administrator.post(PATH, json=body)).json())
    answers = await asyncio.gather(*(end(administrator, grant) for grant in grants))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_giving_and_ending_is_on_record(
    desk: Desk, administrator: httpx.AsyncClient, person: Json, database: Sandbox
) -> None:
    grant = await desk.grant("headteacher", person_id=person["id"], academies=[137083])
    await end(administrator, grant)
    async with database.admin() as session:
        rows = (
            await session.execute(
                text("select type, trust_id, urn, data from identity.event where subject = :s order by seq"),
                {"s": f"grants/{grant['id']}"},
            )
        ).all()
    assert [row.type for row in rows] == [
        "org.trellis.identity.grant.created.v1",
        "org.trellis.identity.grant.ended.v1",
    ]
    created, ended = rows
    assert (created.trust_id, created.urn, created.data["before"]) == (PROSPERE, None, None)
    assert created.data["after"]["academies"] == [137083]
    assert (ended.data["before"]["is_ended"], ended.data["after"]["is_ended"]) == (False, True)
    assert "example.org" not in str([row.data for row in rows])


@pytest.mark.parametrize(
    ("method", "path"), [("GET", PATH), ("POST", PATH), ("GET", f"{PATH}/{ABSENT}"), ("POST", f"{PATH}/{ABSENT}/end")]
)
async def test_others_may_not(client: Clients, method: str, path: str) -> None:
    nobody = await client("identity")
    assert (await nobody.request(method, path)).status_code == 401
    for role in ("chief-executive", "headteacher", *(["auditor"] if method != "GET" else [])):
        other = await client("identity", role)
        assert (await other.request(method, path)).status_code == 403
