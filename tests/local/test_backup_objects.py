"""Files in a backup: all of them, each as it was, and nothing else."""

import hashlib
import io
import tarfile
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from kit.objects.folder import BackupRunning, FolderStore
from kit.objects.keys import ObjectKey
from tests.support.tokens import OTHER_TRUST, PROSPERE
from trellis import backup_objects, backups
from trellis.installation import Installation
from trellis.settings import LocalSettings

CONTENTS = (b"minutes", b"figures", b"x" * (3 << 20))


def kept(folder: Path) -> FolderStore:
    """A folder with some files of two trusts."""
    store = FolderStore(folder)
    for trust_id in (PROSPERE, OTHER_TRUST):
        for content in CONTENTS:
            with tempfile.NamedTemporaryFile(dir=store.incoming, delete=False) as file:
                file.write(content)
                store.place(ObjectKey("academy", trust_id, hashlib.sha256(content).hexdigest()), file)
    return store


def archive_of(store: FolderStore, path: Path) -> dict[str, Any]:
    """An archive with the files in it; its manifest."""
    objects = list(store.walk())
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("manifest.json"))
        backup_objects.add(archive, store, objects)
    return {"objects": backup_objects.summary(objects)}


def check(path: Path, manifest: dict[str, Any]) -> None:
    with tarfile.open(path) as archive:
        backup_objects.check(archive, manifest)


def add(path: Path, name: str, content: bytes, kind: bytes = tarfile.REGTYPE) -> None:
    """Something more in an archive."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.type = len(content), kind
    with tarfile.open(path, "a") as archive:
        archive.addfile(entry, io.BytesIO(content))


def test_files_come_back_as_they_were(tmp_path: Path) -> None:
    store = kept(tmp_path / "objects")
    (store.incoming / "upload-half").write_text("not yet")
    path = tmp_path / "backup"
    manifest = archive_of(store, path)
    assert manifest["objects"]["count"] == 6
    check(path, manifest)
    other = FolderStore(tmp_path / "other")
    assert backup_objects.put(path, other) == 6
    assert [one.key for one in other.walk()] == [one.key for one in store.walk()]
    for one in other.walk():
        assert hashlib.sha256((other.root / one.key.path).read_bytes()).hexdigest() == one.key.sha256
    # Again, beside those that are there.
    assert backup_objects.put(path, other) == 6
    assert list(other.incoming.iterdir()) == []


def test_a_file_that_was_altered_missing_or_added_is_found(tmp_path: Path) -> None:
    path = tmp_path / "backup"
    store = kept(tmp_path / "objects")
    manifest = archive_of(store, path)
    whole = path.read_bytes()

    path.write_bytes(whole.replace(b"minutes", b"minuteS", 1))
    with pytest.raises(backup_objects.ObjectsDamaged, match="isn't what it was"):
        check(path, manifest)

    path.write_bytes(whole)
    with pytest.raises(backup_objects.ObjectsDamaged, match="missing"):
        check(path, {"objects": {**manifest["objects"], "count": 7}})

    add(
        path,
        f"objects/academy/{uuid4()}/{hashlib.sha256(b'm').hexdigest()[:2]}/{hashlib.sha256(b'm').hexdigest()}",
        b"m",
    )
    with pytest.raises(backup_objects.ObjectsDamaged, match="don't belong"):
        check(path, manifest)


@pytest.mark.parametrize("name", ["objects/../../../etc/cron.d/x", "objects/academy/x", "objects//etc/passwd"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "backup"
    manifest = archive_of(FolderStore(tmp_path / "objects"), path)
    add(path, name, b"x")
    with pytest.raises(backup_objects.ObjectsDamaged, match="no file of ours"):
        check(path, manifest)
    with pytest.raises(backup_objects.ObjectsDamaged, match="no file of ours"):
        backup_objects.put(path, FolderStore(tmp_path / "other"))


def test_a_link_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "backup"
    manifest = archive_of(FolderStore(tmp_path / "objects"), path)
    sha256 = hashlib.sha256(b"").hexdigest()
    add(path, f"objects/academy/{PROSPERE}/{sha256[:2]}/{sha256}", b"", tarfile.SYMTYPE)
    with pytest.raises(backup_objects.ObjectsDamaged, match="no file of ours"):
        check(path, manifest)


def test_nothing_is_swept_while_a_backup_is_made(tmp_path: Path) -> None:
    store = kept(tmp_path / "objects")
    with backup_objects.held(store), pytest.raises(BackupRunning), store.lock():
        pass
    with backup_objects.held(None), backup_objects.held(FolderStore(tmp_path / "none")):
        pass


def test_files_go_into_no_bucket(tmp_path: Path) -> None:
    in_s3 = Installation(LocalSettings.load(state_dir=tmp_path, object_store_url="s3://bucket/files"))
    manifest = {"objects": {"count": 2, "bytes": 9, "sha256": ""}}
    with pytest.raises(backups.BackupFailed, match="names S3"):
        backups.refuse_if_files_have_no_place(in_s3, backups.Unpacked(manifest, tmp_path, tmp_path))
    backups.refuse_if_files_have_no_place(in_s3, backups.Unpacked({"format": 1}, tmp_path, tmp_path))


def test_files_lie_in_the_state_folder_unless_said(tmp_path: Path) -> None:
    store = backup_objects.folder_of(Installation(LocalSettings.load(state_dir=tmp_path)))
    assert store is not None
    assert store.root == tmp_path / "objects"
