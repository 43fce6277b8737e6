"""Merge patches: absent stays, null goes (RFC 7396)."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from kit.problems import InvalidRequest
from kit.resources.patches import MergePatch, merged, validated

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
# The examples of RFC 7396, appendix A.
EXAMPLES: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


class Change(MergePatch):
    """A patch of a thing."""

    name: str = ""
    note: str | None = None


@pytest.mark.parametrize(("target", "patch", "result"), EXAMPLES)
def test_examples_of_the_standard(target: Any, patch: Any, result: Any) -> None:
    assert merged(target, patch) == result


@given(JSON, JSON)
def test_patching_twice_is_patching_once_and_alters_nothing(target: Any, patch: Any) -> None:
    before = json.dumps([target, patch])
    once = merged(target, patch)
    assert merged(once, patch) == once
    assert json.dumps([target, patch]) == before


@given(JSON)
def test_empty_patch_changes_no_object(target: Any) -> None:
    assert merged(target, {}) == (target if isinstance(target, dict) else {})


def test_absent_and_null_differ() -> None:
    assert Change.model_validate({}).changes() == {}
    assert Change.model_validate({"note": None}).changes() == {"note": None}
    assert Change.model_validate({"name": ""}).changes() == {"name": ""}


def test_what_is_so_already_is_no_change() -> None:
    change = Change.model_validate({"name": "a", "note": None})
    assert change.changes_of({"name": "a", "note": "x"}) == {"note": None}
    assert change.changes_of({"name": "a", "note": None}) == {}


def test_result_is_validated_with_pointers() -> None:
    class Bounds(BaseModel, extra="forbid"):
        green: int = Field(ge=0)
        amber: int

    assert validated(Bounds, {"green": 1, "amber": 2}) == Bounds(green=1, amber=2)
    with pytest.raises(InvalidRequest) as refused:
        validated(Bounds, {"green": -1})
    assert {error.pointer for error in refused.value.errors} == {"#/green", "#/amber"}


@pytest.mark.parametrize("media_type", ["application/merge-patch+json", "application/json"])
async def test_patch_over_http(thing_client: httpx.AsyncClient, media_type: str) -> None:
    async def note(body: dict[str, Any]) -> Any:
        answer = await thing_client.patch(
            "/sample/v1/things/3", content=json.dumps(body), headers={"Content-Type": media_type, "If-Match": '"3"'}
        )
        return answer.json()["note"]

    assert await note({}) == "kept"
    assert await note({"note": None}) is None
    assert await note({"note": "new"}) == "new"


async def test_what_may_not_be_removed_refuses_null(thing_client: httpx.AsyncClient) -> None:
    headers = {"If-Match": '"3"'}
    answer = await thing_client.patch("/sample/v1/things/3", json={"name": None, "id": 4}, headers=headers)
    assert answer.status_code == 422
    assert {(error["pointer"], error["code"]) for error in answer.json()["errors"]} == {
        ("#/name", "string_type"),
        ("#/id", "unknown_field"),
    }
