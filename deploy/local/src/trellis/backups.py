"""Backup and restore: one file with every schema, and what a restore must know about where it came from.

The file is a tar of `manifest.json`, `trellis.dump` (pg_dump's custom format, which `pg_restore` reads) and, where they
lie in a folder, the files that people sent (`trellis.backup_objects`). It holds the keys that sign tokens, encrypted
with TRELLIS_SECRET_KEY; that key isn't in it.
"""

import asyncio
import hashlib
import hmac
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from kit.events.epochs import raising
from kit.key_ring import listed
from kit.objects.folder import FolderStore
from kit.schema.roles import MIGRATOR, create_roles
from trellis import backup_objects, settings
from trellis.credentials import SCHEMAS
from trellis.installation import Installation
from trellis.pg_tools import binary, without_password

MANIFEST = "manifest.json"
DUMP = "trellis.dump"
FORMAT = 2
FORMATS = (1, 2)
"""Those that can be restored; the first had no files in it."""


class BackupFailed(Exception):
    """A backup or restore did not happen; the message says why. The database is as it was."""


def backup(installation: Installation, path: Path) -> dict[str, Any]:
    """Write a backup; what is in it. The file appears only when it is complete. Raises BackupFailed."""
    store = backup_objects.folder_of(installation)
    with backup_objects.held(store):
        return _backup(installation, path, store)


