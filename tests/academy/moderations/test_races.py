"""Two who override the same academy at once, and an override that lapses while another takes its place."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from academy.moderations.service import lapse
from kit.database.sessions import Context
from kit.ids import uuid7
from tests.academy.moderations.test_routes import moderate, override, rating_of
from tests.academy.rated import RED, add_england, add_rated_trust, committing, publish, rerate
from tests.academy.rows import PROSPERE
from tests.conftest import Clock
from tests.support.clients import Clients
from tests.support.databases import Clone

END = "update academy.moderation set ended_at = now(), ended_how = 'replaced' where id = $1"
REPLACE = """
    insert into academy.moderation
        (trust_id, id, urn, rating_id, status, step, computed_status, reason, evidence_url, lapses_on, made_at, made_by)
    select trust_id, $2, urn, rating_id, 'green', step, computed_status, reason, evidence_url, '2026-01-31', now(), 'x'
    from academy.moderation where id = $1
"""
WAITING = "select exists (select from pg_locks where not granted)"


async def until_somebody_waits(database: Clone) -> None:
    """Until a transaction of this database waits for another."""
    async with database.admin() as watcher, asyncio.timeout(10):
        while not await watcher.fetchval(WAITING):  # noqa: ASYNC110 - Postgres tells nobody
            await asyncio.sleep(0.02)


async def test_what_takes_the_place_of_a_lapsing_override_stays(
    committed_client: Clients, committed_database: Clone, clock: Clock
) -> None:
    async with committing(committed_database) as session:
        await add_rated_trust(session)
        await add_england(session)
    judge = await committed_client("academy", "chief-executive")
    await publish(judge)
    await rerate(committed_database)
    old = UUID((await moderate(judge, lapses_on="2025-10-31")).json()["id"])
    new = uuid7()
    clock.set(datetime(2025, 11, 1, 9, tzinfo=UTC))

    async def lapsing() -> bool:
        async with committed_database.of("academy").session(Context(PROSPERE, None, "test")) as session:
            return await lapse(session, PROSPERE, old)

    async with committed_database.admin() as other:
        async with other.transaction():
            await other.execute("select from academy.rag_status where urn = $1 for update", RED)
            task = asyncio.create_task(lapsing())
            await until_somebody_waits(committed_database)
            # The job has read the old one, and waits for the academy.
            await other.execute(END, old)
            await other.execute(REPLACE, old, new)
            await other.execute("update academy.rag_status set moderation_id = $2 where urn = $1", RED, new)
        assert await task is False
        states = await other.fetch("select id, ended_how from academy.moderation order by made_at")
        assert {row["id"]: row["ended_how"] for row in states} == {old: "replaced", new: None}
        assert await other.fetchval("select moderation_id from academy.rag_status where urn = $1", RED) == new


@pytest.mark.usefixtures("clock")
async def test_of_two_who_override_at_once_one_is_told_to_read_again(
    committed_client: Clients, committed_database: Clone
) -> None:
    async with committing(committed_database) as session:
        await add_rated_trust(session)
        await add_england(session)
    judge = await committed_client("academy", "chief-executive")
    await publish(judge)
    await rerate(committed_database)
    for _ in range(5):
        rating = await rating_of(judge, RED)
        where, tag = f"/academy/v1/ratings/{rating.json()['id']}/moderate", {"If-Match": rating.headers["ETag"]}
        answers = await asyncio.gather(*(judge.post(where, json=override(), headers=tag) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [201, 412, 412], [one.text for one in answers]


@pytest.mark.usefixtures("clock")
async def test_a_repeated_override_gets_the_same_answer_which_lies_encrypted_meanwhile(
    committed_client: Clients, committed_database: Clone
) -> None:
    async with committing(committed_database) as session:
        await add_rated_trust(session)
        await add_england(session)
    judge = await committed_client("academy", "chief-executive")
    await publish(judge)
    await rerate(committed_database)
    rating = await rating_of(judge, RED)
    path = f"/academy/v1/ratings/{rating.json()['id']}/moderate"
    body, headers = override(), {"If-Match": rating.headers["etag"], "Idempotency-Key": "once"}
    first, again = [await judge.post(path, json=body, headers=headers) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert body["reason"] in first.text
    async with committed_database.admin() as connection:
        kept = await connection.fetchval("select body from academy.idempotency_key")
    assert body["reason"].encode() not in kept
