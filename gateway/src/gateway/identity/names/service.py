"""Finding the names behind subjects."""

from uuid import UUID

from gateway.identity.names import queries
from gateway.identity.names.schemas import NameKind, NameOut, NameParams, NamesOut
from kit.database.sessions import Session
from kit.identity.callers import Caller

Meant = tuple[NameKind, UUID]


async def list_names(session: Session, caller: Caller, params: NameParams) -> NamesOut:
    """The names of these subjects, by subject; those without a name are left out."""
    meant = {subject: one for subject in sorted(params.subject) if (one := _meant(subject)) is not None}
    names = await _names(session, caller, set(meant.values()))
    items = [NameOut(subject=subject, kind=one[0], name=names[one]) for subject, one in meant.items() if one in names]
    return NamesOut(items=items)


async def _names(session: Session, caller: Caller, meant: set[Meant]) -> dict[Meant, str]:
    people = await queries.people(session, caller, [id_ for kind, id_ in meant if kind is NameKind.PERSON])
    clients = await queries.clients(session, caller, [id_ for kind, id_ in meant if kind is NameKind.CLIENT])
    return {
        **{(NameKind.PERSON, id_): name for id_, name in people.items()},
        **{(NameKind.CLIENT, id_): name for id_, name in clients.items()},
    }


def _meant(subject: str) -> Meant | None:
    """Whom a subject names; None for the pseudonym of who was erased, and for anything else that has no name."""
    kind, _, text = subject.partition(":")
    try:
        found = NameKind(kind), UUID(text)
    except ValueError:
        return None
    # Written as tokens write it, so that one subject has one spelling.
    return found if str(found[1]) == text else None
