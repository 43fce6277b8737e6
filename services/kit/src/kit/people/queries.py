"""The statements about a person's rows, made from the declarations: names of tables come from code alone."""

import re
from uuid import UUID

from sqlalchemy import text

from kit.database.sessions import Session
from kit.ids import PLATFORM
from kit.people.declared import OnErasure, PersonalTable

_NAME = re.compile(r"^[a-z][a-z0-9_]{0,62}$")


def subject_of(person_id: UUID) -> str:
    """How tokens name a person."""
    return f"person:{person_id}"


def is_concerned(table: PersonalTable, trust_id: UUID) -> bool:
    """Whether the table can hold anything of people of this trust: tables of the platform name its own people."""
    return not table.of_platform or trust_id == PLATFORM


def rows_statement(table: PersonalTable) -> str:
    """The person's rows as JSON, without hidden columns. Takes the trust, the subject and the id as $1 to $3.

    Of a table of the platform ask only for its own people (`is_concerned`): it has no column with a trust.
    """
    hidden = ", ".join(f"'{_checked(column)}'" for column in table.hidden)
    sought = "sought (trust, subject, id) as (select cast($1 as uuid), cast($2 as text), cast($3 as text))"
    rows = f"select (to_jsonb(t) - array[{hidden}]::text[])::text from {_quoted(table.name)} t, sought p"  # noqa: S608
    return f"with {sought} {rows} where {_theirs(table, 'p.trust', 'p.subject', 'p.id')}"


async def erase_rows(session: Session, table: PersonalTable, trust_id: UUID, person_id: UUID, pseudonym: str) -> int:
    """Replace or delete the person's rows; gives how many were changed. A second time there are none."""
    if table.on_erasure is OnErasure.KEPT or not is_concerned(table, trust_id):
        return 0
    values = {"trust": trust_id, "subject": subject_of(person_id), "id": str(person_id), "pseudonym": pseudonym}
    statement = _deletion(table) if table.on_erasure is OnErasure.DELETED else _replacement(table)
    counted = f"with changed as ({statement} returning 1) select count(*) from changed"  # noqa: S608
    found = await session.execute(text(counted), values)
    count: int = found.scalar_one()
    return count


def _deletion(table: PersonalTable) -> str:
    return f"delete from {_quoted(table.name)} t where {_theirs(table, *_NAMED)}"  # noqa: S608


def _replacement(table: PersonalTable) -> str:
    before, after = (f"'\"' || {value} || '\"'" for value in (_SUBJECT, _PSEUDONYM))
    subjects, documents = (list(map(_checked, columns)) for columns in (table.subjects, table.documents))
    sets = [
        *(f"{c} = case when {c} = {_SUBJECT} then {_PSEUDONYM} else {c} end" for c in subjects),
        *(f"{c} = cast(replace(cast({c} as text), {before}, {after}) as jsonb)" for c in documents),
    ]
    named = [
        *(f"{c} = {_SUBJECT}" for c in subjects),
        *(f"position({before} in cast({c} as text)) > 0" for c in documents),
    ]
    # Where the row names the person by id too, a pseudonym beside it would say whose it is.
    known = [
        *(f"coalesce({_checked(c)} = cast({_ID} as uuid), false)" for c in table.ids),
        *(f"position({_ID} in {_checked(c)}) > 0" for c in table.mentions),
        *(f"position({_ID} in replace(cast({c} as text), {before}, '')) > 0" for c in documents),
    ]
    conditions = [_trust(table, ":trust"), f"({' or '.join(named)})", *(f"not {one}" for one in known)]
    return f"update {_quoted(table.name)} t set {', '.join(sets)} where {' and '.join(conditions)}"  # noqa: S608


_SUBJECT = "cast(:subject as text)"
_PSEUDONYM = "cast(:pseudonym as text)"
_ID = "cast(:id as text)"
_NAMED = (":trust", ":subject", ":id")


def _trust(table: PersonalTable, trust: str) -> str:
    given = f"cast({trust} as uuid)"
    return f"{given} is not null" if table.of_platform else f"t.trust_id = {given}"


def _theirs(table: PersonalTable, trust: str, subject: str, id_: str) -> str:
    id_text = f"cast({id_} as text)"
    theirs = [
        *(f"t.{_checked(column)} = cast({subject} as text)" for column in table.subjects),
        *(f"t.{_checked(column)} = cast({id_text} as uuid)" for column in table.ids),
        *(f"position({id_text} in t.{_checked(column)}) > 0" for column in table.mentions),
        *(f"position({id_text} in cast(t.{_checked(column)} as text)) > 0" for column in table.documents),
    ]
    return f"{_trust(table, trust)} and ({' or '.join(theirs)})"


def _checked(name: str) -> str:
    if not _NAME.match(name):
        raise ValueError(f"not a plain lower-case SQL name: {name!r}")
    return name


def _quoted(name: str) -> str:
    return f'"{_checked(name)}"'
