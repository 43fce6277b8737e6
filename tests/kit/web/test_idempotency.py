"""The same request twice: one effect, one answer."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import text

from kit.database.sessions import Context, Database
from kit.events.recording import record_event
from kit.identity.callers import Caller
from kit.identity.reach import ActsOn
from kit.jobs.queue import defer
from kit.problems import Conflict, responses
from kit.web import idempotency
from kit.web.app import Service, create_service
from kit.web.idempotency import IdempotentRoute, fingerprint, purge
from kit.web.security import requires
from kit.web.sessions import SessionDep
from tests.support.clients import settings_of
from tests.support.databases import Clone
from tests.support.feed import NOTED, NoteData
from tests.support.jobs import until
from tests.support.tokens import OTHER_TRUST, PROSPERE, issue_token, trusted_keys

SCOPES = {"scopes": ["criteria:write"]}
Writer = Annotated[Caller, requires("criteria:write")]
AcademyWriter = Annotated[Caller, requires("criteria:write", acts_on=ActsOn.ACADEMIES)]


class NoteIn(BaseModel):
    """What to note."""

    model_config = ConfigDict(extra="forbid")

    number: int = Field(description="Which one.", ge=0)
    pause: float = Field(description="Seconds to take.", default=0, ge=0, le=5)


class NoteOut(BaseModel):
    """What was noted."""

    id: str = Field(description="Its id, made up anew by each run.")
    number: int = Field(description="Which one.")


class NoteTaken(Conflict):
    """This number was noted before."""


def routes() -> APIRouter:
    """Notes, each told to the feed and followed by a job."""
    router = APIRouter(route_class=IdempotentRoute, tags=["notes"])

    @router.post("/notes", operation_id="note_create", status_code=201, responses=responses(NoteTaken))
    async def note_create(body: NoteIn, response: Response, caller: AcademyWriter, session: SessionDep) -> NoteOut:
        """Note something."""
        await record_event(session, NOTED, subject=str(body.number), urn=None, data=NoteData(number=body.number))
        await defer(session, "academy.tests.note", number=body.number)
        await asyncio.sleep(body.pause)
        if body.number == 409:
            raise NoteTaken
        response.headers["Location"] = f"/academy/v1/notes/{body.number}"
        response.headers["ETag"] = '"1"'
        return NoteOut(id=str(uuid4()), number=body.number)

    @router.post("/notes/{number}/clear", operation_id="note_clear", status_code=204)
    async def note_clear(number: int, caller: Writer, session: SessionDep) -> None:
        """Clear one."""
        await record_event(session, NOTED, subject=f"cleared/{number}", urn=None, data=NoteData(number=number))

    @router.post("/notes/lookup", operation_id="note_lookup", openapi_extra={"x-idempotent": False})
    async def note_lookup(body: NoteIn, caller: Writer) -> NoteOut:
        """Look one up; changes nothing."""
        return NoteOut(id=str(uuid4()), number=body.number)

    return router


@pytest.fixture
def database(committed_database: Clone) -> Database:
    """What academy sees of a database of this test's own."""
    return committed_database.of("academy", pool_size=12)


@pytest.fixture
def service(database: Database) -> Service:
    """A service that takes notes."""
    app = create_service(
        settings_of("academy", database.url),
        title="Notes",
        description="Takes notes.",
        routers=[routes()],
        event_types=[NOTED],
        keys=trusted_keys(),
    )
    app.state.tools.database = database
    return app


def client_with(service: Service, **claims: Any) -> httpx.AsyncClient:
    """A client that takes notes."""
    token = issue_token(None, **{**SCOPES, **claims})
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(service),
        base_url="http://test",
        headers={"Authorization": f"Bearer {token}"},
    )


@pytest_asyncio.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """The usual one."""
    async with client_with(service) as found:
        yield found


async def post(client: httpx.AsyncClient, key: str | None, path: str = "/notes", **body: Any) -> httpx.Response:
    """A request with a key."""
    headers = {} if key is None else {"Idempotency-Key": key}
    return await client.post(f"/academy/v1{path}", json=body, headers=headers)


async def effects(committed_database: Clone) -> list[str]:
    """What was told, by all trusts."""
    async with committed_database.admin() as admin:
        return [row["subject"] for row in await admin.fetch("select subject from academy.event order by xid, seq")]


async def test_a_repeated_request_gets_the_first_answer(client: httpx.AsyncClient, committed_database: Clone) -> None:
    first = await post(client, "k1", number=1)
    again = await post(client, "k1", number=1)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert (first.headers["location"], first.headers["etag"]) == (again.headers["location"], again.headers["etag"])
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await effects(committed_database) == ["1"]
    async with committed_database.admin() as admin:
        assert await admin.fetchval("select count(*) from academy.procrastinate_jobs") == 1


async def test_without_a_key_each_request_counts(client: httpx.AsyncClient, committed_database: Clone) -> None:
    first, second = await post(client, None, number=1), await post(client, None, number=1)
    assert first.json()["id"] != second.json()["id"]
    assert await effects(committed_database) == ["1", "1"]


