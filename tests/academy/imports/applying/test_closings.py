"""Academies that close, convert inside their trust, or are only proposed: who is on the board, and until when."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.academy.imports.applying.links import PROSPERE_UID, link, links
from tests.academy.imports.applying.test_notices import come, listed
from tests.academy.imports.conftest import Workbench
from tests.academy.rated import criteria_set, publish, rerate
from tests.academy.rows import PROSPERE
from tests.conftest import Clock

STAYS, OLD, NEW = 135874, 142100, 147885
EVER = "2020-01-01T00:00:00Z"


@pytest.fixture
async def operator(bench: Workbench, clock: Clock) -> httpx.AsyncClient:
    """Somebody who may load national files. It is 1 August 2090: later than the time of the database, which waits."""
    clock.set(datetime(2090, 8, 1, 12, tzinfo=UTC))
    return await bench.client("platform-operator")


@pytest.fixture
async def begun(bench: Workbench, operator: httpx.AsyncClient) -> None:
    """A trust with two academies that it rates."""
    file = links(link(STAYS, PROSPERE_UID, "2018-09-01"), link(OLD, PROSPERE_UID, "2018-09-01"))
    await bench.load(operator, "gias-group-links", file)
    await publish(await bench.client("chief-executive"), criteria_set())
    await bench.work()


async def establishment(bench: Workbench, operator: httpx.AsyncClient, urn: int, status: str, closes: str = "") -> None:
    """Load what the register of schools says of one school."""
    header = "URN,EstablishmentName,EstablishmentStatus (name),CloseDate"
    ended = await bench.load(operator, "gias-establishments", f"{header}\n{urn},School {urn},{status},{closes}\n")
    assert (ended["state"], ended["errors"]) == ("succeeded", [])


async def count(bench: Workbench) -> int:
    """How many academies the trust has."""
    reader = await bench.client("trustee")
    found: int = (await reader.get(f"/academy/v1/trusts/{PROSPERE_UID}")).json()["academy_count"]
    return found


async def membership(bench: Workbench, urn: int) -> dict[str, Any]:
    reader = await bench.client("trustee")
    (found,) = (await reader.get(f"/academy/v1/academies/{urn}")).json()["memberships"]
    return {name: found[name] for name in ("joined_on", "left_on")}


async def moves(bench: Workbench) -> list[tuple[str, str]]:
    """Who joined and left, in order."""
    return [event for event in await bench.events() if event[0] in ("academy.joined", "academy.left")]


@pytest.mark.usefixtures("begun")
async def test_a_closed_academy_is_off_the_board_and_out_of_counts(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    # The database has a clock of its own.
    before = await bench.value("select clock_timestamp()")
    await establishment(bench, operator, OLD, "Closed", "31-07-2090")
    assert await listed(bench, PROSPERE) == {STAYS: False}
    assert await listed(bench, PROSPERE, updated_since=EVER) == {STAYS: False, OLD: True}
    assert await count(bench) == 1
    assert await moves(bench) == [("academy.left", f"academies/{OLD}")]
    # What was shown then stays, and so does its history.
    assert await listed(bench, PROSPERE, as_of=before.isoformat()) == {STAYS: False, OLD: False}
    assert await membership(bench, OLD) == {"joined_on": "2018-09-01", "left_on": "2090-07-31"}
    reader = await bench.client("trustee")
    academies = (await reader.get("/academy/v1/academies", params={"updated_since": EVER})).json()["items"]
    assert {one["urn"]: one["is_removed"] for one in academies} == {STAYS: False, OLD: True}
    # Neither file takes it back.
    await bench.load(operator, "gias-group-links", links(link(OLD, PROSPERE_UID, "2018-09-01")))
    await establishment(bench, operator, OLD, "Closed", "31-07-2090")
    assert await count(bench) == 1
    assert len(await moves(bench)) == 1


@pytest.mark.usefixtures("begun")
async def test_the_closing_day_comes_with_the_clock(
    bench: Workbench, operator: httpx.AsyncClient, clock: Clock
) -> None:
    await establishment(bench, operator, OLD, '"Open, but proposed to close"', "31-08-2090")
    await come(bench, clock, datetime(2090, 8, 30, 22, 59, tzinfo=UTC))
    assert (await listed(bench, PROSPERE), await count(bench)) == ({STAYS: False, OLD: False}, 2)
    await come(bench, clock, datetime(2090, 8, 30, 23, 0, 1, tzinfo=UTC))
    assert (await listed(bench, PROSPERE), await count(bench)) == ({STAYS: False}, 1)
    assert await listed(bench, PROSPERE, updated_since=EVER) == {STAYS: False, OLD: True}
    assert await moves(bench) == [("academy.left", f"academies/{OLD}")]
    assert await listed(bench, PROSPERE, as_of="2090-08-30T12:00:00Z") == {STAYS: False, OLD: False}


@pytest.mark.usefixtures("begun")
async def test_after_a_conversion_inside_the_trust_the_new_urn_counts_alone(
    bench: Workbench, operator: httpx.AsyncClient, clock: Clock
) -> None:
    await establishment(bench, operator, OLD, "Open", "31-08-2090")
    await bench.load(operator, "gias-group-links", links(link(NEW, PROSPERE_UID, "2090-09-01")))
    assert await count(bench) == 2
    await come(bench, clock, datetime(2090, 8, 31, 23, 0, 1, tzinfo=UTC))
    assert (await listed(bench, PROSPERE), await count(bench)) == ({STAYS: False, NEW: False}, 2)


@pytest.mark.usefixtures("begun")
async def test_closed_without_a_day_is_closed_from_the_day_of_the_import(bench: Workbench, clock: Clock) -> None:
    for _ in range(2):
        operator = await bench.client("platform-operator")
        await establishment(bench, operator, OLD, "Closed")
        assert await membership(bench, OLD) == {"joined_on": "2018-09-01", "left_on": "2090-08-01"}
        clock.advance(days=1)
    operator = await bench.client("platform-operator")
    await bench.load(operator, "gias-group-links", links(link(OLD, PROSPERE_UID, "2018-09-01")))
    assert await membership(bench, OLD) == {"joined_on": "2018-09-01", "left_on": "2090-08-01"}
    assert await count(bench) == 1


@pytest.mark.usefixtures("begun")
async def test_a_closing_that_is_taken_back_lets_the_membership_go_on(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    await establishment(bench, operator, OLD, "Closed", "31-07-2090")
    await establishment(bench, operator, OLD, "Open")
    assert await membership(bench, OLD) == {"joined_on": "2018-09-01", "left_on": None}
    assert await listed(bench, PROSPERE) == {STAYS: False, OLD: False}
    assert [kind for kind, _ in await moves(bench)] == ["academy.left", "academy.joined"]


@pytest.mark.usefixtures("begun")
async def test_a_link_of_a_closed_academy_that_comes_later_has_ended(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    await establishment(bench, operator, NEW, "Closed", "31-07-2090")
    await bench.load(operator, "gias-group-links", links(link(NEW, PROSPERE_UID, "2020-09-01")))
    assert await membership(bench, NEW) == {"joined_on": "2020-09-01", "left_on": "2090-07-31"}
    assert await count(bench) == 2


@pytest.mark.usefixtures("begun")
async def test_closings_that_were_known_before_are_mended_by_the_next_file(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    await bench.execute("update academy.school set status = 'closed', closed_on = '2090-07-01' where urn = $1", OLD)
    await establishment(bench, operator, STAYS, "Open")
    assert await membership(bench, OLD) == {"joined_on": "2018-09-01", "left_on": "2090-07-01"}
    assert await listed(bench, PROSPERE) == {STAYS: False}


@pytest.mark.usefixtures("begun")
async def test_a_proposed_academy_is_on_the_board_when_it_has_opened(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    await establishment(bench, operator, NEW, "Proposed to open")
    await bench.load(operator, "gias-group-links", links(link(NEW, PROSPERE_UID, "2090-01-01")))
    await rerate(bench.database)
    reader = await bench.client("trustee")
    assert await listed(bench, PROSPERE) == {STAYS: False, OLD: False}
    assert await count(bench) == 2
    assert {one["urn"] for one in (await reader.get("/academy/v1/academies")).json()["items"]} == {STAYS, OLD}
    await establishment(bench, operator, NEW, "Open")
    assert await listed(bench, PROSPERE) == {STAYS: False, OLD: False, NEW: False}
    assert await count(bench) == 3
    assert await moves(bench) == [("academy.joined", f"academies/{NEW}")]


async def warned(bench: Workbench, operator: httpx.AsyncClient, content: str) -> list[str]:
    """Load a file of schools, and give what was said of contradictions in it."""
    ended = await bench.load(operator, "gias-establishments", content)
    assert (ended["state"], ended["errors"]) == ("succeeded", [])
    return [one["detail"] for one in ended["warnings"] if one["code"] == "status_contradicts_date"]


@pytest.mark.usefixtures("begun")
async def test_an_open_school_with_a_past_closing_day_stays_on_the_board(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    header = "URN,EstablishmentName,EstablishmentStatus (name),CloseDate"
    said = await warned(bench, operator, f"{header}\n{OLD},A,Open,31-08-2011\n{STAYS},B,Open,\n")
    assert len(said) == 1
    assert f"URN {OLD} (2011-08-31)" in said[0]
    assert await listed(bench, PROSPERE) == {STAYS: False, OLD: False}
    assert (await membership(bench, OLD))["left_on"] is None
    # The other way round it has closed: on the day of the import, since a day to come can't be right.
    said = await warned(bench, operator, f"{header}\n{OLD},A,Closed,31-08-2091\n")
    assert f"URN {OLD} (2091-08-31)" in said[0]
    assert await listed(bench, PROSPERE) == {STAYS: False}
    assert (await membership(bench, OLD))["left_on"] == "2090-08-01"


@pytest.mark.usefixtures("begun")
async def test_a_file_of_statuses_alone_opens_a_school_again(bench: Workbench, operator: httpx.AsyncClient) -> None:
    await establishment(bench, operator, OLD, "Closed", "31-07-2090")
    assert await listed(bench, PROSPERE) == {STAYS: False}
    said = await warned(bench, operator, f"URN,EstablishmentName,EstablishmentStatus (name)\n{OLD},A,Open\n")
    assert f"URN {OLD} (2090-07-31)" in said[0]
    assert await listed(bench, PROSPERE) == {STAYS: False, OLD: False}
