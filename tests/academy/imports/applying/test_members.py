"""Who belongs to which trust since when, as one file after the other says something else of it."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from academy.imports.applying.members import merge_memberships
from academy.imports.applying.merge import Origin
from academy.imports.applying.stage import StagedTable
from kit.database.sessions import Context, Session
from kit.ids import PLATFORM, tenant_id, uuid7
from tests.academy.imports.applying.links import ARK_UID, PROSPERE_UID, cancelling, link, links
from tests.academy.imports.conftest import Workbench
from tests.academy.rated import rerate, statuses
from tests.academy.rows import PROSPERE, add_school, add_trust
from tests.support.databases import Sandbox
from tests.support.tokens import OTHER_TRUST

URN = 142100

Row = tuple[str, str, str | None]


@pytest.fixture
async def operator(bench: Workbench) -> httpx.AsyncClient:
    """Somebody who may load national files."""
    return await bench.client("platform-operator")


async def told(bench: Workbench) -> list[Row]:
    """The memberships of the academy as one reads them, oldest first: trust, first day, first day out of it."""
    reader = await bench.client("trustee")
    found = (await reader.get(f"/academy/v1/academies/{URN}")).json()["memberships"]
    return sorted(((one["group_uid"], one["joined_on"], one["left_on"]) for one in found), key=lambda row: row[1])


@pytest.mark.parametrize("corrected", ["2026-11-01", "2027-01-01"])
async def test_a_corrected_day_of_joining_moves_the_end_of_the_membership_before(
    bench: Workbench, operator: httpx.AsyncClient, corrected: str
) -> None:
    await bench.load(operator, "gias-group-links", links(link(URN, PROSPERE_UID, "2018-09-01")))
    await bench.load(operator, "gias-group-links", links(link(URN, ARK_UID, "2026-12-01")))
    assert await told(bench) == [(PROSPERE_UID, "2018-09-01", "2026-12-01"), (ARK_UID, "2026-12-01", None)]
    ended = await bench.load(operator, "gias-group-links", links(link(URN, ARK_UID, corrected)))
    assert ended["state"] == "succeeded"
    assert await told(bench) == [(PROSPERE_UID, "2018-09-01", corrected), (ARK_UID, corrected, None)]
    again = await bench.load(operator, "gias-group-links", links(link(URN, ARK_UID, corrected)))
    assert (again["rows_new"], again["rows_changed"]) == (0, 0)
    # What was told stays, closed at the instant at which something else was.
    history = await bench.rows(
        "select left_on, superseded_at, lead(recorded_at) over (order by recorded_at) as next_recorded_at"
        " from academy.membership where register_id = $1 order by recorded_at",
        tenant_id(f"gias-group:{PROSPERE_UID}"),
    )
    assert [row["left_on"] for row in history] == [None, date(2026, 12, 1), date.fromisoformat(corrected)]
    assert all(row["superseded_at"] == row["next_recorded_at"] for row in history)


async def test_what_was_told_of_members_is_told_as_of_then_after_a_correction(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    await bench.load(operator, "gias-group-links", links(link(URN, PROSPERE_UID, "2018-09-01")))
    await bench.load(operator, "gias-group-links", links(link(URN, ARK_UID, "2025-09-01")))
    then = (await bench.value("select clock_timestamp()")).isoformat()
    await bench.load(operator, "gias-group-links", links(link(URN, ARK_UID, "2090-11-01")))
    ours, theirs = [await bench.client("status-reader", trust=trust) for trust in (PROSPERE, OTHER_TRUST)]
    assert (set(await statuses(ours)), set(await statuses(theirs))) == ({URN}, set())
    assert (set(await statuses(ours, as_of=then)), set(await statuses(theirs, as_of=then))) == (set(), {URN})


async def test_a_day_of_leaving_that_the_register_states_is_not_moved(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    closed = link(URN, PROSPERE_UID, "2018-09-01", closed="2020-08-31")
    await bench.load(operator, "gias-group-links", links(closed))
    await bench.load(operator, "gias-group-links", links(link(URN, ARK_UID, "2020-06-01")))
    assert await told(bench) == [(PROSPERE_UID, "2018-09-01", "2020-06-01"), (ARK_UID, "2020-06-01", None)]
    await bench.load(operator, "gias-group-links", links(link(URN, ARK_UID, "2021-01-01")))
    assert await told(bench) == [(PROSPERE_UID, "2018-09-01", "2020-08-31"), (ARK_UID, "2021-01-01", None)]


async def test_an_academy_may_return_to_a_trust(bench: Workbench, operator: httpx.AsyncClient) -> None:
    for group, on in ((PROSPERE_UID, "2012-09-01"), (ARK_UID, "2014-09-01"), (PROSPERE_UID, "2016-09-01")):
        await bench.load(operator, "gias-group-links", links(link(URN, group, on)))
    assert await told(bench) == [
        (PROSPERE_UID, "2012-09-01", "2014-09-01"),
        (ARK_UID, "2014-09-01", "2016-09-01"),
        (PROSPERE_UID, "2016-09-01", None),
    ]


async def test_a_trust_that_closed_takes_the_place_of_its_open_link(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    await bench.load(operator, "gias-group-links", links(link(URN, PROSPERE_UID, "2018-09-01")))
    closed = link(URN, PROSPERE_UID, "2018-10-01", closed="2020-08-31")
    await bench.load(operator, "gias-group-links", links(closed))
    assert await told(bench) == [(PROSPERE_UID, "2018-10-01", "2020-08-31")]


def codes(ended: dict[str, Any]) -> set[str]:
    """The codes of an import's warnings."""
    return {one["code"] for one in ended["warnings"]}