async def test_two_at_once_have_one_effect_and_the_same_answer(
    client: httpx.AsyncClient, committed_database: Clone
) -> None:
    answers = await asyncio.gather(*(post(client, "k1", number=1, pause=0.3) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert Counter("idempotency-replayed" in answer.headers for answer in answers) == {True: 7, False: 1}
    assert await effects(committed_database) == ["1"]


async def test_the_key_of_another_request_is_refused(client: httpx.AsyncClient, committed_database: Clone) -> None:
    await post(client, "k1", number=1)
    for again in (
        await post(client, "k1", number=2),
        await post(client, "k1", number=1, pause=0.0),
    ):
        assert (again.status_code, again.json()["code"]) == (422, "idempotency-key-reused")
        assert again.json()["errors"][0]["parameter"] == "Idempotency-Key"
    assert await effects(committed_database) == ["1"]


async def test_a_key_belongs_to_a_route_a_client_and_a_trust(service: Service, committed_database: Clone) -> None:
    async with (
        client_with(service) as one,
        client_with(service, client_id="another") as another,
        client_with(service, subject="person:another") as colleague,
        client_with(service, trust=OTHER_TRUST) as stranger,
    ):
        for client in (one, another, colleague, stranger):
            assert (await post(client, "k1", number=1)).status_code == 201
        assert (await post(one, "k1", "/notes/5/clear")).status_code == 204
        assert (await post(one, "k1", "/notes/6/clear")).json()["code"] == "idempotency-key-reused"
    assert await effects(committed_database) == ["1", "1", "1", "1", "cleared/5"]


async def test_an_answer_without_a_body_is_repeated_too(client: httpx.AsyncClient, committed_database: Clone) -> None:
    first, again = [await post(client, "k1", "/notes/5/clear") for _ in range(2)]
    assert (first.status_code, first.content, again.status_code, again.content) == (204, b"", 204, b"")
    assert await effects(committed_database) == ["cleared/5"]


@pytest.mark.parametrize(("body", "status"), [({"number": 409}, 409), ({"number": -1}, 422), ({"numbr": 1}, 422)])
async def test_a_request_that_failed_keeps_nothing(
    client: httpx.AsyncClient, committed_database: Clone, body: dict[str, Any], status: int
) -> None:
    assert (await post(client, "k1", **body)).status_code == status
    assert await effects(committed_database) == []
    assert (await post(client, "k1", number=1)).status_code == 201


async def test_who_waits_for_a_request_that_fails_has_the_effect_itself(
    client: httpx.AsyncClient, committed_database: Clone
) -> None:
    failing, waiting = await asyncio.gather(
        post(client, "k1", number=409, pause=0.3), _later(0.1, post(client, "k1", number=1))
    )
    assert (failing.status_code, waiting.status_code) == (409, 201)
    assert await effects(committed_database) == ["1"]


async def _later(seconds: float, request: Any) -> httpx.Response:
    await asyncio.sleep(seconds)
    response: httpx.Response = await request
    return response


@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "x" * 256, "tab\there"])
async def test_a_key_is_visible_ascii(client: httpx.AsyncClient, key: str) -> None:
    response = await client.post("/academy/v1/notes", json={"number": 1}, headers=[(b"Idempotency-Key", key.encode())])
    assert (response.status_code, response.json()["code"]) == (422, "idempotency-key-invalid")


async def test_two_keys_are_one_too_many(client: httpx.AsyncClient) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    response = await client.post("/academy/v1/notes", json={"number": 1}, headers=headers)
    assert response.json()["code"] == "idempotency-key-invalid"


async def test_who_may_not_write_gets_no_stored_answer(service: Service, client: httpx.AsyncClient) -> None:
    await post(client, "k1", number=1)
    async with client_with(service, scopes=["criteria:read"]) as demoted:
        refused = await post(demoted, "k1", number=1)
    assert refused.status_code == 403
    client.headers.pop("Authorization")
    assert (await post(client, "k1", number=1)).status_code == 401


@pytest.mark.parametrize(
    "first",
    [
        {"academies": [136105, 139148]},
        {},
        {"leads": [136105]},
        {"roles": ["trust-admin"]},
        {"scopes": ["criteria:write", "ratings:read"]},
    ],
)
async def test_an_answer_is_given_again_to_a_token_of_the_same_reach_alone(
    service: Service, committed_database: Clone, first: dict[str, Any]
) -> None:
    # Another token each time: what counts is its reach.
    async with client_with(service, **first) as one, client_with(service, **first) as again:
        assert (await post(one, "k1", number=1)).status_code == 201
        assert (await post(again, "k1", number=1)).headers["Idempotency-Replayed"] == "true"
    async with client_with(service, academies=[136105]) as other:
        refused = await post(other, "k1", number=1)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-key-reused")
    assert await effects(committed_database) == ["1"]


