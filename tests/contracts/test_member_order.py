"""Members of answers about criteria come in the order of the contract, wherever they are stored."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.academy.rated import ATTAINMENT, GREEN, add_england, add_rated_trust, criteria_set, publish, rerate
from tests.conftest import Clock
from tests.support.clients import Clients
from tests.support.contracts import made
from tests.support.databases import Sandbox

API = "/academy/v1"
Json = dict[str, Any]


@cache
def contract() -> Json:
    """Academy's contract, which takes long to write."""
    return made("academy")


def schema_of(path: str) -> Json:
    """What an operation answers."""
    schema: Json = contract()["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    return schema


def misplaced(value: Any, schema: Json, where: str = "") -> Iterator[str]:
    """Objects whose members come in another order than their schema's."""
    if "$ref" in schema:
        schema = contract()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null":
            yield from misplaced(value, choice, where)
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from misplaced(item, schema.get("items", {}), f"{where}/{place}")
    elif isinstance(value, dict) and "properties" in schema:
        known = [name for name in schema["properties"] if name in value]
        if list(value) != known:
            yield f"{where}: {list(value)}, not {known}"
        for name, member in value.items():
            yield from misplaced(member, schema["properties"].get(name, {}), f"{where}/{name}")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/criteria-sets", {}),
        ("/rag-statuses", {"include": "criteria"}),
        ("/academies/{urn}/ratings", {}),
    ],
)
async def test_members_come_in_the_order_of_the_contract(
    client: Clients, database: Sandbox, clock: Clock, path: str, query: dict[str, str]
) -> None:
    async with database.admin() as session:
        await add_rated_trust(session)
        await add_england(session)
    author = await client("academy", "chief-executive")
    await publish(author)
    await rerate(database)
    answer = await author.get(API + path.format(urn=GREEN), params=query)
    assert answer.status_code == 200, answer.text
    assert answer.json()["items"]
    assert list(misplaced(answer.json(), schema_of(API + path))) == []


async def test_bounds_come_in_the_order_of_the_scale(client: Clients) -> None:
    author = await client("academy", "chief-executive")
    scale = [
        {"code": "strong", "label": "Strong", "status": "green"},
        {"code": "on_the_way", "label": "On the way", "status": "amber"},
        {"code": "at_risk", "label": "At risk", "status": "amber"},
        {"code": "weak", "label": "Weak", "status": "red"},
    ]
    bounds = {"at_risk": -10, "on_the_way": -5, "strong": 0}
    overall = {"method": "weighted_points", "point_cuts": [66, 33, 10]}
    body = criteria_set(scale=scale, overall=overall, criteria=[{**ATTAINMENT, "bounds": bounds}])
    drafted = await author.post(f"{API}/criteria-sets", json=body)
    assert drafted.status_code == 201, drafted.text
    for answer in (drafted, await author.get(drafted.headers["Location"])):
        assert list(answer.json()["criteria"][0]["bounds"]) == ["strong", "on_the_way", "at_risk"]
