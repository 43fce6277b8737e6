"""The change feed over HTTP: pages, waiting, who sees what, and cursors."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from pydantic import BaseModel
from sqlalchemy import text

from kit import cursors
from kit.database.sessions import Context, Database
from kit.events.epochs import epoch_problem
from kit.events.recording import NewEvent, record_events
from kit.ids import PLATFORM
from kit.key_ring import KeyRing
from kit.web.app import Service
from tests.support.clients import SECRET_KEY
from tests.support.databases import Clone
from tests.support.feed import ALL, HIDDEN, NOTED, PATH, WHOLE, NoteData, feed_service, note, raise_epoch
from tests.support.tokens import OTHER_TRUST, PROSPERE, issue_token

READER = {"scopes": ["events:read", "ratings:read"]}


@pytest.fixture
def database(committed_database: Clone) -> Database:
    """What academy sees of a database of this test's own."""
    return committed_database.of("academy")


@pytest.fixture
def service(database: Database, committed_database: Clone) -> Service:
    """A service with a feed."""
    return feed_service(database, committed_database.of("academy", "follower"))


def client_of(service: Service, **claims: Any) -> httpx.AsyncClient:
    """A reader of the feed."""
    token = issue_token(None, **{**READER, **claims})
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(service),
        base_url="http://test",
        headers={"Authorization": f"Bearer {token}"},
    )


@pytest_asyncio.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """A reader for all of a trust."""
    async with client_of(service) as found:
        yield found


def numbers(page: Any) -> list[int]:
    """Which events a page has."""
    return [item["data"]["number"] for item in page["items"]]


async def read(client: httpx.AsyncClient, **parameters: Any) -> Any:
    """One page."""
    response = await client.get(PATH, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


async def test_events_come_once_and_the_end_has_a_cursor(database: Database, client: httpx.AsyncClient) -> None:
    for number in range(5):
        await note(database, number)
    first = await read(client, limit=3)
    second = await read(client, limit=3, after=first["next"])
    end = await read(client, after=second["next"])
    assert (numbers(first), numbers(second), numbers(end)) == ([0, 1, 2], [3, 4], [])
    assert end["next"]
    await note(database, 5)
    assert numbers(await read(client, after=end["next"])) == [5]


async def test_an_event_is_a_cloudevent(database: Database, client: httpx.AsyncClient) -> None:
    await note(database, 7, urn=100001)
    response = await client.get(PATH)
    assert response.headers["content-type"] == "application/json"
    (event,) = response.json()["items"]
    assert event.pop("id").count("-") == 4
    assert event.pop("time").endswith("Z")
    assert event == {
        "specversion": "1.0",
        "source": "/academy/v1",
        "type": NOTED.type,
        "subject": "notes/7",
        "datacontenttype": "application/json",
        "trust": str(PROSPERE),
        "urn": 100001,
        "data": {"number": 7},
    }


async def test_many_events_of_one_transaction_keep_their_order(database: Database, client: httpx.AsyncClient) -> None:
    async with database.session(ALL) as session:
        await record_events(session, [NewEvent(NOTED, "n", None, NoteData(number=n)) for n in range(500)])
        await record_events(session, [])
    assert numbers(await read(client, limit=500)) == list(range(500))


async def test_an_event_carries_what_its_type_says(database: Database) -> None:
    class Other(NoteData):
        pass

    class Strange(BaseModel):
        pass

    async with database.session(ALL) as session:
        await record_events(session, [NewEvent(NOTED, "n", None, Other(number=1))])
        with pytest.raises(TypeError, match="carries NoteData"):
            await record_events(session, [NewEvent(NOTED, "n", None, Strange())])


async def test_a_trust_sees_its_own_events_only(service: Service, database: Database) -> None:
    await note(database, 1)
    await note(database, 2, context=Context(OTHER_TRUST, None, "person:other"))
    await note(database, 3, context=Context(PLATFORM, None, "person:operator"))
    async with client_of(service) as own, client_of(service, trust=OTHER_TRUST) as other:
        assert (numbers(await read(own)), numbers(await read(other))) == ([1], [2])
    async with client_of(service, trust=None) as operator:
        assert numbers(await read(operator)) == [3]


async def test_a_grant_for_some_academies_shows_their_events_and_the_trusts(
    service: Service, database: Database
) -> None:
    await note(database, 1, urn=100001)
    await note(database, 2, urn=100002)
    await note(database, 3, urn=None)
    async with client_of(service, academies=[100001]) as head, client_of(service, academies=[]) as nobody:
        assert (numbers(await read(head)), numbers(await read(nobody))) == ([1, 3], [3])


async def test_what_concerns_the_whole_trust_alone_is_hidden_from_a_grant_for_some_academies(
    service: Service, database: Database
) -> None:
    await note(database, 1)
    await note(database, 2, event_type=WHOLE)
    async with client_of(service) as chief, client_of(service, academies=[100001]) as head:
        assert (numbers(await read(chief)), numbers(await read(head))) == ([1, 2], [1])
        assert (numbers(await read(chief, types=WHOLE.type)), numbers(await read(head, types=WHOLE.type))) == ([2], [])


async def test_a_type_is_shown_to_who_may_read_it(service: Service, database: Database) -> None:
    await note(database, 1)
    await note(database, 2, event_type=HIDDEN)
    async with client_of(service) as reader, client_of(service, scopes=["events:read", "identity:read"]) as admin:
        assert (numbers(await read(reader)), numbers(await read(admin))) == ([1], [2])
        refused = await reader.get(PATH, params={"types": HIDDEN.type})
        assert (refused.status_code, refused.json()["code"]) == (403, "insufficient-scope")


async def test_types_can_be_chosen_and_unknown_ones_are_named(client: httpx.AsyncClient, database: Database) -> None:
    await note(database, 1)
    assert numbers(await read(client, types=NOTED.type)) == [1]
    wrong = await client.get(PATH, params={"types": [NOTED.type, "org.trellis.academy.nothing.v1"]})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "event-type-unknown")
    assert wrong.json()["errors"][0]["pointer"] == "/query/types"


