"""All SQL about people and their sign-ins."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from gateway.identity.people.schemas import PersonParams
from gateway.identity.tables import Person, SignIn, Tenant
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.resources.paging import AnySelect
from kit.resources.rows import visible


def people(caller: Caller, wanted: PersonParams) -> AnySelect:
    """The people of the caller's trust, or of the platform, who were not erased and fit all filters."""
    statement = visible(Person, caller).where(col(Person.deleted_at).is_(None))
    if wanted.is_active is not None:
        statement = statement.where(col(Person.is_active) == wanted.is_active)
    if wanted.is_bound is None:
        return statement
    bound = col(Person.subject).is_not(None)
    return statement.where(bound if wanted.is_bound else ~bound)


async def replace_sign_ins(session: Session, person: Person, digests: Collection[bytes]) -> None:
    """From now on these digests, and no others, lead to the person."""
    await session.execute(
        delete(SignIn).where(col(SignIn.trust_id) == person.trust_id, col(SignIn.person_id) == person.id)
    )
    for digest in digests:
        # A digest that leads to somebody else already is refused by the unique keys of `person`.
        row = {"digest": digest, "trust_id": person.trust_id, "person_id": person.id}
        await session.execute(insert(SignIn).values(row))


async def sign_ins_of_trust(session: Session, trust_id: UUID) -> list[tuple[bytes, Person]]:
    """The digests that lead to people of a trust, who are kept from changing until the end of the transaction."""
    statement = (
        select(col(SignIn.digest), Person)
        .join(Person, (col(Person.trust_id) == SignIn.trust_id) & (col(Person.id) == SignIn.person_id))
        .where(col(SignIn.trust_id) == trust_id, col(Person.deleted_at).is_(None))
        .order_by(col(Person.id))
        .with_for_update(of=Person)
    )
    return [(digest, person) for digest, person in (await session.execute(statement)).all()]


async def sign_ins(session: Session, digests: Sequence[bytes]) -> list[SignIn]:
    """Where these digests lead, in every trust."""
    statement = select(SignIn).where(col(SignIn.digest).in_(digests)).order_by(col(SignIn.trust_id))
    return list((await session.execute(statement)).scalars())


async def tenant_ids(session: Session) -> list[UUID]:
    """Every trust."""
    return list((await session.execute(select(col(Tenant.id)))).scalars())


async def has_person(session: Session, trust_id: UUID, id_: UUID) -> bool:
    """Whether the trust has, or had, this person."""
    statement = select(col(Person.id)).where(col(Person.trust_id) == trust_id, col(Person.id) == id_)
    return (await session.execute(statement)).scalar_one_or_none() is not None