async def changes(bench: Workbench, trust: UUID) -> list[tuple[Any, Any]]:
    """The days before and after of each change of a membership that a trust's feed has announced."""
    rows = await bench.rows(
        "select data::jsonb -> 'before' as before, data::jsonb -> 'after' as after from academy.event"
        " where trust_id = $1 and type like '%membership.changed%' order by xid, seq",
        trust,
    )
    return [(json.loads(row["before"]), json.loads(row["after"])) for row in rows]


async def test_a_planned_move_that_was_called_off_is_cancelled_by_its_row(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    await bench.rate(PROSPERE, OTHER_TRUST)
    stays, move = link(URN, PROSPERE_UID, "2018-09-01"), link(URN, ARK_UID, "2090-12-01")
    await bench.load(operator, "gias-group-links", links(stays))
    await bench.load(operator, "gias-group-links", links(move))
    # The register's own file doesn't have it yet, or any more: nobody knows which.
    ended = await bench.load(operator, "gias-group-links", links(stays))
    (warning,) = [one for one in ended["warnings"] if one["code"] == "later_membership_kept"]
    assert f"URN {URN} in {ARK_UID} from 2090-12-01" in warning["detail"]
    assert len(await told(bench)) == 2
    tried = await bench.load(operator, "gias-group-links", cancelling(move), dry_run=True)
    assert (tried["state"], len(await told(bench))) == ("succeeded", 2)
    ended = await bench.load(operator, "gias-group-links", cancelling(move))
    assert (ended["state"], ended["rows_changed"]) == ("succeeded", 2)
    assert await told(bench) == [(PROSPERE_UID, "2018-09-01", None)]
    assert (await changes(bench, OTHER_TRUST))[-1] == ({"joined_on": "2090-12-01", "left_on": None}, None)
    assert (await changes(bench, PROSPERE))[-1][1] == {"joined_on": "2018-09-01", "left_on": None}
    # Nothing is left of it to cancel; the files of the register say what they said before.
    again = await bench.load(operator, "gias-group-links", cancelling(move))
    assert (again["rows_changed"], codes(again)) == (0, {"unknown_membership"})
    assert codes(await bench.load(operator, "gias-group-links", links(stays))) == set()


async def test_the_wrong_trust_is_put_right_by_one_file(bench: Workbench, operator: httpx.AsyncClient) -> None:
    await bench.rate(PROSPERE, OTHER_TRUST)
    wrong = link(URN, ARK_UID, "2020-09-01")
    await bench.load(operator, "gias-group-links", links(link(URN, PROSPERE_UID, "2018-09-01")))
    await bench.load(operator, "gias-group-links", links(wrong))
    ours, theirs = [await bench.client("status-reader", trust=trust) for trust in (PROSPERE, OTHER_TRUST)]
    assert (set(await statuses(ours)), set(await statuses(theirs))) == (set(), {URN})
    right = link(URN, PROSPERE_UID, "2018-09-01")
    ended = await bench.load(operator, "gias-group-links", cancelling(wrong, others=[right]))
    assert (ended["state"], codes(ended)) == ("succeeded", set())
    assert await told(bench) == [(PROSPERE_UID, "2018-09-01", None)]
    assert (set(await statuses(ours)), set(await statuses(theirs))) == ({URN}, set())
    moves = [kind for kind, _ in await bench.events(OTHER_TRUST) if kind in {"academy.joined", "academy.left"}]
    assert moves == ["academy.joined", "academy.left"]
    assert [kind for kind, _ in await bench.events() if kind == "academy.joined"] == ["academy.joined"] * 2
    reader = await bench.client("trustee", trust=OTHER_TRUST)
    listed = await reader.get("/academy/v1/academies", params={"updated_since": "2020-01-01T00:00:00Z"})
    assert [(one["urn"], one["is_removed"]) for one in listed.json()["items"]] == [(URN, True)]


async def test_a_row_that_cancels_leaves_the_register_of_schools_and_trusts_alone(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    stays, move = link(URN, PROSPERE_UID, "2018-09-01"), link(URN, ARK_UID, "2090-12-01")
    await bench.load(operator, "gias-group-links", links(stays))
    await bench.load(operator, "gias-group-links", links(move))
    both = await bench.load(operator, "gias-group-links", cancelling(move, others=[move]))
    assert (both["state"], [one["code"] for one in both["errors"]]) == ("failed", ["key_repeated"])
    strange = link(999999, "99999", "2020-09-01")
    renamed = move.replace("School ", "Renamed ").replace("Trust ", "Renamed ")
    ended = await bench.load(operator, "gias-group-links", cancelling(renamed, strange))
    assert (ended["state"], codes(ended)) == ("succeeded", {"unknown_membership"})
    assert "URN 999999 in 99999 from 2020-09-01" in ended["warnings"][0]["detail"]
    assert await told(bench) == [(PROSPERE_UID, "2018-09-01", None)]
    names = await bench.rows("select name from academy.school union select name from academy.trust_register")
    assert {row["name"] for row in names} == {f"School {URN}", f"Trust {PROSPERE_UID}", f"Trust {ARK_UID}"}


async def test_an_academy_that_came_back_is_on_the_board_before_it_is_rated_again(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    await bench.rate(PROSPERE)
    stays, move = link(URN, PROSPERE_UID, "2018-09-01"), link(URN, ARK_UID, "2020-09-01")
    for row in (stays, move):
        await bench.load(operator, "gias-group-links", links(row))
        await rerate(bench.database)
    ours = await bench.client("status-reader")
    since = "2020-01-01T00:00:00Z"
    assert await statuses(ours) == {}
    assert (await statuses(ours, updated_since=since))[URN]["is_removed"] is True
    await bench.execute("update academy.membership set superseded_at = now() where superseded_at is null")
    await bench.execute(
        "insert into academy.membership (urn, register_id, joined_on, recorded_at)"
        " values ($1, $2, '2018-09-01', now())",
        URN,
        PROSPERE,
    )
    assert set(await statuses(ours)) == {URN}
    assert (await statuses(ours, updated_since=since))[URN]["is_removed"] is False


async def test_a_status_of_a_membership_that_is_not_known_is_refused(
    bench: Workbench, operator: httpx.AsyncClient
) -> None:
    file = cancelling(link(URN, ARK_UID, "2020-09-01")).replace("Cancelled,", "Ended,")
    ended = await bench.load(operator, "gias-group-links", file)
    assert [(one["column"], one["code"]) for one in ended["errors"]] == [("Membership status", "unknown_word")]


async def test_a_file_without_days_of_leaving_keeps_them(bench: Workbench, operator: httpx.AsyncClient) -> None:
    closed = link(URN, PROSPERE_UID, "2018-09-01", closed="2020-08-31")
    await bench.load(operator, "gias-group-links", links(closed))
    narrow = f"URN,Group UID,Group Name,Group Type,Joined date,EstablishmentName\n{URN},{PROSPERE_UID},T,"
    ended = await bench.load(operator, "gias-group-links", f"{narrow}Multi-academy trust,2018-09-01,A\n")
    assert ended["state"] == "succeeded"
    assert await told(bench) == [(PROSPERE_UID, "2018-09-01", "2020-08-31")]


async def merge(session: Session, rows: Sequence[tuple[int, UUID, date, date | None]], at: datetime) -> None:
    """Bring one file's memberships in as the loader does."""
    columns = {"urn": "integer", "register_id": "uuid", "joined_on": "date", "left_on": "date"}
    columns |= {"is_cancelled": "boolean default false"}
    listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    await session.execute(text(f"create temp table incoming_memberships ({listed})"))
    for row in rows:
        await session.execute(
            text("insert into incoming_memberships values (:urn, :register_id, :joined_on, :left_on)"),
            dict(zip(columns, row, strict=False)),
        )
    table = StagedTable("memberships", tuple(columns), Path("unused"))
    await merge_memberships(session, table, Origin(uuid7(), None, "final", "GIAS", at), dry_run=False)
    await session.execute(text("drop table incoming_memberships, cancelled_memberships, stays, desired_memberships"))


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_files_say_an_academy_belongs_to_one_trust_at_a_time(database: Sandbox, seed: int) -> None:
    random, first, at = Random(seed), date(2020, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)
    async with database.admin() as session:
        trusts = [await add_trust(session, str(number)) for number in (101, 102, 103)]
        await add_school(session, URN)
    for number in range(25):
        said = []
        for trust in random.sample(trusts, random.choice((1, 1, 1, 2))):
            joined_on = first + timedelta(days=random.randrange(12))
            left_on = joined_on + timedelta(days=random.randrange(6)) if random.random() < 0.25 else None
            said.append((URN, trust, joined_on, left_on))
        async with database.of("academy", "loader").session(Context(PLATFORM, None, "test")) as session:
            await merge(session, said, at + timedelta(minutes=number))
        async with database.admin() as session:
            rows = await session.execute(
                text(
                    "select register_id, joined_on, left_on, stated_left_on from academy.membership"
                    " where superseded_at is null order by joined_on, left_on nulls last"
                )
            )
            now = rows.all()
        days = [(row.joined_on, row.left_on) for row in now]
        for (_, left_on), (joined_on, _) in pairwise(days):
            assert left_on is not None and left_on <= joined_on, (number, said, now)
        for row, following in zip(now, [*now[1:], None], strict=True):
            ends = [row.stated_left_on] + ([following.joined_on] if following is not None else [])
            assert row.left_on == min((day for day in ends if day is not None), default=None), (number, said, now)
        assert {(one[1], one[2]) for one in said} <= {(row.register_id, row.joined_on) for row in now}
