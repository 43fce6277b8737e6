"""Backup and restore: one file with every schema, and what a restore must know about where it came from.

The file is a tar of `manifest.json`, its seal (`trellis.backup_seals`), `trellis.dump` (pg_dump's custom format, which
`pg_restore` reads) and, where they lie in a folder, the files that people sent (`trellis.backup_objects`). It holds the
keys that sign tokens, encrypted with TRELLIS_SECRET_KEY; that key isn't in it. Putting it back is `trellis.restoring`.
"""

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
from typing import IO, Any

import psycopg

from kit.key_ring import KeyRing
from kit.objects.folder import FolderStore
from kit.schema.roles import MIGRATOR
from trellis import backup_objects, backup_seals
from trellis.backup_archives import DUMP, MANIFEST, SEAL, StrangeArchive, check_entries, check_manifest, opened
from trellis.credentials import SCHEMAS
from trellis.installation import Installation
from trellis.pg_tools import binary, without_password

FORMAT = 3
FORMATS = (1, 2, 3)
"""Those that can be restored; the first had no files in it, the first two no seal."""
LARGEST_MANIFEST = 1 << 20


class BackupFailed(Exception):
    """A backup or restore did not happen; the message says why. The database is as it was."""


def backup(installation: Installation, path: Path, *, replace: bool = False) -> dict[str, Any]:
    """Write a backup; what is in it. The file appears only when it is complete. Raises BackupFailed.

    With `replace` it takes the place of a file of the same name.
    """
    if not replace and path.is_symlink() | path.exists():
        raise _exists(path)
    store = backup_objects.folder_of(installation)
    with backup_objects.held(store):
        return _backup(installation, path, store, replace=replace)


def _exists(path: Path) -> BackupFailed:
    return BackupFailed(f"There is a file {path} already. `trellis backup --replace` puts the new backup in its place.")


def _place(whole: Path, path: Path, *, replace: bool) -> None:
    """Give a finished backup its name. Raises BackupFailed when another file has got it meanwhile."""
    if replace:
        whole.replace(path)
        return
    try:
        path.hardlink_to(whole)
    except FileExistsError:
        raise _exists(path) from None
    except OSError:
        # Some file systems have no hard links.
        if path.exists():
            raise _exists(path) from None
        whole.replace(path)


