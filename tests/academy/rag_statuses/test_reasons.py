"""Academies that were never rated are on the board from their first day, with the reason why they have no colour."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from academy.parameters import today
from kit import clock
from tests.academy.rated import (
    GREEN,
    RED,
    SPECIAL,
    add_england,
    add_rated_trust,
    criteria_set,
    publish,
    rerate,
    statuses,
)
from tests.academy.rows import PROSPERE, add_school
from tests.support.clients import Clients
from tests.support.databases import Sandbox

NEW, UNKNOWN = 135010, 135011


@pytest.fixture
async def reader(client: Clients, database: Sandbox) -> httpx.AsyncClient:
    """Reads the board of a trust with four academies of two phases, and one of no phase. It has no criteria yet."""
    async with database.admin() as session:
        await add_rated_trust(session)
        await add_england(session)
        await add_school(session, UNKNOWN, trust=PROSPERE, phase=None)
    return await client("academy", "status-reader")


async def reasons(reader: httpx.AsyncClient, **params: str) -> dict[int, str | None]:
    return {urn: one["reason"] for urn, one in (await statuses(reader, **params)).items()}


async def test_before_any_criteria_every_academy_says_that_there_are_none(
    reader: httpx.AsyncClient, database: Sandbox
) -> None:
    everywhere = {GREEN: "no_criteria", GREEN + 1: "no_criteria", RED: "no_criteria", SPECIAL: "no_criteria"}
    everywhere[UNKNOWN] = "phase_unknown"
    assert await reasons(reader) == everywhere
    # A trust without criteria is rated too: its board begins, and nothing on it changes.
    assert await rerate(database) == 0
    assert await reasons(reader) == everywhere
    async with database.admin() as session:
        count = (await session.execute(text("select count(*) from academy.rag_status"))).scalar_one()
        assert count == len(everywhere)


async def test_the_reason_follows_criteria_ratings_and_figures(
    reader: httpx.AsyncClient, client: Clients, database: Sandbox
) -> None:
    author = await client("academy", "chief-executive")
    before = clock.now()
    tag = (await reader.get("/academy/v1/rag-statuses")).headers["ETag"]
    await publish(author)
    # The prepared answer doesn't hold any longer, although no rating is there yet.
    assert (await reader.get("/academy/v1/rag-statuses", headers={"If-None-Match": tag})).status_code == 200
    assert (await reasons(reader))[GREEN] == "not_rated_yet"
    await rerate(database)
    rated = await reasons(reader)
    assert rated == {GREEN: None, GREEN + 1: None, RED: None, SPECIAL: "no_criteria", UNKNOWN: "phase_unknown"}
    await publish(author, criteria_set(phase="special"))
    await rerate(database)
    assert (await reasons(reader))[SPECIAL] == "too_little_evidence"
    assert set((await reasons(reader, as_of=(before - timedelta(seconds=1)).isoformat())).values()) == {
        "no_criteria", "phase_unknown"
    }  # fmt: skip


async def test_an_academy_that_joins_has_a_reason_from_its_first_day(
    reader: httpx.AsyncClient, client: Clients, database: Sandbox
) -> None:
    await publish(await client("academy", "chief-executive"))
    await rerate(database)
    async with database.admin() as session:
        await add_school(session, NEW, trust=PROSPERE, joined_on=today(), phase="primary")
    assert (await reasons(reader))[NEW] == "no_criteria"
    items = await statuses(reader, phase="primary")
    assert (items[NEW]["status"], items[NEW]["rating_id"]) == ("not_assessed", None)
