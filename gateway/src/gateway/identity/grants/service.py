"""Giving and ending grants."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from gateway.identity import events
from gateway.identity.administrators import keeping_an_administrator
from gateway.identity.codes import Code
from gateway.identity.days import today
from gateway.identity.events import GrantChange, GrantFacts
from gateway.identity.grants import queries, rules
from gateway.identity.grants.errors import (
    GrantEnded,
    GrantInvalid,
    GrantNotFound,
    GrantToOneself,
    RoleNotGrantable,
)
from gateway.identity.grants.rules import Fault, Grant
from gateway.identity.grants.schemas import GrantCreate, GrantOut, GrantPage, GrantParams
from gateway.identity.roles import ROLES, Extent, Holder, Level
from gateway.identity.tables import RoleGrant
from kit import clock
from kit.database.sessions import Session
from kit.etags import check_if_match
from kit.events.recording import record_event
from kit.identity.callers import Caller
from kit.ids import uuid7
from kit.problems import FieldError
from kit.resources.paging import Listing, paginate
from kit.resources.rows import add, find

NEWEST = Listing("identity.grants", RoleGrant, "-id")


async def list_grants(session: Session, caller: Caller, params: GrantParams) -> GrantPage:
    """Grants of the caller's trust, newest first. Raises InvalidCursor."""
    on = today()
    found = await paginate(session, caller, NEWEST, queries.grants(caller, params, on), params)
    return GrantPage.of(found, lambda grant: GrantOut.of(grant, on))


async def view_grant(session: Session, caller: Caller, id_: UUID) -> GrantOut:
    """One grant. Raises GrantNotFound."""
    return GrantOut.of(await _find(session, caller, id_), today())


async def _find(session: Session, caller: Caller, id_: UUID, *, lock: bool = False) -> RoleGrant:
    grant = await find(session, caller, RoleGrant, id_, lock=lock)
    if grant is None:
        raise GrantNotFound(f"There is no grant {id_} that you may see.")
    return grant


async def create_grant(session: Session, caller: Caller, wanted: GrantCreate) -> GrantOut:
    """Give a role. Raises RoleNotGrantable, GrantToOneself, GrantInvalid."""
    academies = frozenset(wanted.academies) if wanted.academies is not None else None
    level = Level.TRUST if caller.trust_id else Level.PLATFORM
    if not rules.may_grant(wanted.role, level=level):
        title = ROLES[wanted.role].title
        raise RoleNotGrantable(f"{title} isn't yours to give: it counts for the {ROLES[wanted.role].level}.")
    if caller.subject in {f"person:{wanted.person_id}", f"client:{wanted.client_id}"}:
        raise GrantToOneself("Ask another administrator to give you this role.")
    starts_on = wanted.starts_on or today()
    await _check(session, caller, wanted, starts_on)
    await _check_client(session, caller, wanted)
    grant = RoleGrant(
        trust_id=caller.tenant_id,
        id=uuid7(),
        role=wanted.role,
        person_id=wanted.person_id,
        client_id=wanted.client_id,
        extent=_extent(wanted),
        academies=sorted(academies) if academies is not None else None,
        project_id=wanted.project_id,
        starts_on=starts_on,
        ends_on=wanted.ends_on,
        created_at=clock.now(),
        created_by=caller.subject,
        ended_at=None,
        ended_by=None,
        version=1,
    )
    await add_grant(session, grant)
    return GrantOut.of(grant, today())


async def add_grant(session: Session, grant: RoleGrant) -> None:
    """Store a grant that was checked, and announce it."""
    await add(session, grant)
    data = GrantChange(before=None, after=_facts(grant), by=grant.created_by)
    await record_event(
        session,
        events.GRANT_CREATED,
        subject=f"grants/{grant.id}",
        urn=None,
        data=data,
        tenant_id=grant.trust_id,
    )


async def end_grant(session: Session, caller: Caller, id_: UUID, if_match: str) -> GrantOut:
    """End a grant now. Raises GrantNotFound, GrantEnded, LastAdministrator, PreconditionFailed."""
    async with keeping_an_administrator(session, caller.tenant_id):
        grant = await _find(session, caller, id_, lock=True)
        check_if_match(if_match, GrantOut.of(grant, today()).tag)
        if grant.ended_at is not None:
            raise GrantEnded("It was ended already.")
        await end_grants(session, [grant], by=caller.subject)
    return GrantOut.of(grant, today())


