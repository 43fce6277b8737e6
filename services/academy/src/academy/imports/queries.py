"""All SQL about imports and the files that they hold. Every statement names the tenant beside row-level security."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from kit.database.sessions import Session

_COLUMNS = """
    trust_id, id, kind, academic_year, release, dry_run, state, content_type, is_gzipped, sha256, size_bytes, rows_read,
    rows_accepted, rows_ignored, comparison_rows, rows_new, rows_changed, rows_unchanged, errors, errors_total,
    warnings, progress_percent, academies, created_by, created_at, started_at, finished_at, version
"""

_CREATE = text(
    f"""
    insert into academy.import (trust_id, id, kind, academic_year, release, dry_run, state, content_type, is_gzipped,
        sha256, size_bytes, academies, created_by, created_at)
    values (:tenant, :id, :kind, :academic_year, :release, :dry_run, 'queued', :content_type, :is_gzipped, :sha256,
        :size_bytes, cast(:academies as int[]), :created_by, :created_at)
    returning {_COLUMNS}
    """  # noqa: S608 - constants
)

_ADD_CHUNK = text(
    "insert into academy.import_chunk (trust_id, import_id, number, content) values (:tenant, :id, :number, :content)"
)

_CHUNK = text(
    "select content from academy.import_chunk where trust_id = :tenant and import_id = :id and number = :number"
)

_DROP_CHUNKS = text("delete from academy.import_chunk where trust_id = :tenant and import_id = :id")

_VIEW = text(f"select {_COLUMNS} from academy.import where trust_id = :tenant and id = :id")  # noqa: S608 - constants

# Of many imports with a thousand errors each a list shows the first few.
_LISTED = _COLUMNS.replace(" errors,", " jsonb_path_query_array(errors, '$[0 to 9]') as errors,")

_LIST = text(
    f"""
    select {_LISTED} from academy.import
    where trust_id = :tenant
      and (cardinality(cast(:kinds as text[])) = 0 or kind = any(cast(:kinds as text[])))
      and (cardinality(cast(:states as text[])) = 0 or state = any(cast(:states as text[])))
      and (cast(:after_at as timestamptz) is null
           or (created_at, id) < (cast(:after_at as timestamptz), cast(:after_id as uuid)))
    order by created_at desc, id desc limit :limit
    """  # noqa: S608 - constants
)

# Waits for a cancellation or an end that is being written, and then sees it.
_LOCK = text(f"select {_COLUMNS} from academy.import where trust_id = :tenant and id = :id for update")  # noqa: S608

_START = text(
    f"""
    update academy.import set state = 'running', started_at = coalesce(started_at, :now), progress_percent = 0,
        version = version + 1
    where trust_id = :tenant and id = :id and state in ('queued', 'running')
    returning {_COLUMNS}
    """  # noqa: S608 - constants
)

_PROGRESS = text(
    """
    update academy.import set progress_percent = :percent, rows_read = :rows_read
    where trust_id = :tenant and id = :id and state = 'running' returning id
    """
)

_FINISH = text(
    f"""
    update academy.import set state = :state, finished_at = :now, version = version + 1,
        progress_percent = :percent, rows_read = :rows_read, rows_accepted = :rows_accepted,
        rows_ignored = :rows_ignored, comparison_rows = :comparison_rows, rows_new = :rows_new,
        rows_changed = :rows_changed, rows_unchanged = :rows_unchanged, errors = cast(:errors as jsonb),
        errors_total = :errors_total, warnings = cast(:warnings as jsonb)
    where trust_id = :tenant and id = :id and state = 'running' returning {_COLUMNS}
    """  # noqa: S608 - constants
)

_CANCEL = text(
    f"""
    update academy.import set state = 'cancelled', finished_at = :now, version = version + 1
    where trust_id = :tenant and id = :id and state in ('queued', 'running') returning {_COLUMNS}
    """  # noqa: S608 - constants
)

_RECEIPT = text("select import_id from academy.reference_load where import_id = :id")


async def create_import(session: Session, tenant: UUID, values: dict[str, Any]) -> dict[str, Any]:
    """A new import, queued."""
    return _row((await session.execute(_CREATE, {**values, "tenant": tenant})).mappings().one())


async def add_chunks(session: Session, tenant: UUID, import_id: UUID, chunks: Iterable[bytes]) -> None:
    """Keep the file, chunk by chunk."""
    for number, content in enumerate(chunks):
        await session.execute(_ADD_CHUNK, {"tenant": tenant, "id": import_id, "number": number, "content": content})


async def chunk(session: Session, tenant: UUID, import_id: UUID, number: int) -> bytes | None:
    """One chunk of the file; None after the last."""
    parameters = {"tenant": tenant, "id": import_id, "number": number}
    content: bytes | None = (await session.execute(_CHUNK, parameters)).scalar_one_or_none()
    return content


async def drop_chunks(session: Session, tenant: UUID, import_id: UUID) -> None:
    """Forget the file."""
    await session.execute(_DROP_CHUNKS, {"tenant": tenant, "id": import_id})


async def import_view(
    session: Session, tenant: UUID, import_id: UUID, *, for_update: bool = False
) -> dict[str, Any] | None:
    """One import."""
    statement = _LOCK if for_update else _VIEW
    row = (await session.execute(statement, {"tenant": tenant, "id": import_id})).mappings().one_or_none()
    return None if row is None else _row(row)


async def import_list(
    session: Session,
    tenant: UUID,
    *,
    kinds: Sequence[str],
    states: Sequence[str],
    after: Sequence[Any] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Imports, newest first, after the one whose `created_at` and id are `after`."""
    parameters = {
        "tenant": tenant,
        "kinds": list(kinds),
        "states": list(states),
        "after_at": datetime.fromisoformat(after[0]) if after else None,
        "after_id": after[1] if after else None,
        "limit": limit,
    }
    return [_row(row) for row in (await session.execute(_LIST, parameters)).mappings()]