async def test_a_reader_of_few_types_doesnt_pass_over_the_others_each_time(
    client: httpx.AsyncClient, database: Database
) -> None:
    await note(database, 1, event_type=HIDDEN)
    skipped = (await read(client))["next"]
    await note(database, 2)
    assert numbers(await read(client, after=skipped)) == [2]
    payload = base64.urlsafe_b64decode(skipped + "==")[16:]
    assert orjson.loads(payload)[3] > 0


async def test_without_the_scope_there_is_no_feed(service: Service) -> None:
    async with client_of(service, scopes=["ratings:read"]) as stranger:
        response = await stranger.get(PATH)
    assert (response.status_code, response.json()["code"]) == (403, "insufficient-scope")


async def test_now_is_the_present_end(client: httpx.AsyncClient, database: Database) -> None:
    await note(database, 1, event_type=HIDDEN)
    await note(database, 2)
    page = await read(client, after="now")
    assert numbers(page) == []
    await note(database, 3)
    assert numbers(await read(client, after=page["next"])) == [3]


@pytest.mark.parametrize(
    "change", [lambda c: c[:-2], lambda c: ("B" if c[0] == "A" else "A") + c[1:], lambda _: "x", lambda _: "!!"]
)
async def test_a_changed_cursor_is_refused(client: httpx.AsyncClient, database: Database, change: Any) -> None:
    await note(database, 1)
    cursor = (await read(client))["next"]
    response = await client.get(PATH, params={"after": change(cursor)})
    assert (response.status_code, response.json()["code"]) == (400, "invalid-cursor")


async def test_a_cursor_of_another_trust_is_refused(service: Service, database: Database) -> None:
    await note(database, 1)
    async with client_of(service) as own, client_of(service, trust=OTHER_TRUST) as other:
        cursor = (await read(own))["next"]
        assert (await other.get(PATH, params={"after": cursor})).status_code == 400


async def test_after_a_raised_epoch_readers_start_again(
    client: httpx.AsyncClient, database: Database, committed_database: Clone
) -> None:
    await note(database, 1)
    before = (await read(client))["next"]
    await raise_epoch(committed_database.admin_url, ["academy"])
    gone = await client.get(PATH, params={"after": before})
    assert (gone.status_code, gone.json()["code"], gone.json()["restart"]) == (410, "feed-restarted", PATH)
    await note(database, 2)
    page = await read(client)
    assert numbers(page) == [1, 2]
    assert numbers(await read(client, after=page["next"])) == []


