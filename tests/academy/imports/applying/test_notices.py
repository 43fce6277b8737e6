"""What a trust's feed hears of its academies' memberships, and when."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from tests.academy.imports.applying.links import ARK_UID, PROSPERE_UID, link, links
from tests.academy.imports.conftest import Workbench, csv
from tests.academy.rated import ATTAINMENT, criteria_set, publish, rerate, statuses
from tests.academy.rows import PROSPERE
from tests.conftest import Clock
from tests.support.tokens import OTHER_TRUST

STAYS, MOVES = 135874, 142100
JOINED, LEFT, CHANGED = "academy.joined", "academy.left", "membership.changed"

OWN = {**ATTAINMENT, "layer": "trust", "comparison": "fixed", "bounds": {"green": 50, "amber": 40}}


@pytest.fixture
async def operator(bench: Workbench, clock: Clock) -> httpx.AsyncClient:
    """Somebody who may load national files. It is 1 October 2090: later than the time of the database, which waits."""
    clock.set(datetime(2090, 10, 1, 12, tzinfo=UTC))
    return await bench.client("platform-operator")


@pytest.fixture
async def begun(bench: Workbench, operator: httpx.AsyncClient) -> None:
    """Both trusts rate their academies; Prospere has two, Ark none."""
    file = links(link(STAYS, PROSPERE_UID, "2018-09-01"), link(MOVES, PROSPERE_UID, "2018-09-01"))
    await bench.load(operator, "gias-group-links", file)
    for trust in (PROSPERE, OTHER_TRUST):
        await publish(await bench.client("chief-executive", trust=trust), criteria_set(criteria=[OWN]))
    await bench.work()
    assert not {JOINED, LEFT, CHANGED} & {kind for kind, _ in await bench.events()}


async def moves(bench: Workbench, trust: UUID) -> list[tuple[str, dict[str, Any]]]:
    """Type and data of what the trust's feed told of memberships, in order."""
    rows = await bench.rows("select type, data from academy.event where trust_id = $1 order by xid, seq", trust)
    short = [(row["type"].removeprefix("org.trellis.academy.").removesuffix(".v1"), row["data"]) for row in rows]
    return [(kind, orjson.loads(data)) for kind, data in short if kind in (JOINED, LEFT, CHANGED)]


async def new_moves(bench: Workbench, trust: UUID, seen: dict[UUID, int]) -> list[tuple[Any, ...]]:
    """What was told of memberships since it was asked for the last time."""
    found = await moves(bench, trust)
    fresh = found[seen.get(trust, 0) :]
    seen[trust] = len(found)
    assert all(data["urn"] == MOVES and data["import_id"] for _, data in fresh)
    return [
        (kind, data["before"], data["after"]) if kind == CHANGED else (kind, data["joined_on"], data["left_on"])
        for kind, data in fresh
    ]


async def come(bench: Workbench, clock: Clock, at: datetime) -> None:
    """Let time pass until then, and have done what was queued for it."""
    clock.set(at)
    await bench.execute(
        "set search_path = academy; update procrastinate_jobs set scheduled_at = now() - interval '1 second'"
        f" where status = 'todo' and scheduled_at <= '{at.isoformat()}'"
    )
    await bench.work()


def days(joined_on: str, left_on: str | None = None) -> dict[str, str | None]:
    return {"joined_on": joined_on, "left_on": left_on}


async def listed(bench: Workbench, trust: UUID, **params: Any) -> dict[int, bool]:
    told = await statuses(await bench.client("status-reader", trust=trust), **params)
    return {urn: one["is_removed"] for urn, one in told.items()}


@pytest.mark.usefixtures("begun")
async def test_a_day_to_come_is_announced_and_told_again_when_it_has_come(
    bench: Workbench, operator: httpx.AsyncClient, clock: Clock
) -> None:
    seen: dict[UUID, int] = {}
    await bench.load(operator, "gias-group-links", links(link(MOVES, ARK_UID, "2090-12-01")))
    assert await new_moves(bench, PROSPERE, seen) == [(CHANGED, days("2018-09-01"), days("2018-09-01", "2090-12-01"))]
    assert await new_moves(bench, OTHER_TRUST, seen) == [(CHANGED, None, days("2090-12-01"))]
    await come(bench, clock, datetime(2090, 11, 30, 23, 59, tzinfo=UTC))
    assert await new_moves(bench, PROSPERE, seen) == await new_moves(bench, OTHER_TRUST, seen) == []
    assert await listed(bench, PROSPERE) == {STAYS: False, MOVES: False}
    await come(bench, clock, datetime(2090, 12, 1, 0, 0, 1, tzinfo=UTC))
    assert await new_moves(bench, PROSPERE, seen) == [(LEFT, "2018-09-01", "2090-12-01")]
    assert await new_moves(bench, OTHER_TRUST, seen) == [(JOINED, "2090-12-01", None)]
    assert await listed(bench, PROSPERE, updated_since="2020-01-01T00:00:00Z") == {STAYS: False, MOVES: True}
    assert await listed(bench, OTHER_TRUST) == {MOVES: False}
    # Nothing is told twice.
    for trust in (PROSPERE, OTHER_TRUST):
        await rerate(bench.database, trust)
        assert await new_moves(bench, trust, seen) == []