async def start(session: Session, tenant: UUID, import_id: UUID, *, now: datetime) -> dict[str, Any] | None:
    """Begin, or begin again after a worker was killed; None when it has ended or was cancelled."""
    row = (await session.execute(_START, {"tenant": tenant, "id": import_id, "now": now})).mappings().one_or_none()
    return None if row is None else _row(row)


async def progress(session: Session, tenant: UUID, import_id: UUID, *, percent: int, rows_read: int) -> bool:
    """Say how far it is; False when it isn't running any more."""
    parameters = {"tenant": tenant, "id": import_id, "percent": percent, "rows_read": rows_read}
    return (await session.execute(_PROGRESS, parameters)).scalar_one_or_none() is not None


async def finish(session: Session, tenant: UUID, import_id: UUID, values: dict[str, Any]) -> dict[str, Any] | None:
    """End it with these counts and findings; None when it isn't running any more."""
    parameters = {
        **values,
        "tenant": tenant,
        "id": import_id,
        "errors": orjson.dumps(values["errors"]).decode(),
        "warnings": orjson.dumps(values["warnings"]).decode(),
    }
    row = (await session.execute(_FINISH, parameters)).mappings().one_or_none()
    return None if row is None else _row(row)


async def is_applied(session: Session, import_id: UUID) -> bool:
    """Has the loader applied this national import already? Then only its end is still to be written."""
    return (await session.execute(_RECEIPT, {"id": import_id})).scalar_one_or_none() is not None


async def cancel(session: Session, tenant: UUID, import_id: UUID, *, now: datetime) -> dict[str, Any] | None:
    """Cancel it; None when it has ended."""
    row = (await session.execute(_CANCEL, {"tenant": tenant, "id": import_id, "now": now})).mappings().one_or_none()
    return None if row is None else _row(row)


def _row(row: Any) -> dict[str, Any]:
    values = dict(row)
    for name in ("errors", "warnings"):
        if isinstance(values[name], str):
            values[name] = orjson.loads(values[name])
    return values