async def test_a_cursor_of_another_cluster_is_refused(client: httpx.AsyncClient, database: Database) -> None:
    with cursors.signing(KeyRing.of([SECRET_KEY])):
        foreign = cursors.encode("events", ["7000000000000000000", 1, 1, 5, 5], tenant=PROSPERE)
    assert (await client.get(PATH, params={"after": foreign})).status_code == 410


async def test_a_database_from_another_cluster_isnt_served_before_its_epoch_is_raised(
    database: Database, committed_database: Clone
) -> None:
    assert await epoch_problem(database) is None
    async with committed_database.admin() as admin:
        await admin.execute("update academy.feed_epoch set system_identifier = '7000000000000000000'")
    assert "restored from another cluster" in str(await epoch_problem(database))
    await raise_epoch(committed_database.admin_url, ["academy"])
    assert await epoch_problem(database) is None


async def test_waiting_ends_with_the_next_event(
    client: httpx.AsyncClient, database: Database, committed_database: Clone
) -> None:
    """... also when another process tells it."""
    await note(database, 1)
    place = (await read(client))["next"]
    other_process = committed_database.new("academy")
    try:
        waiting = asyncio.create_task(read(client, after=place, wait=20))
        await asyncio.sleep(0.3)
        began = time.monotonic()
        await note(other_process, 2)
        assert numbers(await waiting) == [2]
        assert time.monotonic() - began < 1
    finally:
        await other_process.dispose()


async def test_waiting_in_vain_ends_after_its_time(client: httpx.AsyncClient) -> None:
    began = time.monotonic()
    page = await read(client, wait=1)
    assert numbers(page) == []
    assert 0.9 < time.monotonic() - began < 3


async def test_waiting_ends_when_the_process_is_asked_to_stop(service: Service, client: httpx.AsyncClient) -> None:
    waiting = asyncio.create_task(read(client, wait=20))
    await asyncio.sleep(0.2)
    began = time.monotonic()
    service.state.tools.closing.begin()
    assert numbers(await waiting) == []
    assert time.monotonic() - began < 1


async def test_an_event_behind_an_older_open_transaction_waits_for_it(
    client: httpx.AsyncClient, database: Database, committed_database: Clone
) -> None:
    async with committed_database.admin() as admin:
        older = admin.transaction()
        await older.start()
        await admin.execute("select pg_current_xact_id()")
        await note(database, 1)
        assert numbers(await read(client)) == []
        waiting = asyncio.create_task(read(client, wait=20))
        await asyncio.sleep(0.2)
        await older.rollback()
    assert numbers(await asyncio.wait_for(waiting, 5)) == [1]


async def test_a_follower_reads_across_trusts_and_nothing_but_events(
    service: Service, database: Database, committed_database: Clone
) -> None:
    await note(database, 1)
    await note(database, 2, context=Context(OTHER_TRUST, None, "x"), event_type=HIDDEN)
    async with client_of(service, trust=None, scopes=["events:read", "events:follow"]) as follower:
        page = await read(follower)
        assert numbers(page) == [1, 2]
        assert {item["trust"] for item in page["items"]} == {str(PROSPERE), str(OTHER_TRUST)}
        assert numbers(await read(follower, after=page["next"])) == []
    role = committed_database.of("academy", "follower")
    for statement in (
        "select * from idempotency_key",
        "select * from procrastinate_jobs",
        "delete from event",
        "update event set urn = 1",
        "insert into event (trust_id, subject) values (gen_random_uuid(), '')",
    ):
        with pytest.raises(Exception, match="permission denied"):
            async with role.session(ALL) as session:
                await session.execute(text(statement))


async def test_told_events_are_never_changed(database: Database) -> None:
    await note(database, 1)
    for statement in ("delete from event", "update event set urn = 1"):
        with pytest.raises(Exception, match="permission denied"):
            async with database.session(ALL) as session:
                await session.execute(text(statement))


@pytest.mark.parametrize(
    "parameters", [{"limit": 0}, {"limit": 501}, {"wait": 31}, {"wait": -1}, {"since": "x"}, {"after": ""}]
)
async def test_wrong_parameters_are_named(client: httpx.AsyncClient, parameters: dict[str, Any]) -> None:
    response = await client.get(PATH, params=parameters)
    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == next(iter(parameters))
