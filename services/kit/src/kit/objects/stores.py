"""What an object store does, and which one a URL names.

`file:///path` is a folder on this machine, or one that all machines mount. `s3://bucket/prefix` is S3 or a server with
its interface; endpoint, region and credentials come from the environment (`AWS_ENDPOINT_URL`, `AWS_REGION`,
`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_ALLOW_HTTP`).
"""

import importlib
from collections.abc import AsyncGenerator, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import unquote, urlsplit
from uuid import UUID

from kit.objects.folder import FolderStore
from kit.objects.keys import ObjectKey
from kit.objects.listing import StoredObject


class ObjectStore(Protocol):
    """Keeps objects by key. Every method raises ObjectStoreUnavailable when the store can't be reached."""

    @property
    def incoming(self) -> Path | None:
        """The folder in which files that are being received wait; None for the machine's own."""

    async def put(self, key: ObjectKey, content: IO[bytes]) -> None:
        """Keep a whole object; it is durable when this returns. Raises ObjectStoreFull.

        One that is there already is written again: its age begins anew. `content` is a file with a name in
        `incoming`; what happens to that file is the store's to decide.
        """

    async def has(self, key: ObjectKey, size_bytes: int) -> bool:
        """Is it there, with this size?"""

    async def read(self, key: ObjectKey, size_bytes: int) -> AsyncGenerator[bytes, None]:
        """Its content in pieces. Raises ObjectStoreUnavailable, before the first piece, when it isn't there whole."""

    async def trusts(self, service: str) -> Sequence[UUID]:
        """The trusts that a service keeps objects of."""

    async def objects(self, service: str, trust_id: UUID) -> Sequence[StoredObject]:
        """Every object that a service keeps of a trust."""

    async def delete(self, key: ObjectKey) -> None:
        """Remove an object; nothing happens when there is none."""

    async def clean(self, older_than_seconds: float) -> int:
        """Remove what interrupted uploads have left; gives how many."""


@cache
def object_store(url: str) -> ObjectStore:
    """The store that a URL names; nothing is opened yet. Raises ValueError for a URL that names none."""
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"} and parts.path.startswith("/"):
        return FolderStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc and not parts.query and not parts.username:
        # Loaded only where it is used: the library takes 4 MB in every process.
        store: ObjectStore = importlib.import_module("kit.objects.s3").S3ObjectStore(
            parts.netloc, parts.path.strip("/")
        )
        return store
    raise ValueError("TRELLIS_OBJECT_STORE_URL must be file:///a/folder or s3://bucket/prefix")
