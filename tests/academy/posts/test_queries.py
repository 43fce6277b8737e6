"""What a caller doesn't see of posts, who holds them, and what a list costs."""

from datetime import date
from typing import Any

import httpx
import pytest

from tests.academy.posts.making import OURS, PATH, THEIRS, add_grant, create
from tests.academy.rows import PROSPERE, add_school, add_trust
from tests.conftest import Clock
from tests.support.clients import Clients
from tests.support.databases import Sandbox, counted
from tests.support.tokens import OTHER_TRUST


@pytest.fixture
async def writer(client: Clients, database: Sandbox, clock: Clock) -> httpx.AsyncClient:
    """Somebody who may write, on 1 October 2025."""
    async with database.admin() as session:
        await add_trust(session)
        for urn in (OURS, THEIRS):
            await add_school(session, urn, trust=PROSPERE)
    return await client("academy", "chief-executive")


async def holders(reader: httpx.AsyncClient, made: httpx.Response) -> list[str]:
    seen = (await reader.get(made.headers["Location"])).json()
    assert seen["is_vacant"] is (seen["holders"] == [])
    found: list[str] = seen["holders"]
    return found


async def test_a_grant_for_one_academy_shows_its_posts_and_the_trusts(
    client: Clients, writer: httpx.AsyncClient
) -> None:
    ours, theirs = await create(writer), await create(writer, urn=THEIRS)
    trusts = await create(writer, urn=None, role="chief-executive", title="Chief executive")
    head = await client("academy", "headteacher", academies=[OURS])
    seen = {one["id"] for one in (await head.get(PATH)).json()["items"]}
    assert seen == {ours.json()["id"], trusts.json()["id"]}
    assert (await head.get(theirs.headers["Location"])).status_code == 404


async def test_another_trust_sees_nothing(client: Clients, writer: httpx.AsyncClient) -> None:
    made = await create(writer)
    other = await client("academy", "chief-executive", trust=OTHER_TRUST)
    assert (await other.get(PATH)).json()["items"] == []
    assert (await other.get(made.headers["Location"])).status_code == 404


async def test_a_post_that_nobody_holds_is_vacant(writer: httpx.AsyncClient) -> None:
    made = await create(writer)
    assert (made.json()["holders"], made.json()["is_vacant"]) == ([], True)


@pytest.mark.parametrize(
    "values",
    [
        {"academies": [THEIRS]},
        {"role": "governor"},
        {"starts_on": date(2025, 10, 2)},
        {"ends_on": date(2025, 9, 30)},
        {"is_ended": True},
        {"is_active": False},
        {"trust": OTHER_TRUST},
    ],
)
async def test_a_grant_that_does_not_count_today_holds_nothing(
    writer: httpx.AsyncClient, database: Sandbox, values: dict[str, Any]
) -> None:
    made = await create(writer)
    async with database.admin() as session:
        await add_grant(session, "person:1", **values)
        await add_grant(session, "person:2", academies=[THEIRS, OURS])
    assert await holders(writer, made) == ["person:2"]


async def test_holders_come_and_go_with_their_day(
    client: Clients, writer: httpx.AsyncClient, database: Sandbox, clock: Clock
) -> None:
    made = await create(writer)
    async with database.admin() as session:
        await add_grant(session, "person:old", ends_on=date(2025, 10, 1))
        await add_grant(session, "person:new", starts_on=date(2025, 10, 2))
    assert await holders(writer, made) == ["person:old"]
    # Midnight in London comes an hour earlier than that of UTC.
    clock.advance(hours=11, minutes=30)
    assert await holders(await client("academy", "chief-executive"), made) == ["person:new"]


async def test_a_post_of_the_trust_is_held_by_who_covers_all_of_it(
    writer: httpx.AsyncClient, database: Sandbox
) -> None:
    made = await create(writer, urn=None, role="data-manager", title="Data")
    ours = await create(writer, role="data-manager", title="Data")
    async with database.admin() as session:
        await add_grant(session, "client:1", role="data-manager", extent="trust", academies=None)
        await add_grant(session, "person:2", role="data-manager")
    assert await holders(writer, made) == ["client:1"]
    assert await holders(writer, ours) == ["client:1", "person:2"]


async def test_the_tag_changes_with_the_holders(writer: httpx.AsyncClient, database: Sandbox) -> None:
    made = await create(writer)
    async with database.admin() as session:
        await add_grant(session, "person:1")
    seen = await writer.get(made.headers["Location"], headers={"If-None-Match": made.headers["ETag"]})
    assert (seen.status_code, seen.json()["holders"]) == (200, ["person:1"])
    title = {"title": "Head of school"}
    stale = await writer.patch(made.headers["Location"], json=title, headers={"If-Match": made.headers["ETag"]})
    assert stale.status_code == 412
    fresh = await writer.patch(made.headers["Location"], json=title, headers={"If-Match": seen.headers["ETag"]})
    assert (fresh.status_code, fresh.json()["holders"]) == (200, ["person:1"])


async def test_a_list_takes_two_queries_however_long_it_is(writer: httpx.AsyncClient, database: Sandbox) -> None:
    for number in range(4):
        await create(writer, title=f"Number {number}")
    async with database.admin() as session:
        await add_grant(session, "person:1")
    with counted(await database.driver(), database.connection) as statements:
        items = (await writer.get(PATH)).json()["items"]
    assert [one["holders"] for one in items] == [["person:1"]] * 4
    assert len(statements) == 2
