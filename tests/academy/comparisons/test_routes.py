"""Series for charts over HTTP, on published figures of England."""

import csv
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from academy.observations.rules import BEST_RELEASES_FIRST
from tests.academy.rows import PROSPERE, add_comparison, add_figure, add_membership, add_school, add_trust
from tests.support.clients import Clients
from tests.support.databases import Sandbox
from tests.support.tokens import OTHER_TRUST

PATH = "/academy/v1/comparisons"
MEASURE = "ks4.attainment_8"
TABLE = Path(__file__).parents[1] / "imports/data/ks4_2018-2019_england.csv"
HARRIS, HIDDEN, SPECIAL, PRIMARY, FEW = 138449, 139001, 139002, 139003, 139004


def published() -> list[tuple[int, Decimal]]:
    """URN and Attainment 8 of 2018/19 of every mainstream state-funded school in the extract."""
    with TABLE.open(encoding="utf-8-sig") as file:
        rows = [row for row in csv.DictReader(file) if row["RECTYPE"] == "1"]
    return [
        (int(row["URN"]), Decimal(row["ATT8SCR"]))
        for row in rows
        if row["SCHTYPE"] != "Independent school" and row["ATT8SCR"].replace(".", "").isdigit()
    ]


def worked(values: Sequence[Decimal], value: Decimal) -> float:
    """The percentile by hand."""
    lower, same = sum(one < value for one in values), sum(one == value for one in values)
    percent = (lower + Decimal(same) / 2) * 100 / len(values)
    return float(percent.quantize(Decimal("0.1"), ROUND_HALF_UP))


@pytest.fixture
async def england(database: Sandbox) -> list[tuple[int, Decimal]]:
    """Secondaries with their figures of 2018/19; one of them, one that is suppressed and others are Prospere's."""
    figures = published()
    assert len(figures) > 100
    async with database.admin() as session:
        await add_trust(session, "16846")
        await add_trust(session, "2044")
        for urn, value in figures:
            await add_school(session, urn, la_code="352", la_name="Manchester", region="North West")
            await add_figure(session, urn, value=value, cohort=180)
        # An independent school, a primary and a special school are not among secondaries.
        await add_school(session, 100001, type_code="11")
        await add_figure(session, 100001, value=99)
        for urn, phase in ((HIDDEN, "secondary"), (SPECIAL, "special"), (PRIMARY, "primary")):
            await add_school(session, urn, phase=phase, name=f"A {phase} school")
            await add_membership(session, urn, PROSPERE)
        await add_membership(session, HARRIS, PROSPERE)
        await add_figure(session, HIDDEN, value=None, reason="suppressed")
        await add_figure(session, SPECIAL, value=3)
        await add_figure(session, HARRIS, value=51, academic_year="2017/18")
        await add_comparison(session, value=46.7)
        await add_comparison(session, value=46.5, academic_year="2017/18")
        await add_comparison(session, value=44.1, sector="all")
        await add_comparison(session, value=45.5, area="la", area_code="352")
        await add_comparison(session, value=45.9, area="region", area_code="E12000002")
        await add_comparison(session, value=40, area="region", area_code="E12000007")
    return figures


