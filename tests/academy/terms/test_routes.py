"""Terms over HTTP: each operation, who may, and each error that it can give."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from tests.academy.rows import PROSPERE, add_school, add_trust
from tests.academy.terms.making import PATH, body, create, create_all, move
from tests.conftest import Clock
from tests.support.clients import Clients
from tests.support.databases import Sandbox

NOWHERE = f"{PATH}/{uuid4()}"


@pytest.fixture
async def writer(client: Clients, database: Sandbox, clock: Clock) -> httpx.AsyncClient:
    """Somebody who may write, on 1 October 2025."""
    async with database.admin() as session:
        await add_trust(session)
        await add_school(session, 135874, trust=PROSPERE)
        await add_school(session, 139148, trust=PROSPERE)
    return await client("academy", "chief-executive")


async def test_one_is_created_and_found(writer: httpx.AsyncClient, database: Sandbox) -> None:
    made = await create(writer)
    view = await writer.get(made.headers["Location"])
    assert (view.json(), view.headers["ETag"]) == (made.json(), made.headers["ETag"])
    assert {name: made.json()[name] for name in body()} == body()
    assert (made.json()["urn"], made.json()["state"], made.json()["updated_as"]) == (None, "active", "chief-executive")
    assert [one["verb"] for one in made.json()["actions"]] == ["change", "retire"]
    unchanged = await writer.get(made.headers["Location"], headers={"If-None-Match": made.headers["ETag"]})
    assert unchanged.status_code == 304
    async with database.admin() as session:
        events = await session.execute(text("select type, urn, data from academy.event"))
        assert [(kind, urn, data["before"], data["after"]["starts_on"], data["by"]) for kind, urn, data in events] == [
            ("org.trellis.academy.term.created.v1", None, None, "2025-09-03", "person:chief-executive")
        ]


async def test_the_same_key_creates_one(writer: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first, second = [await writer.post(PATH, json=body(), headers=key) for _ in range(2)]
    assert (first.status_code, first.json()) == (201, second.json())
    assert len((await writer.get(PATH)).json()["items"]) == 1


async def test_a_list_goes_on_page_by_page_and_narrows(writer: httpx.AsyncClient) -> None:
    made = await create_all(writer)
    first = (await writer.get(PATH, params={"limit": 4})).json()
    last = (await writer.get(PATH, params={"limit": 4, "cursor": first["next"]})).json()
    assert [one["id"] for one in [*first["items"], *last["items"]]] == [one.json()["id"] for one in made]
    assert last["next"] is None
    assert (await move(writer, made[0], "retire")).status_code == 200
    retired = (await writer.get(PATH, params={"state": "retired"})).json()["items"]
    assert [one["term"] for one in retired] == ["autumn"]
    year = (await writer.get(PATH, params={"academic_year": "202627", "state": "active"})).json()["items"]
    assert [one["academic_year"] for one in year] == ["2026/27"] * 3
    elsewhere = await writer.get(PATH, params={"limit": 4, "cursor": first["next"], "on": "2026-09-01"})
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (400, "invalid-cursor")


async def test_a_patch_changes_what_it_names(writer: httpx.AsyncClient) -> None:
    made = await create(writer)
    place, tag = made.headers["Location"], {"If-Match": made.headers["ETag"]}
    changed = await writer.patch(place, json={"ends_on": "2025-12-18"}, headers=tag)
    assert (changed.json()["ends_on"], changed.json()["starts_on"]) == ("2025-12-18", "2025-09-03")
    assert changed.headers["ETag"] != made.headers["ETag"]
    stale = await writer.patch(place, json={"ends_on": "2025-12-17"}, headers=tag)
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
    tag = {"If-Match": changed.headers["ETag"]}
    none = {"half_term_starts_on": None, "half_term_ends_on": None}
    assert (await writer.patch(place, json=none, headers=tag)).json()["half_term_ends_on"] is None
    assert (await writer.patch(place, json={})).status_code == 428
    created, moved, ended = (await writer.get(f"{place}/changes")).json()["items"]
    assert (created["verb"], created["fields"]) == ("create", [])
    assert (moved["verb"], moved["before"], moved["after"]) == ("change", "active", "active")
    assert moved["fields"] == [{"name": "ends_on", "before": "2025-12-19", "after": "2025-12-18"}]
    assert {one["name"]: one["after"] for one in ended["fields"]} == none
    assert (await writer.patch(place, json={"term": "spring"}, headers=tag)).status_code == 422


async def test_it_is_retired_and_counts_again_with_a_reason(writer: httpx.AsyncClient) -> None:
    made = await create(writer)
    retired = await move(writer, made, "retire", reason="The council moved it.")
    assert (retired.json()["state"], [one["verb"] for one in retired.json()["actions"]]) == ("retired", ["restore"])
    twice = await move(writer, retired, "retire")
    assert (twice.status_code, twice.json()["code"]) == (409, "transition-not-allowed")
    assert (twice.json()["state"], twice.json()["allowed"]) == ("retired", ["restore"])
    mute = await move(writer, retired, "restore")
    assert (mute.status_code, mute.json()["code"]) == (422, "reason-missing")
    instead = await create(writer, starts_on="2025-09-04")
    clashing = await move(writer, retired, "restore", reason="It moved back.")
    assert (clashing.status_code, clashing.json()["code"]) == (409, "terms-clash")
    assert (await move(writer, instead, "retire")).status_code == 200
    assert (await move(writer, retired, "restore", reason="It moved back.")).json()["state"] == "active"
    changes = (await writer.get(f"{made.headers['Location']}/changes")).json()["items"]
    assert [(one["verb"], one["reason"]) for one in changes] == [
        ("create", None),
        ("retire", "The council moved it."),
        ("restore", "It moved back."),
    ]


@pytest.mark.parametrize(
    ("values", "pointer", "code"),
    [
        ({"starts_on": "2025-08-31"}, "#/starts_on", "outside_academic_year"),
        ({"ends_on": "2026-09-01"}, "#/ends_on", "outside_academic_year"),
        ({"half_term_ends_on": None}, "#/half_term_ends_on", "half_term_incomplete"),
    ],
)
async def test_dates_that_make_no_term_are_refused(
    writer: httpx.AsyncClient, values: dict[str, Any], pointer: str, code: str
) -> None:
    refused = await writer.post(PATH, json=body(**values))
    assert (refused.status_code, refused.json()["code"]) == (422, "term-not-possible")
    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [(pointer, code)]
    made = await create(writer)
    tag = {"If-Match": made.headers["ETag"]}
    assert (await writer.patch(made.headers["Location"], json=values, headers=tag)).status_code == 422


async def test_terms_of_a_year_do_not_overlap_at_one_academy(writer: httpx.AsyncClient) -> None:
    await create(writer)
    for term, values in (("autumn", {}), ("spring", {"starts_on": "2025-12-19"})):
        refused = await writer.post(PATH, json=body("2025/26", term, **values))
        assert (refused.status_code, refused.json()["code"]) == (409, "terms-clash")
    spring = await create(writer, term="spring")
    moved = await writer.patch(
        spring.headers["Location"], json={"starts_on": "2025-12-19"}, headers={"If-Match": spring.headers["ETag"]}
    )
    assert (moved.status_code, moved.json()["code"]) == (409, "terms-clash")
    # Another academy's dates are its own.
    await create(writer, urn=135874, term="spring", starts_on="2025-12-19")


async def test_what_is_not_there_is_not_found(writer: httpx.AsyncClient) -> None:
    tag = {"If-Match": '"1"'}
    answers = [
        await writer.get(NOWHERE),
        await writer.patch(NOWHERE, json={"ends_on": "2025-12-18"}, headers=tag),
        await writer.post(f"{NOWHERE}/retire", headers=tag),
        await writer.post(f"{NOWHERE}/restore", json={"reason": "Why."}, headers=tag),
        await writer.get(f"{NOWHERE}/changes"),
    ]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "term-not-found")}
    stranger = await writer.post(PATH, json=body(urn=100001))
    assert (stranger.status_code, stranger.json()["code"]) == (404, "academy-not-found")


async def test_who_may_only_read_writes_nothing(client: Clients, writer: httpx.AsyncClient) -> None:
    made = await create(writer)
    reader = await client("academy", "trustee")
    assert (await reader.get(made.headers["Location"])).json()["actions"] == []
    assert (await reader.post(PATH, json=body())).status_code == 403
    assert (await move(reader, made, "retire")).status_code == 403
    scoped = await client("academy", None, roles=["trustee"], scopes=["terms:read", "terms:write"])
    for refused in (await move(scoped, made, "retire"), await scoped.post(PATH, json=body("2026/27"))):
        assert (refused.status_code, refused.json()["code"]) == (403, "role-may-not")
    nobody = await client("academy")
    assert (await nobody.get(PATH)).status_code == 401


async def test_a_head_keeps_the_dates_of_their_own_academy_alone(client: Clients, writer: httpx.AsyncClient) -> None:
    trusts = await create(writer)
    head = await client("academy", "headteacher", academies=[135874], leads=[135874])
    own = await create(head, urn=135874)
    assert own.json()["updated_as"] == "headteacher"
    assert (await head.post(PATH, json=body("2026/27"))).json()["code"] == "whole-trust-only"
    assert (await head.post(PATH, json=body("2026/27", urn=139148))).status_code == 404
    assert (await move(head, trusts, "retire")).json()["code"] == "whole-trust-only"
    # A data manager of some academies may not change the trust's own.
    manager = await client("academy", "data-manager", academies=[135874])
    for refused in (await manager.post(PATH, json=body("2026/27")), await move(manager, trusts, "retire")):
        assert (refused.status_code, refused.json()["code"]) == (403, "whole-trust-only")
    assert (await manager.get(trusts.headers["Location"])).json()["actions"] == []
    assert (await move(manager, own, "retire")).status_code == 200
