"""What thousands poll: the status of every academy of a trust."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from kit import clock
from tests.academy.rated import (
    AMBER,
    GREEN,
    RED,
    SPECIAL,
    STATUSES,
    add_england,
    add_rated_trust,
    publish,
    rerate,
    statuses,
)
from tests.academy.rows import PROSPERE, TOLD_AT, add_membership, add_school
from tests.support.clients import Clients
from tests.support.databases import Sandbox
from tests.support.tokens import OTHER_TRUST


@pytest.fixture
async def rated(client: Clients, database: Sandbox) -> dict[str, Any]:
    """A rated trust, and another that isn't; the published set of the first."""
    async with database.admin() as session:
        await add_rated_trust(session)
        await add_rated_trust(session, "2044", first_urn=136001)
        await add_england(session)
    published = await publish(await client("academy", "chief-executive"))
    await rerate(database)
    return published


async def test_every_academy_is_told_in_full(client: Clients, rated: dict[str, Any]) -> None:
    reader = await client("academy", "status-reader")
    answer = await reader.get(STATUSES)
    items = answer.json()["items"]
    assert [item["urn"] for item in items] == [GREEN, AMBER, RED, SPECIAL]
    assert answer.json()["next"] is None
    assert {name: value for name, value in items[0].items() if name not in {"rating_id", "rated_at"}} == {
        "urn": GREEN,
        "name": "A School",
        "phase": "secondary",
        "status": "green",
        "label": "Green",
        "step": {"code": "green", "label": "Green", "order": 1},
        "reason": None,
        "moderated": False,
        "computed_status": "green",
        "computed_changed_since": False,
        "counts": {"red": 0, "amber": 0, "green": 1, "not_assessed": 0},
        "criteria_set": {"id": rated["id"], "title": "Secondary criteria", "version": 1},
        "data_as_at": "2025-09-01T08:00:00Z",
        "is_removed": False,
        "criteria": None,
    }
    assert {name: items[3][name] for name in ("status", "label", "step", "rating_id", "rated_at", "criteria_set")} == {
        "status": "not_assessed",
        "label": "Not assessed",
        "step": None,
        "rating_id": None,
        "rated_at": None,
        "criteria_set": None,
    }


@pytest.mark.usefixtures("rated")
async def test_filters_repeat(client: Clients) -> None:
    reader = await client("academy", "status-reader")
    assert set(await statuses(reader, status=["red", "amber"])) == {RED, AMBER}
    assert set(await statuses(reader, phase="special")) == {SPECIAL}
    assert set(await statuses(reader, phase="secondary", status="not_assessed")) == set()
    for wrong in ({"status": "blue"}, {"colour": "red"}, {"limit": 0}, {"as_of": "yesterday"}):
        assert (await reader.get(STATUSES, params=wrong)).status_code == 422


async def walked(reader: httpx.AsyncClient, **params: Any) -> list[int]:
    """The URNs of all pages of one item each, in their order."""
    urns: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await reader.get(STATUSES, params=params | {"limit": 1} | cursor)
        assert answer.status_code == 200, answer.text
        urns += [item["urn"] for item in answer.json()["items"]]
        if answer.json()["next"] is None:
            return urns
        cursor = {"cursor": answer.json()["next"]}


@pytest.mark.usefixtures("rated")
async def test_the_board_is_sorted_by_name_status_or_change(client: Clients, database: Sandbox) -> None:
    async with database.admin() as session:
        await session.execute(
            text("update academy.rag_status set changed_at = now() - cast(:ago as interval) where urn = :urn"),
            [{"ago": timedelta(hours=urn % 10), "urn": urn} for urn in (RED, GREEN, AMBER, SPECIAL)],
        )
    reader = await client("academy", "status-reader")
    for sort, urns in {
        "name": [GREEN, AMBER, RED, SPECIAL],
        "status": [RED, AMBER, GREEN, SPECIAL],
        "-changed": [GREEN, AMBER, RED, SPECIAL],
    }.items():
        against = sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"
        assert list(await statuses(reader, sort=sort)) == await walked(reader, sort=sort) == urns
        assert await walked(reader, sort=against) == urns[::-1]
    assert await walked(reader, sort="status", status=["amber", "green"]) == [AMBER, GREEN]
    # What is alike goes by name, in both directions.
    async with database.admin() as session:
        await session.execute(text("update academy.rag_status set rating_id = null, changed_at = now()"))
    reader = await client("academy", "status-reader", subject="another")
    for sort in ("status", "-status", "changed", "-changed"):
        assert await walked(reader, sort=sort) == [GREEN, AMBER, RED, SPECIAL]


