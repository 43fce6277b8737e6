"""Rows of another trust don't exist, whatever a statement says; proven as the app's own role."""

import asyncio
import random
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from gateway.identity.anonymous import NOBODY, under
from kit import clock
from kit.database.sessions import Context, Database
from kit.ids import PLATFORM
from tests.gateway.identity.desk import SECOND_TRUST
from tests.support.databases import Clone
from tests.support.tokens import PROSPERE

TRUSTS = (PROSPERE, SECOND_TRUST, PLATFORM)
TABLES = ("client", "client_secret", "person", "role_grant", "event", "idempotency_key")


async def fill(clone: Clone) -> None:
    """A client with a secret, a person and a grant of each, in every trust."""
    async with clone.admin() as connection:
        for trust in TRUSTS:
            client, person = uuid4(), uuid4()
            values = (trust, client, clock.now())
            await connection.execute(
                "insert into identity.client values ($1, $2, 'MIS', 'confidential', true, $3, 'x', $3, null, 1)",
                *values,
            )
            await connection.execute(
                "insert into identity.client_secret values ($1, $2, 'hint', 'hash', $3, null, null)", *values
            )
            await connection.execute(
                "insert into identity.person values"
                " ($1, $2, null, 'a@example.org', null, null, true, $3, 'x', $3, null, 1)",
                trust,
                person,
                clock.now(),
            )
            await connection.execute(
                "insert into identity.role_grant values"
                " ($1, $2, 'auditor', null, $3, 'trust', null, null, '2025-09-01', null, $4, 'x', null, null, 1)",
                trust,
                uuid4(),
                client,
                clock.now(),
            )


async def trusts_in(database: Database, trust: UUID, table: str) -> set[UUID]:
    """Whose rows a statement without any `where` shows."""
    async with database.session(Context(trust, None, "tests")) as session:
        return set((await session.execute(text(f"select trust_id from identity.{table}"))).scalars())


async def test_a_statement_without_where_shows_one_trust(committed_database: Clone) -> None:
    await fill(committed_database)
    database = committed_database.of("identity")
    for table in TABLES:
        for trust in TRUSTS:
            assert await trusts_in(database, trust, table) <= {trust}
    assert await trusts_in(database, PROSPERE, "client") == {PROSPERE}
    async with database.engine.connect() as connection:
        for table in TABLES:
            assert (await connection.execute(text(f"select count(*) from identity.{table}"))).scalar() == 0


@pytest.mark.parametrize(
    "statement",
    [
        """insert into identity.client select :other, gen_random_uuid(), 'X', kind, is_active, created_at, created_by,
               updated_at, deleted_at, version from identity.client""",
        "update identity.client set trust_id = :other",
        "update identity.person set trust_id = :other",
        """insert into identity.client_secret select :other, client_id, 'h2', hash, created_at, null, null
               from identity.client_secret""",
    ],
)
async def test_nothing_is_written_for_another_trust(committed_database: Clone, statement: str) -> None:
    await fill(committed_database)
    with pytest.raises(DBAPIError):
        async with committed_database.of("identity").session(Context(PROSPERE, None, "tests")) as session:
            await session.execute(text(statement), {"other": SECOND_TRUST})


@pytest.mark.parametrize(
    "statement",
    [
        "update identity.role_grant set role = 'trust-admin'",
        "update identity.role_grant set academies = null, extent = 'trust'",
        "update identity.role_grant set ends_on = null",
        "delete from identity.role_grant",
        "delete from identity.client",
        "delete from identity.person",
        "delete from identity.tenant",
        "delete from identity.event",
        "update identity.sign_in set person_id = person_id",
    ],
)
async def test_what_was_granted_and_told_is_never_altered(committed_database: Clone, statement: str) -> None:
    await fill(committed_database)
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with committed_database.of("identity").session(Context(PROSPERE, None, "tests")) as session:
            await session.execute(text(statement))


async def test_what_was_announced_changes_only_where_a_person_is_erased(committed_database: Clone) -> None:
    async with committed_database.admin() as connection:
        await connection.execute(
            "insert into identity.event (trust_id, id, type, subject, occurred_at, data)"
            " values ($1, $2, 'x', 'x', now(), '{}')",
            PROSPERE,
            uuid4(),
        )
    statement = text("update identity.event set data = jsonb_build_object('changed', true)")
    with pytest.raises(DBAPIError, match="a history changes only where a person is erased"):
        async with committed_database.of("identity").session(Context(PROSPERE, None, "tests")) as session:
            await session.execute(statement)


async def test_others_see_nothing_of_identity(committed_database: Clone) -> None:
    for role in ("academy_app", "academy_loader", "research_app", "reporting_app", "identity_follower"):
        connection = await asyncpg.connect(committed_database.url(role))
        try:
            for table in (*TABLES[:4], "tenant", "signing_key", "sign_in", "failed_attempt"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.fetch(f"select 1 from identity.{table}")
        finally:
            await connection.close()


async def test_one_trust_at_a_time_within_a_transaction_also_after_errors(committed_database: Clone) -> None:
    await fill(committed_database)
    database = committed_database.of("identity")
    seen = text("select trust_id from identity.client")
    async with database.session(NOBODY) as session:
        async with under(session, PROSPERE):
            assert set((await session.execute(seen)).scalars()) == {PROSPERE}
            async with under(session, SECOND_TRUST):
                assert set((await session.execute(seen)).scalars()) == {SECOND_TRUST}
            assert set((await session.execute(seen)).scalars()) == {PROSPERE}
        assert set((await session.execute(seen)).scalars()) == {PLATFORM}
        with pytest.raises(LookupError):
            async with under(session, PROSPERE):
                raise LookupError
        assert set((await session.execute(seen)).scalars()) == {PLATFORM}


async def test_a_storm_over_few_connections_mixes_nothing_up(committed_database: Clone) -> None:
    await fill(committed_database)
    database = committed_database.new("identity", pool_size=3)
    chance = random.Random(7)

    async def one(trust: UUID, other: UUID, *, aborts: bool) -> None:
        try:
            async with database.session(NOBODY) as session, under(session, trust):
                rows = set((await session.execute(text("select trust_id from identity.client"))).scalars())
                assert rows == {trust}
                async with under(session, other):
                    rows = set((await session.execute(text("select trust_id from identity.person"))).scalars())
                    assert rows == {other}
                if aborts:
                    await session.execute(text("select 1 / 0"))
        except DBAPIError:
            assert aborts

    try:
        await asyncio.gather(
            *(one(chance.choice(TRUSTS), chance.choice(TRUSTS), aborts=chance.random() < 0.2) for _ in range(300))
        )
    finally:
        await database.dispose()
