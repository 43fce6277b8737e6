"""Bodies are read as the contract means them."""

import json
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter
from pydantic import BaseModel

from kit.web.app import Service, create_service
from tests.kit.sample import ThingOut, sample_client, sample_settings
from tests.support.tokens import trusted_keys

router = APIRouter(prefix="/kinds", tags=["kinds"])


class Shape(Enum):
    """A closed list."""

    ROUND = "round"


class Kinds(BaseModel, extra="forbid"):
    """One of each."""

    number: int | None = None
    share: float | None = None
    price: Decimal | None = None
    text: str | None = None
    truth: bool | None = None
    day: date | None = None
    instant: datetime | None = None
    id: UUID | None = None
    shape: Shape | None = None
    several: set[int] | None = None
    pair: tuple[int, str] | None = None
    below: "Kinds | None" = None


@router.post("")
async def kinds_create(body: Kinds) -> ThingOut:
    """Take one of each."""
    return ThingOut(id=body.number or 0, name=body.model_dump_json(exclude_none=True), note=None)


@router.post("/list")
async def kinds_list(body: list[Kinds]) -> ThingOut:
    """Take several."""
    return ThingOut(id=len(body), name="", note=None)


@pytest.fixture(scope="module")
def kinds() -> Service:
    """A service that takes one of each kind."""
    return create_service(sample_settings(), title="Kinds", description="Kinds.", routers=[router], keys=trusted_keys())


GOOD: list[dict[str, Any]] = [
    {"number": 5},
    {"number": 6.0},
    {"number": -0.0},
    {"number": 1e3},
    {"share": 1},
    {"share": 0.5},
    {"price": 1.10},
    {"price": "1.10"},
    {"price": 2},
    {"text": "5"},
    {"text": "6.0e1"},
    {"truth": True},
    {"day": "2026-03-01"},
    {"instant": "2026-03-01T12:00:00Z"},
    {"id": "0193e2f1-8a39-7a7e-8b2e-5c7e0d8f9a10"},
    {"shape": "round"},
    {"several": [1, 2.0]},
    {"pair": [1, "a"]},
    {"below": {"number": 7.0, "below": {"share": 1e2}}},
    {},
]
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"number": "5"}, "#/number"),
    ({"number": True}, "#/number"),
    ({"number": 5.5}, "#/number"),
    ({"number": ""}, "#/number"),
    ({"share": "0.5"}, "#/share"),
    ({"share": True}, "#/share"),
    ({"text": 5}, "#/text"),
    ({"truth": 1}, "#/truth"),
    ({"truth": "yes"}, "#/truth"),
    ({"day": 0}, "#/day"),
    ({"day": 20260301}, "#/day"),
    ({"instant": 0}, "#/instant"),
    ({"instant": 1.5}, "#/instant"),
    ({"id": 7}, "#/id"),
    ({"shape": "square"}, "#/shape"),
    ({"several": ["1"]}, "#/several/0"),
    ({"several": {"1": 1}}, "#/several"),
    ({"pair": ["1", "a"]}, "#/pair/0"),
    ({"below": {"below": {"number": "7"}}}, "#/below/below/number"),
]


@pytest.mark.parametrize("body", GOOD, ids=json.dumps)
async def test_what_the_contract_says_is_taken(kinds: Service, body: dict[str, Any]) -> None:
    async with sample_client(kinds, scopes=None) as client:
        answer = await client.post("/sample/v1/kinds", json=body)
        assert answer.status_code == 200
        if "number" in body:
            assert answer.json()["id"] == body["number"]


@pytest.mark.parametrize(("body", "pointer"), WRONG, ids=json.dumps)
async def test_what_the_contract_rules_out_is_refused_where_it_is(
    kinds: Service, body: dict[str, Any], pointer: str
) -> None:
    async with sample_client(kinds, scopes=None) as client:
        answer = await client.post("/sample/v1/kinds", json=body)
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_lists_are_bodies_too(kinds: Service) -> None:
    async with sample_client(kinds, scopes=None) as client:
        assert (await client.post("/sample/v1/kinds/list", json=[{}, {"number": 1}])).json()["id"] == 2
        answer = await client.post("/sample/v1/kinds/list", json=[{}, {"number": "1"}])
        assert answer.json()["errors"][0]["pointer"] == "#/1/number"


async def test_errors_of_body_and_query_are_told_together(thing_client: httpx.AsyncClient) -> None:
    answer = await thing_client.post("/sample/v1/things?x=1", json={"name": "x", "made_on": 0})
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/query/x", "#/made_on"]
