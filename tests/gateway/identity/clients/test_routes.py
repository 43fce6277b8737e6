"""`/identity/v1/clients`."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from kit.key_ring import KeyRing
from kit.secrets.answers import answer_seal, name_of_answer
from tests.conftest import Clock
from tests.gateway.identity.desk import SECOND_TRUST, Desk, Json
from tests.support.clients import SECRET_KEY, Clients
from tests.support.databases import Clone, Sandbox
from tests.support.sealing import sealed_before
from tests.support.tokens import PROSPERE

PATH = "/identity/v1/clients"
RING = KeyRing.of([SECRET_KEY])
# The same in every process of a run: tests are known by it.
ABSENT = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
async def administrator(desk: Desk) -> httpx.AsyncClient:
    return await desk.administrator()


async def read(administrator: httpx.AsyncClient, client: Json) -> httpx.Response:
    return await administrator.get(f"{PATH}/{client['id']}")


async def test_a_secret_is_shown_once_and_kept_as_a_hash(
    desk: Desk, administrator: httpx.AsyncClient, database: Sandbox
) -> None:
    response = await administrator.post(PATH, json={"name": "MIS", "kind": "confidential"})
    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    made = response.json()
    assert response.headers["location"] == f"{PATH}/{made['id']}"
    secret = made.pop("client_secret")
    seen = await read(administrator, made)
    assert seen.json() == made
    assert seen.headers["etag"] == response.headers["etag"]
    assert secret not in seen.text
    assert [one["hint"] for one in made["secrets"]] == [secret.split("_")[1]]
    async with database.admin() as session:
        (stored,) = (await session.execute(text("select hash from identity.client_secret"))).scalars()
    assert stored.startswith("$argon2id$")


async def test_a_list_is_newest_first_in_pages_without_a_query_per_item(
    desk: Desk, administrator: httpx.AsyncClient, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    assert (await administrator.get(PATH)).json() == {"items": [], "next": None, "total": None}
    names = [(await desk.register(f"Client {number}"))["name"] for number in range(5)]
    with count_queries() as queries:
        first = await administrator.get(PATH, params={"limit": 2})
    assert len(queries) == 2
    assert 'rel="next"' in first.headers["link"]
    seen = [item["name"] for item in first.json()["items"]]
    cursor = first.json()["next"]
    while cursor:
        page = (await administrator.get(PATH, params={"limit": 2, "cursor": cursor})).json()
        seen += [item["name"] for item in page["items"]]
        cursor = page["next"]
    assert seen == names[::-1]


async def test_a_list_can_be_filtered_and_its_cursor_is_its_own(desk: Desk, administrator: httpx.AsyncClient) -> None:
    for number in range(3):
        await desk.register(f"Portal {number}", "public")
    await desk.register()
    page = (await administrator.get(PATH, params={"kind": "public", "limit": 1})).json()
    assert page["items"][0]["kind"] == "public"
    for params in ({"cursor": page["next"]}, {"cursor": page["next"], "kind": "confidential"}, {"cursor": "x"}):
        assert (await administrator.get(PATH, params=params)).status_code == 400
    assert (await administrator.get(PATH, params={"is_active": "false"})).json()["items"] == []
    assert (await administrator.get(PATH, params={"colour": "red"})).status_code == 422


async def test_names_are_unique_in_a_trust_and_only_there(desk: Desk, administrator: httpx.AsyncClient) -> None:
    made = await desk.register("Wallboard")
    again = await administrator.post(PATH, json={"name": "WALLBOARD", "kind": "public"})
    assert (again.status_code, again.json()["code"]) == (409, "client-name-taken")
    await desk.register("Wallboard", trust=SECOND_TRUST)
    other = await desk.register("Other")
    tag = (await read(administrator, other)).headers["etag"]
    renamed = await administrator.patch(f"{PATH}/{other['id']}", json={"name": "wallboard"}, headers={"If-Match": tag})
    assert renamed.status_code == 409
    tag = (await read(administrator, made)).headers["etag"]
    await administrator.delete(f"{PATH}/{made['id']}", headers={"If-Match": tag})
    await desk.register("Wallboard")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "", "kind": "public"}, "#/name"),
        ({"name": "   ", "kind": "public"}, "#/name"),
        ({"name": "a\nb", "kind": "public"}, "#/name"),
        ({"name": "x" * 121, "kind": "public"}, "#/name"),
        ({"name": "a", "kind": "secret"}, "#/kind"),
        ({"name": "a"}, "#/kind"),
        ({"name": "a", "kind": "public", "client_secret": "mine"}, "#/client_secret"),
    ],
)
async def test_what_is_wrong_is_pointed_at(administrator: httpx.AsyncClient, body: Json, pointer: str) -> None:
    response = await administrator.post(PATH, json=body)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


async def test_clients_of_another_trust_are_not_found(desk: Desk, administrator: httpx.AsyncClient) -> None:
    theirs = await desk.register(trust=SECOND_TRUST)
    platforms = await desk.register(trust=None)
    for client in (theirs, platforms, {"id": str(uuid4())}):
        path = f"{PATH}/{client['id']}"
        calls = [
            administrator.get(path),
            administrator.patch(path, json={"is_active": False}, headers={"If-Match": "*"}),
            administrator.delete(path, headers={"If-Match": "*"}),
            administrator.post(f"{path}/rotate-secret", headers={"If-Match": "*"}),
        ]
        for call in calls:
            response = await call
            assert (response.status_code, response.json()["code"]) == (404, "client-not-found")
    operator = await desk.administrator(None)
    assert (await read(operator, theirs)).status_code == 404
    assert (await read(operator, platforms)).status_code == 200


async def test_two_who_edit_at_once(desk: Desk, administrator: httpx.AsyncClient) -> None:
    client = await desk.register()
    path = f"{PATH}/{client['id']}"
    tag = (await read(administrator, client)).headers["etag"]
    first = await administrator.patch(path, json={"name": "A"}, headers={"If-Match": tag})
    assert (first.status_code, first.json()["name"]) == (200, "A")
    second = await administrator.patch(path, json={"name": "B"}, headers={"If-Match": tag})
    assert second.status_code == 412
    assert (await administrator.patch(path, json={"name": "B"})).status_code == 428
    assert (await administrator.delete(path)).status_code == 428
    assert (await administrator.post(f"{path}/rotate-secret")).status_code == 428
    same = await administrator.patch(path, json={"name": "A"}, headers={"If-Match": first.headers["etag"]})
    assert same.headers["etag"] == first.headers["etag"]
    unchanged = await administrator.get(path, headers={"If-None-Match": f"W/{first.headers['etag']}"})
    assert unchanged.status_code == 304
    null = await administrator.patch(path, json={"name": None}, headers={"If-Match": first.headers["etag"]})
    assert null.status_code == 422


async def test_a_new_secret_overlaps_with_the_one_before(desk: Desk, clock: Clock) -> None:
    client = await desk.machine()
    path = f"{PATH}/{client['id']}"

    async def rotate(**body: int) -> Json:
        administrator = await desk.administrator()
        tag = (await administrator.get(path)).headers["etag"]
        response = await administrator.post(f"{path}/rotate-secret", json=body, headers={"If-Match": tag})
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"
        rotated: Json = response.json()
        return rotated

    async def works(one: Json) -> bool:
        return (await desk.ask_as(one)).status_code == 200

    second = await rotate(overlap_hours=2)
    assert len(second["secrets"]) == 2
    assert [await works(client), await works(second)] == [True, True]
    clock.advance(hours=2)
    assert [await works(client), await works(second)] == [False, True]
    third = await rotate()
    assert [one["expires_at"] is None for one in third["secrets"]] == [True, False]
    fourth = await rotate()
    # Two count at the most: the newest and the one before it.
    assert [await works(second), await works(third), await works(fourth)] == [False, True, True]
    fifth = await rotate(overlap_hours=0)
    assert [await works(third), await works(fourth), await works(fifth)] == [False, False, True]


async def test_a_public_client_has_no_secret_to_rotate(desk: Desk, administrator: httpx.AsyncClient) -> None:
    portal = await desk.register("Portal", "public")
    response = await administrator.post(f"{PATH}/{portal['id']}/rotate-secret", headers={"If-Match": "*"})
    assert (response.status_code, response.json()["code"]) == (409, "client-has-no-secret")
    response = await administrator.post(
        f"{PATH}/{portal['id']}/rotate-secret", json={"overlap_hours": 169}, headers={"If-Match": "*"}
    )
    assert response.status_code == 422


async def test_a_deleted_client_is_gone_with_its_rights(desk: Desk, administrator: httpx.AsyncClient) -> None:
    client = await desk.machine()
    tag = (await read(administrator, client)).headers["etag"]
    response = await administrator.delete(f"{PATH}/{client['id']}", headers={"If-Match": tag})
    assert response.status_code == 204
    assert (await read(administrator, client)).status_code == 404
    (grant,) = (await administrator.get("/identity/v1/grants", params={"client_id": client["id"]})).json()["items"]
    assert grant["state"] == "ended"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PATH),
        ("POST", PATH),
        ("GET", f"{PATH}/{ABSENT}"),
        ("PATCH", f"{PATH}/{ABSENT}"),
        ("DELETE", f"{PATH}/{ABSENT}"),
        ("POST", f"{PATH}/{ABSENT}/rotate-secret"),
    ],
)
async def test_only_administrators_and_auditors_look_and_only_administrators_change(
    client: Clients, method: str, path: str
) -> None:
    nobody = await client("identity")
    response = await nobody.request(method, path)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    for role in ("chief-executive", "data-manager", "status-reader", "follower"):
        other = await client("identity", role)
        refused = await other.request(method, path)
        assert (refused.status_code, refused.json()["code"]) == (403, "insufficient-scope")
    auditor = await client("identity", "auditor")
    allowed = (await auditor.request(method, path)).status_code
    assert (allowed == 403) is (method != "GET")


async def test_a_repeated_request_gets_the_same_secret_which_lies_encrypted_meanwhile(
    committed_database: Clone, committed_client: Clients
) -> None:
    administrator = await committed_client("identity", "trust-admin", subject=f"person:{uuid4()}")
    key = {"Idempotency-Key": str(uuid4())}
    body = {"name": "MIS", "kind": "confidential"}
    answers = await asyncio.gather(*(administrator.post(PATH, json=body, headers=key) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len({answer.headers["etag"] for answer in answers}) == 1
    secret = answers[0].json()["client_secret"]
    async with committed_database.admin() as connection:
        rows = await connection.fetch("select *, headers::text as said from identity.idempotency_key")
        clients = await connection.fetchval("select count(*) from identity.client")
    assert clients == 1
    (row,) = rows
    assert secret.encode() not in row["body"]
    assert secret not in row["said"]
    name = name_of_answer(row["trust_id"], row["client"], row["route"], row["key"])
    assert secret.encode() in answer_seal(RING, "identity").open(name, row["body"])
    other = await administrator.post(PATH, json={**body, "name": "Other"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    taken = {"Idempotency-Key": str(uuid4())}
    assert (await administrator.post(PATH, json=body, headers=taken)).status_code == 409
    assert (await administrator.post(PATH, json=body, headers=taken)).status_code == 409


async def test_every_change_is_on_record_without_a_secret(
    desk: Desk, administrator: httpx.AsyncClient, database: Sandbox
) -> None:
    client = await desk.register("MIS")
    path = f"{PATH}/{client['id']}"
    tag = (await read(administrator, client)).headers["etag"]
    changed = await administrator.patch(path, json={"is_active": False}, headers={"If-Match": tag})
    rotated = await administrator.post(f"{path}/rotate-secret", headers={"If-Match": changed.headers["etag"]})
    await administrator.delete(path, headers={"If-Match": rotated.headers["etag"]})
    async with database.admin() as session:
        rows = (
            await session.execute(
                text("select type, subject, trust_id, data from identity.event where subject = :s order by seq"),
                {"s": f"clients/{client['id']}"},
            )
        ).all()
    assert [row.type.removeprefix("org.trellis.identity.") for row in rows] == [
        "client.created.v1",
        "client.changed.v1",
        "client.secret-rotated.v1",
        "client.deleted.v1",
    ]
    changes: list[Any] = [row.data for row in rows]
    assert (changes[1]["before"]["is_active"], changes[1]["after"]["is_active"]) == (True, False)
    assert (changes[0]["before"], changes[3]["after"]) == (None, None)
    assert {row.trust_id for row in rows} == {PROSPERE}
    assert [change["by"] for change in changes] == ["person:registrar", *["person:trust-admin"] * 3]
    assert not any(secret in str(changes) for secret in (client["client_secret"], rotated.json()["client_secret"]))


async def _kept_under(clone: Clone, client: httpx.AsyncClient, seal: Callable[[str, bytes], bytes]) -> httpx.Response:
    """The answer to a repeated request whose first answer is kept like this: `seal(key, body)`."""
    key = str(uuid4())
    body = {"name": "MIS", "kind": "confidential"}
    first = await client.post(PATH, json=body, headers={"Idempotency-Key": key})
    assert first.status_code == 201
    async with clone.admin() as connection:
        await connection.execute("update identity.idempotency_key set body = $1", seal(key, first.content))
    again = await client.post(PATH, json=body, headers={"Idempotency-Key": key})
    assert again.status_code != 201 or again.json() == first.json()
    return again


async def test_an_answer_under_a_key_that_is_gone_cannot_be_read(
    committed_database: Clone, committed_client: Clients
) -> None:
    administrator = await committed_client("identity", "trust-admin", subject=f"person:{uuid4()}")
    gone = answer_seal(KeyRing.of(["x" * 32]), "identity")
    again = await _kept_under(committed_database, administrator, lambda _, body: gone.close("any", body))
    assert (again.status_code, again.json()["code"]) == (422, "idempotency-key-reused")


async def test_an_answer_of_before_keys_had_ids_still_opens(
    committed_database: Clone, committed_client: Clients
) -> None:
    administrator = await committed_client("identity", "trust-admin", subject=f"person:{uuid4()}")
    again = await _kept_under(
        committed_database,
        administrator,
        lambda key, body: sealed_before(SECRET_KEY, "identity answers", f"{PATH} {key}", body),
    )
    assert again.status_code == 201
