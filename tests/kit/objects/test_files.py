"""Files over HTTP: sent, kept with what they belong to, downloaded as attachments, swept when nothing names them."""

import asyncio
import hashlib
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from kit.database.sessions import Connection, Context, Database
from kit.disks import Disks
from kit.objects import receiving
from kit.objects import service as files
from kit.objects.folder import FolderStore
from kit.objects.keys import ObjectKey
from kit.objects.sweeping import sweep
from kit.web.app import Service
from kit.web.files import disposition
from kit.web.tools import tools_of
from tests.kit.objects.filing import GREEN, RED, client_of, filing_service, office
from tests.kit.objects.test_folder import waiting
from tests.kit.objects.test_media_types import PDF_FILE
from tests.support.databases import Clone
from tests.support.tokens import OTHER_TRUST, PROSPERE

FILES = f"/academy/v1/things/{RED}/files"
CONTENT = b"urn,value\n100001,3\n"
NOW = timedelta(seconds=-5)


@pytest.fixture
def database(committed_database: Clone) -> Database:
    """What academy sees of a database of this test's own."""
    return committed_database.of("academy")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Where the files lie."""
    return FolderStore(tmp_path / "objects")


@pytest.fixture
def app(database: Database, store: FolderStore) -> Service:
    """A service that takes files."""
    return filing_service(database, store.root.as_uri())


@pytest_asyncio.fixture
async def client(app: Service) -> AsyncIterator[httpx.AsyncClient]:
    """The usual caller."""
    async with client_of(app) as found:
        yield found


async def send(client: httpx.AsyncClient, content: bytes = CONTENT, name: str = "a.csv", **more: Any) -> httpx.Response:
    path = more.pop("path", FILES)
    return await client.post(path, params={"name": name}, content=content, **more)


def hash_of(store: FolderStore, key: ObjectKey) -> str:
    """Of what really lies there."""
    return hashlib.sha256((store.root / key.path).read_bytes()).hexdigest()


def take_away(store: FolderStore) -> None:
    """Something else lies where the folder was."""
    store.root.rename(store.root.parent / "moved")
    store.root.write_text("no folder")


def leave_rubbish(store: FolderStore) -> Path:
    """Half an upload, and a file that is nobody's; gives the latter."""
    (store.incoming / "upload-left").write_text("half a fi")
    foreign = store.root / "academy" / "README"
    foreign.write_text("not an object")
    return foreign


async def until_waited_for(admin: Connection) -> None:
    """Until another transaction waits for an advisory lock of this one."""
    while not await admin.fetchval("select exists (select from pg_locks where locktype = 'advisory' and not granted)"):
        await admin.execute("select pg_sleep(0.01)")


def limit(app: Service, limit_bytes: int) -> None:
    """Let the files of a trust take so much."""
    tools = tools_of(app)
    tools.settings = tools.settings.model_copy(update={"limit_file_kept_bytes": limit_bytes})


async def rows(committed_database: Clone) -> list[tuple[Any, str, int]]:
    async with committed_database.admin() as admin:
        found = await admin.fetch("select trust_id, sha256, size_bytes from academy.stored_file order by id")
    return [(row["trust_id"], row["sha256"], row["size_bytes"]) for row in found]


