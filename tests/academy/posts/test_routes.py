"""Posts over HTTP: each operation, who may, and each error that it can give."""

from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from tests.academy.posts.making import OURS, PATH, THEIRS, body, create, move
from tests.academy.rows import PROSPERE, add_school, add_trust
from tests.conftest import Clock
from tests.support.clients import Clients
from tests.support.databases import Sandbox

NOWHERE = f"{PATH}/{uuid4()}"


@pytest.fixture
async def writer(client: Clients, database: Sandbox, clock: Clock) -> httpx.AsyncClient:
    """Somebody who may write, on 1 October 2025."""
    async with database.admin() as session:
        await add_trust(session)
        for urn in (OURS, THEIRS):
            await add_school(session, urn, trust=PROSPERE)
    return await client("academy", "chief-executive")


async def test_one_is_created_and_found(writer: httpx.AsyncClient, database: Sandbox) -> None:
    made = await create(writer)
    view = await writer.get(made.headers["Location"])
    assert (view.json(), view.headers["ETag"]) == (made.json(), made.headers["ETag"])
    assert {name: made.json()[name] for name in body()} == body()
    assert (made.json()["state"], made.json()["updated_as"]) == ("active", "chief-executive")
    assert [one["verb"] for one in made.json()["actions"]] == ["change", "retire"]
    unchanged = await writer.get(made.headers["Location"], headers={"If-None-Match": made.headers["ETag"]})
    assert unchanged.status_code == 304
    async with database.admin() as session:
        events = await session.execute(text("select type, urn, data from academy.event"))
        assert [(kind, urn, data["before"], data["after"]["role"], data["as_role"]) for kind, urn, data in events] == [
            ("org.trellis.academy.post.created.v1", OURS, None, "headteacher", "chief-executive")
        ]


async def test_the_same_key_creates_one(writer: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first, second = [await writer.post(PATH, json=body(), headers=key) for _ in range(2)]
    assert (first.status_code, first.json()) == (201, second.json())
    assert len((await writer.get(PATH)).json()["items"]) == 1


async def test_a_list_goes_on_page_by_page_and_narrows(writer: httpx.AsyncClient) -> None:
    made = [await create(writer, title=title) for title in ("C", "A", "B")]
    await create(writer, urn=THEIRS, role="governor", title="D")
    assert (await move(writer, made[0], "retire")).status_code == 200
    first = (await writer.get(PATH, params={"limit": 3})).json()
    last = (await writer.get(PATH, params={"limit": 3, "cursor": first["next"]})).json()
    assert [one["title"] for one in [*first["items"], *last["items"]]] == ["A", "B", "C", "D"]
    assert last["next"] is None
    for narrowed, expected in (({"state": "retired"}, ["C"]), ({"role": "governor"}, ["D"]), ({"urn": THEIRS}, ["D"])):
        found = (await writer.get(PATH, params=narrowed)).json()["items"]
        assert [one["title"] for one in found] == expected


async def test_a_patch_gives_another_title_and_nothing_else(writer: httpx.AsyncClient) -> None:
    made = await create(writer)
    place, tag = made.headers["Location"], {"If-Match": made.headers["ETag"]}
    changed = await writer.patch(place, json={"title": "Head of school"}, headers=tag)
    assert (changed.json()["title"], changed.json()["role"]) == ("Head of school", "headteacher")
    stale = await writer.patch(place, json={"title": "Principal"}, headers=tag)
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
    assert (await writer.patch(place, json={})).status_code == 428
    tag = {"If-Match": changed.headers["ETag"]}
    assert (await writer.patch(place, json={"role": "governor"}, headers=tag)).status_code == 422


async def test_it_is_retired_and_restored_with_a_reason(writer: httpx.AsyncClient) -> None:
    made = await create(writer)
    retired = await move(writer, made, "retire", reason="The schools merged.")
    assert (retired.json()["state"], [one["verb"] for one in retired.json()["actions"]]) == ("retired", ["restore"])
    twice = await move(writer, retired, "retire")
    assert (twice.status_code, twice.json()["code"]) == (409, "transition-not-allowed")
    assert (twice.json()["state"], twice.json()["allowed"]) == ("retired", ["restore"])
    mute = await move(writer, retired, "restore")
    assert (mute.status_code, mute.json()["code"]) == (422, "reason-missing")
    assert (await move(writer, retired, "restore", reason="They didn't.")).json()["state"] == "active"
    changes = (await writer.get(f"{made.headers['Location']}/changes")).json()["items"]
    assert [(one["verb"], one["reason"]) for one in changes] == [
        ("create", None),
        ("retire", "The schools merged."),
        ("restore", "They didn't."),
    ]


async def test_the_same_post_is_there_once(writer: httpx.AsyncClient) -> None:
    for urn, role in ((OURS, "headteacher"), (None, "trustee")):
        made = await create(writer, urn=urn, role=role)
        twice = await writer.post(PATH, json=body(urn=urn, role=role))
        assert (twice.status_code, twice.json()["code"]) == (409, "post-exists")
        other = await create(writer, urn=urn, role=role, title="Another")
        tag = {"If-Match": other.headers["ETag"]}
        renamed = await writer.patch(other.headers["Location"], json={"title": "Headteacher"}, headers=tag)
        assert (renamed.status_code, renamed.json()["code"]) == (409, "post-exists")
        retired = await move(writer, made, "retire")
        await create(writer, urn=urn, role=role)
        again = await move(writer, retired, "restore", reason="Both.")
        assert (again.status_code, again.json()["code"]) == (409, "post-exists")


@pytest.mark.parametrize(("urn", "role"), [(None, "headteacher"), (OURS, "chief-executive")])
async def test_a_role_that_nobody_can_hold_there_is_refused(
    writer: httpx.AsyncClient, urn: int | None, role: str
) -> None:
    refused = await writer.post(PATH, json=body(urn=urn, role=role))
    assert (refused.status_code, refused.json()["code"]) == (422, "post-not-possible")
    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [("#/urn", "role_not_held_there")]
    assert (await writer.post(PATH, json=body(role="mis-client"))).status_code == 422


async def test_what_is_not_there_is_not_found(writer: httpx.AsyncClient) -> None:
    tag = {"If-Match": '"1"'}
    answers = [
        await writer.get(NOWHERE),
        await writer.patch(NOWHERE, json={"title": "Head"}, headers=tag),
        await writer.post(f"{NOWHERE}/retire", headers=tag),
        await writer.post(f"{NOWHERE}/restore", json={"reason": "Why."}, headers=tag),
        await writer.get(f"{NOWHERE}/changes"),
    ]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "post-not-found")}
    stranger = await writer.post(PATH, json=body(urn=100001))
    assert (stranger.status_code, stranger.json()["code"]) == (404, "academy-not-found")


async def test_who_may_only_read_writes_nothing(client: Clients, writer: httpx.AsyncClient) -> None:
    made = await create(writer)
    reader = await client("academy", "trustee")
    assert (await reader.get(made.headers["Location"])).json()["actions"] == []
    assert (await reader.post(PATH, json=body())).status_code == 403
    assert (await move(reader, made, "retire")).status_code == 403
    scoped = await client("academy", None, roles=["trustee"], scopes=["posts:read", "posts:write"])
    for refused in (await move(scoped, made, "retire"), await scoped.post(PATH, json=body())):
        assert (refused.status_code, refused.json()["code"]) == (403, "role-may-not")
    nobody = await client("academy")
    assert (await nobody.get(PATH)).status_code == 401
