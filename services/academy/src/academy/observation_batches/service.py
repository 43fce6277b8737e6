"""Taking a batch of figures: all of it or nothing, in the transaction of the request."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from academy.imports.applying.at_once import apply_at_once
from academy.imports.formats.reading import Reading
from academy.imports.schemas import ImportKind
from academy.imports.tables import Import
from academy.observation_batches.errors import ObservationsRejected
from academy.observation_batches.schemas import ObservationBatchCreate, ObservationBatchOut
from kit import clock
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.ids import uuid7
from kit.problems import FieldError

NDJSON: Final = "application/x-ndjson"
MOST_ERRORS: Final = 100
"""So many are listed; more would only repeat the first."""


async def take(session: Session, caller: Caller, body: ObservationBatchCreate) -> ObservationBatchOut:
    """Store the figures of a batch as an import. Raises ObservationsRejected and ImportInProgress."""
    lines, now = body.lines(), clock.now()
    sent = Import(
        trust_id=caller.tenant_id,
        id=uuid7(),
        kind=ImportKind.OBSERVATIONS.value,
        academic_year=body.academic_year,
        release=body.release.value,
        dry_run=False,
        state="running",
        content_type=NDJSON,
        is_gzipped=False,
        sha256=hashlib.sha256(lines).hexdigest(),
        size_bytes=len(lines),
        academies=None if caller.academies is None else sorted(caller.academies),
        confirmed=sorted(set(body.confirm)),
        created_by=caller.subject,
        created_at=now,
        started_at=now,
    )
    reading, taken = await apply_at_once(session, sent, lines)
    if not reading.is_valid:
        raise ObservationsRejected(_summary(reading), errors=list(_errors(reading)))
    return ObservationBatchOut.of(sent, taken)


def _summary(reading: Reading) -> str:
    total = reading.errors_total
    listed = f" The first {MOST_ERRORS} are listed." if total > MOST_ERRORS else ""
    return f"{total:,} {'fault was' if total == 1 else 'faults were'} found, and no figure was stored.{listed}"


def _errors(reading: Reading) -> Iterator[FieldError]:
    """Why figures can't be taken, in their order, as places in the body."""
    for error in sorted(reading.errors, key=lambda error: error.row or 0)[:MOST_ERRORS]:
        path: list[str | int] = ["observations"]
        if error.row is not None:
            path += [error.row - 1, *([error.column] if error.column else [])]
        yield FieldError.in_body(path, error.code, error.detail)
