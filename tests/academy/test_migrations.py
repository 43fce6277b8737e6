"""Migrations that change rows: on an installation that has some."""

from collections.abc import AsyncIterator
from datetime import date

import pytest_asyncio

from academy.definition import ACADEMY
from kit.ids import tenant_id
from kit.schema.migrations import create_roles, migrate_sync
from tests.support.cluster import Cluster
from tests.support.databases import Clone, new_name

ONE, OTHER = (tenant_id(f"gias-group:{number}") for number in (101, 102))


@pytest_asyncio.fixture
async def empty(cluster: Cluster) -> AsyncIterator[Clone]:
    """A database with nothing in it."""
    name = new_name("empty")
    await cluster.create(name, "template0")
    yield Clone(cluster, name)
    await cluster.drop(name)


async def test_days_of_leaving_that_followed_from_joining_are_not_taken_for_stated_ones(empty: Clone) -> None:
    await create_roles(empty.admin_url, [ACADEMY.chain.schema])
    migrate_sync(empty.admin_url, [ACADEMY.chain], revision="0007_limit_imports_to_academies")
    async with empty.admin() as admin:
        await admin.execute("set search_path = academy")
        for trust, number in ((ONE, "101"), (OTHER, "102")):
            await admin.execute(
                "insert into trust_register (id, group_uid, name, kind, status, updated_at)"
                " values ($1, $2, $2, 'multi_academy_trust', 'open', now())",
                trust,
                number,
            )
        moved, stated = date(2026, 12, 1), date(2020, 8, 31)
        for urn, trust, left_on in ((1, ONE, moved), (2, ONE, stated), (3, ONE, None)):
            await admin.execute(
                "insert into membership (urn, register_id, joined_on, left_on, recorded_at)"
                " values ($1, $2, '2018-09-01', $3, now())",
                urn,
                trust,
                left_on,
            )
        for urn, joined_on in ((1, moved), (2, date(2021, 1, 1))):
            await admin.execute(
                "insert into membership (urn, register_id, joined_on, recorded_at) values ($1, $2, $3, now())",
                urn,
                OTHER,
                joined_on,
            )
        for at, task in (
            ("2090-01-01", "ratings.rerate"),
            (None, "ratings.rerate"),
            ("2090-01-01", "moderations.lapse"),
        ):
            await admin.execute(
                "insert into procrastinate_jobs (queue_name, task_name, lock, args, scheduled_at)"
                " values ('default', $1, 'a lock', '{}', $2::text::timestamptz)",
                f"academy.{task}",
                at,
            )
    migrate_sync(empty.admin_url, [ACADEMY.chain], revision="0008_keep_stated_days_of_leaving")
    async with empty.admin() as admin:
        await admin.execute("set search_path = academy")
        rows = await admin.fetch("select urn, stated_left_on from membership where register_id = $1 order by urn", ONE)
        assert [tuple(row) for row in rows] == [(1, None), (2, stated), (3, None)]
        # What waits for a day to come holds nothing up any more.
        assert [row["lock"] for row in await admin.fetch("select lock from procrastinate_jobs order by id")] == [
            None,
            "a lock",
            "a lock",
        ]
