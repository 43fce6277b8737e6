"""What becomes of a rating that nothing would renew: the academy's phase has no published criteria."""

from datetime import date

import pytest
from sqlalchemy import text

from tests.academy.rated import RED, change_figure, criteria_set, publish, rerate, statuses
from tests.academy.ratings.test_rerate import events, prepare, ratings_of
from tests.support.clients import Clients
from tests.support.databases import Sandbox


@pytest.mark.parametrize(
    ("phase", "why"),
    [
        ("sixteen_plus", "No criteria are published for the phase sixteen plus."),
        (None, "The register states no phase for this academy, so no criteria apply to it."),
    ],
)
async def test_a_phase_without_criteria_leaves_no_colour(
    client: Clients, database: Sandbox, phase: str | None, why: str
) -> None:
    await prepare(client, database)
    old = (await ratings_of(client, RED))[0]
    async with database.admin() as session:
        await session.execute(
            text("update academy.school set phase = :phase where urn = :urn"), {"phase": phase, "urn": RED}
        )
    assert await rerate(database) == 1
    new, kept = await ratings_of(client, RED)
    assert kept == old
    assert (new["status"], new["step"], new["overall"]["why"]) == ("not_assessed", None, why)
    assert (new["phase"], new["criteria_set"]) == (phase or "secondary", old["criteria_set"])
    assert (new["counts"], new["data_as_at"]) == ({"red": 0, "amber": 0, "green": 0, "not_assessed": 1}, None)
    assert new["criteria"][0]["reason"] == "no_criteria"
    assert new["criteria"][0]["sentence"] == (
        "Attainment 8 is not assessed, because no criteria are published for the phase of this academy."
    )
    shown = await statuses(await client("academy", "chief-executive"), include="criteria")
    assert (shown[RED]["status"], shown[RED]["rating_id"]) == ("not_assessed", new["id"])
    assert shown[RED]["criteria"][0]["reason"] == "no_criteria"
    # What boards showed before stays what they showed then.
    told = await statuses(await client("academy", "status-reader"), as_of=old["rated_at"])
    assert told[RED]["status"] == "red"
    event = (await events(database, "rating.computed"))[-1]["data"]
    assert (event["before"], event["shown"]["status"]) == ({"rating_id": old["id"], "status": "red"}, "not_assessed")
    # Figures that come later change nothing until there are criteria again.
    async with database.admin() as session:
        await change_figure(session, RED, 60)
    assert await rerate(database) == 0
    await publish(await client("academy", "chief-executive"), criteria_set(phase="sixteen_plus"))
    assert await rerate(database) == (0 if phase is None else 1)
    assert (await ratings_of(client, RED))[0]["status"] == ("not_assessed" if phase is None else "green")


async def test_an_academy_that_comes_back_with_another_phase_has_no_old_colour(
    client: Clients, database: Sandbox
) -> None:
    await prepare(client, database)
    async with database.admin() as session:
        await session.execute(
            text("update academy.membership set left_on = :day where urn = :urn"), {"day": date(2025, 1, 1), "urn": RED}
        )
    assert await rerate(database) == 0
    async with database.admin() as session:
        await session.execute(text("update academy.school set phase = 'sixteen_plus' where urn = :urn"), {"urn": RED})
        await session.execute(text("update academy.membership set left_on = null where urn = :urn"), {"urn": RED})
    assert await rerate(database) == 1
    assert (await statuses(await client("academy", "status-reader")))[RED]["status"] == "not_assessed"