@pytest.mark.usefixtures("rated")
async def test_a_place_holds_for_its_sort_and_filters_only(client: Clients) -> None:
    reader = await client("academy", "status-reader")
    wanted: dict[str, Any] = {"limit": 1, "sort": "status", "la": "850"}
    cursor = (await reader.get(STATUSES, params=wanted)).json()["next"]
    assert (await reader.get(STATUSES, params=wanted | {"cursor": cursor})).json()["items"][0]["urn"] == AMBER
    for other in ({"sort": "-status"}, {"sort": "name"}, {"la": ["850", "352"]}, {"phase": "secondary"}):
        answer = await reader.get(STATUSES, params=wanted | other | {"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-cursor")


@pytest.mark.usefixtures("rated")
async def test_the_past_is_sorted_by_what_was_shown(client: Clients) -> None:
    reader = await client("academy", "status-reader")
    past = datetime.now(UTC).isoformat()
    assert await walked(reader, sort="-status", as_of=past) == [SPECIAL, GREEN, AMBER, RED]
    answer = await reader.get(STATUSES, params={"sort": "-changed", "as_of": past})
    assert (answer.status_code, answer.json()["code"]) == (422, "as-of-with-sort-by-change")


@pytest.mark.usefixtures("rated")
async def test_filters_by_local_authority_give_no_more_than_a_caller_may_see(
    client: Clients, database: Sandbox
) -> None:
    async with database.admin() as session:
        move = text("update academy.school set la_code = '352', updated_at = now() where urn = any(:urns)")
        await session.execute(move, {"urns": [AMBER, RED, 136001]})
        await session.execute(text("update academy.school set la_code = null where urn = :urn"), {"urn": GREEN})
    reader = await client("academy", "status-reader")
    assert set(await statuses(reader, la="352")) == {AMBER, RED}
    assert set(await statuses(reader, la=["352", "850"])) == {AMBER, RED, SPECIAL}
    assert set(await statuses(reader, la="352", status="red")) == {RED}
    head = await client("academy", "headteacher", academies=[RED, GREEN, 136001])
    for sort in ("name", "status", "-changed"):
        assert await walked(head, la="352", sort=sort) == [RED]
        assert set(await walked(head, sort=sort)) == {RED, GREEN}
    # A copy learns what doesn't match, also where the register states nothing.
    copied = await statuses(reader, la="352", phase="secondary", updated_since="2020-01-01T00:00:00Z")
    assert {urn: one["is_removed"] for urn, one in copied.items()} == {
        GREEN: True,
        AMBER: False,
        RED: False,
        SPECIAL: True,
    }
    assert (await reader.get(STATUSES, params={"la": "Hampshire"})).status_code == 422


@pytest.mark.usefixtures("rated")
async def test_a_caller_sees_its_own_trust_and_academies_only(client: Clients) -> None:
    assert (await (await client("academy")).get(STATUSES)).status_code == 401
    assert (await (await client("academy", "trust-admin")).get(STATUSES)).status_code == 403
    assert set(await statuses(await client("academy", "headteacher", academies=[AMBER, 136001]))) == {AMBER}
    assert set(await statuses(await client("academy", "headteacher", academies=[]))) == set()
    theirs = await statuses(await client("academy", "trustee", trust=OTHER_TRUST))
    assert set(theirs) == {136001, 136002, 136003, 136004}
    assert {one["status"] for one in theirs.values()} == {"not_assessed"}


@pytest.mark.usefixtures("rated")
async def test_pages_follow_one_another_by_name(client: Clients) -> None:
    reader = await client("academy", "status-reader")
    first = await reader.get(STATUSES, params={"limit": 3})
    assert 'rel="next"' in first.headers["Link"]
    last = await reader.get(STATUSES, params={"limit": 3, "cursor": first.json()["next"], "count": True})
    assert [page.json()["total"] for page in (first, last)] == [None, {"count": 4, "is_exact": True}]
    assert [item["urn"] for page in (first, last) for item in page.json()["items"]] == [GREEN, AMBER, RED, SPECIAL]
    assert last.json()["next"] is None
    elsewhere = await reader.get(STATUSES, params={"limit": 3, "cursor": first.json()["next"], "status": "red"})
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (400, "invalid-cursor")


@pytest.mark.usefixtures("rated")
async def test_who_has_it_gets_304_until_something_changes(client: Clients, database: Sandbox) -> None:
    reader = await client("academy", "status-reader")
    tag = (await reader.get(STATUSES)).headers["ETag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}'):
        answer = await reader.get(STATUSES, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
    async with database.admin() as session:
        await session.execute(
            text("update academy.school set name = 'Z School', updated_at = now() where urn = :urn"), {"urn": GREEN}
        )
    other = await client("academy", "status-reader", subject="another")
    assert (await other.get(STATUSES, headers={"If-None-Match": tag})).status_code == 200


async def test_the_past_is_told_as_it_was(client: Clients, database: Sandbox) -> None:
    async with database.admin() as session:
        await add_rated_trust(session)
        await add_england(session)
    author = await client("academy", "chief-executive")
    reader = await client("academy", "status-reader")
    recorded: list[tuple[datetime, dict[int, dict[str, Any]]]] = []

    async def note(at: datetime) -> None:
        with clock.frozen(at + timedelta(seconds=30)):
            recorded.append((at + timedelta(seconds=30), await statuses(await client("academy", "status-reader"))))

    start = datetime.now(UTC) - timedelta(minutes=8)
    await note(start)
    with clock.frozen(start + timedelta(minutes=1)):
        await publish(await client("academy", "chief-executive"))
        await rerate(database)
    await note(start + timedelta(minutes=1))
    with clock.frozen(start + timedelta(minutes=2)):
        author = await client("academy", "chief-executive")
        rating = await author.get(f"/academy/v1/ratings/{recorded[-1][1][RED]['rating_id']}")
        made = await author.post(
            f"/academy/v1/ratings/{rating.json()['id']}/moderate",
            json={
                "status": "amber",
                "reason": "An unusual cohort.",
                "evidence_url": "https://trust.example/minutes",
                "lapses_on": str((start + timedelta(days=30)).date()),
            },
            headers={"If-Match": rating.headers["ETag"]},
        )
        assert made.status_code == 201, made.text
    await note(start + timedelta(minutes=2))
    async with database.admin() as session:
        await session.execute(
            text("update academy.reference_observation set value = 60 where urn = :urn"), {"urn": RED}
        )
    with clock.frozen(start + timedelta(minutes=3)):
        await rerate(database)
    await note(start + timedelta(minutes=3))
    with clock.frozen(start + timedelta(minutes=4)):
        ended = await author.post(
            f"/academy/v1/moderations/{made.json()['id']}/withdraw", headers={"If-Match": made.headers["ETag"]}
        )
        assert ended.status_code == 200, ended.text
    async with database.admin() as session:
        at = start + timedelta(minutes=4)
        await session.execute(
            text("update academy.membership set superseded_at = :at where urn = :urn"), {"urn": GREEN, "at": at}
        )
        await add_membership(session, GREEN, PROSPERE, left_on=TOLD_AT.date(), recorded_at=at)
        await add_school(session, 135010, name="New School")
        await add_membership(session, 135010, PROSPERE, recorded_at=at)
    await note(start + timedelta(minutes=4))
    reader = await client("academy", "status-reader")
    told = [{urn: (one["status"], one["moderated"]) for urn, one in then.items()} for _, then in recorded]
    assert told[0][RED] == ("not_assessed", False)
    assert told[1][RED] == ("red", False)
    assert told[2][RED] == told[3][RED] == ("amber", True)
    assert [then[RED]["computed_changed_since"] for _, then in recorded[2:4]] == [False, True]
    assert told[4][RED] == ("green", False)
    assert GREEN in told[3] and GREEN not in told[4] and 135010 in told[4]
    for instant, then in recorded:
        assert await statuses(reader, as_of=instant.isoformat()) == then
    future = await reader.get(STATUSES, params={"as_of": "2090-01-01T00:00:00Z"})
    assert (future.status_code, future.json()["code"]) == (422, "as-of-in-future")


async def test_the_queries_are_few_however_many_academies(
    client: Clients,
    database: Sandbox,
    rated: dict[str, Any],
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    reader = await client("academy", "status-reader", subject="first")
    with count_queries() as few:
        await statuses(reader)
    async with database.admin() as session:
        for urn in range(137001, 137031):
            await add_school(session, urn, trust=PROSPERE)
    reader = await client("academy", "status-reader", subject="second")
    with count_queries() as many:
        assert len(await statuses(reader)) == 34
    assert len(many) <= len(few) <= 4


@pytest.mark.usefixtures("rated")
async def test_a_board_comes_with_its_reasons_in_one_call(
    client: Clients, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    reader = await client("academy", "status-reader")
    with count_queries() as plain:
        without = await reader.get(STATUSES)
    with count_queries() as more:
        answer = await reader.get(STATUSES, params={"include": "criteria"})
    assert len(more) == len(plain) + 1
    assert answer.headers["ETag"] != without.headers["ETag"]
    items = {item["urn"]: item for item in answer.json()["items"]}
    assert [{**item, "criteria": None} for item in items.values()] == without.json()["items"]
    assert items[SPECIAL]["criteria"] == []
    rating = (await reader.get(f"/academy/v1/ratings/{items[RED]['rating_id']}")).json()
    (criterion,) = items[RED]["criteria"]
    assert criterion == {name: rating["criteria"][0][name] for name in criterion}
    assert (criterion["status"], criterion["value"], criterion["period"]) == ("red", 40.0, "2018/19")
    assert criterion["sentence"].startswith("Attainment 8 was 40.0")
    unchanged = await reader.get(
        STATUSES, params={"include": "criteria"}, headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert unchanged.status_code == 304
    assert (await reader.get(STATUSES, params={"include": "ratings"})).status_code == 422


@pytest.mark.usefixtures("rated")
async def test_reasons_go_page_by_page_and_only_to_who_may_see_the_academy(client: Clients) -> None:
    head = await client("academy", "headteacher", academies=[RED])
    assert [set(one) & {"criteria"} for one in (await statuses(head, include="criteria")).values()] == [{"criteria"}]
    reader = await client("academy", "status-reader")
    first = await reader.get(STATUSES, params={"limit": 1, "include": "criteria"})
    params = {"limit": 1, "include": "criteria", "cursor": first.json()["next"]}
    second = await reader.get(STATUSES, params=params)
    assert [len(page.json()["items"][0]["criteria"]) for page in (first, second)] == [1, 1]


@pytest.mark.usefixtures("rated")
async def test_reasons_need_the_scope_of_ratings(client: Clients) -> None:
    narrow = await client("academy", "status-reader", scopes=["rag-statuses:read"])
    assert (await narrow.get(STATUSES)).status_code == 200
    answer = await narrow.get(STATUSES, params={"include": "criteria"})
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient-scope")
    assert 'scope="ratings:read"' in answer.headers["WWW-Authenticate"]
