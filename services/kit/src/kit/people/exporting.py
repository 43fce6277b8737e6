"""A copy of what a service holds of a person, for that person."""

from collections.abc import AsyncIterator
from uuid import UUID

from kit.database.sessions import Context, Database
from kit.people.declared import PersonalTable
from kit.people.queries import is_concerned, rows_statement, subject_of

BATCH = 500


async def rows_of(database: Database, table: PersonalTable, trust_id: UUID, person_id: UUID) -> AsyncIterator[str]:
    """The person's rows in one table, each as JSON, under the row-level security of their trust."""
    if not is_concerned(table, trust_id):
        return
    context = Context(trust_id, None, subject_of(person_id), pupils=True)
    async with database.connection(context) as driver:
        theirs = driver.cursor(rows_statement(table), trust_id, subject_of(person_id), str(person_id), prefetch=BATCH)
        async for row in theirs:
            yield row[0]
