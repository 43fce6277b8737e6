"""A trust that rates its academies, for tests: schools with figures, criteria through the API, ratings by the rule."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from academy.ratings.service import rerate as rate_again
from kit.database.sessions import Connection, Context
from kit.database.urls import asyncpg_dsn
from tests.academy.rows import PROSPERE, Executes, add_comparison, add_figure, add_school, add_trust
from tests.support.databases import Clone, Sandbox

SETS = "/academy/v1/criteria-sets"
STATUSES = "/academy/v1/rag-statuses"

GREEN, AMBER, RED, SPECIAL = 135001, 135002, 135003, 135004

ATTAINMENT: dict[str, Any] = {
    "code": "attainment_8",
    "title": "Attainment 8 against England",
    "measure": "ks4.attainment_8",
    "direction": "higher_is_better",
    "comparison": "national",
    "bounds": {"green": 0, "amber": -5},
    "smallest_cohort": 11,
    "reason": "England's average of the same year.",
}
ABSENCE: dict[str, Any] = {
    "code": "overall_absence",
    "title": "Overall absence",
    "measure": "absence.overall_percent",
    "direction": "lower_is_better",
    "bounds": {"green": 5, "amber": 8},
}


def criteria_set(**values: Any) -> dict[str, Any]:
    """The body of a draft for secondaries."""
    body: dict[str, Any] = {
        "phase": "secondary",
        "title": "Secondary criteria",
        "overall": {"method": "weighted_points", "point_cuts": [66, 33], "least_assessed_percent": 50, "limit": "red"},
        "criteria": [ATTAINMENT],
    }
    return deepcopy(body | values)


async def add_rated_trust(session: Executes, group_uid: str = "16846", *, first_urn: int = GREEN) -> UUID:
    """A trust with a secondary that will be green, one amber, one red, and a special school without figures.

    Attainment 8 of 2018/19: 50.0, 44.0 and 40.0 against England's 46.7.
    """
    trust = await add_trust(session, group_uid, name=f"Trust {group_uid}")
    for place, value in enumerate((50.0, 44.0, 40.0)):
        urn = first_urn + place
        await add_school(session, urn, trust=trust, name=f"{'ABC'[place]} School")
        await add_figure(session, urn, value=value, cohort=150)
    await add_school(session, first_urn + 3, trust=trust, name="D School", phase="special")
    return trust


async def add_england(session: Executes) -> None:
    """England's Attainment 8 of 2018/19: 46.7."""
    await add_comparison(session)


async def change_figure(session: Executes, urn: int, value: float) -> None:
    """From now on every national figure of an academy has this value."""
    await session.execute(
        text("update academy.reference_observation set value = :value where urn = :urn"), {"value": value, "urn": urn}
    )


@asynccontextmanager
async def committing(copy: Clone) -> AsyncIterator[AsyncSession]:
    """A session of the superuser on a database of the test's own, committed at the end of the block."""

    async def connect() -> Connection:
        connection: Connection = await asyncpg.connect(asyncpg_dsn(copy.admin_url))
        return connection

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    async with AsyncSession(engine) as session:
        yield session
        await session.commit()
    await engine.dispose()


async def rerate(box: Sandbox | Clone, trust: UUID = PROSPERE) -> int:
    """Rate the trust as its worker does; gives how many ratings are new."""
    async with box.of("academy").session(Context(trust, None, "test")) as session:
        return await rate_again(session, trust)


async def publish(author: httpx.AsyncClient, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Draft a set and publish it; the published set."""
    drafted = await author.post(SETS, json=body or criteria_set())
    assert drafted.status_code == 201, drafted.text
    published = await author.post(
        f"{SETS}/{drafted.json()['id']}/publish", headers={"If-Match": drafted.headers["ETag"]}
    )
    assert published.status_code == 200, published.text
    told: dict[str, Any] = published.json()
    return told


async def statuses(reader: httpx.AsyncClient, **params: Any) -> dict[int, dict[str, Any]]:
    """What is told of each academy, by URN."""
    response = await reader.get(STATUSES, params=params)
    assert response.status_code == 200, response.text
    return {item["urn"]: item for item in response.json()["items"]}
