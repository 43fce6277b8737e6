"""Rating a trust anew: what makes a new rating, and what doesn't."""

from sqlalchemy import text

from tests.academy.rated import AMBER, GREEN, RED, SPECIAL, add_england, add_rated_trust, publish, rerate, statuses
from tests.academy.rows import PROSPERE, add_comparison, add_figure, add_membership, add_school
from tests.support.clients import Clients
from tests.support.databases import Sandbox


async def test_publishing_rates_every_academy_of_the_phase(client: Clients, database: Sandbox) -> None:
    async with database.admin() as session:
        await add_rated_trust(session)
        await add_england(session)
    await publish(await client("academy", "chief-executive"))
    assert await rerate(database) == 3
    reader = await client("academy", "status-reader")
    told = await statuses(reader)
    assert {urn: one["status"] for urn, one in told.items()} == {
        GREEN: "green",
        AMBER: "amber",
        RED: "red",
        SPECIAL: "not_assessed",
    }
    assert told[SPECIAL]["rating_id"] is None
    rating = await reader.get(f"/academy/v1/ratings/{told[AMBER]['rating_id']}")
    assert rating.status_code == 200, rating.text
    print(rating.json())
