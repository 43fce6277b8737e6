"""National files, from the file to the register, the figures and the feeds of those whom they concern."""

from typing import Any

import httpx
import pytest

from kit.ids import PLATFORM
from tests.academy.imports.conftest import Workbench
from tests.academy.rows import PROSPERE
from tests.support.tokens import OTHER_TRUST

LINKS = (
    "URN,Group UID,Group ID,Group Name,Companies House Number,Group Type (code),Group Type,Closed Date,"
    "Incorporated on (open date),Group Status,Joined date,EstablishmentName,TypeOfEstablishment (code),"
    "TypeOfEstablishment (name),PhaseOfEducation (name),LA (code),LA (name)\n"
)
PROSPERE_ROW = (
    "{urn},16846,TR03794,PROSPERE LEARNING TRUST,10872612.0,6,Multi-academy trust,,2017-07-18,Open,{on},{name},"
    "{type},Academy,{phase},352,Manchester\n"
)
ARK_ROW = (
    "{urn},2044,TR00087,ARK SCHOOLS,5112090.0,6,Multi-academy trust,,2004-04-26,Open,{on},{name},"
    "28,Academy,Secondary,352,Manchester\n"
)
SPONSOR_ROW = (
    "135874,3001,,Somebody,,5,School sponsor,,,Open,2010-09-01,Manchester Enterprise Academy,"
    "28,Academy sponsor led,Secondary,352,Manchester\n"
)

KS4 = "RECTYPE,LEA,URN,TPUP,ATT8SCR,P8PUP,P8MEA,P8CILOW,P8CIUPP,P8_BANDING\n"


def prospere(urn: int, on: str = "2020-04-01", name: str = "School", type_: int = 28, phase: str = "Secondary") -> str:
    return PROSPERE_ROW.format(urn=urn, on=on, name=name, type=type_, phase=phase)


def ark(urn: int, on: str) -> str:
    return ARK_ROW.format(urn=urn, on=on, name="School")


@pytest.fixture
async def operator(bench: Workbench) -> httpx.AsyncClient:
    """Somebody who may load national files."""
    return await bench.client("platform-operator")


async def members(bench: Workbench, trust: str = "16846", **params: Any) -> list[tuple[int, str, str | None]]:
    reader = await bench.client("trustee")
    response = await reader.get(f"/academy/v1/trusts/{trust}/academies", params=params)
    return [(one["urn"], one["joined_on"], one["left_on"]) for one in response.json()["items"]]


async def test_links_alone_make_the_register(bench: Workbench, operator: httpx.AsyncClient) -> None:
    content = LINKS + prospere(135874, name="MEA") + prospere(142100, type_=44, phase="Not applicable") + SPONSOR_ROW
    ended = await bench.load(operator, "gias-group-links", content)
    assert (ended["state"], ended["rows_accepted"], ended["rows_ignored"]) == ("succeeded", 2, 1)
    assert await members(bench) == [(135874, "2020-04-01", None), (142100, "2020-04-01", None)]
    reader = await bench.client("trustee")
    trust = (await reader.get("/academy/v1/trusts/TR03794")).json()
    assert (trust["id"], trust["companies_house_number"]) == (str(PROSPERE), "10872612")
    academies = (await reader.get("/academy/v1/academies")).json()["items"]
    assert [(one["urn"], one["phase"], one["is_registered"]) for one in academies] == [
        (135874, "secondary", True),
        (142100, "special", True),
    ]


async def test_the_same_register_again_changes_nothing(bench: Workbench, operator: httpx.AsyncClient) -> None:
    content = LINKS + prospere(135874) + prospere(142100)
    await bench.load(operator, "gias-group-links", content)
    tables = ("school", "trust_register", "membership")
    before = [await bench.rows(f"select * from academy.{table} order by 1") for table in tables]
    await bench.rate()
    ended = await bench.load(operator, "gias-group-links", content)
    assert (ended["rows_new"], ended["rows_changed"], ended["rows_unchanged"]) == (0, 0, 5)
    assert [await bench.rows(f"select * from academy.{table} order by 1") for table in tables] == before
    assert await bench.jobs("academy.ratings.rerate") == []


