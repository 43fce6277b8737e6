"""Figures over HTTP."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from academy.observations.rules import BEST_RELEASES_FIRST, Layer, Release
from tests.academy.rows import PROSPERE, TOLD_AT, add_comparison, add_figure, add_membership, add_school, add_trust
from tests.support.clients import Clients
from tests.support.databases import Sandbox
from tests.support.tokens import OTHER_TRUST

PATH = "/academy/v1/observations"


@pytest.fixture
async def school(database: Sandbox) -> int:
    """A secondary school of Prospere in Hampshire; another of Ark."""
    async with database.admin() as session:
        prospere = await add_trust(session, "16846")
        await add_trust(session, "2044")
        await add_school(session, 136106, trust=OTHER_TRUST)
        return await add_school(session, 136105, trust=prospere)


async def listed(reader: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    response = await reader.get(PATH, params=params)
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


async def test_a_figure_comes_with_everything_that_makes_it_one(
    client: Clients, database: Sandbox, school: int
) -> None:
    async with database.admin() as session:
        await add_figure(
            session, school, measure="ks4.progress_8", value=-0.29, lower=-0.58, upper=0.0, cohort=187,
            published_band="average",
        )  # fmt: skip
        await add_figure(session, school, measure="ks4.attainment_8", reason="suppressed")
    reader = await client("academy", "trustee")
    hidden, shown = await listed(reader)
    assert (hidden["value"], hidden["reason"], hidden["interval"]) == (None, "suppressed", None)
    assert shown["value"] == -0.29
    assert shown["interval"] == {"lower": -0.58, "upper": 0.0}
    assert (shown["cohort"], shown["unit"], shown["layer"]) == (187, "points", "national")
    # An interval that touches 0 counts as average.
    assert (shown["band"], shown["published_band"]) == ("average", "average")
    assert (shown["release"], shown["source"]) == ("final", "DfE key stage 4 performance tables")
    assert datetime.fromisoformat(shown["recorded_at"]) == TOLD_AT


async def test_england_and_the_la_stand_beside_a_figure(client: Clients, database: Sandbox, school: int) -> None:
    async with database.admin() as session:
        await add_figure(session, school)
        await add_figure(session, school, pupil_group="boys", value=44)
        await add_comparison(session, sector="all", value=45.1)
        await add_comparison(session)
        await add_comparison(session, superseded_at=TOLD_AT + timedelta(days=1), value=1)
        await add_comparison(session, release="provisional", value=40)
        await add_comparison(session, phase="special", value=12)
        await add_comparison(session, academic_year="2017/18", value=46.5)
        await add_comparison(session, area="la", area_code="850", value=47.9)
        await add_comparison(session, area="la", area_code="352", value=44.0)
    all_pupils, boys = await listed(await client("academy", "trustee"))
    assert [(one["kind"], one["value"], one["sector"]) for one in all_pupils["comparisons"]] == [
        ("national", 46.7, "state_funded"),
        ("la", 47.9, "state_funded"),
    ]
    assert boys["comparisons"] == []


async def test_a_figure_of_the_schools_own_phase_beats_that_of_all_schools(
    client: Clients, database: Sandbox, school: int
) -> None:
    async with database.admin() as session:
        await add_figure(session, school, measure="absence.overall_percent", value=8.1)
        await add_comparison(session, measure="absence.overall_percent", value=6.9)
        await add_comparison(session, measure="absence.overall_percent", phase="secondary", sector="all", value=8.9)
    (figure,) = await listed(await client("academy", "trustee"))
    assert [one["value"] for one in figure["comparisons"]] == [8.9]


async def test_national_figures_come_before_the_trusts_own(client: Clients, database: Sandbox, school: int) -> None:
    async with database.admin() as session:
        await add_figure(session, school, trust=PROSPERE, value=47)
        await add_figure(session, school, value=46)
        await add_figure(session, school, academic_year="2017/18", trust=PROSPERE, value=45)
    reader = await client("academy", "trustee")
    assert [(one["academic_year"], one["layer"]) for one in await listed(reader)] == [
        ("2017/18", "trust"),
        ("2018/19", "national"),
        ("2018/19", "trust"),
    ]
    assert [one["value"] for one in await listed(reader, layer="national")] == [46]
    assert [one["value"] for one in await listed(reader, layer="trust")] == [45, 47]


async def test_a_trusts_own_figures_are_for_that_trust_alone(client: Clients, database: Sandbox, school: int) -> None:
    async with database.admin() as session:
        await add_figure(session, school, trust=PROSPERE)
        await add_figure(session, school, trust=OTHER_TRUST, value=1)
        await add_figure(session, 136106, trust=OTHER_TRUST, value=2)
    ours = await client("academy", "trustee")
    assert [one["value"] for one in await listed(ours, urn=[136105, 136106])] == [46.5]
    theirs = await client("academy", "trustee", trust=OTHER_TRUST)
    assert [one["value"] for one in await listed(theirs, urn=[136105, 136106])] == [1, 2]
    operator = await client("academy", "platform-operator", trust=None)
    assert await listed(operator, urn=[136105, 136106]) == []


async def test_a_grant_for_some_academies_restricts_only_the_trusts_own(
    client: Clients, database: Sandbox, school: int
) -> None:
    async with database.admin() as session:
        await add_school(session, 142100, trust=PROSPERE)
        for urn in (school, 142100):
            await add_figure(session, urn)
            await add_figure(session, urn, trust=PROSPERE)
    head = await client("academy", "headteacher", academies=[school])
    assert [(one["urn"], one["layer"]) for one in await listed(head)] == [
        (136105, "national"),
        (136105, "trust"),
        (142100, "national"),
    ]


@pytest.mark.parametrize("spelling", ["2018/19", "2018-19", "201819"])
async def test_academic_years_are_read_in_every_spelling(
    client: Clients, database: Sandbox, school: int, spelling: str
) -> None:
    async with database.admin() as session:
        await add_figure(session, school)
        await add_figure(session, school, academic_year="2017/18")
    figures = await listed(await client("academy", "trustee"), academic_year=spelling)
    assert [one["academic_year"] for one in figures] == ["2018/19"]


async def test_filters_repeat(client: Clients, database: Sandbox, school: int) -> None:
    async with database.admin() as session:
        for measure in ("ks4.attainment_8", "ks4.progress_8", "absence.overall_percent"):
            for group in ("all", "boys"):
                await add_figure(session, school, measure=measure, pupil_group=group, value=1)
        await add_figure(session, school, measure="absence.overall_percent", period="autumn", value=1)
    reader = await client("academy", "trustee")
    assert len(await listed(reader)) == 7
    assert len(await listed(reader, measure=["ks4.attainment_8", "ks4.progress_8"], pupil_group="all")) == 2
    assert len(await listed(reader, period="autumn")) == 1
    assert len(await listed(reader, urn=[school, 999999], measure="absence.overall_percent")) == 3
    assert await listed(reader, measure="ks2.rwm_expected_percent") == []


async def test_of_several_releases_the_final_one_is_current(client: Clients, database: Sandbox, school: int) -> None:
    async with database.admin() as session:
        await add_figure(session, school, value=46, release="final")
        await add_figure(session, school, value=45, release="revised", recorded_at=TOLD_AT + timedelta(days=1))
        await add_figure(session, school, value=44, release="provisional", recorded_at=TOLD_AT + timedelta(days=2))
        await add_figure(session, school, pupil_group="boys", value=40, release="provisional")
        await add_figure(session, school, pupil_group="boys", value=41, release="revised")
    reader = await client("academy", "trustee")
    assert [(one["value"], one["release"]) for one in await listed(reader)] == [(46, "final"), (41, "revised")]
    history = await listed(reader, history=True, pupil_group="all")
    assert [one["value"] for one in history] == [46, 45, 44]


@pytest.mark.parametrize("order", list(permutations(BEST_RELEASES_FIRST)))
async def test_the_best_release_that_stands_counts_in_whatever_order_they_came(
    client: Clients, database: Sandbox, school: int, order: tuple[Release, ...]
) -> None:
    reader = await client("academy", "trustee")
    # Whose value is the current one, with the best release superseded, then the next.
    for gone, best in enumerate(BEST_RELEASES_FIRST):
        year = f"201{gone + 5}/1{gone + 6}"
        async with database.admin() as session:
            for days, release in enumerate(order):
                rank = BEST_RELEASES_FIRST.index(release)
                values: dict[str, Any] = {
                    "academic_year": year,
                    "value": 40 + rank,
                    "release": release,
                    "recorded_at": TOLD_AT + timedelta(days=days),
                    "superseded_at": TOLD_AT + timedelta(days=9) if rank < gone else None,
                }
                await add_figure(session, school, **values)
                await add_figure(session, school, trust=PROSPERE, **values)
                await add_comparison(session, **values)
        found = await listed(reader, academic_year=year)
        assert [(one["layer"], one["release"], one["value"]) for one in found] == [
            (layer, best, 40 + gone) for layer in Layer
        ]
        assert [one["comparisons"][0]["value"] for one in found] == [40 + gone] * 2
        since = await listed(reader, academic_year=year, updated_since=TOLD_AT.isoformat())
        assert [one["release"] for one in since] == [best, best]


async def test_what_was_told_before_can_be_read_again(client: Clients, database: Sandbox, school: int) -> None:
    corrected = TOLD_AT + timedelta(days=5)
    async with database.admin() as session:
        await add_figure(session, school, value=46, superseded_at=corrected)
        await add_figure(session, school, value=47, recorded_at=corrected)
        await add_figure(session, school, trust=PROSPERE, value=50, superseded_at=corrected)
        await add_figure(session, school, trust=PROSPERE, value=51, recorded_at=corrected)
    reader = await client("academy", "trustee")
    assert [one["value"] for one in await listed(reader)] == [47, 51]
    before = (corrected - timedelta(seconds=1)).isoformat()
    then = await listed(reader, as_of=before)
    assert [(one["value"], one["superseded_at"]) for one in then] == [(46, None), (50, None)]
    assert [one["value"] for one in await listed(reader, as_of=corrected.isoformat())] == [47, 51]
    assert await listed(reader, as_of="2000-01-01T00:00:00Z") == []
    history = await listed(reader, history=True)
    assert [(one["value"], one["layer"]) for one in history] == [
        (46, "national"),
        (47, "national"),
        (50, "trust"),
        (51, "trust"),
    ]
    assert datetime.fromisoformat(history[0]["superseded_at"]) == corrected


async def test_the_future_is_not_known_yet(client: Clients) -> None:
    reader = await client("academy", "trustee")
    response = await reader.get(PATH, params={"as_of": (datetime.now(UTC) + timedelta(days=1)).isoformat()})
    assert (response.status_code, response.json()["code"]) == (422, "instant-in-future")


async def test_as_of_lists_the_academies_of_then(client: Clients, database: Sandbox, school: int) -> None:
    async with database.admin() as session:
        await add_school(session, 142100)
        await add_membership(
            session, 142100, PROSPERE, joined_on=date(2012, 9, 1), superseded_at=TOLD_AT + timedelta(days=9)
        )
        await add_membership(
            session, 142100, PROSPERE, joined_on=date(2012, 9, 1), left_on=date(2024, 9, 1),
            recorded_at=TOLD_AT + timedelta(days=9),
        )  # fmt: skip
        for urn in (school, 142100):
            await add_figure(session, urn)
    reader = await client("academy", "trustee")
    assert [one["urn"] for one in await listed(reader)] == [136105]
    before = (TOLD_AT + timedelta(days=8)).isoformat()
    assert [one["urn"] for one in await listed(reader, as_of=before)] == [136105, 142100]


async def test_updated_since_gives_what_was_told_since_and_how_far_it_reaches(
    client: Clients, database: Sandbox, school: int
) -> None:
    async with database.admin() as session:
        await add_figure(session, school, value=46)
        await add_figure(session, school, pupil_group="boys", value=40, recorded_at=TOLD_AT + timedelta(days=2))
    reader = await client("academy", "trustee")
    response = await reader.get(PATH, params={"updated_since": (TOLD_AT + timedelta(days=1)).isoformat()})
    body = response.json()
    assert [one["value"] for one in body["items"]] == [40]
    synced_to = datetime.fromisoformat(body["synced_to"])
    assert abs(datetime.now(UTC) - synced_to) < timedelta(minutes=5)
    assert await listed(reader, updated_since=body["synced_to"]) == []


async def test_what_was_told_since_is_no_less_settled_than_what_stands(
    client: Clients, database: Sandbox, school: int
) -> None:
    later = TOLD_AT + timedelta(days=2)
    async with database.admin() as session:
        for trust in (None, PROSPERE):
            await add_figure(session, school, trust=trust, value=46)
            await add_figure(session, school, trust=trust, value=40, release="provisional", recorded_at=later)
            await add_figure(session, school, trust=trust, value=41, release="provisional", pupil_group="boys")
            await add_figure(session, school, trust=trust, value=42, pupil_group="boys", recorded_at=later)
    reader = await client("academy", "trustee")
    since = (TOLD_AT + timedelta(days=1)).isoformat()
    expected = [("boys", "national", 42), ("boys", "trust", 42)]
    for parameters in ({}, {"as_of": (TOLD_AT + timedelta(days=3)).isoformat()}):
        found = await listed(reader, updated_since=since, **parameters)
        assert [(one["pupil_group"], one["layer"], one["value"]) for one in found] == expected
    assert await listed(reader, updated_since=since, as_of=since) == []


@pytest.mark.parametrize(
    ("parameters", "meant"),
    [
        ({"measure": "ks4.progress8"}, "did you mean ks4.progress_8?"),
        ({"pupil_group": "pupils"}, "there are all, "),
        ({"period": "christmas"}, "there are year, "),
    ],
)
async def test_a_code_that_is_in_no_catalogue_is_not_an_empty_list(
    client: Clients, parameters: dict[str, str], meant: str
) -> None:
    response = await (await client("academy", "trustee")).get(PATH, params=parameters)
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert meant in error["detail"]


@pytest.mark.parametrize("history", [False, True])
async def test_pages_of_figures_join_up(client: Clients, database: Sandbox, school: int, history: bool) -> None:
    async with database.admin() as session:
        for year in ("2016/17", "2017/18", "2018/19"):
            for group in ("all", "boys"):
                await add_figure(session, school, academic_year=year, pupil_group=group, release="revised")
                await add_figure(session, school, academic_year=year, pupil_group=group, superseded_at=TOLD_AT)
                await add_figure(session, school, academic_year=year, pupil_group=group)
                await add_figure(session, school, academic_year=year, pupil_group=group, trust=PROSPERE)
    reader = await client("academy", "trustee")
    everything = [one["id"] for one in await listed(reader, history=history)]
    assert len(everything) == (24 if history else 12)
    for limit in (1, 2, 5):
        seen: list[str] = []
        params: dict[str, Any] = {"limit": limit, "history": history}
        synced = set()
        while True:
            body = (await reader.get(PATH, params={**params, "count": limit != 5})).json()
            assert len(body["items"]) <= limit
            assert body["total"] == (None if limit == 5 else {"count": len(everything), "is_exact": True})
            seen += [one["id"] for one in body["items"]]
            synced.add(body["synced_to"])
            if body["next"] is None:
                break
            params["cursor"] = body["next"]
        assert seen == everything
        assert len(synced) == 1


async def test_all_of_england_can_be_read_page_by_page(client: Clients, database: Sandbox, school: int) -> None:
    async with database.admin() as session:
        await add_figure(session, school)
        await add_figure(session, 136106)
    reader = await client("academy", "trustee")
    assert [one["urn"] for one in await listed(reader)] == [136105]
    assert [one["urn"] for one in await listed(reader, trust="any")] == [136105, 136106]
    assert [one["urn"] for one in await listed(reader, trust="2044")] == [136106]
    operator = await client("academy", "platform-operator", trust=None)
    assert [one["urn"] for one in await listed(operator)] == [136105, 136106]


async def test_figures_need_a_token_with_the_scope(client: Clients) -> None:
    assert (await (await client("academy")).get(PATH)).status_code == 401
    assert (await (await client("academy", "status-reader")).get(PATH)).status_code == 403


@pytest.mark.parametrize(
    "params",
    [
        {"urns": "1"},
        {"urn": "x"},
        {"academic_year": "2018/20"},
        {"academic_year": "18/19"},
        {"layer": "regional"},
        {"as_of": "2025-01-01"},
        {"as_of": "2025-01-01T00:00:00"},
        {"measure": "KS4 Progress"},
        {"history": "perhaps"},
        {"trust": "no such trust"},
        {"limit": "501"},
    ],
)
async def test_mistyped_filters_are_refused(client: Clients, params: dict[str, str]) -> None:
    response = await (await client("academy", "trustee")).get(PATH, params=params)
    assert response.status_code == 422
    assert response.json()["errors"]


async def test_a_cursor_of_another_list_or_tenant_is_refused(client: Clients, database: Sandbox, school: int) -> None:
    async with database.admin() as session:
        for group in ("all", "boys"):
            await add_figure(session, school, pupil_group=group)
    reader = await client("academy", "trustee")
    cursor = (await reader.get(PATH, params={"limit": 1})).json()["next"]
    other = await client("academy", "trustee", trust=OTHER_TRUST)
    for asker, params in (
        (reader, {"limit": 1, "cursor": cursor, "history": True}),
        (reader, {"cursor": cursor[:-2] + "AA"}),
        (other, {"limit": 1, "cursor": cursor}),
    ):
        response = await asker.get(PATH, params=params)
        assert (response.status_code, response.json()["code"]) == (400, "invalid-cursor")
    lists = await reader.get("/academy/v1/academies", params={"cursor": cursor})
    assert lists.status_code == 400


async def test_superseding_leaves_no_gap(client: Clients, database: Sandbox, school: int) -> None:
    async with database.admin() as session:
        figure = await add_figure(session, school)
        await session.execute(
            text("update academy.reference_observation set superseded_at = now() where id = :id"), {"id": figure}
        )
    assert await listed(await client("academy", "trustee")) == []
