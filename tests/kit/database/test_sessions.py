"""Transactions under a caller's context: set first, gone with them, never another's."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from kit.database.outages import DatabaseUnavailable
from kit.database.sessions import Context, Database, Timeouts, after_commit, service_database, set_context
from kit.web.app import create_service
from kit.web.sessions import SessionDep
from tests.support.clients import settings_of
from tests.support.databases import Clone
from tests.support.tokens import OTHER_TRUST, PROSPERE, issue_token, trusted_keys

ALL = Context(PROSPERE, None, "person:ceo")
OTHER = Context(OTHER_TRUST, None, "person:other")

KEYS = "select count(*) from idempotency_key"
ADD = (
    "insert into idempotency_key (trust_id, client, route, key, fingerprint, expires_at)"
    " values ($1, 'c', 'r', $2, '\\x00', now())"
)


@pytest.fixture
def database(committed_database: Clone) -> Database:
    """What academy sees of a database of this test's own."""
    return committed_database.of("academy", pool_size=4)


@pytest_asyncio.fixture
async def small(committed_database: Clone) -> AsyncIterator[Database]:
    """The same through a single connection."""
    found = committed_database.new("academy", pool_size=1)
    yield found
    await found.dispose()


async def add(database: Database, context: Context, key: str) -> None:
    """One row of a trust."""
    async with database.connection(context) as connection:
        await connection.execute(ADD, context.tenant_id, key)


async def count(database: Database, context: Context) -> int:
    """How many rows a caller sees without saying whose."""
    async with database.connection(context) as connection:
        found: int = await connection.fetchval(KEYS)
    return found


async def test_a_trust_sees_its_own_rows_only(database: Database) -> None:
    await add(database, ALL, "one")
    await add(database, OTHER, "one")
    await add(database, OTHER, "two")
    assert (await count(database, ALL), await count(database, OTHER)) == (1, 2)


