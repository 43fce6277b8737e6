"""Finding trusts: by any of their names, in a list, one by one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from academy.parameters import today
from academy.trusts import queries
from academy.trusts.errors import TrustNotFound, TrustUnknown
from academy.trusts.schemas import TrustListParams, TrustSort
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.resources.cursors import decode, encode

LIST = "trusts"


async def list_trusts(
    session: Session, caller: Caller, params: TrustListParams
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of trusts and the cursor after it. Raises InvalidCursor."""
    filters = params.model_dump(mode="json", exclude={"limit", "cursor"})
    after = None
    if params.cursor is not None:
        after = decode(LIST, params.cursor, tenant=caller.tenant_id, filters=filters)
    rows = await queries.trust_list(
        session,
        today=today(),
        q=params.q,
        kinds=params.kind,
        statuses=params.status,
        descending=params.sort is TrustSort.NAME_DESCENDING,
        after=after,
        limit=params.limit + 1,
    )
    items, more = rows[: params.limit], len(rows) > params.limit
    if not more:
        return items, None
    last = items[-1]
    return items, encode(LIST, [last["name"], last["id"]], tenant=caller.tenant_id, filters=filters)


async def view_trust(session: Session, name: str) -> dict[str, Any]:
    """One trust. Raises TrustNotFound."""
    found = await queries.trust_view(session, await find_trust(session, name), today=today())
    if found is None:
        raise TrustNotFound(f"No trust is known as {name}.")
    return found


async def find_trust(session: Session, name: str) -> UUID:
    """The id of a trust by its id, Group UID or TR reference. Raises TrustNotFound."""
    found = await queries.trust_named(session, name, trust_id=_as_uuid(name))
    if found is None:
        raise TrustNotFound(f"No trust is known as {name}.")
    return found


async def trust_of_filter(session: Session, caller: Caller, name: str | None) -> UUID | None:
    """The trust that a list is about: the caller's own unless one is named; None for all of England.

    Raises TrustUnknown.
    """
    if name is None:
        return caller.trust_id
    if name == "any":
        return None
    if name == str(caller.trust_id):
        return caller.trust_id
    try:
        return await find_trust(session, name)
    except TrustNotFound:
        raise TrustUnknown.named(name) from None


def _as_uuid(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
