"""All SQL about imports and the files that they hold. Every statement names the tenant beside row-level security."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, cast, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH
from sqlalchemy.orm import defer
from sqlmodel import col

from academy.imports.schemas import ImportListParams, ImportState, Withdrawal
from academy.imports.tables import Import, ImportChunk, ReferenceLoad
from kit.database.sessions import Session

# Of many imports with a thousand errors each a list shows the first few.
_FIRST_ERRORS = func.jsonb_path_query_array(col(Import.errors), cast("$[0 to 9]", JSONPATH), type_=JSONB)


def visible_to(tenant: UUID) -> Select[Import]:
    """The imports of a trust; of the national ones under the platform's own id."""
    return select(Import).where(col(Import.trust_id) == tenant)


async def import_by_id(session: Session, tenant: UUID, import_id: UUID, *, lock: bool = False) -> Import | None:
    """One import. With `lock` it is read once others have cancelled or ended it, and is theirs no more until commit."""
    statement = visible_to(tenant).where(col(Import.id) == import_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.execute(statement)).scalar_one_or_none()


def matching(tenant: UUID, params: ImportListParams) -> Select[Import, list[dict[str, Any]]]:
    """The imports that a list shows, each with its first errors in place of all of them."""
    errors: Any = Import.errors
    statement = visible_to(tenant).add_columns(_FIRST_ERRORS).options(defer(errors, raiseload=True))
    if params.kind:
        statement = statement.where(col(Import.kind).in_(params.kind))
    if params.state:
        withdrawn = tuple(Withdrawal) if ImportState.SUCCEEDED in params.state else ()
        statement = statement.where(col(Import.state).in_((*params.state, *withdrawn)))
    if params.withdrawal:
        statement = statement.where(col(Import.state).in_(params.withdrawal))
    return statement


async def same_file_of_other_year(
    session: Session, tenant: UUID, kind: str, sha256: str, academic_year: str
) -> Import | None:
    """The newest import of these bytes for another academic year that counts, or will once it has been read."""
    statement = (
        visible_to(tenant)
        .where(
            col(Import.kind) == kind,
            col(Import.sha256) == sha256,
            col(Import.academic_year) != academic_year,
            col(Import.dry_run).is_(False),
            col(Import.state).in_(
                (ImportState.QUEUED, ImportState.RUNNING, ImportState.SUCCEEDED, Withdrawal.NOT_WITHDRAWN)
            ),
        )
        .order_by(col(Import.created_at).desc())
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def is_in_progress(session: Session, tenant: UUID, kinds: Iterable[str]) -> bool:
    """Whether an import of these kinds is still to write figures, or a withdrawal to take some back."""
    statement = visible_to(tenant).where(
        col(Import.kind).in_(tuple(kinds)),
        col(Import.dry_run).is_(False),
        col(Import.state).in_((ImportState.QUEUED, ImportState.RUNNING, Withdrawal.WITHDRAWING)),
    )
    return bool((await session.execute(select(statement.exists()))).scalar_one())


async def set_progress(session: Session, tenant: UUID, import_id: UUID, *, percent: int, rows_read: int) -> bool:
    """Store how far it is; False when it isn't running any more."""
    statement = (
        update(Import)
        .where(col(Import.trust_id) == tenant, col(Import.id) == import_id, col(Import.state) == "running")
        .values(progress_percent=percent, rows_read=rows_read)
        .returning(col(Import.id))
    )
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def is_applied(session: Session, import_id: UUID) -> bool:
    """Whether the loader has applied this national import: then only its end is still to be written."""
    statement = select(col(ReferenceLoad.import_id)).where(col(ReferenceLoad.import_id) == import_id)
    return (await session.execute(statement)).scalar_one_or_none() is not None


_LOST_WITHDRAWALS = text(
    """
    select i.id, coalesce((
        select j.status = 'failed' from procrastinate_jobs j
        where j.task_name = :task and j.args ->> 'import_id' = i.id::text order by j.id desc limit 1
    ), false) as has_failed
    from academy.import i
    where i.trust_id = :tenant and i.state = 'withdrawing' and not exists (
        select from procrastinate_jobs j
        where j.task_name = :task and j.status in ('todo', 'doing') and j.args ->> 'import_id' = i.id::text
    ) order by i.created_at, i.id
    """
)


async def lost_withdrawals(session: Session, tenant: UUID, task: str) -> list[tuple[UUID, bool]]:
    """Imports that are being taken back although no job of this task is left; whether the last one failed for good."""
    rows = await session.execute(_LOST_WITHDRAWALS, {"tenant": tenant, "task": task})
    return [(row.id, row.has_failed) for row in rows]


_LOST_IMPORTS = text(
    """
    select i.id, i.state = 'running' and exists (
        select from procrastinate_jobs j
        where j.task_name = any(:tasks) and j.status = 'failed' and j.args ->> 'import_id' = i.id::text) as has_failed
    from academy.import i
    where i.trust_id = :tenant and i.state in ('queued', 'running') and not exists (
        select from procrastinate_jobs j
        where j.task_name = any(:tasks) and j.status in ('todo', 'doing') and j.args ->> 'import_id' = i.id::text
    ) order by i.created_at, i.id
    """
)


async def lost_imports(session: Session, tenant: UUID, tasks: Sequence[str]) -> list[tuple[UUID, bool]]:
    """Imports that wait or run although no job of these tasks is left for them; whether their job failed for good."""
    rows = await session.execute(_LOST_IMPORTS, {"tenant": tenant, "tasks": list(tasks)})
    return [(row.id, row.has_failed) for row in rows]


async def add_chunks(session: Session, tenant: UUID, import_id: UUID, chunks: Iterable[bytes]) -> None:
    """Keep the file, chunk by chunk."""
    for number, content in enumerate(chunks):
        chunk = {"trust_id": tenant, "import_id": import_id, "number": number, "content": content}
        await session.execute(insert(ImportChunk).values(chunk))


async def chunk(session: Session, tenant: UUID, import_id: UUID, number: int) -> bytes | None:
    """One chunk of the file; None after the last."""
    statement = select(col(ImportChunk.content)).where(
        col(ImportChunk.trust_id) == tenant,
        col(ImportChunk.import_id) == import_id,
        col(ImportChunk.number) == number,
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def kept_bytes(session: Session, tenant: UUID) -> int:
    """How much the files of a trust's imports take. The length of a stored chunk is known without reading it."""
    length = func.octet_length(col(ImportChunk.content))
    statement = select(func.coalesce(func.sum(length), 0)).where(col(ImportChunk.trust_id) == tenant)
    return int((await session.execute(statement)).scalar_one())


async def first_ended_at(session: Session, tenant: UUID) -> datetime | None:
    """When the first of the imports whose file is kept ended; None when none has."""
    kept = select(col(ImportChunk.import_id)).where(col(ImportChunk.trust_id) == tenant, col(ImportChunk.number) == 0)
    statement = select(func.min(col(Import.finished_at))).where(
        col(Import.trust_id) == tenant, col(Import.id).in_(kept)
    )
    return (await session.execute(statement)).scalar_one()


async def delete_chunks(session: Session, tenant: UUID, import_id: UUID) -> None:
    """Delete the file; the import itself stays."""
    statement = delete(ImportChunk).where(col(ImportChunk.trust_id) == tenant, col(ImportChunk.import_id) == import_id)
    await session.execute(statement)
