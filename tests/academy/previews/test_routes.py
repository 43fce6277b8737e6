"""What a preview says of a scale with more steps than colours."""

import asyncio
import time
from typing import Any

import pytest

from kit import steps
from tests.academy.rated import (
    AMBER,
    ATTAINMENT,
    GREEN,
    RED,
    SETS,
    add_england,
    add_rated_trust,
    criteria_set,
    publish,
    rerate,
)
from tests.academy.rows import add_figure, add_school
from tests.support.clients import Clients
from tests.support.databases import Sandbox

FOUR = [
    {"code": "green", "label": "Green", "status": "green"},
    {"code": "amber_green", "label": "Amber-green", "status": "amber"},
    {"code": "red_amber", "label": "Red-amber", "status": "amber"},
    {"code": "red", "label": "Red", "status": "red"},
]


def four_steps(amber_green: float) -> dict[str, Any]:
    """Attainment 8 on four steps; the second takes those who are no more than this below England."""
    bounds = {"green": 0, "amber_green": amber_green, "red_amber": -5}
    return criteria_set(scale=FOUR, overall={"method": "worst_of"}, criteria=[{**ATTAINMENT, "bounds": bounds}])


async def test_an_academy_that_changes_its_step_changes_though_its_status_stays(
    client: Clients, database: Sandbox
) -> None:
    async with database.admin() as session:
        await add_rated_trust(session)
        await add_england(session)
    author = await client("academy", "chief-executive")
    await publish(author, four_steps(-2))
    await rerate(database)
    # 44.0 is 2.7 below England.
    same = await author.post(SETS, json=four_steps(-2.5))
    kinder = await author.post(SETS, json=four_steps(-3))
    unchanged = (await author.post(same.headers["Location"] + "/preview")).json()
    assert (unchanged["academies"], unchanged["unchanged"], unchanged["items"]) == (3, 3, [])
    preview = (await author.post(kinder.headers["Location"] + "/preview")).json()
    assert (preview["academies"], preview["unchanged"]) == (3, 2)
    (moved,) = preview["items"]
    assert moved["urn"] == AMBER
    assert (moved["before"]["status"], moved["after"]["status"]) == ("amber", "amber")
    assert moved["before"]["step"] == {"code": "red_amber", "label": "Red-amber", "order": 3}
    assert moved["after"]["step"] == {"code": "amber_green", "label": "Amber-green", "order": 2}
    assert (moved["before"]["label"], moved["after"]["label"]) == ("Red-amber", "Amber-green")
    (criterion,) = moved["criteria"]
    assert [criterion[when]["step"]["code"] for when in ("before", "after")] == ["red_amber", "amber_green"]


async def test_who_was_not_assessed_has_no_step(client: Clients, database: Sandbox) -> None:
    async with database.admin() as session:
        await add_rated_trust(session)
    author = await client("academy", "chief-executive")
    await publish(author, four_steps(-2))
    await rerate(database)
    async with database.admin() as session:
        await add_england(session)
    draft = await author.post(SETS, json=four_steps(-2))
    items = (await author.post(draft.headers["Location"] + "/preview")).json()["items"]
    assert {item["urn"]: item["before"]["step"] for item in items} == dict.fromkeys((GREEN, AMBER, RED))
    assert {item["before"]["label"] for item in items} == {"Not assessed"}


async def _longest_turn(measured: asyncio.Event) -> float:
    """The most processor time that the loop's other tasks took in one go until the event is set."""
    longest = 0.0
    while not measured.is_set():
        before = time.thread_time()
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - before)
    return longest


async def test_a_preview_of_many_academies_lets_other_requests_run(
    client: Clients, database: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.admin() as session:
        trust = await add_rated_trust(session)
        await add_england(session)
        for urn in range(140_001, 140_121):
            await add_school(session, urn, trust=trust, name=f"School {urn}")
            await add_figure(session, urn, value=44.0, cohort=150)
    author = await client("academy", "chief-executive")
    draft = await author.post(SETS, json=four_steps(-2.5))
    path = draft.headers["Location"] + "/preview"

    async def longest() -> float:
        ended = asyncio.Event()
        turns = asyncio.create_task(_longest_turn(ended))
        answer = await author.post(path)
        ended.set()
        assert answer.json()["academies"] == 123
        return await turns

    # The least of three: garbage may be collected in the middle of one.
    in_steps = min([await longest() for _ in range(3)])
    monkeypatch.setattr(steps, "STEP_SECONDS", 60.0)
    at_once = min([await longest() for _ in range(3)])
    # What is left in one piece is the answer's JSON.
    assert in_steps < 0.8 * at_once
