"""Objects in S3, through obstore."""

import os
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from kit.objects.errors import ObjectStoreUnavailable
from kit.objects.keys import ObjectKey, is_uuid
from kit.objects.listing import StoredObject

PART_BYTES = 8 << 20
PARTS_AT_ONCE = 2
RETRY_SECONDS = 5


class S3ObjectStore:
    """Objects of one bucket, below a prefix. An upload in parts appears whole or not at all."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            client_options={
                "connect_timeout": "3s",
                "timeout": "60s",
                "allow_http": os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true",
            },
            # Whoever waits for an answer gets one soon; they can try again.
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=15)},
        )

    @property
    def incoming(self) -> Path | None:
        """The machine's own folder for temporary files."""
        return None

    async def put(self, key: ObjectKey, content: IO[bytes]) -> None:
        """Keep a whole object."""
        content.seek(0)
        with _problems():
            await obstore.put_async(
                self._store, key.path, content, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
            )

    async def has(self, key: ObjectKey, size_bytes: int) -> bool:
        """Is it there, with this size?"""
        try:
            with _problems():
                return (await obstore.head_async(self._store, key.path))["size"] == size_bytes
        except FileNotFoundError:
            return False

    async def read(self, key: ObjectKey, size_bytes: int) -> AsyncGenerator[bytes, None]:
        """Its content in pieces."""
        try:
            with _problems():
                found = await obstore.get_async(self._store, key.path)
        except FileNotFoundError as error:
            raise _unavailable() from error
        if found.meta["size"] != size_bytes:
            raise _unavailable()

        async def pieces() -> AsyncGenerator[bytes, None]:
            async for piece in found.stream(min_chunk_size=256 * 1024):
                yield bytes(piece)

        return pieces()

    async def trusts(self, service: str) -> Sequence[UUID]:
        """The trusts that a service keeps objects of."""
        with _problems():
            listed = await obstore.list_with_delimiter_async(self._store, f"{service}/")
        names = [prefix.rstrip("/").rpartition("/")[2] for prefix in listed["common_prefixes"]]
        return [UUID(name) for name in names if is_uuid(name)]

    async def objects(self, service: str, trust_id: UUID) -> Sequence[StoredObject]:
        """Every object that a service keeps of a trust."""
        with _problems():
            listed = [meta async for page in obstore.list(self._store, f"{service}/{trust_id}/") for meta in page]
        found = [(ObjectKey.of_path(meta["path"]), meta) for meta in listed]
        return [StoredObject(key, meta["size"], meta["last_modified"]) for key, meta in found if key is not None]

    async def delete(self, key: ObjectKey) -> None:
        """Remove an object."""
        with _problems():
            await obstore.delete_async(self._store, key.path)

    async def clean(self, older_than_seconds: float) -> int:
        """Nothing: the bucket's own rule for unfinished uploads removes their parts."""
        del older_than_seconds
        return 0


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise _unavailable() from error


def _unavailable() -> ObjectStoreUnavailable:
    return ObjectStoreUnavailable("Files can't be reached at the moment.", retry_after_seconds=RETRY_SECONDS)
