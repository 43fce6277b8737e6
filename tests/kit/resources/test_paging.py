"""Pages of a list: nothing missed, nothing doubled, whatever the order and whatever comes in between."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func

from academy.criteria.documents import RulesDocument
from academy.criteria.tables import CriteriaSet
from kit import cursors
from kit.database.sessions import Session, context_of
from kit.identity.callers import Caller
from kit.ids import uuid7
from kit.key_ring import KeyRing
from kit.problems import InvalidCursor
from kit.resources import pages, paging
from kit.resources.pages import ListParams
from kit.resources.paging import By, Listing, paginate
from kit.resources.rows import visible
from tests.support.databases import Sandbox, counted
from tests.support.tokens import OTHER_TRUST, PROSPERE

RING = KeyRing.of(["a-secret-key-that-only-the-tests-know"])
PHASES = ("primary", "secondary", "special")
BY_PHASE = Listing("criteria-sets", CriteriaSet, "phase", "-number")
NEWEST = Listing("newest-sets", CriteriaSet, "-created_at", "-id")
OLDEST = Listing("oldest-sets", CriteriaSet, "created_at", "id")
START = datetime(2025, 9, 1, 8, tzinfo=UTC)


def caller(trust: Any = PROSPERE) -> Caller:
    """Somebody of the whole trust."""
    return Caller(
        subject="person:ceo",
        client_id="tests",
        trust_id=trust,
        scopes=frozenset(),
        roles=frozenset({"chief-executive"}),
        academies=None,
        leads=frozenset(),
        expires_at=START + timedelta(days=400),
        token_id="token",
    )


def criteria_set(phase: str, number: int, *, trust: Any = PROSPERE, minute: int = 0) -> CriteriaSet:
    """A draft."""
    return CriteriaSet(
        trust_id=trust,
        id=uuid7(),
        phase=phase,
        title=f"{phase} {number}",
        number=number,
        state="draft",
        rules=RulesDocument(criteria=[]),
        created_at=START + timedelta(minutes=minute),
        created_by="person:ceo",
    )


@pytest.fixture
async def sets(database: Sandbox) -> Sandbox:
    """Twelve drafts of ours, several made in the same minute, and one of another trust."""
    async with database.admin() as session:
        for place, phase in enumerate(PHASES * 4):
            session.add(criteria_set(phase, place // 3 + 1, minute=place // 5))
        session.add(criteria_set("primary", 1, trust=OTHER_TRUST))
    return database


async def walk(database: Sandbox, listing: Listing, *, limit: int, between: Any = None) -> list[CriteriaSet]:
    """Every row, page by page."""
    rows: list[CriteriaSet] = []
    cursor = None
    with cursors.signing(RING):
        while True:
            async with database.of("academy").session(context_of(caller())) as session:
                params = ListParams(limit=limit, cursor=cursor)
                found = await paginate(session, caller(), listing, visible(CriteriaSet, caller()), params)
            assert 0 < len(found.rows) <= limit
            rows += found.rows
            cursor = found.next
            if cursor is None:
                return rows
            if between is not None:
                await between()


@pytest.mark.parametrize("limit", [1, 3, 5, 11, 12, 13])
async def test_directions_may_differ(sets: Sandbox, limit: int) -> None:
    found = [(one.phase, one.number) for one in await walk(sets, BY_PHASE, limit=limit)]
    assert found == [(phase, number) for phase in PHASES for number in (4, 3, 2, 1)]


@pytest.mark.parametrize("limit", [1, 4, 12])
async def test_equal_values_are_told_apart_by_the_id(sets: Sandbox, limit: int) -> None:
    newest = await walk(sets, NEWEST, limit=limit)
    assert len({one.id for one in newest}) == 12
    assert [one.id for one in newest] == [one.id for one in reversed(await walk(sets, OLDEST, limit=limit))]


async def test_rows_that_come_and_go_move_nothing_else(sets: Sandbox) -> None:
    """What was there from the beginning to the end is listed once."""
    before = {one.id for one in await walk(sets, NEWEST, limit=12)}

    async def add_another() -> None:
        async with sets.admin() as session:
            session.add(criteria_set("nursery", len(before) + int(uuid7().int % 10**8), minute=99))

    found = [one.id for one in await walk(sets, NEWEST, limit=2, between=add_another)]
    assert len(found) == len(set(found))
    assert before <= set(found)


async def page(session: Session, listing: Listing, cursor: str | None, **within: Any) -> str | None:
    """The cursor after one page of four."""
    params = ListParams(limit=4, cursor=cursor)
    statement = visible(CriteriaSet, caller())
    return (await paginate(session, caller(), listing, statement, params, **within)).next


async def test_a_cursor_holds_for_its_list_and_its_place_only(sets: Sandbox) -> None:
    with cursors.signing(RING):
        async with sets.of("academy").session(context_of(caller())) as session:
            cursor = await page(session, BY_PHASE, None, urn=1)
            assert cursor is not None
            assert await page(session, BY_PHASE, cursor, urn=1) is not None
            for listing, within in ((BY_PHASE, {"urn": 2}), (BY_PHASE, {}), (NEWEST, {"urn": 1})):
                with pytest.raises(InvalidCursor):
                    await page(session, listing, cursor, **within)


async def test_a_list_may_be_sorted_by_an_expression(sets: Sandbox) -> None:
    backwards = By(func.reverse(CriteriaSet.phase), str, lambda row: row[0].phase[::-1], descending=True)
    found = await walk(sets, Listing("backwards", CriteriaSet, backwards, "-number"), limit=5)
    order = sorted(PHASES, key=lambda phase: phase[::-1], reverse=True)
    assert [(one.phase, one.number) for one in found] == [(phase, number) for phase in order for number in (4, 3, 2, 1)]


async def test_what_the_first_page_carries_holds_for_all(sets: Sandbox) -> None:
    carried, cursor = [], None
    with cursors.signing(RING):
        for watermark in ("first", "second", "third"):
            async with sets.of("academy").session(context_of(caller())) as session:
                params = ListParams(limit=4, cursor=cursor)
                statement = visible(CriteriaSet, caller())
                found = await paginate(session, caller(), NEWEST, statement, params, carry=watermark)
            carried.append((found.carried, len(found.rows)))
            cursor = found.next
    assert carried == [("first", 4)] * 3
    assert cursor is None


@pytest.mark.parametrize(("most", "total"), [(10_000, (12, True)), (12, (12, True)), (11, (11, False))])
async def test_a_list_is_counted_when_that_is_wanted_and_up_to_a_bound(
    sets: Sandbox, monkeypatch: pytest.MonkeyPatch, most: int, total: tuple[int, bool]
) -> None:
    monkeypatch.setattr(paging, "MOST_COUNTED", most)
    monkeypatch.setattr(pages, "MOST_COUNTED", most)
    cursor, totals = None, []
    with cursors.signing(RING):
        # The last page isn't counted, and its cursor holds all the same.
        for limit, count in ((5, True), (5, True), (5, False)):
            params = ListParams(limit=limit, cursor=cursor, count=count)
            async with sets.of("academy").session(context_of(caller())) as session:
                found = await paginate(session, caller(), BY_PHASE, visible(CriteriaSet, caller()), params)
            totals.append(found.total and (found.total.count, found.total.is_exact))
            cursor = found.next
    assert totals == [total, total, None]


async def test_counting_costs_a_statement_only_when_it_is_wanted_and_the_page_has_not_all(sets: Sandbox) -> None:
    for limit, count, statements in ((5, False, 1), (5, True, 2), (12, True, 1)):
        with cursors.signing(RING), counted(await sets.driver(), sets.connection) as sent:
            async with sets.of("academy").session(context_of(caller())) as session:
                params = ListParams(limit=limit, count=count)
                await paginate(session, caller(), BY_PHASE, visible(CriteriaSet, caller()), params)
        assert len([one for one in sent if "criteria_set" in one]) == statements