async def series(reader: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    response = await reader.get(PATH, params={"measure": MEASURE, **params})
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


def values(one: dict[str, Any]) -> dict[str, float | None]:
    return {point["academic_year"]: point["value"] for point in one["points"]}


async def test_an_academy_is_shown_with_its_areas_and_its_percentile(
    client: Clients, england: list[tuple[int, Decimal]]
) -> None:
    reader = await client("academy", "trustee")
    found = await series(reader, urn=HARRIS)
    assert [(one["kind"], one["code"], one["name"]) for one in found] == [
        ("england", "E92000001", "England"),
        ("region", "E12000002", "North West"),
        ("authority", "352", "Manchester"),
        ("academy", str(HARRIS), f"School {HARRIS}"),
    ]
    assert [values(one) for one in found] == [
        {"2017/18": 46.5, "2018/19": 46.7},
        {"2018/19": 45.9},
        {"2018/19": 45.5},
        {"2017/18": 51, "2018/19": 55},
    ]
    assert found[0]["points"][1]["sector"] == "state_funded"
    before, now = found[3]["points"]
    # By hand: of the published figures of mainstream state-funded schools, those below 55, and half of those at 55.
    assert (now["percentile"], now["schools"]) == (worked([value for _, value in england], Decimal(55)), len(england))
    assert now["percentile"] > 75
    assert (before["percentile"], before["schools"]) == (None, None), "one school is too few"
    assert (found[3]["phase"], found[3]["unit"], found[3]["direction"]) == ("secondary", "points", "higher_is_better")


async def test_every_published_figure_has_its_place(client: Clients, england: list[tuple[int, Decimal]]) -> None:
    reader = await client("academy", "trustee")
    all_values = [value for _, value in england]
    for urn, value in england[::20]:
        (point,) = [one for one in (await series(reader, urn=urn))[-1]["points"] if one["academic_year"] == "2018/19"]
        assert point["percentile"] == worked(all_values, value)


@pytest.mark.usefixtures("england")
async def test_the_other_academies_come_in_the_same_call_and_suppressed_stays_suppressed(client: Clients) -> None:
    reader = await client("academy", "headteacher", academies=[HARRIS])
    found = await series(reader, urn=HARRIS, area="england", others=True)
    # The primary has no figure of the measure. Published figures are for everybody, whatever the grant covers.
    assert [one["code"] for one in found] == ["E92000001", str(HARRIS), str(HIDDEN), str(SPECIAL)]
    (hidden,) = found[2]["points"]
    assert (hidden["value"], hidden["reason"], hidden["percentile"], hidden["schools"]) == (
        None, "suppressed", None, None
    )  # fmt: skip
    (special,) = found[3]["points"]
    assert (special["value"], special["percentile"]) == (3, None)
    without = await series(await client("academy", "trustee"), area="england", others=True)
    assert {one["code"] for one in without} == {one["code"] for one in found}
    other = await series(await client("academy", "trustee", trust=OTHER_TRUST), area="england", others=True)
    assert [one["kind"] for one in other] == ["england"]
    # A primary shows an empty line when it is named.
    assert (await series(reader, urn=PRIMARY, area="england"))[1]["points"] == []


@pytest.mark.usefixtures("england")
async def test_a_suppressed_figure_counts_for_nobody(
    client: Clients, database: Sandbox, england: list[tuple[int, Decimal]]
) -> None:
    reader = await client("academy", "trustee")
    async with database.admin() as session:
        for urn in range(150001, 150031):
            await add_school(session, urn)
            await add_figure(session, urn, value=None, reason="suppressed")
    point = (await series(reader, urn=HARRIS))[-1]["points"][-1]
    assert (point["percentile"], point["schools"]) == (worked([v for _, v in england], Decimal(55)), len(england))


@pytest.mark.usefixtures("england")
async def test_the_best_release_counts_for_its_own_point_and_for_the_others(
    client: Clients, database: Sandbox, england: list[tuple[int, Decimal]]
) -> None:
    final, _, provisional = BEST_RELEASES_FIRST
    reader = await client("academy", "trustee")
    before = (await series(reader, urn=HARRIS))[-1]["points"][-1]
    async with database.admin() as session:
        for urn, _ in england:
            await add_figure(session, urn, value=1, release=provisional)
        await add_comparison(session, value=1, release=provisional)
    assert (await series(reader, urn=HARRIS))[-1]["points"][-1] == before
    assert values((await series(reader, urn=HARRIS))[0])["2018/19"] == 46.7
    # A final figure that is suppressed isn't replaced by a provisional one.
    async with database.admin() as session:
        await session.execute(
            text(
                "update academy.reference_observation set value = null, reason = 'suppressed'"
                " where urn = :urn and release = :release"
            ),
            {"urn": england[1][0], "release": final},
        )
    assert (await series(reader, urn=HARRIS))[-1]["points"][-1]["schools"] == len(england) - 1


@pytest.mark.usefixtures("england")
async def test_own_figures_are_those_of_the_trust_and_the_grant(client: Clients, database: Sandbox) -> None:
    async with database.admin() as session:
        await add_figure(session, HARRIS, trust=PROSPERE, value=57, academic_year="2024/25")
        await add_figure(session, SPECIAL, trust=PROSPERE, value=4, academic_year="2024/25")
    about = {"urn": HARRIS, "others": True, "layer": "trust", "area": "england"}
    found = await series(await client("academy", "trustee"), **about)
    assert [(one["code"], one["layer"]) for one in found[1:]] == [(str(HARRIS), "trust"), (str(SPECIAL), "trust")]
    assert (found[1]["points"][0]["value"], found[1]["points"][0]["percentile"]) == (57, None)
    head = await series(await client("academy", "headteacher", academies=[SPECIAL]), **about)
    assert [(one["code"], len(one["points"])) for one in head[1:]] == [(str(HARRIS), 0), (str(SPECIAL), 1)]
    other = await series(await client("academy", "trustee", trust=OTHER_TRUST), **about)
    assert [(one["code"], len(one["points"])) for one in other[1:]] == [(str(HARRIS), 0)]
    operator = await client("academy", "platform-operator", trust=None)
    assert [one["kind"] for one in await series(operator, **about)] == ["england"]


@pytest.mark.usefixtures("england")
async def test_areas_of_a_phase_where_they_are_published(client: Clients, database: Sandbox) -> None:
    reader = await client("academy", "trustee")
    async with database.admin() as session:
        await add_comparison(session, value=48, phase="secondary")
        await add_comparison(session, value=9, phase="special")
    assert values((await series(reader))[0]) == {"2017/18": 46.5, "2018/19": 46.7}
    assert values((await series(reader, phase="special"))[0]) == {"2017/18": 46.5, "2018/19": 9}
    assert values((await series(reader, urn=HARRIS, academic_year="2018-19"))[0]) == {"2018/19": 48}
    london = await series(reader, region="E12000007", la="352", urn=SPECIAL)
    assert [one["code"] for one in london] == ["E92000001", "E12000007", "352", str(SPECIAL)]


@pytest.mark.usefixtures("england")
async def test_pages_join_up(client: Clients) -> None:
    reader = await client("academy", "trustee")
    whole = await series(reader, urn=HARRIS, others=True)
    first = (await reader.get(PATH, params={"measure": MEASURE, "urn": HARRIS, "others": True, "limit": 3})).json()
    more = {"measure": MEASURE, "urn": HARRIS, "others": True, "limit": 3, "cursor": first["next"]}
    rest = (await reader.get(PATH, params=more)).json()
    assert first["items"] + rest["items"] == whole and rest["next"] is None


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"measure": "ks4.nothing"}, 422, None),
        ({}, 422, None),
        ({"measure": MEASURE, "region": "E12000099"}, 422, "unknown_region"),
        ({"measure": MEASURE, "area": "region"}, 422, "missing"),
        ({"measure": MEASURE, "area": "authority"}, 422, "missing"),
        ({"measure": MEASURE, "area": "county"}, 422, None),
        ({"measure": MEASURE, "urn": 100999}, 404, None),
    ],
)
async def test_what_cannot_be_drawn(client: Clients, params: dict[str, Any], status: int, code: str | None) -> None:
    response = await (await client("academy", "trustee")).get(PATH, params=params)
    assert response.status_code == status, response.text
    if code is not None:
        assert response.json()["errors"][0]["code"] == code


async def test_it_needs_the_scope(client: Clients) -> None:
    for role in ("teacher-researcher", "status-reader"):
        response = await (await client("academy", role)).get(PATH, params={"measure": MEASURE})
        assert (response.status_code, response.json()["code"]) == (403, "insufficient-scope")
