"""What a client that copies figures gets with `updated_since`."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.academy.observations.test_routes import PATH, listed
from tests.academy.rows import PROSPERE, TOLD_AT, add_comparison, add_figure, add_membership, add_school, add_trust
from tests.support.clients import Clients
from tests.support.databases import Sandbox
from tests.support.tokens import OTHER_TRUST

HERE, THERE = 136105, 136106
LAST_WALK = TOLD_AT + timedelta(days=1)
LATER = TOLD_AT + timedelta(days=2)


@pytest.fixture
async def reader(client: Clients, database: Sandbox) -> httpx.AsyncClient:
    """A trustee of Prospere, which has one academy; another trust has the other. Both have a figure each."""
    async with database.admin() as session:
        await add_trust(session, "16846")
        await add_trust(session, "2044")
        await add_school(session, HERE, trust=PROSPERE)
        await add_school(session, THERE, trust=OTHER_TRUST)
        for urn in (HERE, THERE):
            await add_figure(session, urn, value=46)
        await add_figure(session, HERE, trust=PROSPERE, value=50)
    return await client("academy", "trustee")


async def news(reader: httpx.AsyncClient, **params: Any) -> list[tuple[int, str, float | None, bool]]:
    """URN, layer, value and `is_removed` of what changed since the last walk."""
    found = await listed(reader, updated_since=LAST_WALK.isoformat(), **params)
    return [(one["urn"], one["layer"], one["value"], one["is_removed"]) for one in found]


async def test_nothing_new_is_an_empty_list(reader: httpx.AsyncClient) -> None:
    for params in ({}, {"trust": "any"}, {"urn": HERE}, {"history": True}):
        assert await news(reader, **params) == []


@pytest.mark.parametrize("history", [False, True])
@pytest.mark.parametrize("is_known_before", [False, True])
async def test_an_academy_that_joins_brings_all_its_figures(
    reader: httpx.AsyncClient, database: Sandbox, history: bool, is_known_before: bool
) -> None:
    recorded_at, joined_on = (TOLD_AT, LATER.date()) if is_known_before else (LATER, date(2019, 1, 1))
    async with database.admin() as session:
        await add_membership(session, THERE, PROSPERE, joined_on=joined_on, recorded_at=recorded_at)
    assert await news(reader, history=history) == [(THERE, "national", 46, False)]


@pytest.mark.parametrize("history", [False, True])
async def test_figures_of_an_academy_that_leaves_are_removed(
    reader: httpx.AsyncClient, database: Sandbox, history: bool
) -> None:
    async with database.admin() as session:
        await session.execute(
            text("update academy.membership set left_on = :day where urn = :urn"), {"day": LATER.date(), "urn": HERE}
        )
    assert await news(reader, history=history) == [(HERE, "national", 46, True), (HERE, "trust", 50, True)]
    assert await listed(reader) == []


async def test_a_membership_that_was_an_error_takes_its_figures_with_it(
    reader: httpx.AsyncClient, database: Sandbox
) -> None:
    async with database.admin() as session:
        await session.execute(
            text("update academy.membership set superseded_at = :at where urn = :urn"), {"at": LATER, "urn": HERE}
        )
    assert [one[3] for one in await news(reader)] == [True, True]


async def test_a_figure_that_nothing_replaces_is_removed(reader: httpx.AsyncClient, database: Sandbox) -> None:
    async with database.admin() as session:
        await add_figure(session, HERE, value=40, release="provisional")
        for table in ("reference_observation", "observation"):
            await session.execute(
                text(f"update academy.{table} set superseded_at = :at where release = 'final' and urn = :urn"),
                {"at": LATER, "urn": HERE},
            )
    expected = [(HERE, "national", 40, False), (HERE, "trust", 50, True)]
    for params in ({}, {"trust": "any"}, {"urn": HERE}):
        assert await news(reader, **params) == expected


@pytest.mark.parametrize("area", [{}, {"area": "la", "area_code": "850"}])
async def test_a_figure_changes_with_what_it_is_compared_with(
    reader: httpx.AsyncClient, database: Sandbox, area: dict[str, str]
) -> None:
    async with database.admin() as session:
        await add_comparison(session, **area, superseded_at=LATER)
    assert len(await news(reader)) == 2
    async with database.admin() as session:
        await add_comparison(session, **area, recorded_at=LATER, value=47)
    found = await listed(reader, updated_since=LAST_WALK.isoformat())
    assert [one["comparisons"][0]["value"] for one in found] == [47, 47]


async def test_figures_of_other_areas_change_nothing(reader: httpx.AsyncClient, database: Sandbox) -> None:
    async with database.admin() as session:
        await add_comparison(session, area="la", area_code="999", recorded_at=LATER)
        await add_comparison(session, academic_year="2017/18", recorded_at=LATER)
    assert await news(reader) == []


async def test_a_school_that_moves_to_another_authority_brings_its_figures(
    reader: httpx.AsyncClient, database: Sandbox
) -> None:
    async with database.admin() as session:
        await session.execute(
            text("update academy.school set la_code = '999', updated_at = :at where urn = :urn"),
            {"at": LATER, "urn": HERE},
        )
    assert [one[:2] for one in await news(reader)] == [(HERE, "national"), (HERE, "trust")]


@pytest.mark.parametrize("params", [{}, {"history": True}, {"trust": "any"}])
async def test_pages_of_news_join_up(reader: httpx.AsyncClient, database: Sandbox, params: dict[str, Any]) -> None:
    async with database.admin() as session:
        for group in ("boys", "girls", "sen"):
            await add_figure(session, HERE, pupil_group=group, recorded_at=LATER)
            await add_figure(session, HERE, trust=PROSPERE, pupil_group=group, recorded_at=LATER)
    since = {"updated_since": LAST_WALK.isoformat(), **params}
    whole = await listed(reader, **since)
    assert len(whole) == 6
    found: list[dict[str, Any]] = []
    cursor = None
    while cursor is not None or not found:
        page = {"limit": 1, **since} | ({} if cursor is None else {"cursor": cursor})
        body = (await reader.get(PATH, params=page)).json()
        found += body["items"]
        cursor = body["next"]
    assert [one["id"] for one in found] == [one["id"] for one in whole]


async def test_many_changes_are_read_like_few(
    reader: httpx.AsyncClient, database: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.admin() as session:
        await add_figure(session, HERE, value=47, release="revised", recorded_at=LATER)
        await add_figure(session, HERE, value=48, pupil_group="boys", recorded_at=datetime.now(UTC))
    few = await news(reader, trust="any")
    monkeypatch.setattr("academy.observations.news.FEW", 0)
    assert await news(reader, trust="any") == few == [(HERE, "national", 48, False)]