@pytest.mark.usefixtures("begun")
async def test_a_day_to_come_holds_up_nothing(bench: Workbench, operator: httpx.AsyncClient) -> None:
    await bench.load(operator, "gias-group-links", links(link(MOVES, ARK_UID, "2090-12-01")))
    waiting = "select task_name, lock, args from academy.procrastinate_jobs where status = 'todo' and scheduled_at > $1"
    noon = datetime(2090, 10, 1, 12, tzinfo=UTC)
    found = [row for row in await bench.rows(waiting, noon) if row["task_name"].startswith("academy.ratings.")]
    assert [(row["task_name"], row["lock"]) for row in found] == [("academy.ratings.come_back", None)] * 2
    # A change of figures, of the register and of the criteria each come through at once.
    manager = await bench.client("data-manager")
    await bench.load(manager, "observations", csv([(STAYS, "ks4.attainment_8", "2018/19", 55)]))
    reader = await bench.client("status-reader")
    assert (await statuses(reader))[STAYS]["status"] == "green"
    await publish(
        await bench.client("chief-executive"),
        criteria_set(criteria=[{**OWN, "bounds": {"green": 60, "amber": 58}}], title="Stricter"),
    )
    await bench.work()
    assert (await statuses(reader))[STAYS]["status"] == "red"
    header = "RECTYPE,URN,TPUP,ATT8SCR\n"
    await bench.load(operator, "dfe-ks4", header + f"1,{STAYS},180,44.1\n", academic_year="2018/19")
    assert ("observation.changed", f"academies/{STAYS}") in (await bench.events())[-3:]
    assert await bench.value(
        "select count(*) from academy.procrastinate_jobs where status = 'todo' and scheduled_at is null"
    ) == 0  # fmt: skip


@pytest.mark.usefixtures("begun")
async def test_a_corrected_day_is_told_with_what_was_said_before(
    bench: Workbench, operator: httpx.AsyncClient, clock: Clock
) -> None:
    seen: dict[UUID, int] = {}
    await bench.load(operator, "gias-group-links", links(link(MOVES, ARK_UID, "2090-12-01")))
    for trust in (PROSPERE, OTHER_TRUST):
        await new_moves(bench, trust, seen)
    # Put off.
    await bench.load(operator, "gias-group-links", links(link(MOVES, ARK_UID, "2091-01-01")))
    assert await new_moves(bench, PROSPERE, seen) == [
        (CHANGED, days("2018-09-01", "2090-12-01"), days("2018-09-01", "2091-01-01"))
    ]
    assert await new_moves(bench, OTHER_TRUST, seen) == [(CHANGED, days("2090-12-01"), days("2091-01-01"))]
    await come(bench, clock, datetime(2090, 12, 2, tzinfo=UTC))
    assert await new_moves(bench, PROSPERE, seen) == await new_moves(bench, OTHER_TRUST, seen) == []
    # It turns out that it has joined already.
    operator = await bench.client("platform-operator")
    await bench.load(operator, "gias-group-links", links(link(MOVES, ARK_UID, "2090-11-01")))
    assert await new_moves(bench, PROSPERE, seen) == [
        (CHANGED, days("2018-09-01", "2091-01-01"), days("2018-09-01", "2090-11-01")),
        (LEFT, "2018-09-01", "2090-11-01"),
    ]
    assert await new_moves(bench, OTHER_TRUST, seen) == [
        (CHANGED, days("2091-01-01"), days("2090-11-01")),
        (JOINED, "2090-11-01", None),
    ]
    assert (await listed(bench, PROSPERE), await listed(bench, OTHER_TRUST)) == ({STAYS: False}, {MOVES: False})
    # And that it has not.
    await bench.load(operator, "gias-group-links", links(link(MOVES, ARK_UID, "2091-02-01")))
    assert [kind for kind, *_ in await new_moves(bench, PROSPERE, seen)] == [CHANGED, JOINED]
    assert await new_moves(bench, OTHER_TRUST, seen) == [
        (CHANGED, days("2090-11-01"), days("2091-02-01")),
        (LEFT, "2091-02-01", None),
    ]
    assert (await listed(bench, PROSPERE), await listed(bench, OTHER_TRUST)) == (
        {STAYS: False, MOVES: False},
        {},
    )
