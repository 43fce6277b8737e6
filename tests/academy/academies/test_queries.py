"""What reading the register costs."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

from sqlalchemy import text
from sqlmodel import col

from academy.academies.queries import academies
from academy.academies.schemas import AcademyListParams
from academy.academies.tables import School
from academy.trusts.queries import trusts_like
from academy.trusts.schemas import TrustListParams
from kit.database.sessions import Context
from kit.resources.paging import AnySelect
from tests.academy.rows import PROSPERE, add, add_inspection, add_school, add_trust
from tests.support.clients import Clients
from tests.support.databases import Sandbox

Count = Callable[[], AbstractContextManager[list[str]]]


async def test_a_list_takes_the_same_few_queries_however_long_it_is(
    client: Clients, database: Sandbox, count_queries: Count
) -> None:
    reader = await client("academy", "trustee")
    taken = []
    for start in (100_000, 100_010):
        async with database.admin() as session:
            if start == 100_000:
                await add_trust(session, "16846")
            for urn in range(start, start + 10):
                await add_school(session, urn, trust=PROSPERE)
                await add_inspection(session, urn, date(2019, 1, 1))
        with count_queries() as queries:
            body = (await reader.get("/academy/v1/academies")).json()
        assert len(body["items"]) == start - 100_000 + 10
        taken.append(len(queries))
    # The watermark and the list.
    assert taken == [2, 2]


ENGLAND = text(
    """
    insert into academy.school (urn, name, ukprn, laestab, postcode, status, is_registered, updated_at)
    select n, 'St Mary''s ' || initcap(translate(n::text, '0123456789', 'bcdfghjklm')) || ' Primary School',
        10000000 + n, 8500000 + n % 10000, 'M' || n % 90 + 1 || ' ' || n % 9 + 1 || 'PF', 'open', true, now()
    from generate_series(100001, 124000) n
    """
)


async def plan_of(database: Sandbox, statement: AnySelect) -> str:
    """How Postgres finds it, asked by the service's own role."""
    async with database.of("academy").session(Context(PROSPERE, None, "person:reader")) as session:
        connection = await session.connection()
        sql = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        return "\n".join((await connection.exec_driver_sql(f"explain {sql}")).scalars())


async def test_a_search_among_all_schools_of_england_reads_an_index(client: Clients, database: Sandbox) -> None:
    """24,000 schools: what is rare is found without reading the others, as the service's own role."""
    reader = await client("academy", "trustee")
    async with database.admin() as session:
        await session.execute(ENGLAND)
        await add_school(session, 136105, name="Chorlton-cum-Hardy High", postcode="M21 7SL", ukprn="10033333")
        await session.execute(text("analyze academy.school"))
    for q in ("chorlton", "hardy chorl", "orlton", "m217sl", "M21 7SL", "136105", "10033333", "high m21"):
        found = (await reader.get("/academy/v1/academies", params={"q": q, "trust": "any"})).json()
        assert [one["urn"] for one in found["items"]] == [136105], q
        statement = academies(AcademyListParams(q=q), None, date(2025, 10, 1))
        listed = statement.order_by(col(School.name), col(School.urn)).limit(51)
        plan = await plan_of(database, listed)
        assert "Bitmap Index Scan on school_search_idx" in plan, f"{q}: {plan}"
        assert "Seq Scan on school" not in plan, f"{q}: {plan}"


async def test_trusts_are_searched_by_an_index(client: Clients, database: Sandbox) -> None:
    async with database.admin() as session:
        await session.execute(
            text(
                "insert into academy.trust_register (id, group_uid, name, kind, status, updated_at)"
                " select gen_random_uuid(), n::text, 'Trust ' || n, 'multi_academy_trust', 'open', now()"
                " from generate_series(20000, 26000) n"
            )
        )
        await add_trust(session, "16846", name="Prospere Learning Trust")
        await session.execute(text("analyze academy.trust_register"))
    plan = await plan_of(database, trusts_like(TrustListParams(q="learn prosp"), date(2025, 10, 1)))
    assert "Bitmap Index Scan on trust_register_search_idx" in plan, plan


async def test_one_academy_takes_four_queries(client: Clients, database: Sandbox, count_queries: Count) -> None:
    reader = await client("academy", "trustee")
    async with database.admin() as session:
        await add_trust(session, "16846")
        await add_school(session, 100_000, trust=PROSPERE)
        for urn in (100_001, 100_002):
            await add(session, "school_link", {"urn": urn, "linked_urn": 100_000, "link_type": "successor"})
    with count_queries() as queries:
        assert (await reader.get("/academy/v1/academies/100000")).status_code == 200
    assert len(queries) == 4