def _backup(installation: Installation, path: Path, store: FolderStore | None, *, replace: bool) -> dict[str, Any]:
    url = installation.admin_url
    with psycopg.connect(url) as connection:
        manifest: dict[str, Any] = {
            "format": FORMAT,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "server_version": value_of(connection, "show server_version"),
            "system_identifier": value_of(connection, "select system_identifier::text from pg_control_system()"),
            "revisions": {
                schema: value_of(connection, f"select version_num from {schema}.alembic_version")  # noqa: S608
                for schema in present(connection)
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
        seal = backup_seals.seal_of(installation.secret_ring, (Path(folder) / MANIFEST).read_bytes())
        (Path(folder) / SEAL).write_bytes(seal)
        partial = Path(folder) / "whole"
        partial.touch(mode=0o600)
        with tarfile.open(partial, "w") as archive:
            archive.add(Path(folder) / MANIFEST, MANIFEST)
            archive.add(Path(folder) / SEAL, SEAL)
            archive.add(dump, DUMP)
            if store is not None:
                backup_objects.add(archive, store, objects)
        _place(partial, path, replace=replace)
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
def unpacked(installation: Installation, path: Path, *, unauthenticated: bool = False) -> Iterator[Unpacked]:
    """Open a backup and check it, before anything is touched for it. Raises BackupFailed.

    `unauthenticated` takes one of which nobody can know whether it was changed, but none that was.
    """
    with tempfile.TemporaryDirectory(prefix="trellis-restore-") as folder:
        manifest = _unpack(path, Path(folder), installation.secret_ring, unauthenticated=unauthenticated)
        yield Unpacked(manifest, Path(folder) / DUMP, path)


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
        if found := present(connection):
            raise BackupFailed(
                f"The database already holds {', '.join(found)}. `trellis restore --replace` puts the backup in "
                "their place; what is in them now is lost."
            )


def fingerprints(installation: Installation) -> list[str]:
    """What tells secret keys apart and says nothing about them: of each key of the ring, newest first."""
    return [
        hmac.new(key.encode(), b"trellis backup", hashlib.sha256).hexdigest()[:16] for key in installation.secret_keys
    ]


def lacks_a_key(installation: Installation, manifest: Mapping[str, Any]) -> bool:
    """Whether the backup may hold something that was sealed with a key that isn't in the ring any more."""
    made_under = manifest.get("secret_key_fingerprints") or [manifest["secret_key_fingerprint"]]
    return not set(made_under) <= set(fingerprints(installation))


def _unpack(path: Path, folder: Path, ring: KeyRing, *, unauthenticated: bool) -> dict[str, Any]:
    """The manifest; the dump lies in the folder, checked. Raises BackupFailed."""
    try:
        with opened(path) as archive:
            check_entries(archive)
            content = _content(archive, MANIFEST)
            manifest: dict[str, Any] = json.loads(content)
            if manifest.get("format") not in FORMATS:
                raise BackupFailed(f"{path} was made by another release, in a format that this one doesn't read.")
            seal = _content(archive, SEAL) if SEAL in archive.getnames() else None
            _authenticate(path, ring, manifest["format"], content, seal, unauthenticated=unauthenticated)
            check_manifest(manifest)
            with _opened(archive, DUMP) as dump, (folder / DUMP).open("wb") as file:
                shutil.copyfileobj(dump, file, 1 << 20)
    except FileNotFoundError:
        raise BackupFailed(f"There is no file {path}.") from None
    except StrangeArchive as problem:
        raise BackupFailed(f"{path} {problem}: `trellis backup` didn't write it so. It isn't restored.") from None
    except RecursionError:
        # From None: its hundreds of frames say no more.
        raise BackupFailed(f"{path} is not a backup of Trellis (its manifest is nested too deeply).") from None
    except (OSError, tarfile.TarError, KeyError, ValueError, AttributeError) as problem:
        raise BackupFailed(f"{path} is not a backup of Trellis ({problem}).") from problem
    if _digest(folder / DUMP) != manifest.get("sha256"):
        raise BackupFailed(f"{path} is damaged: its content doesn't fit its checksum.")
    try:
        with opened(path) as archive:
            backup_objects.check(archive, manifest)
    except (OSError, tarfile.TarError, backup_objects.ObjectsDamaged) as problem:
        raise BackupFailed(f"{path} is damaged: {problem}.") from problem
    if not set(manifest["revisions"]) <= set(SCHEMAS):
        raise BackupFailed(f"{path} holds schemas that this release doesn't know.")
    return manifest


def _authenticate(
    path: Path, ring: KeyRing, made_in_format: int, manifest: bytes, seal: bytes | None, *, unauthenticated: bool
) -> None:
    try:
        backup_seals.check(ring, made_in_format, manifest, seal)
    except backup_seals.Altered as problem:
        raise BackupFailed(f"{path} {problem}. It isn't restored.") from None
    except backup_seals.Unknown as problem:
        if not unauthenticated:
            raise BackupFailed(
                f"{path} {problem}: whether somebody has changed it can't be known. With the key that it was made "
                "under in TRELLIS_SECRET_KEYS it is checked. Without it, `--unauthenticated` restores it all the same: "
                "then somebody who could write to the file can have put any data and any grant into it."
            ) from None


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    """A small file of the archive: its content alone, no mode, owner or link counts here."""
    with _opened(archive, name) as file:
        return file.read(LARGEST_MANIFEST)


def _opened(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    found = archive.extractfile(name)
    if found is None:
        raise ValueError(f"{name} in it is no file")
    return found


def present(connection: psycopg.Connection[Any]) -> list[str]:
    """Our schemas that hold tables."""
    return holding(connection, "%")


def holding(connection: psycopg.Connection[Any], name: str) -> list[str]:
    """Our schemas with a table of a name like this."""
    query = "select distinct schemaname from pg_tables where schemaname = any(%s) and tablename like %s"
    found = {row[0] for row in connection.execute(query, [list(SCHEMAS), name])}
    return [schema for schema in SCHEMAS if schema in found]


def value_of(connection: psycopg.Connection[Any], query: str) -> str | None:
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
