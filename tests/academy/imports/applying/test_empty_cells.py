"""What an empty cell does to the register: nothing, unless the file is the register's own."""

import httpx
import pytest

from tests.academy.imports.applying.links import PROSPERE_UID
from tests.academy.imports.conftest import Workbench

URN = 135874
SCHOOL = "URN,EstablishmentName,PhaseOfEducation (name),EstablishmentStatus (name),CloseDate,Town"
LINK = "URN,Group UID,Group Name,Group Type,Group Status,Companies House Number,Joined date,EstablishmentName"


@pytest.fixture
async def operator(bench: Workbench) -> httpx.AsyncClient:
    """Somebody who may load national files; the register has a school and its trust."""
    operator = await bench.client("platform-operator")
    file = f"{SCHOOL}\n{URN},A School,Secondary,Open,31-08-2090,Manchester\n"
    assert (await bench.load(operator, "gias-establishments", file))["state"] == "succeeded"
    file = f"{LINK}\n{URN},{PROSPERE_UID},A TRUST,Multi-academy trust,Open,10872612,2020-04-01,A School\n"
    assert (await bench.load(operator, "gias-group-links", file))["state"] == "succeeded"
    return operator


async def school(bench: Workbench) -> dict[str, object]:
    (found,) = await bench.rows("select phase, status, closed_on::text, town from academy.school where urn = $1", URN)
    return found


async def test_a_file_of_groups_erases_nothing(bench: Workbench, operator: httpx.AsyncClient) -> None:
    before = await school(bench)
    header = f"{LINK},PhaseOfEducation (name)"
    file = f"{header}\n{URN},{PROSPERE_UID},A TRUST,Multi-academy trust,,,2020-04-01,A School,\n"
    ended = await bench.load(operator, "gias-group-links", file)
    assert (ended["state"], ended["rows_changed"]) == ("succeeded", 0)
    assert await school(bench) == before == {
        "phase": "secondary", "status": "open", "closed_on": "2090-08-31", "town": "Manchester",
    }  # fmt: skip
    trust = await bench.rows(
        "select status, companies_house_number from academy.trust_register where group_uid = $1", PROSPERE_UID
    )
    assert trust == [{"status": "open", "companies_house_number": "10872612"}]


async def test_the_registers_own_file_clears_what_it_leaves_empty_but_no_status(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    await bench.load(operator, "gias-establishments", f"{SCHOOL}\n{URN},A School,Secondary,,,\n")
    assert await school(bench) == {"phase": "secondary", "status": "open", "closed_on": None, "town": None}


async def test_a_file_of_half_the_columns_erases_nothing_that_needs_both(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    typed = "URN,EstablishmentName,LA (code),EstablishmentNumber,TypeOfEstablishment (name),PhaseOfEducation (name)"
    await bench.load(
        operator, "gias-establishments", f"{typed}\n{URN},A,352,6905,Academy special converter,Not applicable\n"
    )
    known = [{"phase": "special", "laestab": "3526905"}]
    for header, row in (
        ("URN,EstablishmentName,PhaseOfEducation (name)", f"{URN},A,Not applicable"),
        ("URN,EstablishmentName,TypeOfEstablishment (name)", f"{URN},A,Academy converter"),
        ("URN,EstablishmentName,EstablishmentNumber", f"{URN},A,6905"),
    ):
        ended = await bench.load(operator, "gias-establishments", f"{header}\n{row}\n")
        assert ended["state"] == "succeeded"
        assert await bench.rows("select phase, laestab from academy.school where urn = $1", URN) == known
