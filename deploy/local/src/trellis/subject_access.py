"""`python -m trellis.subject_access PERSON FILE`: a ZIP with everything that the services hold of one person.

A file of JSON per table and service, made by each service's own declarations under the row-level security of the
person's trust, and a README in plain words. It holds personal data: only its owner may read it.
"""

import asyncio
import os
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from gateway.identity.people.service import trust_of
from kit import clock
from kit.database.sessions import Database, service_database
from kit.definition import ServiceDefinition
from kit.people.declared import PersonalTable
from kit.people.exporting import rows_of
from kit.settings import ServiceSettings
from trellis.docs import DEFINITIONS, definition_of

_README = """What this installation of Trellis holds of the person {person}
Trust {trust}, gathered on {day}

Each file holds rows of one table as they are stored, as JSON. Dates and times are UTC. Other people are named by
numbers only. Left out: hashes, and answers that are sealed and deleted within two days.
"""


class PersonUnknown(Exception):
    """No trust has, or had, a person with this id."""


async def gather(person_id: UUID, archive: zipfile.ZipFile, databases: dict[str, Database]) -> int:
    """Fill the archive; gives how many rows there are. Raises PersonUnknown."""
    trust_id = await trust_of(databases["identity"], person_id)
    if trust_id is None:
        raise PersonUnknown(f"Nobody has the id {person_id}.")
    readme = [_README.format(person=person_id, trust=trust_id, day=f"{clock.now():%Y-%m-%d}")]
    rows = 0
    for service in DEFINITIONS:
        readme.append(f"\n{service}\n{'=' * len(service)}\n")
        for table in definition_of(service).personal_tables:
            name = f"{service}/{table.name}.json"
            count = await _write(archive, name, databases[service], table, trust_id, person_id)
            rows += count
            readme.append(_described(name, table, count))
    archive.writestr("README.txt", "\n".join(readme))
    return rows


async def _write(
    archive: zipfile.ZipFile, name: str, database: Database, table: PersonalTable, trust_id: UUID, person_id: UUID
) -> int:
    """Write the person's rows of one table, row by row; gives how many."""
    count = 0
    with archive.open(name, "w") as file:
        file.write(b"[")
        async for row in rows_of(database, table, trust_id, person_id):
            file.write(b",\n" if count else b"\n")
            file.write(row.encode())
            count += 1
        file.write(b"\n]\n")
    return count


def _described(name: str, table: PersonalTable, count: int) -> str:
    rows = "1 row" if count == 1 else f"{count} rows"
    return f"{name}: {rows}\n  {table.holds}\n  Why: {table.purpose}\n  Kept: {table.kept}\n"


@contextmanager
def private_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """A new ZIP that only its owner can read; none is left when anything fails. Raises FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            yield archive
    except BaseException:
        path.unlink()
        raise


def _database(service: ServiceDefinition) -> Database:
    settings = ServiceSettings.for_service(service.name)
    return service_database(
        settings, settings.database_url, application_name=f"{service.name}-subject-access", pool_size=1
    )


async def _run(person_id: UUID, path: Path) -> int:
    databases = {service: _database(definition_of(service)) for service in DEFINITIONS}
    try:
        with private_archive(path) as archive:
            return await gather(person_id, archive, databases)
    finally:
        for database in databases.values():
            await database.dispose()


def main(arguments: Sequence[str]) -> int:
    """Do it and say how much there is; 1 when it can't be done, 2 for arguments that are none."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m trellis.subject_access PERSON FILE\n")
        return 2
    person, file = arguments
    try:
        rows = asyncio.run(_run(UUID(person), Path(file)))
    except FileExistsError:
        sys.stderr.write(f"trellis: {file} exists already.\n")
        return 1
    except (PersonUnknown, ValueError) as problem:
        sys.stderr.write(f"trellis: {problem}\n")
        return 1
    sys.stdout.write(f"{file}: {rows} rows. It holds personal data: hand it over safely, then delete it.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
