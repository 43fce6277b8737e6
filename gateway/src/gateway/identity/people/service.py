"""Inviting, changing, binding and erasing people."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from gateway.identity import events
from gateway.identity.administrators import keeping_an_administrator
from gateway.identity.codes import Code
from gateway.identity.definition import IDENTITY
from gateway.identity.equipment import Equipment
from gateway.identity.events import PersonChange, PersonFacts
from gateway.identity.grants.queries import open_grants
from gateway.identity.grants.service import end_grants
from gateway.identity.people import queries, rules
from gateway.identity.people.errors import PersonInvalid, PersonKnown, PersonNotFound
from gateway.identity.people.schemas import ErasureOut, PersonCreate, PersonOut, PersonPage, PersonParams, PersonPatch
from gateway.identity.tables import Person
from kit import clock
from kit.database.sessions import Context, Database, Session
from kit.events.recording import EventType, record_event
from kit.identity.callers import Caller
from kit.ids import PLATFORM, uuid7
from kit.people.erasing import erase_person_data
from kit.problems import FieldError
from kit.resources.paging import Listing, paginate
from kit.resources.rows import find
from kit.secrets.answers import Moved
from kit.secrets.digests import Digests

EVERYWHERE_WITHIN: Final = timedelta(days=1)
"""After so long every service has erased what it held of a person."""

NEWEST = Listing("identity.people", Person, "-id")


def account_digests(digests: Digests, issuer: str, subject: str) -> list[bytes]:
    """The digests of an account of an identity provider, one for each secret key, newest first."""
    return digests.every("account", issuer, subject)


def email_digests(digests: Digests, email: str) -> list[bytes]:
    """The digests of the address of somebody who was invited, one for each secret key, newest first."""
    return digests.every("email", rules.plain_email(email))


async def list_people(session: Session, caller: Caller, params: PersonParams) -> PersonPage:
    """People of the caller's trust, those invited last first. Raises InvalidCursor."""
    found = await paginate(session, caller, NEWEST, queries.people(caller, params), params)
    return PersonPage.of(found, PersonOut.of)


async def person_of(session: Session, caller: Caller, id_: UUID, *, lock: bool = False) -> Person:
    """One person. Raises PersonNotFound."""
    person = await find(session, caller, Person, id_, lock=lock)
    if person is None or person.deleted_at is not None:
        raise PersonNotFound(f"There is no person {id_} that you may see.")
    return person


async def create_person(
    session: Session, equipment: Equipment, trust_id: UUID, wanted: PersonCreate, *, by: str
) -> Person:
    """Invite somebody. Raises PersonInvalid, PersonKnown."""
    _check(equipment, trust_id, wanted.model_dump())
    now = clock.now()
    person = Person(
        trust_id=trust_id,
        id=uuid7(),
        display_name=wanted.display_name,
        email=wanted.email,
        issuer=wanted.issuer,
        subject=wanted.subject,
        is_active=True,
        created_at=now,
        created_by=by,
        updated_at=now,
        deleted_at=None,
        version=1,
    )
    await _store(session, equipment.digests, person)
    await _record(session, events.PERSON_CREATED, person, before=None, after=_facts(person), by=by)
    return person


async def change_person(
    session: Session, equipment: Equipment, caller: Caller, id_: UUID, patch: PersonPatch, if_match: str
) -> Person:
    """Change name, address or whether they get tokens.

    Raises PersonNotFound, PersonInvalid, PersonKnown, LastAdministrator, PreconditionFailed.
    """
    async with keeping_an_administrator(session, caller.tenant_id):
        person = await person_of(session, caller, id_, lock=True)
        person.check(if_match)
        changes = patch.changes_of(person.model_dump())
        if not changes:
            return person
        before = _facts(person)
        # Their provider was asked about when they were bound; it may have been removed from the settings since.
        _check(equipment, person.trust_id, {**person.model_dump(), **changes}, provider=False)
        for field, value in changes.items():
            setattr(person, field, value)
        person.updated_at, person.version = clock.now(), person.version + 1
        await _store(session, equipment.digests, person)
        await _record(session, events.PERSON_CHANGED, person, before=before, after=_facts(person), by=caller.subject)
    return person


