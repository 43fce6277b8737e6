"""Rating a trust again: the one job that is queued when figures, criteria or memberships of a trust have changed."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from kit.database.sessions import Session
from kit.jobs.queue import defer

RATE_TASK: Final = "academy.ratings.rerate"


def ratings_lock(trust_id: UUID) -> str:
    """The name of the lock under which jobs about a trust's ratings run one after another."""
    return f"ratings:{trust_id}"


async def rate_again(session: Session, trust_id: UUID, *, import_id: UUID | None = None) -> None:
    """Queue a rating of the trust, after those that are queued already. `import_id` is the import that asks for it."""
    await defer(session, RATE_TASK, lock=ratings_lock(trust_id), trust_id=trust_id, import_id=import_id)
