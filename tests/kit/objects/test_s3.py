"""The same over S3, against moto's server on loopback."""

import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer

from kit.database.sessions import Database
from kit.objects.errors import ObjectStoreUnavailable
from kit.objects.keys import ObjectKey
from kit.objects.receiving import receive
from kit.objects.stores import ObjectStore, object_store
from kit.objects.sweeping import sweep
from tests.kit.objects.filing import RED, client_of, filing_service
from tests.kit.objects.test_files import NOW
from tests.support.databases import Clone
from tests.support.tokens import OTHER_TRUST, PROSPERE

URL = "s3://trellis-files/files"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An S3 server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def store(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """A store in an empty bucket."""
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "eu-west-2",
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests",
    }.items():
        monkeypatch.setenv(name, value)
    httpx.post(f"{endpoint}/moto-api/reset")
    httpx.put(f"{endpoint}/trellis-files").raise_for_status()
    object_store.cache_clear()
    return object_store(URL)


async def body(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 1 << 20):
        yield content[start : start + (1 << 20)]


async def test_folders_of_others_are_passed_over(store: ObjectStore, endpoint: str) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.put(f"{endpoint}/trellis-files/files/academy/lost+found/x", content=b"x")
    assert answer.status_code == 200
    assert await store.trusts("academy") == []


async def test_objects_come_and_go(store: ObjectStore) -> None:
    # Large enough to be sent in parts.
    content = os.urandom(10 << 20).hex().encode()
    kept = [
        await receive(body(content), store, service="academy", trust_id=trust_id, media_type="text/csv")
        for trust_id in (PROSPERE, OTHER_TRUST)
    ]
    key = ObjectKey("academy", PROSPERE, hashlib.sha256(content).hexdigest())
    assert kept[0].key == key
    assert sorted(await store.trusts("academy"), key=str) == sorted([PROSPERE, OTHER_TRUST], key=str)
    assert [(one.key, one.size_bytes) for one in await store.objects("academy", PROSPERE)] == [(key, len(content))]
    assert b"".join([piece async for piece in await store.read(key, len(content))]) == content
    assert await store.has(key, len(content))
    assert not await store.has(key, len(content) + 1)
    await store.delete(key)
    await store.delete(key)
    assert not await store.has(key, len(content))
    with pytest.raises(ObjectStoreUnavailable):
        await store.read(key, len(content))
    assert await store.has(kept[1].key, len(content))


async def test_a_service_keeps_its_files_in_s3(store: ObjectStore, committed_database: Clone) -> None:
    database: Database = committed_database.of("academy")
    app = filing_service(database, URL)
    files = f"/academy/v1/things/{RED}/files"
    async with client_of(app) as client:
        made = await client.post(files, params={"name": "a.csv"}, content=b"a,b\n1,2\n")
        assert made.status_code == 201, made.text
        assert (await client.get(made.headers["location"])).content == b"a,b\n1,2\n"
        assert await sweep(store, database, grace=NOW) == 0
        async with committed_database.admin() as admin:
            await admin.execute("delete from academy.stored_file")
        assert await sweep(store, database, grace=NOW) == 1
        assert await store.objects("academy", PROSPERE) == []


async def test_a_server_that_is_away_is_said_to_be(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    del store
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    object_store.cache_clear()
    away = object_store("s3://trellis-files/elsewhere")
    with pytest.raises(ObjectStoreUnavailable):
        await receive(body(b"a,b\n"), away, service="academy", trust_id=PROSPERE, media_type="text/csv")
