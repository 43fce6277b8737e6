"""Putting a backup into the database: all or nothing, by a login that can run no program.

What is in a dump is SQL, and a restore executes it. It is executed as `trellis_migrator`, which owns the schemas and
nothing else: a dump that somebody has changed can't read files, run programs or touch other databases, even where its
seal was passed by. psql gets the dump inside `\\restrict`, as pg_restore writes it, so that none of psql's own commands
(`\\!`, `\\copy`) works in it.
"""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from kit.events.epochs import raising
from kit.schema.roles import MIGRATOR, create_roles
from trellis import backup_objects, settings
from trellis.backups import BackupFailed, Unpacked, holding, value_of
from trellis.credentials import SCHEMAS
from trellis.installation import Installation
from trellis.pg_tools import binary, without_password

KNOWN_TABLES = ("alembic_version", "feed_epoch")
"""What this command reads as administrator."""


def restore(installation: Installation, backup: Unpacked) -> None:
    """Put a backup into the installation's database, all or nothing. Raises BackupFailed.

    Nothing else may use the database meanwhile, and what it holds is lost. The epoch of every feed becomes greater
    than that of the backup and than the one that is replaced: transaction ids of before mean nothing now, and a second
    restore of one backup must not make cursors valid again that were given after the first.
    """
    url = installation.admin_url
    urls = [*settings.login_urls(installation.program_settings), installation.migrator_url]
    schemas = list(backup.manifest["revisions"])
    asyncio.run(create_roles(url, schemas, urls))
    # Before the rows that name them. When the database fails, they are swept.
    if backup.files and (store := backup_objects.folder_of(installation)) is not None:
        backup_objects.put(backup.archive, store)
    with _may_make_schemas(url):
        _put(installation.migrator_url, schemas, backup.dump, _epochs(url))
    _refuse_strangers(url)
    # Grants on the schemas themselves come back with the dump; defaults of the roles belong to this database.
    asyncio.run(create_roles(url, SCHEMAS, urls))


@contextmanager
def _may_make_schemas(url: str) -> Iterator[None]:
    """Let `trellis_migrator` make schemas inside the block: the dump drops ours and makes them again."""
    with psycopg.connect(url, autocommit=True) as connection:
        database = value_of(connection, "select quote_ident(current_database())")
        connection.execute(f"grant create on database {database} to {MIGRATOR}".encode())
        try:
            yield
        finally:
            connection.execute(f"revoke create on database {database} from {MIGRATOR}".encode())


def _refuse_strangers(url: str) -> None:
    """Remove what no backup has but could make an administrator's session run its code. Raises BackupFailed.

    A schema named like the administrator would be searched before `public`, and a view in place of a table would be
    executed by who reads it.
    """
    with psycopg.connect(url, options="-c search_path=pg_catalog,pg_temp") as connection:
        ours = [*SCHEMAS, "public", "information_schema"]
        found = connection.execute(
            "select quote_ident(nspname) from pg_namespace where nspname <> all(%s) and nspname !~ '^pg_'"
            " and pg_get_userbyid(nspowner) ~ %s",
            [ours, f"^({MIGRATOR}|({'|'.join(SCHEMAS)})_.*)$"],
        ).fetchall()
        for (name,) in found:
            connection.execute(f"drop schema {name} cascade".encode())
        views = connection.execute(
            "select quote_ident(n.nspname) || '.' || quote_ident(c.relname) from pg_class c"
            " join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname = any(%s) and c.relname = any(%s) and c.relkind <> 'r'",
            [list(SCHEMAS), list(KNOWN_TABLES)],
        ).fetchall()
    if found or views:
        named = ", ".join(name for (name,) in [*found, *views])
        raise BackupFailed(
            f"The backup holds {named}, which no backup of Trellis has: somebody has changed it. Its data is in the "
            "database now. Don't use it; restore another backup."
        )


def _epochs(url: str) -> dict[str, int]:
    """The epoch of each feed that the database holds now."""
    with psycopg.connect(url) as connection:
        return {
            schema: int(value_of(connection, f"select epoch from {schema}.feed_epoch") or 0)  # noqa: S608 - a name of ours
            for schema in holding(connection, "feed_epoch")
        }


def _put(url: str, schemas: Sequence[str], dump: Path, epochs: Mapping[str, int]) -> None:
    """Replace the schemas by those of the dump and raise the epochs of their feeds, in one transaction."""
    drops = "".join(f"drop schema if exists {schema} cascade;\n" for schema in schemas)
    restoring = subprocess.Popen(
        [binary("pg_restore"), "--file=-", str(dump)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    command = [
        binary("psql"),
        "--no-psqlrc",
        "--quiet",
        "--single-transaction",
        "--set=ON_ERROR_STOP=1",
        "--output=/dev/null",
    ]
    target, environment = without_password(url)
    writing = subprocess.Popen(
        [*command, f"--dbname={target}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
    )
    try:
        output, failed = _fill(writing, restoring, drops, "".join(raising(one, epochs.get(one, 0)) for one in schemas))
    except BaseException:
        # Stopped by a signal: the transaction is rolled back, and nothing goes on without us.
        for process in (writing, restoring):
            process.kill()
            process.wait()
        raise
    if failed:
        raise BackupFailed(f"The backup could not be restored; nothing has changed.\n{output}")


def _fill(
    writing: "subprocess.Popen[bytes]", restoring: "subprocess.Popen[bytes]", first: str, last: str
) -> tuple[str, bool]:
    """Send psql what comes first, the dump and what comes last; what psql printed, and whether it failed."""
    assert restoring.stdout is not None
    assert writing.stdin is not None
    assert writing.stderr is not None
    broken = False
    try:
        writing.stdin.write(first.encode())
        shutil.copyfileobj(restoring.stdout, writing.stdin, 1 << 20)
        if restoring.wait():
            # Without its end the transaction is not committed.
            writing.stdin.write(b"do $$ begin raise exception 'the backup could not be read to its end'; end $$;\n")
        writing.stdin.write(last.encode())
        writing.stdin.close()
    except BrokenPipeError:
        broken = True
    output = writing.stderr.read().decode(errors="replace").strip()
    writing.stderr.close()
    restoring.stdout.close()
    restoring.wait()
    return output, bool(writing.wait()) or broken