def _backup(installation: Installation, path: Path, store: FolderStore | None) -> dict[str, Any]:
    url = installation.admin_url
    with psycopg.connect(url) as connection:
        manifest: dict[str, Any] = {
            "format": FORMAT,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "server_version": _value(connection, "show server_version"),
            "system_identifier": _value(connection, "select system_identifier::text from pg_control_system()"),
            "revisions": {
                schema: _value(connection, f"select version_num from {schema}.alembic_version")  # noqa: S608
                for schema in _present(connection)
            },
            "secret_key_fingerprint": fingerprints(installation)[0],
            "secret_key_fingerprints": fingerprints(installation),
        }
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        dump = Path(folder) / DUMP
        schemas = [f"--schema={schema}" for schema in manifest["revisions"]]
        _run("pg_dump", url, ["--format=custom", f"--role={MIGRATOR}", f"--file={dump}", *schemas])
        manifest["sha256"] = _digest(dump)
        # After the dump: what a row names was there before the row.
        objects = [] if store is None else list(store.walk())
        manifest["objects"] = None if store is None else backup_objects.summary(objects)
        (Path(folder) / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
        partial = Path(folder) / "whole"
        partial.touch(mode=0o600)
        with tarfile.open(partial, "w") as archive:
            archive.add(Path(folder) / MANIFEST, MANIFEST)
            archive.add(dump, DUMP)
            if store is not None:
                backup_objects.add(archive, store, objects)
        partial.replace(path)
    return manifest


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A backup that was opened and found whole."""

    manifest: dict[str, Any]
    dump: Path
    archive: Path

    @property
    def files(self) -> int:
        """How many files that people sent are in it."""
        return int((self.manifest.get("objects") or {}).get("count", 0))


@contextmanager
def unpacked(path: Path) -> Iterator[Unpacked]:
    """Open a backup and check it, before anything is touched for it. Raises BackupFailed."""
    with tempfile.TemporaryDirectory(prefix="trellis-restore-") as folder:
        yield Unpacked(_unpack(path, Path(folder)), Path(folder) / DUMP, path)


def refuse_if_files_have_no_place(installation: Installation, backup: Unpacked) -> None:
    """Raises BackupFailed when files of the backup can't be restored to where this installation keeps them."""
    if backup.files and backup_objects.folder_of(installation) is None:
        raise BackupFailed(
            f"The backup holds {backup.files} files, and TRELLIS_OBJECT_STORE_URL names S3. Restore into a folder, and "
            "copy the files into the bucket from there."
        )


def refuse_if_held(installation: Installation) -> None:
    """Raises BackupFailed when the database holds something that a restore would lose."""
    with psycopg.connect(installation.admin_url) as connection:
        if found := _present(connection):
            raise BackupFailed(
                f"The database already holds {', '.join(found)}. `trellis restore --replace` puts the backup in "
                "their place; what is in them now is lost."
            )


def restore(installation: Installation, backup: Unpacked) -> None:
    """Put a backup into the installation's database, all or nothing. Raises BackupFailed.

    Nothing else may use the database meanwhile, and what it holds is lost. The epoch of every feed becomes greater
    than that of the backup and than the one that is replaced: transaction ids of before mean nothing now, and a second
    restore of one backup must not make cursors valid again that were given after the first.
    """
    url = installation.admin_url
    urls = settings.login_urls(installation.program_settings)
    schemas = list(backup.manifest["revisions"])
    asyncio.run(create_roles(url, schemas, urls))
    # Before the rows that name them. When the database fails, they are swept.
    if backup.files and (store := backup_objects.folder_of(installation)) is not None:
        backup_objects.put(backup.archive, store)
    _put(url, schemas, backup.dump, _epochs(url))
    # Grants on the schemas themselves come back with the dump; defaults of the roles belong to this database.
    asyncio.run(create_roles(url, SCHEMAS, urls))


def fingerprints(installation: Installation) -> list[str]:
    """What tells secret keys apart and says nothing about them: of each key of the ring, newest first."""
    given = installation.program_settings
    keys = listed(given.get("TRELLIS_SECRET_KEYS", "")) or [given["TRELLIS_SECRET_KEY"]]
    return [hmac.new(key.encode(), b"trellis backup", hashlib.sha256).hexdigest()[:16] for key in keys]


def lacks_a_key(installation: Installation, manifest: Mapping[str, Any]) -> bool:
    """Whether the backup may hold something that was sealed with a key that isn't in the ring any more."""
    made_under = manifest.get("secret_key_fingerprints") or [manifest["secret_key_fingerprint"]]
    return not set(made_under) <= set(fingerprints(installation))


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
        said, failed = _fill(writing, restoring, drops, "".join(raising(one, epochs.get(one, 0)) for one in schemas))
    except BaseException:
        # Stopped by a signal: the transaction is rolled back, and nothing goes on without us.
        for process in (writing, restoring):
            process.kill()
            process.wait()
        raise
    if failed:
        raise BackupFailed(f"The backup could not be restored; nothing has changed.\n{said}")


def _fill(
    writing: "subprocess.Popen[bytes]", restoring: "subprocess.Popen[bytes]", first: str, last: str
) -> tuple[str, bool]:
    """Send psql what comes first, the dump and what comes last; what psql said, and whether it failed."""
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
    said = writing.stderr.read().decode(errors="replace").strip()
    restoring.stdout.close()
    restoring.wait()
    return said, bool(writing.wait()) or broken


def _unpack(path: Path, folder: Path) -> dict[str, Any]:
    """The manifest; the dump lies in the folder, checked. Raises BackupFailed."""
    try:
        with tarfile.open(path) as archive:
            for name in (MANIFEST, DUMP):
                # Its content alone: no mode, owner or link of the archive counts here.
                content = archive.extractfile(name)
                if content is None:
                    raise BackupFailed(f"{path} is not a backup of Trellis ({name} in it is no file).")
                with (folder / name).open("wb") as file:
                    shutil.copyfileobj(content, file, 1 << 20)
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError:
        raise BackupFailed(f"There is no file {path}.") from None
    except (OSError, tarfile.TarError, KeyError, ValueError) as problem:
        raise BackupFailed(f"{path} is not a backup of Trellis ({problem}).") from problem
    if manifest.get("format") not in FORMATS:
        raise BackupFailed(f"{path} was made by another release, in a format that this one doesn't read.")
    if _digest(folder / DUMP) != manifest.get("sha256"):
        raise BackupFailed(f"{path} is damaged: its content doesn't fit its checksum.")
    try:
        with tarfile.open(path) as archive:
            backup_objects.check(archive, manifest)
    except (OSError, tarfile.TarError, backup_objects.ObjectsDamaged) as problem:
        raise BackupFailed(f"{path} is damaged: {problem}.") from problem
    if not set(manifest["revisions"]) <= set(SCHEMAS):
        raise BackupFailed(f"{path} holds schemas that this release doesn't know.")
    return manifest


def _present(connection: psycopg.Connection[Any]) -> list[str]:
    """Our schemas that hold tables."""
    return _holding(connection, "%")


def _holding(connection: psycopg.Connection[Any], name: str) -> list[str]:
    """Our schemas with a table of a name like this."""
    query = "select distinct schemaname from pg_tables where schemaname = any(%s) and tablename like %s"
    found = {row[0] for row in connection.execute(query, [list(SCHEMAS), name])}
    return [schema for schema in SCHEMAS if schema in found]


def _epochs(url: str) -> dict[str, int]:
    """The epoch of each feed that the database holds now."""
    with psycopg.connect(url) as connection:
        return {
            schema: int(_value(connection, f"select epoch from {schema}.feed_epoch") or 0)  # noqa: S608 - a name of ours
            for schema in _holding(connection, "feed_epoch")
        }


def _value(connection: psycopg.Connection[Any], query: str) -> str | None:
    row = connection.execute(query.encode()).fetchone()
    return None if row is None else str(row[0])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _run(program: str, url: str, arguments: Sequence[str]) -> None:
    target, environment = without_password(url)
    done = subprocess.run(
        [binary(program), *arguments, f"--dbname={target}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        raise BackupFailed(f"{program} failed: {done.stderr.strip()}")
