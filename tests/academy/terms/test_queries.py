"""What a caller doesn't see of terms, what counts for an academy, and what a list costs."""

import asyncio

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.academy.rated import committing
from tests.academy.rows import PROSPERE, add_school, add_trust
from tests.academy.terms.making import PATH, body, create, create_all, move
from tests.conftest import Clock
from tests.support.clients import Clients
from tests.support.databases import Clone, Sandbox, counted
from tests.support.tokens import OTHER_TRUST

OURS, THEIRS = 135874, 139148


@pytest.fixture
async def writer(client: Clients, database: Sandbox, clock: Clock) -> httpx.AsyncClient:
    """Somebody who may write all of the trust's."""
    async with database.admin() as session:
        await add_trust(session)
        for urn in (OURS, THEIRS):
            await add_school(session, urn, trust=PROSPERE)
    return await client("academy", "data-manager")


async def on(reader: httpx.AsyncClient, day: str, urn: int | None = None) -> list[tuple[int | None, str]]:
    """Academy and name of the terms that a day lies in."""
    params = {"on": day} if urn is None else {"on": day, "urn": str(urn)}
    listed = await reader.get(PATH, params=params)
    assert listed.status_code == 200, listed.text
    return [(one["urn"], f"{one['academic_year']} {one['term']}") for one in listed.json()["items"]]


async def test_a_grant_for_one_academy_shows_its_own_and_the_trusts(client: Clients, writer: httpx.AsyncClient) -> None:
    trusts, ours, theirs = [await create(writer, urn=urn) for urn in (None, OURS, THEIRS)]
    head = await client("academy", "headteacher", academies=[OURS])
    seen = {one["id"] for one in (await head.get(PATH)).json()["items"]}
    assert seen == {trusts.json()["id"], ours.json()["id"]}
    assert (await head.get(theirs.headers["Location"])).status_code == 404
    hidden = await head.get(PATH, params={"urn": THEIRS})
    assert (hidden.status_code, hidden.json()["code"]) == (404, "academy-not-found")


async def test_another_trust_sees_nothing(client: Clients, writer: httpx.AsyncClient) -> None:
    made = await create(writer)
    other = await client("academy", "chief-executive", trust=OTHER_TRUST)
    assert (await other.get(PATH)).json()["items"] == []
    assert (await other.get(made.headers["Location"])).status_code == 404


async def test_a_day_lies_in_a_term_or_in_the_holidays(writer: httpx.AsyncClient) -> None:
    await create_all(writer)
    days = ["2025-09-02", "2025-09-03", "2025-10-29", "2025-12-19", "2025-12-20", "2026-04-13", "2027-07-21"]
    assert [await on(writer, day) for day in days] == [
        [],
        [(None, "2025/26 autumn")],
        [(None, "2025/26 autumn")],
        [(None, "2025/26 autumn")],
        [],
        [(None, "2025/26 summer")],
        [(None, "2026/27 summer")],
    ]


async def test_own_dates_come_before_the_trusts(writer: httpx.AsyncClient) -> None:
    await create_all(writer)
    own = await create(writer, urn=OURS, ends_on="2025-12-12")
    assert await on(writer, "2025-12-12", OURS) == [(OURS, "2025/26 autumn")]
    assert await on(writer, "2025-12-15", OURS) == []
    assert await on(writer, "2025-12-15", THEIRS) == [(None, "2025/26 autumn")]
    assert await on(writer, "2026-01-05", OURS) == [(None, "2025/26 spring")]
    counting = (await writer.get(PATH, params={"urn": OURS, "academic_year": "2025-26"})).json()["items"]
    assert [(one["urn"], one["term"]) for one in counting] == [(OURS, "autumn"), (None, "spring"), (None, "summer")]
    # An own term that reaches into the trust's next one: a day lies in one term only.
    longer = await create(writer, urn=OURS, term="spring", ends_on="2026-04-14")
    assert await on(writer, "2026-04-14", OURS) == [(OURS, "2025/26 spring")]
    assert await on(writer, "2026-04-15", OURS) == [(None, "2025/26 summer")]
    for one in (own, longer):
        assert (await move(writer, one, "retire")).status_code == 200
    assert await on(writer, "2025-12-15", OURS) == [(None, "2025/26 autumn")]


async def test_a_list_takes_one_query_however_long_it_is(writer: httpx.AsyncClient, database: Sandbox) -> None:
    await create_all(writer)
    with counted(await database.driver(), database.connection) as statements:
        assert len((await writer.get(PATH)).json()["items"]) == 6
    assert len(statements) == 1


async def test_two_who_set_the_same_term_at_once_set_it_once(
    committed_client: Clients, committed_database: Clone, clock: Clock
) -> None:
    async with committing(committed_database) as session:
        await add_trust(session)
    writers = [await committed_client("academy", "data-manager", subject=str(number)) for number in range(4)]
    answers = await asyncio.gather(*(one.post(PATH, json=body()) for one in writers))
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]
    assert {one.json()["code"] for one in answers if one.status_code == 409} == {"terms-clash"}


COLUMNS = (
    "trust_id, version, created_at, created_by, updated_at, updated_by, updated_as, urn, state, academic_year, term,"
    " starts_on, ends_on"
)


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        (
            f"insert into academy.term (id, {COLUMNS}) select gen_random_uuid(), {COLUMNS} from academy.term",
            "term_once",
        ),
        ("update academy.term set ends_on = '2026-09-01'", "term_dates"),
        ("update academy.term set starts_on = '2025-08-31'", "term_dates"),
        ("update academy.term set half_term_ends_on = null", "term_half_term"),
        ("update academy.term set half_term_ends_on = '2025-12-19'", "term_half_term"),
    ],
)
async def test_the_database_keeps_what_must_never_be_false(
    writer: httpx.AsyncClient, database: Sandbox, statement: str, constraint: str
) -> None:
    await create(writer)
    with pytest.raises(IntegrityError, match=constraint):
        async with database.admin() as session:
            await session.execute(text(statement))
