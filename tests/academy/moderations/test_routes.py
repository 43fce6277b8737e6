"""Overriding a rating, from making it to its end."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from academy.criteria.queries import trusts_here
from academy.moderations.service import lapse, lapse_overdue
from kit.database.sessions import Context
from kit.ids import PLATFORM
from tests.academy.rated import GREEN, RED, add_england, add_rated_trust, publish, rerate, statuses
from tests.academy.rows import PROSPERE
from tests.conftest import Clock
from tests.support.clients import Clients
from tests.support.databases import Sandbox
from tests.support.tokens import OTHER_TRUST

MODERATIONS = "/academy/v1/moderations"


def override(**values: Any) -> dict[str, Any]:
    return {
        "status": "amber",
        "reason": "A third of the cohort joined in Year 11.",
        "evidence_url": "https://trust.example/minutes/7",
        "lapses_on": "2025-10-31",
        **values,
    }


RED_STEP = {"code": "red", "label": "Red", "order": 3}


@pytest.fixture
async def rated(client: Clients, database: Sandbox, clock: Clock) -> Clock:
    """A rated trust at noon on 1 October 2025."""
    async with database.admin() as session:
        await add_rated_trust(session)
        await add_england(session)
    await publish(await client("academy", "chief-executive"))
    await rerate(database)
    return clock


async def rating_of(reader: httpx.AsyncClient, urn: int) -> httpx.Response:
    listed = await reader.get(f"/academy/v1/academies/{urn}/ratings")
    rating = await reader.get(f"/academy/v1/ratings/{listed.json()['items'][0]['id']}")
    assert rating.status_code == 200, rating.text
    return rating


async def moderate(judge: httpx.AsyncClient, urn: int = RED, **values: Any) -> httpx.Response:
    rating = await rating_of(judge, urn)
    return await judge.post(
        f"/academy/v1/ratings/{rating.json()['id']}/moderate",
        json=override(**values),
        headers={"If-Match": rating.headers["ETag"]},
    )


async def told(client: Clients, urn: int = RED) -> dict[str, Any]:
    # A reader of its own each time: the answers of one are prepared.
    return (await statuses(await client("academy", "status-reader", subject=str(uuid4()))))[urn]


@pytest.mark.usefixtures("rated")
async def test_an_override_is_told_beside_the_computed_colour(client: Clients, database: Sandbox) -> None:
    judge = await client("academy", "chief-executive")
    made = await moderate(judge)
    assert made.status_code == 201, made.text
    assert {name: made.json()[name] for name in ("status", "computed_status", "state", "made_by", "ended_at")} == {
        "status": "amber",
        "computed_status": "red",
        "state": "in_force",
        "made_by": "person:chief-executive",
        "ended_at": None,
    }
    now = await told(client)
    assert (now["status"], now["label"], now["moderated"], now["computed_status"]) == ("amber", "Amber", True, "red")
    assert now["counts"]["red"] == 1
    rating = (await rating_of(judge, RED)).json()
    assert (rating["status"], rating["moderation"]["id"]) == ("red", made.json()["id"])
    view = await judge.get(made.headers["Location"])
    assert (view.json(), view.headers["ETag"]) == (made.json(), made.headers["ETag"])
    async with database.admin() as session:
        rows = await session.execute(text("select data from academy.event where type like '%rating.moderated%'"))
        (data,) = rows.scalars()
        assert data["before"] == {"status": "red", "step": RED_STEP, "moderated": False}
        assert (data["after"]["step"]["code"], data["by"], data["as_role"]) == (
            "amber",
            "person:chief-executive",
            "chief-executive",
        )


@pytest.mark.usefixtures("rated")
async def test_it_counts_for_later_ratings_and_says_when_the_computed_colour_moved(
    client: Clients, database: Sandbox
) -> None:
    judge = await client("academy", "improvement-adviser")
    assert (await moderate(judge)).status_code == 201
    async with database.admin() as session:
        await session.execute(
            text("update academy.reference_observation set value = 60 where urn = :urn"), {"urn": RED}
        )
    await rerate(database)
    now = await told(client)
    assert (now["status"], now["computed_status"], now["computed_changed_since"]) == ("amber", "green", True)


@pytest.mark.usefixtures("rated")
async def test_nobody_judges_an_academy_that_they_lead(client: Clients) -> None:
    judge = await client("academy", "chief-executive", leads=[RED])
    refused = await moderate(judge)
    assert (refused.status_code, refused.json()["code"]) == (403, "leads-this-academy")
    assert (await moderate(judge, GREEN)).status_code == 201
    head = await client("academy", "headteacher", academies=[RED], leads=[RED])
    assert (await moderate(head)).status_code == 403
    made = await moderate(await client("academy", "chief-executive"))
    ended = await judge.post(f"{made.headers['Location']}/withdraw", headers={"If-Match": made.headers["ETag"]})
    assert (ended.status_code, ended.json()["code"]) == (403, "leads-this-academy")


@pytest.mark.usefixtures("rated")
@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"lapses_on": "2025-10-01"}, "#/lapses_on"),
        ({"lapses_on": "2027-01-01"}, "#/lapses_on"),
        ({"status": "not_assessed"}, "#/status"),
        ({"reason": "  "}, "#/reason"),
        ({"evidence_url": "http://trust.example/minutes"}, "#/evidence_url"),
        ({"evidence_url": "https://"}, "#/evidence_url"),
        ({"evidence_url": "https://user:pw@trust.example/"}, "#/evidence_url"),
        ({"colour": "red"}, "#/colour"),
    ],
)
async def test_an_override_without_good_form_is_refused(client: Clients, values: dict[str, Any], pointer: str) -> None:
    refused = await moderate(await client("academy", "chief-executive"), **values)
    assert refused.status_code == 422, refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


@pytest.mark.usefixtures("rated")
async def test_two_who_read_the_same_rating_do_not_both_override_it(client: Clients, database: Sandbox) -> None:
    judge = await client("academy", "chief-executive")
    rating = await rating_of(judge, RED)
    where, tag = f"/academy/v1/ratings/{rating.json()['id']}/moderate", {"If-Match": rating.headers["ETag"]}
    assert (await judge.post(where, json=override())).status_code == 428
    assert (await judge.post(where, json=override(), headers=tag)).status_code == 201
    assert (await judge.post(where, json=override(status="green"), headers=tag)).status_code == 412
    replaced = await moderate(judge, status="green")
    assert replaced.status_code == 201
    listed = (await judge.get(f"/academy/v1/academies/{RED}/moderations")).json()["items"]
    assert [(one["status"], one["state"]) for one in listed] == [("green", "in_force"), ("amber", "replaced")]
    async with database.admin() as session:
        await session.execute(
            text("update academy.reference_observation set value = 60 where urn = :urn"), {"urn": RED}
        )
    await rerate(database)
    old = await judge.get(f"/academy/v1/ratings/{rating.json()['id']}")
    assert (old.json()["is_current"], old.json()["moderation"]) == (False, None)
    refused = await judge.post(where, json=override(), headers={"If-Match": old.headers["ETag"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "rating-not-current")


@pytest.mark.usefixtures("rated")
async def test_a_withdrawn_override_counts_no_longer(client: Clients) -> None:
    judge = await client("academy", "chief-executive")
    made = await moderate(judge)
    where = f"{made.headers['Location']}/withdraw"
    assert (await judge.post(where)).status_code == 428
    ended = await judge.post(where, headers={"If-Match": made.headers["ETag"], "Idempotency-Key": "once"})
    assert (ended.json()["state"], ended.json()["ended_by"]) == ("withdrawn", "person:chief-executive")
    assert ended.json()["ended_reason"] is None
    again = await judge.post(where, headers={"If-Match": made.headers["ETag"], "Idempotency-Key": "once"})
    assert again.json() == ended.json()
    assert (await told(client))["moderated"] is False
    assert (await judge.post(where, headers={"If-Match": made.headers["ETag"]})).status_code == 412
    refused = await judge.post(where, headers={"If-Match": ended.headers["ETag"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "moderation-ended")


@pytest.mark.parametrize(
    ("lapses_on", "before", "after"),
    [
        # The clocks go back on 26 October 2025: the day before ends at 23:00 UTC, that day at 24:00.
        ("2025-10-25", datetime(2025, 10, 25, 22, 59, tzinfo=UTC), datetime(2025, 10, 25, 23, 0, tzinfo=UTC)),
        ("2025-10-26", datetime(2025, 10, 26, 23, 59, tzinfo=UTC), datetime(2025, 10, 27, 0, 0, tzinfo=UTC)),
    ],
)
async def test_it_lapses_at_the_end_of_its_day_in_london(
    client: Clients, database: Sandbox, rated: Clock, lapses_on: str, before: datetime, after: datetime
) -> None:
    made = await moderate(await client("academy", "chief-executive"), lapses_on=lapses_on)
    moderation = UUID(made.json()["id"])
    async with database.admin() as session:
        queued = await session.execute(
            text("select scheduled_at from academy.procrastinate_jobs where task_name = 'academy.moderations.lapse'")
        )
        assert queued.scalar_one() == after
    academy = database.of("academy")
    rated.set(before)
    assert (await told(client))["moderated"] is True
    async with academy.session(Context(PROSPERE, None, "test")) as session:
        assert await lapse(session, PROSPERE, moderation) is False
    rated.set(after)
    # Also while the worker is late.
    assert (await told(client))["moderated"] is False
    reader = await client("academy", "status-reader")
    assert (await reader.get(made.headers["Location"])).json()["state"] == "lapsed"
    async with academy.session(Context(PROSPERE, None, "test")) as session:
        assert await lapse(session, PROSPERE, moderation) is True
    async with academy.session(Context(PROSPERE, None, "test")) as session:
        assert await lapse(session, PROSPERE, moderation) is False
    async with database.admin() as session:
        rows = await session.execute(text("select data from academy.event where type like '%moderation.ended%'"))
        assert [(row["how"], row["after"], row["by"], row["as_role"]) for row in rows.scalars()] == [
            ("lapsed", {"status": "red", "step": RED_STEP, "moderated": False}, None, None)
        ]
    assert date.fromisoformat(lapses_on) == date.fromisoformat(made.json()["lapses_on"])


async def test_the_night_ends_overrides_whose_own_job_was_lost(
    client: Clients, database: Sandbox, rated: Clock
) -> None:
    judge = await client("academy", "chief-executive")
    over = await moderate(judge, RED, lapses_on="2025-10-10")
    other = await moderate(judge, GREEN, lapses_on="2025-10-20")
    rated.set(datetime(2025, 10, 11, 0, 20, tzinfo=UTC))
    academy = database.of("academy")
    for expected in (1, 0):
        async with academy.session(Context(PROSPERE, None, "test")) as session:
            assert await lapse_overdue(session, PROSPERE) == expected
    reader = await client("academy", "status-reader")
    states = [(await reader.get(made.headers["Location"])).json() for made in (over, other)]
    assert [(one["state"], one["ended_at"] is None) for one in states] == [("lapsed", False), ("in_force", True)]


@pytest.mark.usefixtures("rated")
async def test_the_night_is_planned_for_every_trust_that_is_here(database: Sandbox) -> None:
    async with database.admin() as session:
        for trust in (OTHER_TRUST, PLATFORM):
            await session.execute(
                text(
                    "insert into academy.identity_grant_a (trust_id, id, holder, role, extent, starts_on, is_ended)"
                    " values (:trust, gen_random_uuid(), 'person:1', 'trustee', 'trust', '2020-01-01', false)"
                ),
                {"trust": trust},
            )
    async with database.of("academy").connection(Context(PLATFORM, frozenset(), "test")) as connection:
        await connection.execute("set local role academy_janitor")
        assert await trusts_here(connection) == sorted([PROSPERE, OTHER_TRUST])


@pytest.mark.usefixtures("rated")
async def test_an_override_ends_when_the_academy_leaves(client: Clients, database: Sandbox) -> None:
    judge = await client("academy", "chief-executive")
    made = await moderate(judge)
    async with database.admin() as session:
        await session.execute(
            text("update academy.membership set left_on = '2025-09-01' where urn = :urn"), {"urn": RED}
        )
    await rerate(database)
    assert (await judge.get(made.headers["Location"])).json()["state"] == "left"


@pytest.mark.usefixtures("rated")
async def test_what_is_not_yours_is_not_found(client: Clients) -> None:
    judge = await client("academy", "chief-executive")
    rating = await rating_of(judge, RED)
    made = await moderate(judge)
    tag = {"If-Match": rating.headers["ETag"]}
    for other in (
        await client("academy", "chief-executive", trust=OTHER_TRUST),
        await client("academy", "improvement-adviser", academies=[GREEN]),
    ):
        for answer in (
            await other.get(f"/academy/v1/ratings/{rating.json()['id']}"),
            await other.post(f"/academy/v1/ratings/{rating.json()['id']}/moderate", json=override(), headers=tag),
            await other.get(made.headers["Location"]),
            await other.post(f"{made.headers['Location']}/withdraw", headers=tag),
            await other.get(f"/academy/v1/academies/{RED}/ratings"),
            await other.get(f"/academy/v1/academies/{RED}/moderations"),
        ):
            assert answer.status_code == 404, answer.text
    reader = await client("academy", "status-reader")
    refused = await reader.post(f"/academy/v1/ratings/{rating.json()['id']}/moderate", json=override(), headers=tag)
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient-scope")


@pytest.mark.usefixtures("rated")
async def test_the_list_goes_page_by_page_newest_first(client: Clients, rated: Clock) -> None:
    judge = await client("academy", "chief-executive")
    for status in ("amber", "green", "red"):
        assert (await moderate(judge, status=status)).status_code == 201
        rated.advance(minutes=1)
    where = f"/academy/v1/academies/{RED}/moderations"
    first = (await judge.get(where, params={"limit": 2})).json()
    rest = (await judge.get(where, params={"limit": 2, "cursor": first["next"]})).json()
    assert [one["status"] for one in first["items"] + rest["items"]] == ["red", "green", "amber"]
    assert rest["next"] is None
    assert (await judge.get(f"/academy/v1/academies/{GREEN}/moderations")).json()["items"] == []
