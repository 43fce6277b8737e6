"""Finding trusts: by any of their names, in a list, one by one."""

from uuid import UUID

from sqlmodel import col

from academy.parameters import today
from academy.trusts import queries
from academy.trusts.errors import TrustNotFound, TrustUnknown
from academy.trusts.schemas import TrustListParams, TrustOut, TrustPage, TrustSort
from academy.trusts.tables import TrustRegister
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.resources.paging import Listing, paginate

ORDERS = {
    TrustSort.NAME: Listing("trusts", TrustRegister, "name", "id"),
    TrustSort.NAME_DESCENDING: Listing("trusts", TrustRegister, "-name", "-id"),
}


async def list_trusts(session: Session, caller: Caller, params: TrustListParams) -> TrustPage:
    """A page of trusts by name. Raises InvalidCursor."""
    found = await paginate(session, caller, ORDERS[params.sort], queries.trusts_like(params, today()), params)
    return TrustPage.of(found, lambda row: TrustOut.of(*row))


async def view_trust(session: Session, name: str) -> TrustOut:
    """One trust. Raises TrustNotFound."""
    statement = queries.trusts(today()).where(col(TrustRegister.id) == await find_trust(session, name))
    return TrustOut.of(*(await session.execute(statement)).one()).tagged_by_content()


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
