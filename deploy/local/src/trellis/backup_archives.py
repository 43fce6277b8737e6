"""What the archive of a backup may look like, before anything in it is used.

Our own archives are plain tars of regular files. Everything else that a tar can hold is refused: a second entry of one
name, links, devices, folders, sparse files (a few bytes that become terabytes) and names that lead elsewhere.
"""

import tarfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from kit.objects.keys import ObjectKey

MANIFEST = "manifest.json"
SEAL = "seal.json"
DUMP = "trellis.dump"
OBJECTS = "objects/"
_PARTS = frozenset({MANIFEST, SEAL, DUMP})
_REGULAR = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE})

Fingerprint = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class StrangeArchive(Exception):
    """An archive that `trellis backup` didn't write; the message is the end of a sentence about it."""


def opened(path: Path) -> tarfile.TarFile:
    """The archive, to be read. A packed one isn't ours: what it unpacks to isn't known. Raises OSError and TarError."""
    return tarfile.open(path, "r:")


def check_entries(archive: tarfile.TarFile) -> None:
    """Raises StrangeArchive unless every entry is one that a backup has, once, as a regular file."""
    seen: set[str] = set()
    for entry in archive:
        named = repr(entry.name[:200])
        if entry.name in seen:
            raise StrangeArchive(f"holds {named} twice")
        seen.add(entry.name)
        if entry.type not in _REGULAR or entry.issparse():
            raise StrangeArchive(f"holds {named}, which is no regular file")
        if entry.name not in _PARTS and (
            not entry.name.startswith(OBJECTS) or ObjectKey.of_path(entry.name.removeprefix(OBJECTS)) is None
        ):
            raise StrangeArchive(f"holds {named}, which no backup has")


class _Files(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    count: Annotated[int, Field(ge=0)]
    bytes: Annotated[int, Field(ge=0)]
    sha256: Digest


class _Manifest(BaseModel):
    """What a restore reads of a manifest: of other shapes it would fail half-way, or print what a terminal executes."""

    model_config = ConfigDict(strict=True, extra="ignore")

    made_at: Annotated[str, Field(pattern=r"^[0-9T:+.-]{10,40}$")]
    revisions: dict[Annotated[str, Field(pattern="^[a-z_]{1,40}$")], str | None]
    sha256: Digest
    objects: _Files | None = None
    secret_key_fingerprint: Fingerprint
    secret_key_fingerprints: list[Fingerprint] | None = None


def check_manifest(manifest: Mapping[str, Any]) -> None:
    """Raises ValueError unless each value has the shape that `trellis backup` gives it."""
    datetime.fromisoformat(_Manifest.model_validate(manifest).made_at)