async def erase_person(
    session: Session, equipment: Equipment, caller: Caller, id_: UUID, if_match: str | None = None
) -> ErasureOut:
    """Forget who somebody is, end their grants, and announce it: every service then erases what it holds of them.

    Raises PersonNotFound, LastAdministrator, PreconditionFailed (only where a version is given).
    """
    async with keeping_an_administrator(session, caller.tenant_id):
        person = await person_of(session, caller, id_, lock=True)
        if if_match is not None:
            person.check(if_match)
        before = _facts(person)
        grants = await open_grants(session, person.trust_id, person_id=person.id)
        await end_grants(session, grants, by=caller.subject)
        await queries.replace_sign_ins(session, person, [])
        person.display_name = person.email = person.issuer = person.subject = None
        person.deleted_at = person.updated_at = clock.now()
        person.is_active = False
        person.version += 1
        await _record(session, events.PERSON_ERASED, person, before=before, after=None, by=caller.subject)
        await session.flush()
        await erase_person_data(
            session,
            IDENTITY.personal_tables,
            IDENTITY.person_data_erased,
            equipment.settings.key_ring,
            trust_id=person.trust_id,
            person_id=person.id,
        )
    return ErasureOut(person_id=person.id, erased_at=person.updated_at, done_by=person.updated_at + EVERYWHERE_WITHIN)


async def trust_of(database: Database, id_: UUID) -> UUID | None:
    """The trust whose person has this id, also when they were erased; None when nobody has it. For commands alone."""
    async with database.session(Context(PLATFORM, None, "identity")) as session:
        trusts = [PLATFORM, *await queries.tenant_ids(session)]
    for trust_id in trusts:
        async with database.session(Context(trust_id, None, "identity")) as session:
            if await queries.has_person(session, trust_id, id_):
                return trust_id
    return None


async def bind(session: Session, digests: Digests, person: Person, *, issuer: str, subject: str) -> None:
    """From now on this account, and no address, is how the person is known. Raises PersonKnown."""
    before = _facts(person)
    person.issuer, person.subject = issuer, subject
    person.updated_at, person.version = clock.now(), person.version + 1
    await _store(session, digests, person)
    await _record(session, events.PERSON_BOUND, person, before=before, after=_facts(person), by=f"person:{person.id}")


async def renew_sign_in(session: Session, digests: Digests, person: Person) -> None:
    """Let the digest under the newest secret key, and no other, lead to the person."""
    await queries.replace_sign_ins(session, person, [_leading(digests, person)])


async def reseal_sign_ins(session: Session, digests: Digests, trust_id: UUID) -> Moved:
    """Move the sign-ins of a trust to the newest secret key."""
    done = Moved()
    for digest, person in await queries.sign_ins_of_trust(session, trust_id):
        if digest != _leading(digests, person):
            await renew_sign_in(session, digests, person)
            done += Moved(moved=1)
    return done


def _check(equipment: Equipment, trust_id: UUID, members: Mapping[str, Any], *, provider: bool = True) -> None:
    """Raises PersonInvalid with everything that keeps somebody from signing in."""
    faults = rules.sign_in_faults(email=members["email"], issuer=members["issuer"], subject=members["subject"])
    issuers = {issuer.issuer: issuer.tenants() for issuer in equipment.settings.oidc_issuers}
    issuer = members["issuer"]
    if provider and issuer is not None and not rules.speaks_for(issuers, issuer, trust_id):
        faults.append(("issuer", Code.UNKNOWN_ISSUER, "No such identity provider is configured for your trust."))
    if faults:
        errors = [FieldError.in_body([field], code, detail) for field, code, detail in faults]
        raise PersonInvalid("Nobody could sign in like that.", errors=errors)


async def _store(session: Session, digests: Digests, person: Person) -> None:
    """Write a person with the sign-ins that lead to them. Raises PersonKnown."""
    try:
        async with session.begin_nested():
            session.add(person)
            await session.flush()
    except IntegrityError as error:
        if not any(key in str(error.orig) for key in ("person_account_key", "person_email_key")):
            raise
        raise PersonKnown("Somebody else of your trust has this address or account.") from None
    await renew_sign_in(session, digests, person)


def _leading(digests: Digests, person: Person) -> bytes:
    """The digest by which a sign-in finds the person: of the account, or of the address until one is bound."""
    if person.issuer is not None and person.subject is not None:
        return account_digests(digests, person.issuer, person.subject)[0]
    assert person.email is not None, "the check of the table says so"
    return email_digests(digests, person.email)[0]


def _facts(person: Person) -> PersonFacts:
    return PersonFacts(person_id=person.id, is_active=person.is_active, is_bound=person.subject is not None)


async def _record(
    session: Session,
    kind: EventType,
    person: Person,
    *,
    before: PersonFacts | None,
    after: PersonFacts | None,
    by: str,
) -> None:
    await record_event(
        session,
        kind,
        subject=f"people/{person.id}",
        urn=None,
        data=PersonChange(before=before, after=after, by=by),
        tenant_id=person.trust_id,
    )