async def test_joining_another_trust_ends_the_membership_before(bench: Workbench, operator: httpx.AsyncClient) -> None:
    await bench.load(operator, "gias-group-links", LINKS + prospere(135874) + prospere(142100))
    await bench.rate(PROSPERE, OTHER_TRUST)
    ended = await bench.load(operator, "gias-group-links", LINKS + ark(142100, "2024-09-01"))
    assert ended["state"] == "succeeded"
    assert await members(bench) == [(135874, "2020-04-01", None)]
    assert await members(bench, membership="past") == [(142100, "2020-04-01", "2024-09-01")]
    assert await members(bench, "2044") == [(142100, "2024-09-01", None)]
    assert ("academy.left", "academies/142100") in await bench.events(PROSPERE)
    assert ("academy.joined", "academies/142100") in await bench.events(OTHER_TRUST)
    jobs = {job["args"] for job in await bench.jobs("academy.ratings.rerate")}
    assert len(jobs) == 2
    # The older file once more doesn't bring it back, and tells nobody anything.
    events = await bench.events(PROSPERE)
    again = await bench.load(operator, "gias-group-links", LINKS + prospere(135874) + prospere(142100))
    assert (again["state"], again["rows_changed"]) == ("succeeded", 0)
    assert await members(bench) == [(135874, "2020-04-01", None)]
    assert await bench.events(PROSPERE) == events


async def test_a_link_that_a_later_file_does_not_have_stays(bench: Workbench, operator: httpx.AsyncClient) -> None:
    await bench.load(operator, "gias-group-links", LINKS + prospere(135874) + prospere(142100))
    await bench.load(operator, "gias-group-links", LINKS + prospere(135874))
    assert len(await members(bench)) == 2


