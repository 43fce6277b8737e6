"""Listing the RAG status of every academy of a trust."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from typing import Any

import asyncpg
import orjson

from academy.criteria.documents import step_on_scale, stored_scale
from academy.criteria.rules import Status
from academy.rag_statuses import queries
from academy.rag_statuses.errors import AsOfInFuture, AsOfWithSortByChange, AsOfWithUpdatedSince
from academy.rag_statuses.rules import why_not_assessed
from academy.rag_statuses.schemas import RagInclude, RagSort, RagStatusListParams
from academy.recording import synced_to
from kit import clock
from kit.cursors import decode, encode
from kit.database.sessions import Connection, Context, Database, Session, driver_of
from kit.identity.callers import Caller, check_scopes
from kit.resources.pages import MOST_COUNTED, TotalOut
from kit.resources.paging import PAGING
from sector.days import day_in_london

LIST = "rag-statuses"
NOTHING_COUNTED = orjson.Fragment(b'{"red":0,"amber":0,"green":0,"not_assessed":0}')


def _shown(row: asyncpg.Record, published: Mapping[str, str]) -> dict[str, Any]:
    """A row as clients read it; JSON from the database goes through as it is."""
    step = row["step"]
    if row["scale"] is not None:
        # An override outlives the scale that it was given on.
        step = orjson.dumps(step_on_scale(orjson.loads(step), row["status"], stored_scale(row["scale"])))
    return {
        "urn": row["urn"],
        "name": row["name"],
        "phase": row["phase"],
        "status": row["status"],
        "label": orjson.loads(step)["label"] if step else "Not assessed",
        "step": orjson.Fragment(step) if step else None,
        "reason": why_not_assessed(row["status"], row["phase"], row["criteria_set_id"], published),
        "moderated": row["moderated"],
        "computed_status": row["computed_status"],
        "computed_changed_since": row["computed_changed_since"],
        "counts": orjson.Fragment(row["counts"]) if row["counts"] else NOTHING_COUNTED,
        "criteria_set": {
            "id": row["criteria_set_id"],
            "title": row["criteria_set_title"],
            "version": row["criteria_set_number"],
        }
        if row["criteria_set_id"]
        else None,
        "rating_id": row["rating_id"],
        "rated_at": row["rated_at"],
        "data_as_at": row["data_as_at"],
        "is_removed": row["is_removed"],
        "criteria": None,
    }


async def _add_criteria(connection: Connection, caller: Caller, items: list[dict[str, Any]]) -> None:
    """Add the criteria of its rating to each item, by one query for all of them."""
    ids = [item["rating_id"] for item in items if item["rating_id"] is not None]
    found = await queries.criteria_of(connection, caller, ids)
    for item in items:
        item["criteria"] = orjson.Fragment(found.get(item["rating_id"], "[]"))


async def list_statuses(session: Session, caller: Caller, params: RagStatusListParams) -> tuple[bytes, str, str | None]:
    """A page as JSON, the tag of what it says, and the cursor after it.

    Raises InsufficientScope, AsOfInFuture, AsOfWithSortByChange, AsOfWithUpdatedSince or InvalidCursor.
    """
    if RagInclude.CRITERIA in params.include:
        # They are what a rating explains.
        check_scopes(caller, ("ratings:read",))
    now = clock.now()
    if params.as_of is not None:
        if params.as_of > now:
            raise AsOfInFuture.at(params.as_of)
        if params.updated_since is not None:
            raise AsOfWithUpdatedSince.together()
        if params.sort in {RagSort.CHANGED, RagSort.CHANGED_DESCENDING}:
            raise AsOfWithSortByChange.together()
    filters = params.model_dump(mode="json", exclude=set(PAGING))
    after = None
    if params.cursor is not None:
        after = decode(LIST, params.cursor, tenant=caller.tenant_id, filters=filters)
    # Read before the rows: what commits in between is then returned again, never missed.
    watermark = await synced_to(session)
    wanted = queries.Wanted(
        day=day_in_london(params.as_of or now),
        as_of=params.as_of,
        updated_since=params.updated_since,
        statuses=params.status,
        phases=params.phase,
        local_authorities=params.la,
        sort=params.sort,
        after=after,
        limit=params.limit + 1,
    )
    connection = driver_of(session)
    rows = await queries.rag_statuses(connection, caller, wanted)
    page, more = rows[: params.limit], len(rows) > params.limit
    following = None
    if more:
        last = page[-1]
        following = encode(LIST, [last["name"], last["urn"], last["place"]], tenant=caller.tenant_id, filters=filters)
    published: dict[str, str] = {}
    if any(row["status"] == Status.NOT_ASSESSED for row in page):
        published = await queries.published_sets(connection, caller, params.as_of)
    items = [_shown(row, published) for row in page]
    if RagInclude.CRITERIA in params.include:
        await _add_criteria(connection, caller, items)
    total = None
    if params.count:
        everything = rows
        if after is not None or more:
            everything = await queries.rag_statuses(
                connection, caller, replace(wanted, after=None, limit=MOST_COUNTED + 1)
            )
        total = TotalOut.of(len(everything)).model_dump()
    said = {"items": items, "next": following, "total": total}
    tag = hashlib.sha256(orjson.dumps(said, option=orjson.OPT_UTC_Z)).hexdigest()[:32]
    body = orjson.dumps({**said, "synced_to": watermark.astimezone(UTC)}, option=orjson.OPT_UTC_Z)
    return body, tag, following


async def version(database: Database, context: Context) -> str:
    """A word that changes whenever the lists of this context do."""
    async with database.connection(context) as connection:
        return await queries.version(connection, context, day_in_london(clock.now()))
