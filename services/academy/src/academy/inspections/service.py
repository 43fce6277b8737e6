"""Listing the inspections of a trust's academies."""

from datetime import datetime
from uuid import UUID

from academy.academies.queries import moved
from academy.academies.tables import Inspection
from academy.inspections import queries
from academy.inspections.schemas import InspectionListParams, TrustInspectionOut, TrustInspectionPage
from academy.parameters import today
from academy.recording import synced_to
from academy.trusts.service import trust_of_filter
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.resources.paging import Listing, paginate

NEWEST = Listing("trust-inspections", Inspection, "-inspected_on", "-id")


async def list_inspections(session: Session, caller: Caller, params: InspectionListParams) -> TrustInspectionPage:
    """A page of inspections of a trust's academies, newest first. Raises InvalidCursor and TrustUnknown."""
    synced = (await synced_to(session)).isoformat()
    trust_id = await trust_of_filter(session, caller, params.trust)
    statement = queries.inspections(params, trust_id, today(), await _moved(session, trust_id, params.updated_since))
    found = await paginate(session, caller, NEWEST, statement, params, carry=synced)
    return TrustInspectionPage.of(found, lambda row: TrustInspectionOut.of_row(*row), synced_to=found.carried)


async def _moved(session: Session, trust_id: UUID | None, since: datetime | None) -> list[int]:
    """The academies of which every inspection counts as changed: those that joined or left the trust since."""
    if since is None or trust_id is None:
        return []
    joined, left = await moved(session, trust_id, since, today())
    return [*joined, *left]
