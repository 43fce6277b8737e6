"""Overrides on a trust's own scale: which step is meant, and what it is called once the scale is another."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.academy.moderations.test_routes import moderate, rating_of
from tests.academy.rated import ATTAINMENT, RED, add_england, add_rated_trust, criteria_set, publish, rerate, statuses
from tests.conftest import Clock
from tests.support.clients import Clients
from tests.support.databases import Sandbox

FOUR = [
    {"code": "green", "label": "Green", "status": "green"},
    {"code": "amber_green", "label": "Amber-green", "status": "amber"},
    {"code": "red_amber", "label": "Red-amber", "status": "amber"},
    {"code": "red", "label": "Red", "status": "red"},
]
TWO = [FOUR[0], FOUR[3]]


def on_scale(scale: list[dict[str, Any]], *bounds: float) -> dict[str, Any]:
    named = {step["code"]: bound for step, bound in zip(scale, bounds, strict=False)}
    return criteria_set(scale=scale, overall={"method": "worst_of"}, criteria=[{**ATTAINMENT, "bounds": named}])


@pytest.fixture
async def judge(client: Clients, database: Sandbox, clock: Clock) -> httpx.AsyncClient:
    """The chief executive of a trust that is rated on four steps."""
    async with database.admin() as session:
        await add_rated_trust(session)
        await add_england(session)
    judge = await client("academy", "chief-executive")
    await publish(judge, on_scale(FOUR, 0, -2, -5))
    await rerate(database)
    return judge


async def told(client: Clients) -> dict[str, Any]:
    return (await statuses(await client("academy", "status-reader", subject=str(uuid4()))))[RED]


async def test_of_two_steps_of_one_status_the_one_that_is_named_is_told(
    client: Clients, judge: httpx.AsyncClient
) -> None:
    best = await moderate(judge, status="amber")
    assert best.json()["step"] == {"code": "amber_green", "label": "Amber-green", "order": 2}
    named = await moderate(judge, status="amber", step="red_amber")
    assert named.status_code == 201, named.text
    assert named.json()["step"] == {"code": "red_amber", "label": "Red-amber", "order": 3}
    now = await told(client)
    assert (now["status"], now["label"], now["step"]["code"]) == ("amber", "Red-amber", "red_amber")


@pytest.mark.parametrize(
    ("step", "code", "there_is"),
    [
        ("amber", "unknown_step", "amber_green, red_amber"),
        ("red", "step_contradicts_status", "amber_green, red_amber"),
    ],
)
async def test_a_step_that_does_not_stand_for_the_status_is_refused(
    judge: httpx.AsyncClient, step: str, code: str, there_is: str
) -> None:
    refused = await moderate(judge, status="amber", step=step)
    assert (refused.status_code, refused.json()["code"]) == (422, "moderation-not-possible")
    (error,) = refused.json()["errors"]
    assert (error["pointer"], error["code"]) == ("#/step", code)
    assert there_is in error["detail"]


async def test_an_override_is_told_on_the_scale_that_is_in_force(
    client: Clients, database: Sandbox, judge: httpx.AsyncClient, clock: Clock
) -> None:
    made = await moderate(judge, status="amber", step="red_amber")
    where = made.headers["Location"]
    before = clock.now
    clock.advance(minutes=1)
    await publish(judge, criteria_set())
    await rerate(database)
    now = await told(client)
    assert (now["status"], now["label"]) == ("amber", "Amber")
    assert now["step"] == {"code": "amber", "label": "Amber", "order": 2}
    rating = (await rating_of(judge, RED)).json()
    assert rating["moderation"]["step"] == now["step"]
    read = await judge.get(where)
    assert read.json()["step"] == now["step"]
    assert read.headers["ETag"] != made.headers["ETag"]
    listed = (await judge.get(f"/academy/v1/academies/{RED}/moderations")).json()["items"]
    assert [one["step"]["code"] for one in listed] == ["amber"]
    # What was told then is still what was told then.
    then = (await statuses(judge, as_of=before.isoformat()))[RED]
    assert (then["label"], then["step"]["code"]) == ("Red-amber", "red_amber")
    # A scale without any step for amber leaves the step as it was given.
    await publish(judge, on_scale(TWO, 0))
    await rerate(database)
    assert (await told(client))["step"]["code"] == "red_amber"
    # And who reads it as it is told may withdraw it; then it is the record of what was given.
    read = await judge.get(where)
    ended = await judge.post(f"{where}/withdraw", headers={"If-Match": read.headers["ETag"]})
    assert (ended.status_code, ended.json()["step"]["code"]) == (200, "red_amber")


async def test_a_step_of_the_same_code_is_told_as_the_scale_in_force_has_it(
    client: Clients, database: Sandbox, judge: httpx.AsyncClient
) -> None:
    await moderate(judge, status="amber", step="red_amber")
    renamed = [FOUR[0], {**FOUR[2], "label": "Nearly red"}, FOUR[3]]
    await publish(judge, on_scale(renamed, 0, -5))
    await rerate(database)
    assert (await told(client))["step"] == {"code": "red_amber", "label": "Nearly red", "order": 2}


@pytest.mark.parametrize("reason", ["  ", "", "a\u0000b", 7])
async def test_a_withdrawal_may_say_why_in_good_form(judge: httpx.AsyncClient, reason: Any) -> None:
    made = await moderate(judge)
    where, tag = f"{made.headers['Location']}/withdraw", {"If-Match": made.headers["ETag"]}
    refused = await judge.post(where, json={"reason": reason}, headers=tag)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "#/reason")
    assert (await judge.post(where, json={"why": "x"}, headers=tag)).status_code == 422
    ended = await judge.post(where, json={"reason": " The results were corrected. "}, headers=tag)
    assert ended.status_code == 200, ended.text
    assert (ended.json()["state"], ended.json()["ended_reason"]) == ("withdrawn", "The results were corrected.")
    assert (await judge.get(made.headers["Location"])).json() == ended.json()
    listed = (await judge.get(f"/academy/v1/academies/{RED}/moderations")).json()["items"]
    assert listed[0]["ended_reason"] == "The results were corrected."


async def test_an_override_that_is_replaced_has_no_reason_of_its_end(judge: httpx.AsyncClient) -> None:
    first = await moderate(judge)
    await moderate(judge, status="green")
    ended = (await judge.get(first.headers["Location"])).json()
    assert (ended["state"], ended["ended_reason"]) == ("replaced", None)
