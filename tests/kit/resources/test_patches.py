"""Merge patches: absent stays, null goes (RFC 7396)."""

import json
from typing import Any

import httpx
import pytest

from kit.resources.patches import MergePatch


class Change(MergePatch):
    """A patch of a thing."""

    name: str = ""
    note: str | None = None


def test_absent_and_null_differ() -> None:
    assert Change.model_validate({}).changes() == {}
    assert Change.model_validate({"note": None}).changes() == {"note": None}
    assert Change.model_validate({"name": ""}).changes() == {"name": ""}


def test_what_is_so_already_is_no_change() -> None:
    change = Change.model_validate({"name": "a", "note": None})
    assert change.changes_of({"name": "a", "note": "x"}) == {"note": None}
    assert change.changes_of({"name": "a", "note": None}) == {}


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
