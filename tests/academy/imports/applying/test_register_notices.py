"""What feeds announce of inspections, the register and comparison figures: to whom, and when they are taken back."""

from typing import Any
from uuid import UUID

import orjson
import pytest

from kit.ids import PLATFORM
from tests.academy.imports.applying.links import PROSPERE_UID, link, links
from tests.academy.imports.applying.test_withdraw import taken_back
from tests.academy.imports.conftest import Workbench
from tests.academy.rated import statuses
from tests.academy.rows import PROSPERE
from tests.support.tokens import OTHER_TRUST

URN = 135874
SCHOOLS = "URN,LA (code),LA (name),EstablishmentName,EstablishmentStatus (name),PhaseOfEducation (name),GOR (name)\n"
INSPECTIONS = "URN,Overall effectiveness,Inspection start date\n"
KS4 = "RECTYPE,LEA,URN,TPUP,ATT8SCR,P8PUP,P8MEA,P8CILOW,P8CIUPP,P8_BANDING\n"
ATTENDANCE = (
    "time_period,time_identifier,geographic_level,region_code,region_name,old_la_code,education_phase,attendance_perc\n"
)


async def grant(bench: Workbench, trust: UUID, side: str = "a") -> None:
    """Let somebody have a right in this trust, as identity's feed says."""
    await bench.execute(
        f"insert into academy.identity_grant_{side} (trust_id, id, holder, role, extent, starts_on, is_ended)"
        " values ($1, gen_random_uuid(), 'person:1', 'trustee', 'trust', '2020-01-01', false)",
        trust,
    )


async def announced(bench: Workbench, kind: str, trust: UUID = PROSPERE) -> list[dict[str, Any]]:
    """The data of a trust's events of one type, in order."""
    rows = await bench.rows(
        "select data from academy.event where trust_id = $1 and type = $2 order by xid, seq",
        trust,
        f"org.trellis.academy.{kind}.v1",
    )
    return [orjson.loads(row["data"]) for row in rows]


@pytest.fixture
async def in_trust(bench: Workbench) -> None:
    """A school of Manchester that belongs to Prospere."""
    operator = await bench.client("platform-operator")
    row = f"{URN},352,Manchester,Hill,Open,Secondary,North West\n"
    await bench.load(operator, "gias-establishments", SCHOOLS + row)
    await bench.load(operator, "gias-group-links", links(link(URN, PROSPERE_UID, "2018-09-01")))


@pytest.mark.usefixtures("in_trust")
@pytest.mark.parametrize("side", ["a", "b"])
async def test_a_trust_without_criteria_hears_of_its_academies_too(bench: Workbench, side: str) -> None:
    operator = await bench.client("platform-operator")
    await grant(bench, PROSPERE, side)
    await grant(bench, PLATFORM, side)
    await bench.load(operator, "ofsted-inspections", INSPECTIONS + f"{URN},Good,18/04/2013\n")
    await bench.load(operator, "dfe-ks4", KS4 + f"1,352,{URN},180,44,,,,,\n", academic_year="2017/18")
    kinds = [kind for kind, _ in await bench.events()]
    assert {"inspection.recorded", "observation.changed", "academy.changed"} <= set(kinds)
    assert await bench.events(OTHER_TRUST) == [] and len(await bench.jobs("academy.imports.tell")) == 2
    # And of who joins.
    joined = links(link(142100, PROSPERE_UID, "2019-09-01"))
    await bench.load(operator, "gias-group-links", joined)
    assert [event["urn"] for event in await announced(bench, "academy.joined")] == [142100]
    board = await statuses(await bench.client("status-reader"))
    assert {urn: one["status"] for urn, one in board.items()} == {URN: "not_assessed", 142100: "not_assessed"}


@pytest.mark.usefixtures("in_trust")
async def test_inspections_that_are_taken_back_are_announced(bench: Workbench) -> None:
    operator = await bench.client("platform-operator")
    await bench.load(operator, "ofsted-inspections", INSPECTIONS + f"{URN},Good,18/04/2013\n")
    await bench.rate(PROSPERE, OTHER_TRUST)
    rows = f"{URN},Inadequate,18/04/2013\n{URN},Outstanding,01/03/2018\n"
    wrong = await bench.load(operator, "ofsted-inspections", INSPECTIONS + rows)
    before = await announced(bench, "inspection.recorded")
    changes = len(await announced(bench, "academy.changed"))
    await taken_back(bench, operator, wrong)
    again, gone = (await announced(bench, "inspection.recorded"))[len(before) :]
    bad, new = before[-2:]
    assert (again["overall_grade"], again["replaces"], again["is_withdrawn"]) == ("good", bad["inspection_id"], False)
    assert again["inspection_id"] not in {one["inspection_id"] for one in before}
    assert (gone["inspection_id"], gone["replaces"], gone["is_withdrawn"]) == (new["inspection_id"], None, True)
    assert again["import_id"] == gone["import_id"] == wrong["id"]
    assert len(await announced(bench, "academy.changed")) == changes + 1
    assert await announced(bench, "inspection.recorded", OTHER_TRUST) == []


@pytest.mark.usefixtures("in_trust")
async def test_comparison_figures_that_are_taken_back_are_announced(bench: Workbench) -> None:
    operator = await bench.client("platform-operator")
    await bench.rate(PROSPERE, OTHER_TRUST)
    await bench.load(operator, "dfe-ks4", KS4 + "7,,,523636,46.5,,,,,\n", academic_year="2017/18")
    wrong = await bench.load(
        operator, "dfe-ks4", KS4 + "7,,,523636,12.5,,,,,\n4,352,,5000,13,,,,,\n4,850,,5000,14,,,,,\n",
        academic_year="2017/18",
    )  # fmt: skip
    known = len(await announced(bench, "comparison.changed"))
    await taken_back(bench, operator, wrong)

    def short(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        names = ("area", "area_code", "figures", "figures_withdrawn")
        return [tuple(one[name] for name in names) for one in events if one["measure"] == "ks4.attainment_8"]

    assert short((await announced(bench, "comparison.changed"))[known:]) == [
        ("england", "E92000001", 1, 0),
        ("la", "352", 0, 1),
    ]
    assert {one[0] for one in short(await announced(bench, "comparison.changed", OTHER_TRUST))} == {"england"}


@pytest.mark.usefixtures("in_trust")
async def test_figures_of_the_regions_of_a_trust_are_announced(bench: Workbench) -> None:
    operator = await bench.client("platform-operator")
    await bench.rate(PROSPERE, OTHER_TRUST)
    rows = "".join(
        f"202425,Autumn term,Regional,{code},{name},,Secondary,{value}\n"
        for code, name, value in (("E12000002", "North West", 92.1), ("E12000007", "London", 93.2))
    )
    loaded = await bench.load(operator, "dfe-attendance", ATTENDANCE + rows)
    assert loaded["state"] == "succeeded", loaded
    events = await announced(bench, "comparison.changed")
    assert [(one["area"], one["area_code"]) for one in events] == [("region", "E12000002")]
    assert await announced(bench, "comparison.changed", OTHER_TRUST) == []
