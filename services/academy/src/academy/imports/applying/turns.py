"""Who writes a trust's own figures: one import, withdrawal or request at a time.

The jobs of a trust's imports follow one another by their lock in the queue. Figures that come with a request wait for
no job: this lock of the transaction keeps them apart, and no figure that was sent before is applied after them.
"""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

from sqlalchemy import text

from academy.imports import queries
from academy.imports.errors import ImportInProgress
from academy.imports.formats.kinds import KINDS
from academy.observations.rules import Layer
from kit.database.contexts import Context
from kit.database.sessions import Session, context_of_session, set_context

WAIT_SECONDS: Final = 1.0
TICK_SECONDS: Final = 0.05
RETRY_SECONDS: Final = 2

_OWN: Final = tuple(kind.code for kind in KINDS.values() if kind.layer is Layer.TRUST)
_TAKE = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
_TRY = text("select pg_try_advisory_xact_lock(hashtextextended(:name, 0))")


async def take_turn(session: Session, tenant: UUID) -> None:
    """Wait until nobody else writes figures of this trust's own; until the end of the transaction nobody else begins.

    Comes before `one_at_a_time` where both are taken.
    """
    await session.execute(_TAKE, {"name": _name(tenant)})


async def take_turn_soon(session: Session, tenant: UUID) -> None:
    """The same for a request, after every import that was sent before; it waits a second at most.

    Raises ImportInProgress.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + WAIT_SECONDS
    while not await _is_free(session, tenant):
        if loop.time() >= until:
            raise ImportInProgress(
                "Figures of your trust's own that were sent before are still being applied, and figures are taken in "
                "the order in which they come. Nothing of this request was stored; repeat it.",
                retry_after_seconds=RETRY_SECONDS,
            )
        await asyncio.sleep(TICK_SECONDS)


async def _is_free(session: Session, tenant: UUID) -> bool:
    """Take the turn unless somebody has it, or an import waits for it that came before."""
    caller = context_of_session(session)
    # What others of the trust have sent counts too, whatever the caller sees of it.
    await set_context(session, Context(tenant, None, caller.subject))
    is_waiting = await queries.is_in_progress(session, tenant, _OWN)
    await set_context(session, caller)
    return not is_waiting and bool((await session.execute(_TRY, {"name": _name(tenant)})).scalar_one())


def _name(tenant: UUID) -> str:
    return f"own figures {tenant}"
