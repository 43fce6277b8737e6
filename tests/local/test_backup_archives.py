"""Archives that `trellis backup` can't have written are refused, whatever their content."""

import io
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.tokens import PROSPERE
from trellis.backup_archives import StrangeArchive, check_entries, check_manifest, opened

PARTS = ("manifest.json", "seal.json", "trellis.dump")
SHA = "ab" * 32
OBJECT = f"objects/academy/{PROSPERE}/ab/{SHA}"
MANIFEST = {
    "made_at": "2026-11-22T03:00:00+00:00",
    "revisions": {"academy": "0001", "identity": None},
    "sha256": SHA,
    "objects": {"count": 1, "bytes": 1, "sha256": SHA},
    "secret_key_fingerprint": "ab" * 8,
    "secret_key_fingerprints": ["ab" * 8],
}


def entry(name: str, kind: bytes = tarfile.REGTYPE, **more: Any) -> tarfile.TarInfo:
    """An entry of an archive, without content unless it says how long."""
    made = tarfile.TarInfo(name)
    made.type = kind
    for field, value in more.items():
        setattr(made, field, value)
    return made


def archive(path: Path, entries: Sequence[tarfile.TarInfo]) -> Path:
    """The parts of a backup, and then these."""
    with tarfile.open(path, "w") as made:
        for one in (*map(entry, PARTS), *entries):
            made.addfile(one, io.BytesIO(b"x" * one.size))
    return path


def check(path: Path) -> None:
    with opened(path) as found:
        check_entries(found)


@pytest.mark.parametrize("file_format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_the_parts_of_a_backup_and_files_are_taken(tmp_path: Path, file_format: int) -> None:
    path = tmp_path / "backup"
    with tarfile.open(path, "w", format=file_format) as made:
        for one in (*map(entry, PARTS), entry(OBJECT)):
            made.addfile(one)
    check(path)


STRANGE = {
    "twice": ([entry("manifest.json")], "'manifest.json' twice"),
    "a dump twice": ([entry("trellis.dump", size=5)], "'trellis.dump' twice"),
    "a file twice": ([entry(OBJECT), entry(OBJECT)], "twice"),
    "a link": ([entry(OBJECT, tarfile.SYMTYPE, linkname="/etc/passwd")], "no regular file"),
    "a hard link": ([entry(OBJECT, tarfile.LNKTYPE, linkname="trellis.dump")], "no regular file"),
    "a device": ([entry(OBJECT, tarfile.BLKTYPE)], "no regular file"),
    "a terminal": ([entry(OBJECT, tarfile.CHRTYPE)], "no regular file"),
    "a pipe": ([entry(OBJECT, tarfile.FIFOTYPE)], "no regular file"),
    "a folder": ([entry("objects", tarfile.DIRTYPE)], "no regular file"),
    "another file": ([entry("readme.txt")], "which no backup has"),
    "an absolute name": ([entry("/etc/cron.d/x")], "which no backup has"),
    "a name that leads up": ([entry("../manifest.json")], "which no backup has"),
    "a file that leads up": ([entry("objects/../../x")], "which no backup has"),
    "the same by another way": ([entry("./manifest.json")], "which no backup has"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_what_no_backup_has_is_refused(tmp_path: Path, name: str) -> None:
    entries, found = STRANGE[name]
    with pytest.raises(StrangeArchive, match=found):
        check(archive(tmp_path / "backup", entries))


def test_a_few_bytes_that_become_terabytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "backup"
    headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(1 << 40)}
    headers["GNU.sparse.name"] = OBJECT
    sparse_map = b"1\n1099511627776\n0\n".ljust(512, b"\0")
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as made:
        made.addfile(entry(OBJECT, size=512, pax_headers=headers), io.BytesIO(sparse_map))
    with opened(path) as found:
        assert found.getmembers()[0].size == 1 << 40
    with pytest.raises(StrangeArchive, match="no regular file"):
        check(path)


def test_a_packed_archive_is_no_backup(tmp_path: Path) -> None:
    path = tmp_path / "backup"
    with tarfile.open(path, "w:gz") as made:
        made.addfile(entry("manifest.json"))
    with pytest.raises(tarfile.TarError):
        check(path)


def test_a_manifest_has_the_shape_that_a_backup_gives_it() -> None:
    check_manifest(MANIFEST)
    check_manifest({**MANIFEST, "objects": None, "secret_key_fingerprints": None})
    strange: list[dict[str, object]] = [
        {"made_at": "\x1b]0;title\x07"},
        {"made_at": "1234567890123"},
        {"revisions": ["academy"]},
        {"revisions": {"academy; drop": "1"}},
        {"sha256": None},
        {"objects": [1]},
        {"objects": {"count": -1, "bytes": 1, "sha256": SHA}},
        {"secret_key_fingerprints": [{}]},
        {"secret_key_fingerprint": 7},
    ]
    for changed in strange:
        with pytest.raises(ValueError, match=r"_Manifest|month must be"):
            check_manifest({**MANIFEST, **changed})
