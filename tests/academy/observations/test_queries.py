"""What reading figures costs, and what the tables refuse."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from kit.database.sessions import Context
from tests.academy.rows import PROSPERE, TOLD_AT, add_comparison, add_figure, add_school, add_trust
from tests.support.clients import Clients
from tests.support.databases import Sandbox
from tests.support.tokens import OTHER_TRUST

Count = Callable[[], AbstractContextManager[list[str]]]


async def test_a_list_takes_the_same_few_queries_however_long_it_is(
    client: Clients, database: Sandbox, count_queries: Count
) -> None:
    reader = await client("academy", "trustee")
    async with database.admin() as session:
        await add_trust(session, "16846")
        await add_comparison(session)
    taken = []
    for start in (100_000, 100_005):
        async with database.admin() as session:
            for urn in range(start, start + 5):
                await add_school(session, urn, trust=PROSPERE)
                for group in ("all", "boys", "girls"):
                    await add_figure(session, urn, pupil_group=group)
                    await add_figure(session, urn, pupil_group=group, trust=PROSPERE)
        # The driver asks once for types that it hasn't met.
        assert (await reader.get("/academy/v1/observations")).status_code == 200
        with count_queries() as queries:
            body = (await reader.get("/academy/v1/observations")).json()
        assert len(body["items"]) == (start - 100_000 + 5) * 6
        taken.append(len(queries))
    # The watermark, the members, the figures, their schools and what to compare with.
    assert taken == [5, 5]


async def test_a_statement_without_a_where_shows_no_other_trusts_figures(database: Sandbox) -> None:
    async with database.admin() as session:
        await add_figure(session, 100_000, trust=PROSPERE, value=1)
        await add_figure(session, 100_001, trust=PROSPERE, value=2)
        await add_figure(session, 100_000, trust=OTHER_TRUST, value=3)
    everything = text("select value from academy.observation order by value")
    expected = {
        Context(PROSPERE, None, "test"): [1, 2],
        Context(PROSPERE, frozenset({100_001}), "test"): [2],
        Context(PROSPERE, frozenset(), "test"): [],
        Context(OTHER_TRUST, None, "test"): [3],
    }
    for context, values in expected.items():
        async with database.of("academy").session(context) as session:
            assert list((await session.execute(everything)).scalars()) == values


@pytest.mark.parametrize(
    "values",
    [
        {"value": None, "reason": None},
        {"value": 1, "reason": "suppressed"},
        {"lower": 2, "upper": 1},
        {"cohort": -1},
        {"release": "draft"},
    ],
)
async def test_the_tables_refuse_what_is_never_true(database: Sandbox, values: dict[str, object]) -> None:
    for trust in (None, PROSPERE):
        with pytest.raises(IntegrityError):
            async with database.admin() as session:
                await add_figure(session, 100_000, trust=trust, **values)


async def test_a_key_has_one_current_figure_a_release(database: Sandbox) -> None:
    for trust in (None, PROSPERE):
        async with database.admin() as session:
            await add_figure(session, 100_000, trust=trust, superseded_at=TOLD_AT)
            await add_figure(session, 100_000, trust=trust)
            await add_figure(session, 100_000, trust=trust, release="provisional")
        with pytest.raises(IntegrityError):
            async with database.admin() as session:
                await add_figure(session, 100_000, trust=trust, value=2)