async def test_a_file_is_kept_listed_and_downloaded(client: httpx.AsyncClient) -> None:
    made = await send(client, name="Figures \u2013 \u201cautumn\u201d.csv".replace('"', ""))
    assert made.status_code == 201, made.text
    out = made.json()
    assert (out["media_type"], out["size_bytes"]) == ("text/csv", len(CONTENT))
    assert out["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert made.headers["location"] == f"{FILES}/{out['id']}"
    assert (await client.get(FILES)).json() == {"items": [out]}
    got = await client.get(made.headers["location"])
    assert got.content == CONTENT
    assert got.headers["content-type"] == "text/csv; charset=utf-8"
    assert got.headers["content-length"] == str(len(CONTENT))
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert got.headers["content-disposition"] == (
        'attachment; filename="Figures _ _autumn_.csv"; '
        "filename*=UTF-8''Figures%20%E2%80%93%20%E2%80%9Cautumn%E2%80%9D.csv"
    )
    again = await client.get(made.headers["location"], headers={"If-None-Match": got.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await client.head(made.headers["location"])
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", got.headers["etag"])


@pytest.mark.parametrize(
    "name", ["", "   ", "..", "a/b.csv", "a\\b.csv", "a\r\nSet-Cookie: x.csv", "a\u202evsc.exe", 'a".csv', "x" * 201]
)
async def test_names_that_could_be_more_than_a_name_are_rejected(client: httpx.AsyncClient, name: str) -> None:
    answer = await send(client, name=name)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == "/query/name"


def test_a_name_cant_break_out_of_its_header() -> None:
    for name in ('a";b.csv', "a\r\nb.csv", "\u202e.csv", "a%0d%0a.csv"):
        written = disposition(name)
        assert written.isascii()
        assert written.isprintable()
        assert written.count('"') == 2


async def test_a_charset_of_a_binary_type_means_nothing(client: httpx.AsyncClient) -> None:
    answer = await send(client, PDF_FILE, headers={"Content-Type": "application/pdf; charset=binary"})
    assert (answer.status_code, answer.json()["media_type"]) == (201, "application/pdf")


async def test_what_isnt_what_it_says_is_415_and_leaves_nothing(
    client: httpx.AsyncClient, store: FolderStore, committed_database: Clone
) -> None:
    wrong = [
        await send(client, PDF_FILE),
        await send(client, office("application/vnd.ms-word.document.macroEnabled.main+xml")),
        await send(client, b""),
        await send(client, headers={"Content-Type": "text/html"}),
        await send(client, headers={"Content-Type": "text/csv; charset=windows-1252"}),
        await send(client, headers={"Content-Encoding": "gzip"}),
        await send(client, headers={"Content-Type": "application/pdf"}),
    ]
    assert {answer.status_code for answer in wrong} == {415}, [answer.text for answer in wrong]
    assert list(store.walk()) == []
    assert await rows(committed_database) == []


async def test_a_file_over_the_limit_is_413_before_and_while_it_is_sent(
    client: httpx.AsyncClient, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = await send(client, headers={"Content-Length": str(receiving.LARGEST_BYTES + 1)})
    assert (said.status_code, said.json()["code"]) == (413, "file-too-large")
    monkeypatch.setattr(receiving, "LARGEST_BYTES", 1000)

    async def body() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 100

    answer = await client.post(FILES, params={"name": "a.csv"}, content=body())
    assert (answer.status_code, answer.json()["limit_bytes"]) == (413, 1000)
    assert list(store.walk()) == []


async def test_the_owner_is_looked_up_before_the_body_is_read(client: httpx.AsyncClient, store: FolderStore) -> None:
    answer = await send(client, path="/academy/v1/things/7/files")
    assert answer.status_code == 404
    assert not store.root.exists()


async def test_the_same_key_keeps_a_file_once(client: httpx.AsyncClient, committed_database: Clone) -> None:
    first = await send(client, headers={"Idempotency-Key": "k1"})
    again = await send(client, headers={"Idempotency-Key": "k1"})
    assert first.json() == again.json()
    assert len(await rows(committed_database)) == 1
    other = await send(client, b"another,file\n", headers={"Idempotency-Key": "k1"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


async def test_one_thing_has_a_few_files(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_FILES", 2)
    codes = [(await send(client, f"{number},x\n".encode())).status_code for number in range(3)]
    assert codes == [201, 201, 409]


async def test_files_sent_at_once_do_not_exceed_the_limit(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_FILES", 2)
    answers = await asyncio.gather(*(send(client, f"{number},x\n".encode()) for number in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409, 409, 409]


async def test_a_file_of_another_trust_or_academy_or_thing_is_not_found(app: Service) -> None:
    async with (
        client_of(app) as ours,
        client_of(app, trust=OTHER_TRUST) as theirs,
        client_of(app, academies=[GREEN]) as green,
    ):
        place = (await send(ours)).headers["location"]
        elsewhere = place.replace(str(RED), str(GREEN))
        assert [
            (await theirs.get(place)).status_code,
            (await green.get(place)).status_code,
            (await green.get(elsewhere)).status_code,
            (await ours.get(elsewhere)).status_code,
            (await ours.get(f"{FILES}/{uuid4()}")).status_code,
            (await ours.get(place)).status_code,
        ] == [404, 404, 404, 404, 404, 200]
        # Sending the same bytes shows nothing of who else has them.
        mine = (await send(theirs)).json()
        assert (await theirs.get(FILES)).json()["items"] == [mine]


async def test_rows_of_files_are_under_row_level_security(client: httpx.AsyncClient, database: Database) -> None:
    await send(client)
    for context, seen in (
        (Context(PROSPERE, None, "x"), 1),
        (Context(PROSPERE, frozenset({RED}), "x"), 1),
        (Context(PROSPERE, frozenset({GREEN}), "x"), 0),
        (Context(OTHER_TRUST, None, "x"), 0),
    ):
        async with database.connection(context) as connection:
            assert await connection.fetchval("select count(*) from stored_file") == seen


async def test_a_store_that_is_away_is_503(client: httpx.AsyncClient, store: FolderStore) -> None:
    place = (await send(client)).headers["location"]
    take_away(store)
    for answer in (await send(client), await client.get(place)):
        assert (answer.status_code, answer.json()["code"]) == (503, "object-store-unavailable")
        assert int(answer.headers["retry-after"]) > 0


async def test_a_file_is_refused_before_the_disk_is_full(
    client: httpx.AsyncClient, app: Service, store: FolderStore, tmp_path: Path
) -> None:
    free = Disks(0, {"here": tmp_path}).free_bytes()["here"]
    tools_of(app).disks = Disks(free * 2, {"here": tmp_path})
    answer = await send(client)
    assert (answer.status_code, answer.json()["code"]) == (503, "object-store-full")
    assert int(answer.headers["retry-after"]) >= 60
    assert waiting(store) == []
    tools_of(app).disks = Disks(0, {"here": tmp_path})
    assert (await send(client)).status_code == 201


async def test_a_sweep_takes_what_no_row_names_and_nothing_else(
    app: Service, database: Database, store: FolderStore, committed_database: Clone
) -> None:
    async with client_of(app) as ours, client_of(app, trust=OTHER_TRUST) as theirs:
        await send(ours)
        await send(theirs)
        await send(theirs, b"only,theirs\n")
        async with committed_database.admin() as admin:
            await admin.execute("delete from academy.stored_file where trust_id = $1", OTHER_TRUST)
        foreign = leave_rubbish(store)
        assert await sweep(store, database) == 0
        assert len(list(store.walk())) == 3
        assert await sweep(store, database, grace=NOW) == 3
        assert [one.key.trust_id for one in store.walk()] == [PROSPERE]
        assert foreign.exists()
        assert (
            await ours.get((await ours.get(FILES)).json()["items"][0]["id"].join([FILES + "/", ""]))
        ).content == CONTENT


async def test_a_sweep_waits_until_a_backup_is_done(
    client: httpx.AsyncClient, database: Database, store: FolderStore
) -> None:
    await send(client)
    async with database.session(Context(PROSPERE, None, "x")) as session:
        driver = await session.connection()
        await driver.exec_driver_sql("delete from stored_file")
    with store.lock(for_backup=True):
        assert await sweep(store, database, grace=NOW) == 0
    assert await sweep(store, database, grace=NOW) == 1


async def test_an_upload_whose_object_is_swept_before_it_is_named_fails_and_names_nothing(
    client: httpx.AsyncClient, database: Database, store: FolderStore, committed_database: Clone
) -> None:
    """The moment between the object and its row, made long by an owner who locks."""
    key = ObjectKey("academy", PROSPERE, hashlib.sha256(CONTENT).hexdigest())
    async with committed_database.admin() as admin:
        await admin.execute("begin")
        # What both the sweep and the upload wait for.
        await admin.execute("select pg_advisory_xact_lock(hashtextextended($1, 37))", key.path)
        sending = asyncio.ensure_future(send(client))
        async with asyncio.timeout(20):
            await until_waited_for(admin)
        assert await store.has(key, len(CONTENT))
        await store.delete(key)
        await admin.execute("rollback")
        answer = await sending
    assert (answer.status_code, answer.json()["code"]) == (503, "object-store-unavailable")
    assert await rows(committed_database) == []
    assert (await send(client)).status_code == 201


async def test_the_files_of_a_trust_have_a_quota_however_many_are_sent_at_once(
    app: Service, client: httpx.AsyncClient, store: FolderStore, committed_database: Clone
) -> None:
    size = 10_240
    limit(app, 3 * size)
    contents = [f"{number}\n".encode().rjust(size, b"0") for number in range(9)]
    answers = await asyncio.gather(*(send(client, content) for content in contents[:8]))
    refused = [answer for answer in answers if answer.status_code != 201]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(507, "storage-quota-reached")}
    kept = await rows(committed_database)
    assert len(kept) == 8 - len(refused) <= 3
    # Nothing is left of those that were refused, neither as a file nor as reserved space.
    assert {one.key.sha256 for one in store.walk()} == {sha256 for _, sha256, _ in kept}
    while len(kept) < 3:
        kept.append((PROSPERE, (await send(client, contents[8 - len(kept)])).json()["sha256"], size))
    over = await send(client, contents[8])
    assert (over.status_code, over.json()["kept_bytes"], over.json()["limit_bytes"]) == (507, 3 * size, 3 * size)
    assert over.json()["detail"].endswith("Contact the operator.")
    # Also to somebody who sees none of them, with a key, and without a length.
    async with client_of(app, academies=[GREEN]) as other:
        path = FILES.replace(str(RED), str(GREEN))
        refusal = await send(other, contents[8], path=path, headers={"Idempotency-Key": "one"})
    assert (refusal.status_code, refusal.json().get("kept_bytes")) == (507, 3 * size), refusal.text
    assert len(list(store.walk())) == 3
    # Another trust has room of its own.
    async with client_of(app, trust=OTHER_TRUST) as stranger:
        assert (await send(stranger, contents[8])).status_code == 201


async def test_a_file_too_many_leaves_nothing(
    client: httpx.AsyncClient, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_FILES", 1)
    assert (await send(client)).status_code == 201
    for headers in ({}, {"Idempotency-Key": "two"}):
        refused = await send(client, b"urn\n1\n", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (409, "too-many-files")
    # The same content as one that is named stays.
    assert (await send(client, headers={"Idempotency-Key": "three"})).status_code == 409
    assert [one.key.sha256 for one in store.walk()] == [hashlib.sha256(CONTENT).hexdigest()]


async def test_killed_in_the_middle_no_row_is_without_its_object_and_no_object_is_half(
    committed_database: Clone, database: Database, store: FolderStore
) -> None:
    chance = random.Random(7)
    assert waiting(store) == []
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.kit.objects.filing",
            committed_database.url("academy_app"),
            str(store.root),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        # It is at work when the first file was taken; then it dies at any moment of the next ones.
        assert (await asyncio.wait_for(process.stdout.readline(), 60)).strip() == b"201"
        await asyncio.sleep(chance.uniform(0.0, 0.3))
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
    named = await rows(committed_database)
    assert len(named) >= 2
    there = {one.key: one.size_bytes for one in store.walk()}
    assert all(there.get(ObjectKey("academy", trust_id, sha256)) == size for trust_id, sha256, size in named)
    assert {key for key in there if hash_of(store, key) != key.sha256} == set()
    left = len(there) - len(named) + len(waiting(store))
    assert await sweep(store, database, grace=NOW) == left
    assert {one.key.sha256 for one in store.walk()} == {sha256 for _, sha256, _ in named}
    assert waiting(store) == []
