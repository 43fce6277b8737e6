"""Prepared answers and changes since: with commits that are commits."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
from sqlalchemy import text

from academy.criteria.queries import trusts_here
from academy.definition import ACADEMY
from academy.worker import databases_of
from kit.workers.worker import Worker
from tests.academy.rated import (
    GREEN,
    RED,
    STATUSES,
    add_england,
    add_rated_trust,
    change_figure,
    committing,
    publish,
    rerate,
    statuses,
)
from tests.support.clients import Clients, settings_of
from tests.support.databases import Clone


async def prepare(client: Clients, database: Clone) -> None:
    async with committing(database) as session:
        await add_rated_trust(session)
        await add_england(session)
    await publish(await client("academy", "chief-executive"))
    await rerate(database)


async def seconds_until(reader: httpx.AsyncClient, urn: int, status: str) -> float:
    """How long until the list tells it; polls as a client would."""
    began = time.monotonic()
    while True:
        if (await statuses(reader))[urn]["status"] == status:
            return time.monotonic() - began
        assert time.monotonic() - began < 5
        await asyncio.sleep(0.02)


async def test_an_answer_is_right_again_within_a_second_of_another_process_change(
    committed_client: Clients, committed_database: Clone
) -> None:
    await prepare(committed_client, committed_database)
    reader = await committed_client("academy", "status-reader")
    assert (await statuses(reader))[RED]["status"] == "red"
    async with committing(committed_database) as session:
        await change_figure(session, RED, 60)
    await statuses(reader)
    await rerate(committed_database)
    assert await seconds_until(reader, RED, "green") < 1
    async with committing(committed_database) as session:
        await session.execute(
            text("update academy.school set name = 'Renamed', updated_at = now() where urn = :urn"), {"urn": GREEN}
        )
    began = time.monotonic()
    while (await statuses(reader))[GREEN]["name"] != "Renamed":
        assert time.monotonic() - began < 1
        await asyncio.sleep(0.02)


async def test_who_overrides_a_rating_reads_it_at_once(committed_client: Clients, committed_database: Clone) -> None:
    await prepare(committed_client, committed_database)
    judge = await committed_client("academy", "chief-executive")
    before = await judge.get(STATUSES)
    told = {item["urn"]: item for item in before.json()["items"]}[RED]
    rating = await judge.get(f"/academy/v1/ratings/{told['rating_id']}")
    made = await judge.post(
        f"/academy/v1/ratings/{told['rating_id']}/moderate",
        json={
            "status": "green",
            "reason": "Evidence.",
            "evidence_url": "https://trust.example/x",
            "lapses_on": str((datetime.now(UTC) + timedelta(days=200)).date()),
        },
        headers={"If-Match": rating.headers["ETag"]},
    )
    assert made.status_code == 201, made.text
    after = await judge.get(STATUSES, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert (await statuses(judge))[RED]["status"] == "green"


async def test_changes_since_are_told_with_what_no_longer_matches(
    committed_client: Clients, committed_database: Clone
) -> None:
    await prepare(committed_client, committed_database)
    reader = await committed_client("academy", "status-reader")
    synced = (await reader.get(STATUSES)).json()["synced_to"]
    assert await statuses(reader, updated_since=synced) == {}
    async with committing(committed_database) as session:
        await change_figure(session, RED, 60)
    await rerate(committed_database)
    assert set(await statuses(reader, updated_since=synced, limit=499)) == {RED}
    assert (await statuses(reader, updated_since=synced, status="red"))[RED]["is_removed"] is True
    refused = await reader.get(STATUSES, params={"updated_since": synced, "as_of": synced})
    assert (refused.status_code, refused.json()["code"]) == (422, "as-of-with-updated-since")


async def test_the_worker_rates_what_was_published(committed_client: Clients, committed_database: Clone) -> None:
    async with committing(committed_database) as session:
        await add_rated_trust(session)
        await add_england(session)
    await publish(await committed_client("academy", "chief-executive"))
    url = committed_database.url("academy_app")
    settings = settings_of("academy", url).model_copy(
        update={"loader_database_url": committed_database.url("academy_loader")}
    )
    databases = databases_of(settings)
    try:
        await Worker("academy", ACADEMY.tasks, databases, tenants=trusts_here).drain()
    finally:
        for database in databases.values():
            await database.dispose()
    told = await statuses(await committed_client("academy", "status-reader", subject=str(uuid4())))
    assert told[RED]["status"] == "red"
