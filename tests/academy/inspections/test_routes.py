"""Inspections of a whole trust over HTTP."""

from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.academy.academies.test_routes import listed as academies
from tests.academy.rows import PROSPERE, TOLD_AT, add_inspection, add_membership, add_school, add_trust
from tests.support.clients import Clients
from tests.support.databases import Sandbox
from tests.support.tokens import OTHER_TRUST

PATH = "/academy/v1/inspections"
OURS, ALSO, THEIRS = 136105, 142100, 139999
LAST_WALK, LATER = TOLD_AT + timedelta(days=1), TOLD_AT + timedelta(days=2)


@pytest.fixture
async def reader(client: Clients, database: Sandbox) -> httpx.AsyncClient:
    """A trustee of Prospere, which has two academies with three inspections; another trust has one with one."""
    async with database.admin() as session:
        await add_trust(session, "16846")
        await add_trust(session, "2044")
        await add_school(session, OURS, trust=PROSPERE, joined_on=date(2018, 3, 20))
        await add_school(session, ALSO, trust=PROSPERE, phase="special")
        await add_school(session, THEIRS, trust=OTHER_TRUST)
        await add_inspection(session, OURS, date(2018, 3, 20))
        await add_inspection(session, OURS, date(2013, 1, 9), overall_grade="inadequate")
        await add_inspection(session, ALSO, date(2024, 10, 1), kind="ungraded", overall_grade=None)
        await add_inspection(session, THEIRS, date(2019, 5, 5))
        await add_inspection(session, OURS, date(2016, 1, 1), superseded_at=TOLD_AT)
    return await client("academy", "trustee")


async def found(reader: httpx.AsyncClient, **params: Any) -> list[tuple[int, str, str | None, bool]]:
    """URN, day, `joining` and `is_removed`, in order."""
    response = await reader.get(PATH, params=params)
    assert response.status_code == 200, response.text
    items = response.json()["items"]
    return [(one["urn"], one["inspected_on"], one["joining"], one["is_removed"]) for one in items]


async def since(reader: httpx.AsyncClient, **params: Any) -> list[tuple[int, str, str | None, bool]]:
    return await found(reader, updated_since=LAST_WALK.isoformat(), **params)


NEWEST = (ALSO, "2024-10-01", "after", False)
JOINING = (OURS, "2018-03-20", "after", False)
OLDEST = (OURS, "2013-01-09", "before", False)
OTHERS = (THEIRS, "2019-05-05", "after", False)


async def test_the_list_is_of_the_callers_trust_unless_another_is_named(
    reader: httpx.AsyncClient, client: Clients
) -> None:
    assert await found(reader) == [NEWEST, JOINING, OLDEST]
    assert await found(reader, trust="2044") == [OTHERS]
    assert await found(reader, trust="any") == [NEWEST, OTHERS, JOINING, OLDEST]
    assert await found(reader, kind="ungraded") == [NEWEST]
    assert await found(reader, urn=[OURS, THEIRS]) == [JOINING, OLDEST]
    operator = await client("academy", "platform-operator", trust=None)
    assert len(await found(operator)) == 4
    assert (await reader.get(PATH, params={"trust": "nobody"})).status_code == 422


@pytest.mark.parametrize("params", [{}, {"trust": "any"}, {"updated_since": "2020-01-01T00:00:00Z"}])
async def test_pages_join_up(reader: httpx.AsyncClient, params: dict[str, str]) -> None:
    whole = await found(reader, **params)
    rows: list[tuple[int, str, str | None, bool]] = []
    cursor: str | None = None
    while cursor is not None or not rows:
        page = {"limit": "1", **params} | ({} if cursor is None else {"cursor": cursor})
        body = (await reader.get(PATH, params=page)).json()
        rows += [(one["urn"], one["inspected_on"], one["joining"], one["is_removed"]) for one in body["items"]]
        cursor = body["next"]
    assert rows == whole and len(whole) >= 3


async def test_nothing_new_is_an_empty_list(reader: httpx.AsyncClient) -> None:
    assert await since(reader) == await since(reader, trust="any") == []


async def test_a_corrected_inspection_is_removed_and_the_new_one_is_there(
    reader: httpx.AsyncClient, database: Sandbox
) -> None:
    async with database.admin() as session:
        await session.execute(
            text("update academy.inspection set superseded_at = :at where inspected_on = '2013-01-09'"), {"at": LATER}
        )
        await add_inspection(session, OURS, date(2013, 1, 9), recorded_at=LATER)
    for params in ({}, {"trust": "any"}, {"urn": OURS}):
        assert sorted(await since(reader, **params)) == [OLDEST, (*OLDEST[:3], True)]
    assert len(await found(reader)) == 3


async def test_an_academy_that_joins_brings_its_inspections_and_one_that_leaves_takes_them(
    reader: httpx.AsyncClient, client: Clients, database: Sandbox
) -> None:
    async with database.admin() as session:
        await session.execute(
            text("update academy.membership set left_on = :day where urn = :urn"), {"day": LATER.date(), "urn": OURS}
        )
        await add_membership(session, OURS, OTHER_TRUST, joined_on=LATER.date())
    assert [one[3] for one in await since(reader)] == [True, True]
    other = await client("academy", "trustee", trust=OTHER_TRUST)
    both = [(OURS, "2018-03-20", "before", False), (OURS, "2013-01-09", "before", False)]
    assert await since(other) == await since(reader, trust="any") == both


async def test_it_needs_the_scope(client: Clients) -> None:
    assert (await (await client("academy", "alliance-partner")).get(PATH)).status_code == 403


async def test_an_academy_that_leaves_a_filter_is_removed(reader: httpx.AsyncClient, database: Sandbox) -> None:
    filters = {"phase": "secondary", "la": "850", "status": "open", "q": f"School {OURS}"}
    assert await academies(reader, **filters) == [OURS]
    for change in ("phase = 'primary'", "phase = null", "la_code = '352'", "status = 'closed'", "name = 'Renamed'"):
        async with database.admin() as session:
            await session.execute(
                text(f"update academy.school set {change}, updated_at = :at where urn = :urn"),
                {"at": LATER, "urn": OURS},
            )
        for trust in ("16846", "any"):
            params = {**filters, "trust": trust, "updated_since": LAST_WALK.isoformat()}
            items = (await reader.get("/academy/v1/academies", params=params)).json()["items"]
            assert [(one["urn"], one["is_removed"]) for one in items] == [(OURS, True)], (change, trust)
        assert await academies(reader, **filters) == []
        async with database.admin() as session:
            await session.execute(
                text(
                    f"update academy.school set phase = 'secondary', la_code = '850', status = 'open',"
                    f" name = 'School {OURS}' where urn = {OURS}"
                )
            )


async def test_in_england_a_day_of_leaving_is_news_too(reader: httpx.AsyncClient, database: Sandbox) -> None:
    """The academy belongs to no trust from that day on."""
    async with database.admin() as session:
        await session.execute(
            text("update academy.membership set left_on = :day where urn = :urn"), {"day": LATER.date(), "urn": OURS}
        )
    params = {"trust": "any", "updated_since": LAST_WALK.isoformat()}
    items = (await reader.get("/academy/v1/academies", params=params)).json()["items"]
    assert [(one["urn"], one["trust"], one["is_removed"]) for one in items] == [(OURS, None, False)]
