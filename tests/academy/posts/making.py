"""Posts for tests, and those who hold them: each function fills in what the test doesn't care about."""

from datetime import date
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from kit.ids import uuid7
from tests.academy.rows import PROSPERE, Executes, add

PATH = "/academy/v1/posts"
OURS, THEIRS = 135874, 139148


def body(**values: Any) -> dict[str, Any]:
    """What a post is made from."""
    return {"urn": OURS, "role": "headteacher", "title": "Headteacher", **values}


async def create(writer: httpx.AsyncClient, **values: Any) -> httpx.Response:
    """A new post."""
    made = await writer.post(PATH, json=body(**values))
    assert made.status_code == 201, made.text
    return made


async def move(writer: httpx.AsyncClient, seen: httpx.Response, verb: str, **values: Any) -> httpx.Response:
    """Move the post that was seen."""
    path, tag = f"{PATH}/{seen.json()['id']}/{verb}", {"If-Match": seen.headers["ETag"]}
    return await writer.post(path, json=values, headers=tag)


async def add_grant(
    session: Executes, holder: str, *, is_active: bool = True, trust: UUID = PROSPERE, **values: Any
) -> UUID:
    """A grant as the follower of identity's feed keeps it: of a headteacher, from 1 September 2025 on; its id."""
    row = {
        "trust_id": trust,
        "id": uuid7(),
        "holder": holder,
        "role": "headteacher",
        "extent": "academies",
        "academies": [OURS],
        "starts_on": date(2025, 9, 1),
        "ends_on": None,
        "is_ended": False,
        **values,
    }
    await add(session, "identity_grant_a", row)
    known = {"trust_id": trust, "holder": holder, "is_active": is_active}
    put = "insert into academy.identity_holder_a (trust_id, holder, is_active) values (:trust_id, :holder, :is_active)"
    await session.execute(text(f"{put} on conflict do nothing"), known)
    return UUID(str(row["id"]))