async def test_a_corrected_day_of_joining_takes_the_place_of_the_old_one(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    await bench.load(operator, "gias-group-links", LINKS + prospere(135874, on="2020-04-01"))
    await bench.rate()
    ended = await bench.load(operator, "gias-group-links", LINKS + prospere(135874, on="2020-05-01"))
    assert ended["rows_changed"] == 1
    assert await members(bench, membership="all") == [(135874, "2020-05-01", None)]
    assert await bench.value("select count(*) from academy.membership") == 2
    assert ("academy.joined", "academies/135874") not in await bench.events()


async def test_results_become_figures_and_figures_to_compare_with(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    await bench.load(operator, "gias-group-links", LINKS + prospere(135874))
    content = (
        KS4 + "1,352,135874,180,44.1,170,-0.29,-0.58,0.00,3\n" + "1,352,105560,12,SUPP,12,SUPP,SUPP,SUPP,\n"
        "4,352,,5000,45.1,4900,-0.1,,,\n" + "7,,,523636,46.5,494832,-0.02,,,\n"
    )
    ended = await bench.load(operator, "dfe-ks4", content, academic_year="2017-18")
    assert (ended["state"], ended["errors"]) == ("succeeded", [])
    assert (ended["rows_accepted"], ended["rows_ignored"], ended["comparison_rows"]) == (2, 2, 2)
    reader = await bench.client("trustee")
    items = (
        await reader.get("/academy/v1/observations", params={"measure": ["ks4.attainment_8", "ks4.progress_8"]})
    ).json()["items"]
    attainment, progress = (one for one in items if one["pupil_group"] == "all")
    assert (attainment["value"], attainment["layer"], attainment["academic_year"]) == (44.1, "national", "2017/18")
    assert [(one["kind"], one["value"]) for one in attainment["comparisons"]] == [("national", 46.5), ("la", 45.1)]
    assert (progress["band"], progress["published_band"]) == ("average", "average")
    hidden = (await reader.get("/academy/v1/observations", params={"urn": 105560})).json()["items"]
    assert {one["reason"] for one in hidden if one["measure"] == "ks4.attainment_8"} == {"suppressed"}
    stub = (await reader.get("/academy/v1/academies/105560")).json()
    assert stub["is_registered"] is False


async def test_only_the_trusts_that_it_concerns_are_told_and_rated_again(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    await bench.load(operator, "gias-group-links", LINKS + prospere(135874) + ark(142100, "2019-09-01"))
    known = "1,352,105560,180,44.1,170,-0.29,-0.58,0.00,3\n"
    await bench.load(operator, "dfe-ks4", KS4 + known, academic_year="2017/18")
    await bench.rate(PROSPERE, OTHER_TRUST)
    row = "1,352,135874,180,44.1,170,-0.29,-0.58,0.00,3\n"
    ended = await bench.load(operator, "dfe-ks4", KS4 + row, academic_year="2017/18")
    rated = [job["args"] for job in await bench.jobs("academy.ratings.rerate")]
    assert len(rated) == 1
    assert str(PROSPERE) in rated[0] and ended["id"] in rated[0]
    changed = [event for event in await bench.events(PROSPERE) if event[0] == "observation.changed"]
    assert changed and {subject for _, subject in changed} == {"academies/135874"}
    assert "observation.changed" not in [kind for kind, _ in await bench.events(OTHER_TRUST)]
    # Told again (the job was repeated), it is told once.
    await bench.execute(
        "set search_path = academy;"
        " update procrastinate_jobs set status = 'todo' where task_name = 'academy.imports.tell'"
    )
    await bench.work()
    again = [event for event in await bench.events(PROSPERE) if event[0] == "observation.changed"]
    assert again == changed
    assert ("import.finished", f"imports/{ended['id']}") in await bench.events(PLATFORM)


async def test_a_changed_national_figure_concerns_every_trust(bench: Workbench, operator: httpx.AsyncClient) -> None:
    await bench.rate(PROSPERE, OTHER_TRUST)
    await bench.load(operator, "dfe-ks4", KS4 + "7,,,523636,46.5,494832,-0.02,,,\n", academic_year="2017/18")
    assert len(await bench.jobs("academy.ratings.rerate")) == 2
    unchanged = await bench.load(
        operator, "dfe-ks4", KS4 + "7,,,523636,46.5,494832,-0.02,,,\n", academic_year="2017/18"
    )
    assert unchanged["rows_changed"] == 0
    assert len(await bench.jobs("academy.ratings.rerate")) == 2


async def test_a_newer_year_of_any_school_concerns_every_trust(bench: Workbench, operator: httpx.AsyncClient) -> None:
    """It ages the figures of all of them; another school of a year that is known concerns nobody else."""
    row = "1,352,{urn},180,44.1,,,,,\n"
    newer = "1,352,105561,180,44.2,,,,,\n"
    await bench.load(operator, "dfe-ks4", KS4 + row.format(urn=105560), academic_year="2017/18")
    await bench.rate(PROSPERE, OTHER_TRUST)
    await bench.load(operator, "dfe-ks4", KS4 + row.format(urn=105561), academic_year="2017/18")
    assert await bench.jobs("academy.ratings.rerate") == []
    await bench.load(operator, "dfe-ks4", KS4 + newer, academic_year="2018/19", dry_run=True)
    assert await bench.jobs("academy.ratings.rerate") == []
    await bench.load(operator, "dfe-ks4", KS4 + newer, academic_year="2018/19")
    assert len(await bench.jobs("academy.ratings.rerate")) == 2
    # Corrected to a figure that may not be told, the year is no longer there, and everybody is younger again.
    await bench.load(operator, "dfe-ks4", KS4 + "1,352,105561,180,SUPP,,,,,\n", academic_year="2018/19")
    assert len(await bench.jobs("academy.ratings.rerate")) == 4


async def test_facts_that_an_extract_does_not_have_stay(bench: Workbench, operator: httpx.AsyncClient) -> None:
    full = (
        "URN,LA (code),LA (name),EstablishmentNumber,EstablishmentName,TypeOfEstablishment (name),"
        "EstablishmentStatus (name),PhaseOfEducation (name),SchoolCapacity,NumberOfPupils,UKPRN,Town,Postcode\n"
        "115850,850,Hampshire,2000,Alton Infant School,Community school,Open,Primary,180,138,10080446,Alton,GU34 1DH\n"
    )
    await bench.load(operator, "gias-establishments", full)
    part = "URN,EstablishmentName,EstablishmentStatus (name)\n115850,Alton Infants,Closed\n"
    ended = await bench.load(operator, "gias-establishments", part)
    assert (ended["state"], ended["rows_changed"]) == ("succeeded", 1), ended
    (school,) = await bench.rows("select name, status, town, pupils, version from academy.school where urn = 115850")
    assert school == {"name": "Alton Infants", "status": "closed", "town": "Alton", "pupils": 138, "version": 2}


async def test_a_stub_becomes_a_school_when_the_register_names_it(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    await bench.load(operator, "dfe-ks4", KS4 + "1,352,135874,180,44.1,,,,,\n", academic_year="2017/18")
    assert await bench.value("select is_registered from academy.school where urn = 135874") is False
    await bench.load(operator, "gias-group-links", LINKS + prospere(135874, name="MEA"))
    (school,) = await bench.rows("select name, is_registered from academy.school where urn = 135874")
    assert school == {"name": "MEA", "is_registered": True}


async def test_inspections_are_kept_and_corrected(bench: Workbench, operator: httpx.AsyncClient) -> None:
    header = "URN,Overall effectiveness,Inspection start date\n"
    await bench.load(operator, "ofsted-inspections", header + "100000,Good,18/04/2013\n100000,Outstanding,01/03/2018\n")
    ended = await bench.load(operator, "ofsted-inspections", header + "100000,Requires improvement,18/04/2013\n")
    assert (ended["state"], ended["rows_changed"]) == ("succeeded", 1)
    reader = await bench.client("trustee")
    items = (await reader.get("/academy/v1/academies/100000/inspections")).json()["items"]
    assert [(one["inspected_on"], one["overall_grade"]) for one in items] == [
        ("2018-03-01", "outstanding"),
        ("2013-04-18", "requires_improvement"),
    ]
    assert await bench.value("select count(*) from academy.inspection") == 3


async def test_days_of_grades_stay_when_a_shorter_file_states_the_same_inspection(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    header = "URN,Inspection start date,Inclusion,Category of concern"
    more = ",Inclusion - date of grade,Most recent category of concern"
    row = "100000,02/12/2025,Urgent improvement"
    first = await bench.load(operator, "ofsted-inspections", f"{header}{more}\n{row},,12/05/2026,RSI\n")
    assert [warning["code"] for warning in first["warnings"]] == ["category_differs"]
    await bench.load(operator, "ofsted-inspections", f"{header}\n{row},RSI\n")
    reader = await bench.client("trustee")
    (newest,) = (await reader.get("/academy/v1/academies/100000/inspections")).json()["items"]
    assert newest["category_of_concern"] == "requires_significant_improvement"
    known = ({"inclusion": "2026-05-12"}, "requires_significant_improvement")
    assert (newest["graded_on"], newest["latest_category_of_concern"]) == known
    again = await bench.load(operator, "ofsted-inspections", f"{header}{more}\n{row},RSI,12/05/2026,NULL\n")
    assert again["rows_changed"] == 1
    (newest,) = (await reader.get("/academy/v1/academies/100000/inspections")).json()["items"]
    assert (newest["graded_on"], newest["latest_category_of_concern"]) == ({"inclusion": "2026-05-12"}, "none")
    unchanged = await bench.load(
        operator, "ofsted-inspections", f"{header},Most recent category of concern\n{row},RSI,\n"
    )
    assert unchanged["rows_unchanged"] == 1, "a file without the days leaves them as they are known"


async def test_nothing_that_a_shorter_file_of_inspections_leaves_out_is_erased(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    header = "URN,Inspection start date,Publication date,Safeguarding standards,Inclusion,Achievement"
    days = "Inclusion - date of grade,Achievement - date of grade,Category of concern"
    row = "100000,02/12/2025,12/01/2026,Met,Strong standard,Expected standard,02/12/2025,12/05/2026,"
    await bench.load(operator, "ofsted-inspections", f"{header},{days}\n{row}\n")
    # One area has another grade now; the file has no other columns.
    corrected = "URN,Inspection start date,Achievement\n100000,02/12/2025,Strong standard\n"
    ended = await bench.load(operator, "ofsted-inspections", corrected)
    assert (ended["state"], ended["rows_changed"]) == ("succeeded", 1)
    reader = await bench.client("trustee")
    (newest,) = (await reader.get("/academy/v1/academies/100000/inspections")).json()["items"]
    assert newest["judgements"] == {"inclusion": "strong_standard", "achievement": "strong_standard"}
    assert (newest["published_on"], newest["safeguarding"]) == ("2026-01-12", "met")
    # The day of a grade goes with the grade.
    assert newest["graded_on"] == {"inclusion": "2025-12-02"}
    again = await bench.load(operator, "ofsted-inspections", corrected)
    assert (again["rows_changed"], again["rows_unchanged"]) == (0, 1)
    # A column that is there and empty says that there is nothing.
    await bench.load(
        operator, "ofsted-inspections", "URN,Inspection start date,Achievement,Safeguarding standards\n"
        "100000,02/12/2025,Strong standard,\n"
    )  # fmt: skip
    (newest,) = (await reader.get("/academy/v1/academies/100000/inspections")).json()["items"]
    assert newest["safeguarding"] is None


async def test_a_bad_national_file_keeps_nothing(bench: Workbench, operator: httpx.AsyncClient) -> None:
    content = KS4 + "1,352,135874,180,44.1,,,,,\n1,352,105560,180,4O,,,,,\n7,,,1,46.5,,,,,\n"
    ended = await bench.load(operator, "dfe-ks4", content, academic_year="2017/18")
    assert (ended["state"], ended["errors_total"]) == ("failed", 1)
    assert (ended["errors"][0]["row"], ended["errors"][0]["column"]) == (3, "ATT8SCR")
    for table in ("reference_observation", "comparison_figure", "school", "reference_load"):
        assert await bench.value(f"select count(*) from academy.{table}") == 0


async def test_a_national_dry_run_keeps_nothing(bench: Workbench, operator: httpx.AsyncClient) -> None:
    ended = await bench.load(operator, "gias-group-links", LINKS + prospere(135874), dry_run=True)
    assert (ended["state"], ended["rows_new"]) == ("succeeded", 3)
    for table in ("school", "trust_register", "membership", "reference_load"):
        assert await bench.value(f"select count(*) from academy.{table}") == 0


async def test_a_narrower_file_of_the_same_figures_leaves_their_intervals(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    await bench.load(
        operator, "dfe-ks4", KS4 + "1,352,135874,120,40.1,118,-0.69,-0.9,-0.48,5\n", academic_year="2018/19"
    )
    narrow = "RECTYPE,URN,P8MEA,ATT8SCR\n1,135874,{},40.1\n"
    ended = await bench.load(operator, "dfe-ks4", narrow.format("-0.69"), academic_year="2018/19")
    assert (ended["state"], ended["rows_new"], ended["rows_changed"]) == ("succeeded", 0, 0)
    now = (
        "select value::float, lower::float, upper::float, cohort::int, published_band"
        " from academy.reference_observation"
        " where measure = 'ks4.progress_8' and superseded_at is null"
    )
    assert [tuple(row.values()) for row in await bench.rows(now)] == [(-0.69, -0.9, -0.48, 118, "well_below_average")]
    # Another figure is another figure: the interval was not its own.
    ended = await bench.load(operator, "dfe-ks4", narrow.format("-0.5"), academic_year="2018/19")
    assert ended["rows_changed"] == 1
    assert [tuple(row.values()) for row in await bench.rows(now)] == [(-0.5, None, None, None, None)]
