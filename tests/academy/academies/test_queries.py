"""What reading the register costs."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

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