async def test_nobody_writes_a_row_of_another_trust(database: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with database.connection(ALL) as connection:
            await connection.execute(ADD, OTHER_TRUST, "smuggled")


async def test_without_a_context_nothing_is_seen_and_nothing_written(database: Database) -> None:
    await add(database, ALL, "one")
    connection = await database.connect()
    try:
        assert await connection.fetchval(KEYS) == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(ADD, PROSPERE, "nobody's")
    finally:
        await connection.close()


async def test_the_context_ends_with_its_transaction(small: Database) -> None:
    await add(small, ALL, "one")
    async with small.session(ALL) as session:
        assert (await session.execute(text(KEYS))).scalar_one() == 1
    async with small.engine.connect() as pooled:
        found = (await pooled.execute(text("select current_setting('app.trust_id', true)"))).scalar_one()
        assert not found
        assert (await pooled.execute(text(KEYS))).scalar_one() == 0


async def test_the_context_ends_with_a_failed_transaction(small: Database) -> None:
    await add(small, ALL, "one")
    with pytest.raises(DBAPIError):
        async with small.session(ALL) as session:
            await session.execute(text("select 1 / 0"))
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with small.connection(ALL) as connection:
            await connection.execute("select 1 / 0")
    assert await count(small, OTHER) == 0


async def test_a_cancelled_request_leaves_no_transaction_behind(small: Database) -> None:
    async def work() -> None:
        async with small.connection(ALL) as connection:
            await connection.execute(ADD, PROSPERE, "cancelled")
            await connection.execute("select pg_sleep(10)")

    task = asyncio.create_task(work())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await count(small, ALL) == 0
    assert await count(small, OTHER) == 0


async def test_requests_cancelled_at_any_moment_leave_nothing_behind(committed_database: Clone) -> None:
    """Among them those whose BEGIN was on its way: nobody may find himself in their transaction."""
    database = committed_database.new("academy", pool_size=2)
    chance = random.Random(7)
    contexts = [Context(uuid4(), None, "x") for _ in range(5)]

    async def work(number: int, context: Context) -> None:
        if number % 2:
            async with database.connection(context) as connection:
                await connection.execute(ADD, context.tenant_id, str(number))
        else:
            async with database.session(context) as session:
                seen = await session.execute(text("select current_setting('app.trust_id')"))
                assert seen.scalar_one() == str(context.tenant_id)

    try:
        for number in range(200):
            task = asyncio.create_task(work(number, chance.choice(contexts)))
            await asyncio.sleep(chance.random() * 0.008)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            one = chance.choice(contexts)
            async with database.connection(one) as connection:
                found = await connection.fetch("select distinct trust_id from idempotency_key")
                assert {row["trust_id"] for row in found} <= {one.tenant_id}
    finally:
        await database.dispose()


async def test_three_thousand_transactions_of_random_trusts_leak_nothing(database: Database) -> None:
    """Over four connections, by driver and by session, a fifth of them aborted, none waiting for another."""
    chance = random.Random(20251101)
    trusts = [uuid4() for _ in range(20)]
    written: Counter[UUID] = Counter()
    leaks: list[str] = []

    async def by_driver(context: Context, key: str, *, abort: bool) -> None:
        async with database.connection(context) as connection:
            await connection.execute(ADD, context.tenant_id, key)
            seen = await connection.fetch("select distinct trust_id from idempotency_key")
            leaks.extend(key for row in seen if row["trust_id"] != context.tenant_id)
            if abort:
                raise KeyError(key)

    async def by_session(context: Context, key: str, *, abort: bool) -> None:
        async with database.session(context) as session:
            seen = await session.execute(text("select distinct trust_id from idempotency_key"))
            leaks.extend(key for row in seen if row.trust_id != context.tenant_id)
            if abort:
                # An aborted transaction and a connection that was thrown away are both in the storm.
                await session.execute(text("select 1 / 0"))

    async def one(number: int) -> None:
        trust = chance.choice(trusts)
        context = Context(trust, None, f"person:{number}")
        abort = chance.random() < 0.2
        try:
            if number % 4:
                await by_driver(context, str(number), abort=abort)
                written[trust] += 1
            else:
                await by_session(context, str(number), abort=abort)
        except (KeyError, DBAPIError):
            assert abort

    numbers = iter(range(3_000))

    async def worker() -> None:
        for number in numbers:
            await one(number)

    await asyncio.gather(*(worker() for _ in range(16)))
    assert leaks == []
    for trust in trusts:
        assert await count(database, Context(trust, None, "check")) == written[trust]


async def test_a_subject_is_never_sql(database: Database) -> None:
    odd = Context(PROSPERE, None, "x'; drop table event; --\\")
    async with database.connection(odd) as connection:
        assert await connection.fetchval("select current_setting('app.subject')") == odd.subject
    async with database.session(odd) as session:
        assert (await session.execute(text("select current_setting('app.subject')"))).scalar_one() == odd.subject
    with pytest.raises(ValueError, match="NUL"):
        async with database.connection(Context(PROSPERE, None, "a\x00b")):
            pass


@pytest.mark.parametrize(("academies", "setting"), [(None, "*"), (frozenset(), ""), (frozenset({3, 1, 2}), "1,2,3")])
def test_academies_are_a_star_or_a_list(academies: frozenset[int] | None, setting: str) -> None:
    assert Context(PROSPERE, academies, "x").academies_setting == setting


async def test_a_transaction_knows_the_projects_of_its_caller(database: Database) -> None:
    one, two = UUID(int=1), UUID(int=2)
    setting = "select current_setting('app.projects')"
    async with database.connection(Context(PROSPERE, None, "x", frozenset({two, one}))) as connection:
        assert await connection.fetchval(setting) == f"{one},{two}"
    async with database.session(Context(PROSPERE, None, "x")) as session:
        assert (await session.execute(text(setting))).scalar_one() == ""


async def test_a_sharded_database_is_told_to_pass_the_context_on(committed_database: Clone) -> None:
    sharded = Database(committed_database.url("academy_app"), application_name="academy", propagate_context=True)
    switch = "select current_setting('citus.propagate_set_commands', true) || current_setting('app.trust_id')"
    try:
        async with sharded.connection(ALL) as connection:
            assert await connection.fetchval(switch) == f"local{PROSPERE}"
        async with sharded.session(ALL) as session:
            assert (await session.execute(text(switch))).scalar_one() == f"local{PROSPERE}"
        async with sharded.engine.connect() as pooled:
            assert not (await pooled.execute(text("select current_setting('app.trust_id', true)"))).scalar_one()
    finally:
        await sharded.dispose()


async def test_behind_a_transaction_pooler_statements_have_names_of_their_own(committed_database: Clone) -> None:
    pooled = Database(committed_database.url("academy_app"), application_name="academy", statement_cache_size=0)
    try:
        for _ in range(3):
            async with pooled.session(ALL) as session:
                assert (await session.execute(text("select :n + 1"), {"n": 1})).scalar_one() == 2
            # The role's own time limits count there.
            async with pooled.connection(ALL) as connection:
                assert await connection.fetchval("show transaction_timeout") == "1min"
                assert await connection.fetchval("select count(*) from pg_prepared_statements") == 0
    finally:
        await pooled.dispose()


async def test_settings_say_what_stands_before_the_database(committed_database: Clone) -> None:
    settings = settings_of("academy", committed_database.url("academy_app"))
    changed = settings.model_copy(update={"database_behind_pooler": True, "database_is_sharded": True})
    database = service_database(changed, changed.database_url, application_name="academy-test")
    try:
        async with database.connection(ALL) as connection:
            assert await connection.fetchval("select current_setting('citus.propagate_set_commands')") == "local"
            assert await connection.fetchval("show transaction_timeout") == "1min"
        # Nobody hears through a pooler: who waits looks by itself.
        with database.wakeups.waiting("a") as waiter:
            assert not await waiter.wait(0.1)
            assert not waiter.hears
    finally:
        await database.dispose()


async def test_the_first_host_that_takes_writes_is_taken(committed_database: Clone) -> None:
    url = committed_database.url("academy_app")
    several = url.replace("host=", "host=/nowhere,") + "&target_session_attrs=read-write&connect_timeout=3"
    database = Database(several, application_name="academy")
    try:
        assert await count(database, ALL) == 0
        await database.ping()
    finally:
        await database.dispose()


async def test_callbacks_run_after_the_commit_and_only_then(database: Database) -> None:
    told: list[int] = []
    async with database.session(ALL) as session:
        after_commit(session, lambda: told.append(1))
        assert told == []
    assert told == [1]


async def test_callbacks_of_a_failed_transaction_never_run(database: Database) -> None:
    told: list[int] = []

    async def fail() -> None:
        async with database.session(ALL) as session:
            after_commit(session, lambda: told.append(2))
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert told == []


async def test_a_connection_that_was_cut_is_replaced_without_anybody_noticing(
    small: Database, committed_database: Clone
) -> None:
    assert await count(small, ALL) == 0
    for use in (small.session, small.connection):
        async with committed_database.admin() as admin:
            await admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        async with use(ALL):
            pass
    assert await count(small, ALL) == 0


async def test_a_transaction_that_is_cut_off_is_a_503(small: Database, committed_database: Clone) -> None:
    async def be_cut_off() -> None:
        async with small.session(ALL) as session:
            pid = (await session.execute(text("select pg_backend_pid()"))).scalar_one()
            async with committed_database.admin() as admin:
                await admin.execute("select pg_terminate_backend($1)", pid)
            await session.execute(text("select 1"))

    with pytest.raises(DatabaseUnavailable) as caught:
        await be_cut_off()
    assert caught.value.headers["Retry-After"]
    assert await count(small, ALL) == 0


async def test_what_takes_too_long_is_a_503(committed_database: Clone) -> None:
    hurried = committed_database.new("academy", timeouts=Timeouts(statement_ms=50))
    try:
        with pytest.raises(DatabaseUnavailable):
            async with hurried.session(ALL) as session:
                await session.execute(text("select pg_sleep(2)"))
        with pytest.raises(DatabaseUnavailable):
            async with hurried.connection(ALL) as connection:
                await connection.execute("select pg_sleep(2)")
    finally:
        await hurried.dispose()


async def test_an_own_mistake_is_no_outage(database: Database) -> None:
    with pytest.raises(DBAPIError, match="does not exist"):
        async with database.session(ALL) as session:
            await session.execute(text("select * from nothing"))


async def test_the_context_can_be_changed_inside_a_transaction(database: Database) -> None:
    """A worker goes from trust to trust in one transaction."""
    await add(database, ALL, "one")
    async with database.session(OTHER) as session:
        assert (await session.execute(text(KEYS))).scalar_one() == 0
        await set_context(session, ALL)
        assert (await session.execute(text(KEYS))).scalar_one() == 1


async def test_a_commit_that_fails_is_never_answered_with_200(committed_database: Clone) -> None:
    async with committed_database.admin() as admin:
        await admin.execute(
            "create table academy.late (n int unique deferrable initially deferred);"
            "grant select, insert on academy.late to academy_app"
        )
    router = APIRouter()

    @router.post("/late", operation_id="late_add")
    async def late(session: SessionDep, number: int) -> dict[str, bool]:
        """Store two numbers."""
        await session.execute(text("insert into academy.late values (:n), (:m)"), {"n": 1, "m": number})
        return {"stored": True}

    app = create_service(
        settings_of("academy", committed_database.url("academy_app")),
        title="Late",
        description="A constraint that is checked at the commit.",
        routers=[router],
        keys=trusted_keys(),
    )
    app.state.tools.database = committed_database.of("academy")
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": f"Bearer {issue_token()}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        with pytest.raises(IntegrityError):
            await client.post("/academy/v1/late?number=1")
        assert (await client.post("/academy/v1/late?number=2")).json() == {"stored": True}
