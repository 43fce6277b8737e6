"""Rating a trust anew: what makes a new rating, and what doesn't."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text

from kit import clock
from tests.academy.rated import (
    AMBER,
    ATTAINMENT,
    GREEN,
    RED,
    SPECIAL,
    add_england,
    add_rated_trust,
    criteria_set,
    publish,
    rerate,
    statuses,
)
from tests.academy.rows import PROSPERE, TOLD_AT, add_comparison, add_figure, add_membership, add_school
from tests.support.clients import Clients
from tests.support.databases import Sandbox
from tests.support.tokens import OTHER_TRUST


async def prepare(client: Clients, database: Sandbox, body: dict[str, Any] | None = None) -> None:
    async with database.admin() as session:
        await add_rated_trust(session)
        await add_england(session)
    await publish(await client("academy", "chief-executive"), body)
    assert await rerate(database) == 3


async def ratings_of(client: Clients, urn: int) -> list[dict[str, Any]]:
    reader = await client("academy", "status-reader")
    response = await reader.get(f"/academy/v1/academies/{urn}/ratings")
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


async def events(database: Sandbox, kind: str) -> list[dict[str, Any]]:
    async with database.admin() as session:
        rows = await session.execute(
            text("select urn, data from academy.event where type like :kind order by seq"), {"kind": f"%{kind}%"}
        )
        return [dict(row) for row in rows.mappings()]


async def test_publishing_rates_every_academy_of_the_phase(client: Clients, database: Sandbox) -> None:
    await prepare(client, database)
    told = await statuses(await client("academy", "status-reader"))
    assert {urn: one["status"] for urn, one in told.items()} == {
        GREEN: "green",
        AMBER: "amber",
        RED: "red",
        SPECIAL: "not_assessed",
    }
    assert told[SPECIAL]["rating_id"] is None
    assert [event["urn"] for event in await events(database, "rating.computed")] == [GREEN, AMBER, RED]


async def test_nothing_new_makes_no_rating(client: Clients, database: Sandbox) -> None:
    await prepare(client, database)
    before = await statuses(await client("academy", "status-reader"))
    assert await rerate(database) == 0
    assert await statuses(await client("academy", "status-reader")) == before
    assert len(await events(database, "rating.computed")) == 3


async def test_a_changed_figure_rates_its_academy_alone_and_keeps_the_old_rating(
    client: Clients, database: Sandbox
) -> None:
    await prepare(client, database)
    old = (await ratings_of(client, RED))[0]
    async with database.admin() as session:
        await session.execute(
            text("update academy.reference_observation set superseded_at = now() where urn = :urn"), {"urn": RED}
        )
        await add_figure(session, RED, value=47.0, cohort=150)
    assert await rerate(database) == 1
    new, kept = await ratings_of(client, RED)
    assert kept == old
    assert (new["status"], kept["status"]) == ("green", "red")
    assert (await events(database, "rating.computed"))[-1]["data"] == {
        "urn": RED,
        "before": {"rating_id": old["id"], "status": "red"},
        "after": {"rating_id": new["id"], "status": "green"},
        "criteria_set_id": new["criteria_set"]["id"],
        "phase": "secondary",
        "step": {"code": "green", "label": "Green", "order": 1},
        "counts": {"red": 0, "amber": 0, "green": 1, "not_assessed": 0},
        "data_as_at": new["data_as_at"],
        "rated_at": new["rated_at"],
        "shown": {"status": "green", "step": {"code": "green", "label": "Green", "order": 1}, "moderated": False},
        "criteria": [
            {
                "code": "attainment_8",
                "title": "Attainment 8 against England",
                "status": "green",
                "value": 47.0,
                "reason": None,
                "unit": "points",
                "period": "2018/19",
            }
        ],
    }


async def test_a_changed_national_figure_rates_all_that_are_held_against_it(client: Clients, database: Sandbox) -> None:
    await prepare(client, database)
    async with database.admin() as session:
        await session.execute(text("update academy.comparison_figure set superseded_at = now()"))
        await add_comparison(session, value=39.5)
    assert await rerate(database) == 3
    assert {one["status"] for one in (await statuses(await client("academy", "trustee"))).values()} == {
        "green",
        "not_assessed",
    }


async def test_new_criteria_rate_even_where_the_colour_stays(client: Clients, database: Sandbox) -> None:
    await prepare(client, database)
    await publish(await client("academy", "chief-executive"), criteria_set(title="Next year's"))
    assert await rerate(database) == 3
    newest, first = await ratings_of(client, GREEN)
    assert (newest["criteria_set"]["version"], first["criteria_set"]["version"]) == (2, 1)
    assert newest["status"] == first["status"] == "green"


async def test_a_newer_year_for_others_makes_a_figure_too_old(client: Clients, database: Sandbox) -> None:
    await prepare(client, database)
    async with database.admin() as session:
        await add_school(session, 100001)
        await add_figure(session, 100001, academic_year="2022/23")
    await rerate(database)
    newest = (await ratings_of(client, GREEN))[0]
    assert (newest["status"], newest["criteria"][0]["reason"]) == ("not_assessed", "too_old")
    assert "too old" in newest["criteria"][0]["sentence"]


@pytest.mark.parametrize(
    "row",
    [
        {"reason": "suppressed"},
        {"reason": "not_published"},
        {"superseded_at": TOLD_AT},
    ],
)
async def test_a_row_of_a_later_year_that_tells_no_figure_ages_nobody(
    client: Clients, database: Sandbox, row: dict[str, Any]
) -> None:
    await prepare(client, database)
    async with database.admin() as session:
        await add_school(session, 100001)
        await add_figure(session, 100001, academic_year="2022/23", **row)
        await add_comparison(session, academic_year="2022/23", **({"value": None} | row if "reason" in row else row))
    assert await rerate(database) == 0


async def test_a_year_without_progress_8_ages_the_figures_before_it(client: Clients, database: Sandbox) -> None:
    """Its rows say nothing but not_published, and neither a colour nor "too old" comes of them."""
    progress = {**ATTAINMENT, "measure": "ks4.progress_8", "comparison": "fixed", "bounds": {"green": 0, "amber": -1}}
    async with database.admin() as session:
        await add_rated_trust(session)
        for urn, year in ((GREEN, "2023/24"), (AMBER, "2018/19")):
            await add_figure(session, urn, measure="ks4.progress_8", academic_year=year, value=0.5)
            await add_figure(
                session, urn, measure="ks4.progress_8", academic_year="2024/25", reason="not_published", value=None
            )
    await publish(await client("academy", "chief-executive"), criteria_set(criteria=[progress]))
    await rerate(database)
    told = {urn: (await ratings_of(client, urn))[0]["criteria"][0] for urn in (GREEN, AMBER)}
    assert (told[GREEN]["status"], told[GREEN]["period"]) == ("green", "2023/24")
    assert (told[AMBER]["status"], told[AMBER]["reason"]) == ("not_assessed", "not_published")


async def test_who_joins_is_rated_and_who_leaves_is_told_no_longer(client: Clients, database: Sandbox) -> None:
    await prepare(client, database)
    async with database.admin() as session:
        await add_school(session, 135009, trust=PROSPERE, name="E School")
        await add_figure(session, 135009, value=60.0)
        await session.execute(
            text("update academy.membership set superseded_at = now() where urn = :urn"), {"urn": RED}
        )
        await add_membership(session, RED, PROSPERE, left_on=date(2025, 1, 1))
    assert await rerate(database) == 1
    told = await statuses(await client("academy", "status-reader"))
    assert told[135009]["status"] == "green"
    assert RED not in told
    since = await statuses(await client("academy", "status-reader"), updated_since="2020-01-01T00:00:00Z")
    assert since[RED]["is_removed"] is True
    assert since[GREEN]["is_removed"] is False
    # Ratings stay with the trust that made them.
    assert (await ratings_of(client, RED))[0]["status"] == "red"


async def test_a_move_on_a_known_day_is_rated_on_that_day(client: Clients, database: Sandbox) -> None:
    await prepare(client, database)
    async with database.admin() as session:
        await add_school(session, 135009, trust=PROSPERE, joined_on=date(2090, 7, 1), name="E School")
        await add_figure(session, 135009, value=60.0)
    for _ in range(2):
        assert await rerate(database) == 0
    async with database.admin() as session:
        rows = await session.execute(
            text("select scheduled_at from academy.procrastinate_jobs where scheduled_at is not null")
        )
        assert [at.isoformat() for at in rows.scalars()] == ["2090-06-30T23:00:00+00:00"]
    assert 135009 not in await statuses(await client("academy", "status-reader"))
    with clock.frozen(datetime(2090, 6, 30, 23, tzinfo=UTC)):
        assert await rerate(database) == 1
        assert 135009 in await statuses(await client("academy", "status-reader"))


async def test_a_trusts_own_figures_rate_its_academies_alone(client: Clients, database: Sandbox) -> None:
    async with database.admin() as session:
        await add_rated_trust(session)
        await add_rated_trust(session, "2044", first_urn=136001)
        await add_figure(session, 136001, trust=OTHER_TRUST, measure="phonics.expected_percent", value=90)
        await add_figure(session, GREEN, trust=PROSPERE, measure="phonics.expected_percent", value=60)
        # What one trust says of another's academy counts for nobody but itself.
        await add_figure(session, AMBER, trust=OTHER_TRUST, measure="phonics.expected_percent", value=99)
    phonics = {
        **ATTAINMENT,
        "measure": "phonics.expected_percent",
        "layer": "trust",
        "comparison": "fixed",
        "bounds": {"green": 80, "amber": 70},
    }
    for trust in (PROSPERE, OTHER_TRUST):
        author = await client("academy", "chief-executive", trust=trust)
        await publish(author, criteria_set(criteria=[phonics]))
        await rerate(database, trust)
    ours = await statuses(await client("academy", "trustee"))
    theirs = await statuses(await client("academy", "trustee", trust=OTHER_TRUST))
    assert (ours[GREEN]["status"], ours[AMBER]["status"]) == ("red", "not_assessed")
    assert theirs[136001]["status"] == "green"
    assert not ours.keys() & theirs.keys()


async def test_figures_that_only_the_trust_has_age_by_its_own_newest_year(client: Clients, database: Sandbox) -> None:
    phonics = {
        **ATTAINMENT,
        "measure": "phonics.expected_percent",
        "layer": "trust",
        "comparison": "fixed",
        "bounds": {"green": 80, "amber": 70},
    }
    own = {"measure": "phonics.expected_percent", "value": 90}
    async with database.admin() as session:
        await add_rated_trust(session)
        await add_rated_trust(session, "2044", first_urn=136001)
        await add_figure(session, GREEN, trust=PROSPERE, academic_year="2012/13", **own)
        await add_figure(session, AMBER, trust=PROSPERE, academic_year="2023/24", **own)
        await add_figure(session, RED, trust=PROSPERE, academic_year="2022/23", **own)
        # Another trust's years are its own, and a row without a figure makes no year.
        await add_figure(session, 136001, trust=OTHER_TRUST, academic_year="2030/31", **own)
        await add_figure(session, RED, trust=PROSPERE, academic_year="2026/27", **own, superseded_at=TOLD_AT)
    await publish(await client("academy", "chief-executive"), criteria_set(criteria=[phonics]))
    await rerate(database)
    told = {urn: (await ratings_of(client, urn))[0]["criteria"][0] for urn in (GREEN, AMBER, RED)}
    assert {urn: (one["status"], one["reason"]) for urn, one in told.items()} == {
        GREEN: ("not_assessed", "too_old"),
        AMBER: ("green", None),
        RED: ("green", None),
    }
    # As soon as something is loaded nationally, that counts.
    async with database.admin() as session:
        await add_comparison(session, measure="phonics.expected_percent", academic_year="2013/14", value=69)
    await rerate(database)
    assert (await ratings_of(client, GREEN))[0]["status"] == "green"


async def test_special_schools_are_held_against_special_schools_and_others_against_all(
    client: Clients, database: Sandbox
) -> None:
    absence = {
        **ATTAINMENT,
        "measure": "absence.overall_percent",
        "direction": "lower_is_better",
        "bounds": {"green": 0, "amber": 3},
    }
    async with database.admin() as session:
        await add_rated_trust(session)
        for urn in (GREEN, SPECIAL):
            await add_figure(session, urn, measure="absence.overall_percent", value=12)
        await add_comparison(session, measure="absence.overall_percent", phase="special", value=13)
        await add_comparison(session, measure="absence.overall_percent", phase="all", value=7)
    author = await client("academy", "chief-executive")
    await publish(author, criteria_set(criteria=[absence]))
    await publish(author, criteria_set(phase="special", criteria=[absence]))
    await rerate(database)
    told = await statuses(await client("academy", "trustee"))
    assert (told[GREEN]["status"], told[SPECIAL]["status"]) == ("red", "green")


async def test_an_all_through_academy_takes_the_secondary_set_until_it_has_its_own(
    client: Clients, database: Sandbox
) -> None:
    async with database.admin() as session:
        await add_rated_trust(session)
        await add_england(session)
        await session.execute(text("update academy.school set phase = 'all_through' where urn = :urn"), {"urn": GREEN})
    author = await client("academy", "chief-executive")
    secondary = await publish(author)
    await rerate(database)
    rating = (await ratings_of(client, GREEN))[0]
    assert (rating["phase"], rating["criteria_set"]["id"]) == ("all_through", secondary["id"])
    own = await publish(author, criteria_set(phase="all_through"))
    assert await rerate(database) == 1
    assert (await ratings_of(client, GREEN))[0]["criteria_set"]["id"] == own["id"]


async def test_of_several_releases_the_final_counts(client: Clients, database: Sandbox) -> None:
    await prepare(client, database)
    async with database.admin() as session:
        await add_figure(session, GREEN, value=10.0, release="provisional", recorded_at=TOLD_AT.replace(month=11))
    assert await rerate(database) == 0


async def test_a_rating_that_was_kept_before_a_field_was_told_has_no_value_for_it(
    client: Clients, database: Sandbox
) -> None:
    await prepare(client, database)
    assert (await ratings_of(client, RED))[0]["criteria"][0]["deciding_bound"] == -5
    async with database.admin() as session:
        # As an older release wrote it: today the trigger lets a rating lose the values of erased figures alone.
        await session.execute(text("alter table academy.rating disable trigger only_erases"))
        await session.execute(text("update academy.rating set criteria = criteria #- '{0,deciding_bound}'"))
        await session.execute(text("alter table academy.rating enable trigger only_erases"))
    assert (await ratings_of(client, RED))[0]["criteria"][0]["deciding_bound"] is None


async def test_the_queries_are_few_however_many_academies(
    client: Clients,
    database: Sandbox,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    await prepare(client, database)
    with count_queries() as few:
        await rerate(database)
    async with database.admin() as session:
        for urn in range(137001, 137021):
            await add_school(session, urn, trust=PROSPERE)
            await add_figure(session, urn, value=45)
    with count_queries() as many:
        assert await rerate(database) == 20
    assert len(few) <= 14
    assert len(many) <= len(few) + 7