async def test_an_answer_of_the_release_before_is_given_again(
    client: httpx.AsyncClient, committed_database: Clone
) -> None:
    first = await post(client, "k1", number=1)
    body = first.request.content
    async with committed_database.admin() as admin:
        bare = fingerprint("POST", "/academy/v1/notes", "", body)
        await admin.execute("update academy.idempotency_key set fingerprint = $1", bare)
    again = await post(client, "k1", number=1)
    assert (again.headers["Idempotency-Replayed"], again.json()) == ("true", first.json())


async def test_what_changes_nothing_is_exempt(client: httpx.AsyncClient, service: Service) -> None:
    first, again = [await post(client, "k1", "/notes/lookup", number=1) for _ in range(2)]
    assert first.json()["id"] != again.json()["id"]
    paths = service.openapi()["paths"]

    def keys(path: str) -> list[str]:
        return [p["name"] for p in paths[path]["post"].get("parameters", []) if p["in"] == "header"]

    assert keys("/academy/v1/notes") == keys("/academy/v1/notes/{number}/clear") == ["Idempotency-Key"]
    assert keys("/academy/v1/notes/lookup") == []


async def test_keys_are_kept_for_a_day_and_then_forgotten(
    client: httpx.AsyncClient, database: Database, committed_database: Clone
) -> None:
    first = await post(client, "k1", number=1)
    async with committed_database.admin() as admin:
        left = await admin.fetchval("select min(expires_at) - now() > interval '24 hours' from academy.idempotency_key")
        assert left
        await admin.execute("update academy.idempotency_key set expires_at = now() - interval '1 second'")
    fresh = await post(client, "k1", number=2)
    assert (fresh.status_code, fresh.json()["number"]) == (201, 2)
    assert fresh.json()["id"] != first.json()["id"]
    assert (await post(client, "k1", number=2)).content == fresh.content


async def test_expired_keys_of_every_trust_are_purged_and_nothing_else(
    service: Service, database: Database, committed_database: Clone
) -> None:
    async with client_with(service) as one, client_with(service, trust=OTHER_TRUST) as other:
        for client in (one, other):
            await post(client, "old", number=1)
            await post(client, "new", number=2)
    async with committed_database.admin() as admin:
        await admin.execute("update academy.idempotency_key set expires_at = now() - '1 s'::interval where key = 'old'")
    connection = await database.connect()
    try:
        assert await purge(connection, "academy") == 2
        assert await purge(connection, "academy") == 0
    finally:
        await connection.close()
    async with committed_database.admin() as admin:
        assert [row["key"] for row in await admin.fetch("select key from academy.idempotency_key")] == ["new", "new"]


async def test_a_running_service_purges(
    client: httpx.AsyncClient, database: Database, committed_database: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "PURGE_SECONDS", 0.05)
    await post(client, "old", number=1)

    async def is_purged() -> bool:
        async with committed_database.admin() as admin:
            return not await admin.fetchval("select count(*) from academy.idempotency_key")

    async with idempotency.purging(database):
        async with committed_database.away():
            await asyncio.sleep(0.2)
        async with committed_database.admin() as admin:
            await admin.execute("update academy.idempotency_key set expires_at = now() - '1 s'::interval")
        await until(is_purged)


async def test_the_janitor_sees_nothing_and_the_app_isnt_the_janitor(
    client: httpx.AsyncClient, database: Database
) -> None:
    await post(client, "k1", number=1)
    connection = await database.connect()
    try:
        # Without a context and without the role: nothing to see, nothing to delete.
        assert await connection.execute("delete from idempotency_key") == "DELETE 0"
        await connection.execute("set role academy_janitor")
        with pytest.raises(Exception, match="permission denied"):
            await connection.fetch("select body from idempotency_key")
        with pytest.raises(Exception, match="permission denied"):
            await connection.fetch("select * from event")
        assert await connection.execute("delete from idempotency_key") == "DELETE 0"
    finally:
        await connection.close()


async def test_stored_answers_stay_within_their_trust(client: httpx.AsyncClient, database: Database) -> None:
    await post(client, "k1", number=1)
    async with database.session(Context(OTHER_TRUST, None, "x")) as session:
        assert (await session.execute(text("select count(*) from idempotency_key"))).scalar_one() == 0
    async with database.session(Context(PROSPERE, None, "x")) as session:
        assert (await session.execute(text("select count(*) from idempotency_key"))).scalar_one() == 1


def test_a_fingerprint_tells_requests_apart() -> None:
    prints = [
        fingerprint("POST", "/a", "", b"x"),
        fingerprint("PUT", "/a", "", b"x"),
        fingerprint("POST", "/b", "", b"x"),
        fingerprint("POST", "/a", "x", b""),
        fingerprint("POST", "/ax", "", b""),
        fingerprint("POST", "/a", "", b"y"),
    ]
    assert len(set(prints)) == len(prints)
    assert prints[0] == fingerprint("post", "/a", "", b"x")
