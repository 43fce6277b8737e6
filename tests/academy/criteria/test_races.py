"""Two who publish at the same moment: one wins, the other is told so."""

import asyncio

from tests.academy.rated import SETS, criteria_set, publish
from tests.support.clients import Clients
from tests.support.databases import Clone


async def test_of_two_sets_published_at_once_one_rates(
    committed_client: Clients,
    committed_database: Clone,
) -> None:
    author = await committed_client("academy", "chief-executive")
    await publish(author)
    for _ in range(5):
        drafts = [await author.post(SETS, json=criteria_set()) for _ in range(3)]
        answers = await asyncio.gather(
            *(
                author.post(draft.headers["Location"] + "/publish", headers={"If-Match": draft.headers["ETag"]})
                for draft in drafts
            )
        )
        codes = {answer.status_code for answer in answers}
        assert codes <= {200, 409}, [answer.text for answer in answers]
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {
            "criteria-published-meanwhile"
        }
        published = (await author.get(SETS, params={"state": "published"})).json()["items"]
        assert len(published) == 1


async def test_drafts_made_at_once_have_numbers_of_their_own(committed_client: Clients) -> None:
    author = await committed_client("academy", "data-manager")
    made = await asyncio.gather(*(author.post(SETS, json=criteria_set()) for _ in range(6)))
    assert sorted(one.json()["version"] for one in made) == [1, 2, 3, 4, 5, 6]
