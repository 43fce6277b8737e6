"""Several publish at the same moment: exactly one wins, the others get 409."""

import asyncio
from functools import partial
from typing import Any

import httpx

from kit.database.sessions import Connection
from tests.academy.rated import SETS, criteria_set, publish
from tests.support.clients import Clients
from tests.support.databases import Clone
from tests.support.jobs import until

WAITING = (
    "select count(*) from pg_stat_activity where datname = current_database()"
    " and wait_event_type = 'Lock' and query ilike '%academy.criteria_set%'"
)


async def all_wait(connection: Connection, number: int) -> bool:
    waiting: int = await connection.fetchval(WAITING)
    return waiting == number


async def test_of_three_sets_published_at_once_one_rates(committed_client: Clients, committed_database: Clone) -> None:
    author = await committed_client("academy", "chief-executive")
    await publish(author)
    drafts = [await author.post(SETS, json=criteria_set()) for _ in range(3)]

    # Each with a token of their own: one token has fewer turns at once.
    async def publish_draft(draft: httpx.Response) -> httpx.Response:
        other = await committed_client("academy", "chief-executive")
        return await other.post(draft.headers["Location"] + "/publish", headers={"If-Match": draft.headers["ETag"]})

    async with committed_database.admin() as watcher, committed_database.admin() as holder:
        # While the set before is held, each has checked its draft and waits to retire that set.
        async with holder.transaction():
            await holder.execute("select from academy.criteria_set where state = 'published' for update")
            publishing = [asyncio.create_task(publish_draft(draft)) for draft in drafts]
            await until(partial(all_wait, watcher, len(drafts)))
        answers = await asyncio.gather(*publishing)

    won = [answer for answer in answers if answer.status_code == 200]
    lost: list[Any] = [(answer.status_code, answer.json()["code"]) for answer in answers if answer.status_code != 200]
    assert len(won) == 1
    assert lost == [(409, "criteria-published-meanwhile")] * 2
    published = (await author.get(SETS, params={"state": "published"})).json()["items"]
    assert [one["id"] for one in published] == [won[0].json()["id"]]


async def test_drafts_made_at_once_have_numbers_of_their_own(committed_client: Clients) -> None:
    author = await committed_client("academy", "data-manager")
    made = await asyncio.gather(*(author.post(SETS, json=criteria_set()) for _ in range(6)))
    assert sorted(one.json()["version"] for one in made) == [1, 2, 3, 4, 5, 6]
