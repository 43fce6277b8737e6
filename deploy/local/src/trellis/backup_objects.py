"""The files of an installation in its backup: each under its hash, checked before anything is restored.

They are in the archive when they lie in a folder. In S3 they stay where they are: a bucket has copies and versions of
its own, and may be larger than any disk here.
"""

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from kit.objects.folder import FolderStore
from kit.objects.keys import ObjectKey
from kit.objects.listing import StoredObject
from kit.objects.stores import object_store
from trellis.backup_archives import OBJECTS, opened
from trellis.installation import Installation

_PIECE_BYTES = 1 << 20


class ObjectsDamaged(Exception):
    """The files in a backup aren't those that it was made with; the message says what is wrong."""


def folder_of(installation: Installation) -> FolderStore | None:
    """The folder in which the installation keeps files; None when they are in S3. Raises ValueError."""
    store = object_store(installation.settings.object_store)
    return store if isinstance(store, FolderStore) else None


@contextmanager
def held(store: FolderStore | None) -> Iterator[None]:
    """Nothing is swept inside the block, so that what the dump names is still there when it is copied."""
    if store is None or not store.root.is_dir():
        yield
        return
    with store.lock(for_backup=True):
        yield


def summary(objects: Sequence[StoredObject]) -> dict[str, Any]:
    """What a manifest says of the files: how many, how large together, and a digest of their hashes."""
    names = hashlib.sha256("\n".join(sorted(one.key.path for one in objects)).encode()).hexdigest()
    return {"count": len(objects), "bytes": sum(one.size_bytes for one in objects), "sha256": names}


def add(archive: tarfile.TarFile, store: FolderStore, objects: Sequence[StoredObject]) -> None:
    """Write the files into the archive, one after another."""
    for one in objects:
        entry = tarfile.TarInfo(OBJECTS + one.key.path)
        entry.size, entry.mode, entry.mtime = one.size_bytes, 0o600, int(one.written_at.timestamp())
        with (store.root / one.key.path).open("rb") as file:
            archive.addfile(entry, file)


def check(archive: tarfile.TarFile, manifest: dict[str, Any]) -> None:
    """Hash every file of the archive. Raises ObjectsDamaged unless all are there and whole."""
    expected = manifest.get("objects")
    found: list[str] = []
    size = 0
    for key, content in _entries(archive):
        hashed = hashlib.sha256()
        while piece := content.read(_PIECE_BYTES):
            hashed.update(piece)
            size += len(piece)
        if hashed.hexdigest() != key.sha256:
            raise ObjectsDamaged(f"the file {key.sha256} in it isn't what it was")
        found.append(key.path)
    names = hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()
    if expected is None and not found:
        return
    if expected != {"count": len(found), "bytes": size, "sha256": names}:
        raise ObjectsDamaged("files are missing from it, or are in it that don't belong there")


def put(path: Path, store: FolderStore) -> int:
    """Put the files of a checked archive into the folder, beside those that are there; gives how many.

    Each is hashed again while it is written. Raises ObjectsDamaged or OSError.
    """
    placed = 0
    with opened(path) as archive:
        for key, content in _entries(archive):
            with tempfile.NamedTemporaryFile(dir=store.incoming, prefix="restore-", delete=False) as file:
                try:
                    shutil.copyfileobj(content, file, _PIECE_BYTES)
                    file.flush()
                    with Path(file.name).open("rb") as written:
                        if hashlib.file_digest(written, "sha256").hexdigest() != key.sha256:
                            raise ObjectsDamaged(f"the file {key.sha256} was not written as it was read")
                    store.place(key, file)
                finally:
                    Path(file.name).unlink(missing_ok=True)
            placed += 1
    return placed


def _entries(archive: tarfile.TarFile) -> Iterator[tuple[ObjectKey, IO[bytes]]]:
    """Every file of the archive with its key. Raises ObjectsDamaged for names that no backup has."""
    for entry in archive:
        if not entry.name.startswith(OBJECTS):
            continue
        key = ObjectKey.of_path(entry.name.removeprefix(OBJECTS))
        content = archive.extractfile(entry) if entry.isreg() else None
        if key is None or content is None:
            raise ObjectsDamaged(f"{entry.name[:200]!r} in it is no file of ours")
        yield key, content
