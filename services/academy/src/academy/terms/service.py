"""What is done with terms: one function per use case."""

from dataclasses import replace
from uuid import UUID

from academy.academies.service import check_own
from academy.terms import errors, queries
from academy.terms.rules import Dates, clash, flaw_of
from academy.terms.schemas import TermChanges, TermCreate, TermListParams, TermOut, TermPage, TermPatch
from academy.terms.tables import Term
from academy.terms.transitions import TERMS
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.ids import uuid7
from kit.resources.paging import Listing, paginate
from kit.resources.rows import find, hold
from kit.resources.transitions import authored

BY_DAY = Listing("terms", Term, "starts_on", "id")


async def list_terms(session: Session, caller: Caller, params: TermListParams) -> TermPage:
    """A page of terms in the order of their days. Raises AcademyNotFound or InvalidCursor."""
    if params.urn is not None:
        await check_own(session, caller, params.urn)
    found = await paginate(session, caller, BY_DAY, queries.listed(caller, params), params)
    return TermPage.of(found, lambda row: TermOut.of(row, caller))


async def create_term(session: Session, caller: Caller, body: TermCreate) -> TermOut:
    """Keep the dates of a term.

    Raises AcademyNotFound, RoleMayNot, WholeTrustOnly, TermNotPossible or TermsClash.
    """
    if body.urn is not None:
        await check_own(session, caller, body.urn)
    made = Term(trust_id=caller.tenant_id, id=uuid7(), state=TERMS.initial, **body.model_dump())
    taken = TERMS.check_create(caller, body.urn, thing=made)
    await _check(session, made, _dates(made))
    for name, value in authored(caller, taken).items():
        setattr(made, name, value)
    await TERMS.begin(session, taken, made)
    return TermOut.of(made, caller)


async def view_term(session: Session, caller: Caller, term_id: UUID) -> TermOut:
    """One term. Raises TermNotFound."""
    return TermOut.of(await _find(session, caller, term_id), caller)


async def change_term(session: Session, caller: Caller, term_id: UUID, patch: TermPatch, if_match: str) -> TermOut:
    """Change the dates of a term.

    Raises TermNotFound, RoleMayNot, WholeTrustOnly, PreconditionFailed, TransitionNotAllowed, TermNotPossible or
    TermsClash.
    """
    found = await _find(session, caller, term_id, lock=True)
    taken = TERMS.check("change", found, caller, if_match=if_match, tag=found.tag)
    changes = patch.changes()
    await _check(session, found, replace(_dates(found), **changes))
    await TERMS.change(session, taken, found, changes)
    return TermOut.of(found, caller)


async def move_term(
    session: Session, caller: Caller, term_id: UUID, verb: str, if_match: str, reason: str | None
) -> TermOut:
    """Retire a term, or let it count again.

    Raises TermNotFound, RoleMayNot, WholeTrustOnly, PreconditionFailed, TransitionNotAllowed, ReasonMissing or, for
    one that is to count again, TermsClash.
    """
    found = await _find(session, caller, term_id, lock=True)
    taken = TERMS.check(verb, found, caller, if_match=if_match, tag=found.tag)
    if taken.transition.target == TERMS.initial:
        await _check(session, found, _dates(found))
    await TERMS.apply(session, taken, found, reason=reason)
    return TermOut.of(found, caller)


async def changes_of(session: Session, caller: Caller, term_id: UUID) -> TermChanges:
    """Every change of state, oldest first. Raises TermNotFound."""
    found = await _find(session, caller, term_id)
    return TermChanges(items=await TERMS.history(session, found))


async def _find(session: Session, caller: Caller, term_id: UUID, *, lock: bool = False) -> Term:
    found = await find(session, caller, Term, term_id, lock=lock)
    if found is None:
        raise errors.TermNotFound(f"There is no term {term_id} that you may see.")
    return found


async def _check(session: Session, term: Term, dates: Dates) -> None:
    """That these dates of a term are sound, and fit in with the others; until the end nobody else adds one."""
    if (flaw := flaw_of(dates)) is not None:
        raise errors.TermNotPossible.because(flaw.field, flaw.code, flaw.detail)
    await hold(session, "terms", term.trust_id, term.urn, term.academic_year)
    if (detail := clash(dates, map(_dates, await queries.beside(session, term)))) is not None:
        raise errors.TermsClash(detail)


def _dates(term: Term) -> Dates:
    return Dates(
        academic_year=term.academic_year,
        term=term.term,
        starts_on=term.starts_on,
        ends_on=term.ends_on,
        half_term_starts_on=term.half_term_starts_on,
        half_term_ends_on=term.half_term_ends_on,
    )
