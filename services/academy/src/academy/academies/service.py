"""Finding academies: in lists, by their identifiers, one by one with their history and inspections."""

from datetime import date

from academy.academies import queries
from academy.academies.errors import AcademyNotFound, NothingToLookUp, TooManyToLookUp
from academy.academies.schemas import (
    AcademyDetailOut,
    AcademyListParams,
    AcademyLookup,
    AcademyLookupOut,
    AcademyOut,
    AcademyPage,
    AcademySort,
    InspectionOut,
    InspectionPage,
    LinkOut,
    NotFoundOut,
    TrustAcademyOut,
    TrustAcademyPage,
    TrustAcademyParams,
)
from academy.academies.tables import Inspection, School
from academy.parameters import today
from academy.recording import synced_to
from academy.trusts.service import find_trust, trust_of_filter
from academy.trusts.tables import Membership
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.resources.pages import ListParams
from kit.resources.paging import By, Listing, paginate
from sector.laestabs import plain_laestab

MOST_LOOKED_UP = 1000

ORDERS = {
    AcademySort.NAME: Listing("academies", School, "name", "urn"),
    AcademySort.NAME_DESCENDING: Listing("academies", School, "-name", "-urn"),
    AcademySort.URN: Listing("academies", School, "urn"),
    AcademySort.URN_DESCENDING: Listing("academies", School, "-urn"),
}
BY_JOINING = By(Membership.joined_on, date, lambda row: row[1].joined_on)
BY_NAME = Listing("trust-academies", School, "name", "urn", BY_JOINING)
NEWEST = Listing("inspections", Inspection, "-inspected_on", "-id")


async def list_academies(session: Session, caller: Caller, params: AcademyListParams) -> AcademyPage:
    """A page of academies, and up to when the list has everything. Raises InvalidCursor and TrustUnknown."""
    # What changes while somebody turns pages is for next time: the first page's watermark holds for all.
    synced = (await synced_to(session)).isoformat()
    statement = queries.academies(params, await trust_of_filter(session, caller, params.trust), today())
    found = await paginate(session, caller, ORDERS[params.sort], statement, params, carry=synced)
    return AcademyPage.of(found, lambda row: AcademyOut.of(*row), synced_to=found.carried)


async def view_academy(session: Session, urn: int) -> AcademyDetailOut:
    """One academy with its trusts, links and latest inspections. Raises AcademyNotFound."""
    academy = await _find(session, urn)
    return AcademyDetailOut.of_all(
        academy,
        await queries.memberships_of(session, urn),
        LinkOut.of_all(urn, await queries.links_of(session, urn)),
        await queries.latest_inspections(session, urn),
    ).tagged_by_content()


async def _find(session: Session, urn: int) -> AcademyOut:
    found = await queries.school(session, urn, today())
    if found is None:
        raise AcademyNotFound(f"The register has no school with URN {urn}.")
    return AcademyOut.of(*found)


async def look_up(session: Session, sought: AcademyLookup) -> AcademyLookupOut:
    """Every school with one of the identifiers, and the identifiers that none has.

    Raises NothingToLookUp and TooManyToLookUp.
    """
    total = len(sought.urns) + len(sought.ukprns) + len(sought.laestabs)
    if total == 0:
        raise NothingToLookUp.because("Send urns, ukprns or laestabs.")
    if total > MOST_LOOKED_UP:
        detail = f"Send at most {MOST_LOOKED_UP} identifiers at once; these are {total}."
        raise TooManyToLookUp.because(detail)
    laestabs = {written: plain_laestab(written) for written in sought.laestabs}
    plain = [one for one in laestabs.values() if one is not None]
    rows = await queries.schools_known_as(
        session, urns=sought.urns, ukprns=sought.ukprns, laestabs=plain, today=today()
    )
    found = [AcademyOut.of(*row) for row in rows]
    known = {academy.urn for academy in found}, {academy.ukprn for academy in found}, {one.laestab for one in found}
    missing = NotFoundOut(
        urns=[urn for urn in sought.urns if urn not in known[0]],
        ukprns=[ukprn for ukprn in sought.ukprns if ukprn not in known[1]],
        laestabs=[written for written, one in laestabs.items() if one not in known[2]],
    )
    return AcademyLookupOut(found=found, not_found=missing)


async def list_trust_academies(
    session: Session, caller: Caller, trust: str, params: TrustAcademyParams
) -> TrustAcademyPage:
    """A page of a trust's academies by name. Raises TrustNotFound and InvalidCursor."""
    trust_id = await find_trust(session, trust)
    statement = queries.trust_academies(trust_id, params.membership, today())
    found = await paginate(session, caller, BY_NAME, statement, params, trust=trust_id)
    return TrustAcademyPage.of(found, lambda row: TrustAcademyOut.of(*row))


async def list_inspections(session: Session, caller: Caller, urn: int, params: ListParams) -> InspectionPage:
    """A page of an academy's inspections, newest first. Raises AcademyNotFound and InvalidCursor."""
    trust = (await _find(session, urn)).trust
    found = await paginate(session, caller, NEWEST, queries.inspections(urn), params, urn=urn)
    return InspectionPage.of(found, lambda row: InspectionOut.of(row, trust))


async def check_own(session: Session, caller: Caller, urn: int) -> None:
    """Raises AcademyNotFound unless it is an academy of the caller's trust today, and covered by the grant."""
    if not caller.sees_academy(urn) or not await queries.is_member(session, caller.tenant_id, urn, today()):
        raise AcademyNotFound(f"There is no academy {urn} of your trust that you may see.")