async def end_grants(session: Session, grants: Sequence[RoleGrant], *, by: str) -> None:
    """End these grants now, and announce it."""
    for grant in grants:
        before = _facts(grant)
        grant.ended_at, grant.ended_by, grant.version = clock.now(), by, grant.version + 1
        data = GrantChange(before=before, after=_facts(grant), by=by)
        await record_event(
            session,
            events.GRANT_ENDED,
            subject=f"grants/{grant.id}",
            urn=None,
            data=data,
            tenant_id=grant.trust_id,
        )
    await session.flush()


async def current_grants(
    session: Session, trust_id: UUID, *, person_id: UUID | None = None, client_id: UUID | None = None
) -> list[Grant]:
    """What one holder has today."""
    found = await queries.current_grants(session, trust_id, on=today(), person_id=person_id, client_id=client_id)
    return [_plain(grant) for grant in found]


def _plain(grant: RoleGrant) -> Grant:
    academies = frozenset(grant.academies) if grant.academies is not None else None
    return Grant(
        grant.trust_id,
        grant.role,
        Extent(grant.extent),
        academies,
        grant.project_id,
        grant.starts_on,
        grant.ends_on,
    )


def _extent(wanted: GrantCreate) -> Extent:
    return rules.extent_of(has_academies=wanted.academies is not None, has_project=wanted.project_id is not None)


async def _check(session: Session, caller: Caller, wanted: GrantCreate, starts_on: date) -> None:
    """Raises GrantInvalid with everything that is wrong."""
    faults: list[Fault] = []
    if wanted.academies is not None and wanted.project_id is not None:
        faults.append(Fault("project_id", Code.EXTENT_UNCLEAR, "Name academies or a project, not both."))
    if wanted.academies is not None and len(set(wanted.academies)) < len(wanted.academies):
        faults.append(Fault("academies", Code.ACADEMIES_REPEATED, "An academy is named twice."))
    if (wanted.person_id is None) is (wanted.client_id is None):
        faults.append(Fault("person_id", Code.HOLDER_UNCLEAR, "Name one holder: person_id or client_id."))
    else:
        faults += await _holder_faults(session, caller, wanted)
        holder = Holder.PERSON if wanted.person_id is not None else Holder.CLIENT
        faults += rules.faults_of(
            wanted.role,
            holder=holder,
            extent=_extent(wanted),
            starts_on=starts_on,
            ends_on=wanted.ends_on,
            on=today(),
        )
    if faults:
        errors = [FieldError.in_body([fault.field], fault.code, fault.detail) for fault in faults]
        raise GrantInvalid("This grant can't be given.", errors=errors)


async def _check_client(session: Session, caller: Caller, wanted: GrantCreate) -> None:
    """Raises GrantToOneself when those behind the caller could use the client for what its roles don't allow."""
    if wanted.client_id is None or not rules.gives_more(wanted.role, caller.roles):
        return
    asking = await queries.who_knows(session, caller.tenant_id, caller.subject)
    if asking & await queries.who_knows(session, caller.tenant_id, f"client:{wanted.client_id}"):
        raise GrantToOneself(
            "You registered this client or got its secret, yourself or by another client. Ask another administrator to "
            "give it this role."
        )


async def _holder_faults(session: Session, caller: Caller, wanted: GrantCreate) -> list[Fault]:
    if wanted.person_id is not None:
        if await queries.person_exists(session, caller.tenant_id, wanted.person_id):
            return []
        return [Fault("person_id", Code.UNKNOWN_PERSON, "There is no such person that you may see.")]
    assert wanted.client_id is not None
    match await queries.client_kind(session, caller.tenant_id, wanted.client_id):
        case None:
            return [Fault("client_id", Code.UNKNOWN_CLIENT, "There is no such client that you may see.")]
        case "public":
            return [Fault("client_id", Code.CLIENT_PUBLIC, "A public client holds no role; people do.")]
        case _:
            return []


def _facts(grant: RoleGrant) -> GrantFacts:
    return GrantFacts(
        grant_id=grant.id,
        role=grant.role,
        person_id=grant.person_id,
        client_id=grant.client_id,
        extent=grant.extent,
        academies=grant.academies,
        project_id=grant.project_id,
        starts_on=grant.starts_on,
        ends_on=grant.ends_on,
        is_ended=grant.ended_at is not None,
    )
