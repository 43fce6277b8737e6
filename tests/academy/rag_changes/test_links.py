"""A feed of changes behind a link: who may make one, what it shows, and what it never shows."""

import asyncio
import io
import json
from contextlib import redirect_stdout
from datetime import UTC, datetime
from typing import Any

import feedparser
import httpx
import pytest

from kit.database.sessions import Context
from kit.links.service import MOST_LINKS
from kit.links.tokens import new_token, secret_of
from tests.academy.moderations.test_routes import moderate
from tests.academy.rated import AMBER, GREEN, RED, add_england, add_rated_trust, change_figure, publish, rerate
from tests.conftest import Clock
from tests.support.clients import Clients
from tests.support.databases import Clone, Sandbox
from tests.support.tokens import OTHER_TRUST, PROSPERE

LINKS = "/academy/v1/links"
SHARED = "/academy/v1/shared"


@pytest.fixture
async def rated(client: Clients, database: Sandbox, clock: Clock) -> Clock:
    """A rated trust at noon on 1 October 2025."""
    async with database.admin() as session:
        await add_rated_trust(session)
        await add_england(session)
    await publish(await client("academy", "chief-executive"))
    await rerate(database)
    return clock


async def make(maker: httpx.AsyncClient, expires_on: str = "2025-10-31", **parameters: Any) -> httpx.Response:
    body = {"resource": "rag-changes", "expires_on": expires_on, "parameters": parameters}
    return await maker.post(LINKS, json=body)


async def path_of(maker: httpx.AsyncClient, **more: Any) -> str:
    made = await make(maker, **more)
    assert made.status_code == 201, made.text
    return httpx.URL(made.json()["url"]).path


async def entries(client: Clients, path: str) -> list[str]:
    """The titles of a feed, as a reader without an account gets them."""
    got = await (await client("academy")).get(path)
    assert got.status_code == 200, got.text
    read = feedparser.parse(got.content)
    assert not read.bozo
    return [entry.title for entry in read.entries]


@pytest.mark.usefixtures("rated")
async def test_a_feed_reader_needs_nothing_but_the_url(client: Clients, database: Sandbox) -> None:
    chief = await client("academy", "chief-executive")
    made = await make(chief)
    out = made.json()
    assert (out["state"], out["academies"], out["created_by"]) == ("active", None, "person:chief-executive")
    assert made.headers["location"] == f"{LINKS}/{out['id']}"
    assert made.headers["cache-control"] == "no-store"
    path = httpx.URL(out["url"]).path
    reader = await client("academy")
    got = await reader.get(path)
    assert got.headers["content-type"].startswith("application/atom+xml")
    assert {name: got.headers[name] for name in ("referrer-policy", "x-robots-tag", "cache-control")} == {
        "referrer-policy": "no-referrer",
        "x-robots-tag": "noindex",
        "cache-control": "private, no-cache",
    }
    read = feedparser.parse(got.content)
    assert read.version == "atom10"
    assert sorted(entry.title for entry in read.entries) == [
        "A School: first rated green",
        "B School: first rated amber",
        "C School: first rated red",
    ]
    async with database.admin() as session:
        events = await (await session.connection()).exec_driver_sql("select id from academy.event")
        assert {entry.id for entry in read.entries} <= {f"urn:uuid:{row[0]}" for row in events}
    # Nothing of the secret is in the feed: readers keep copies.
    assert path.rpartition("/")[2].encode() not in got.content
    again = await reader.get(path, headers={"If-None-Match": got.headers["etag"]})
    assert (again.status_code, again.content, again.headers["x-robots-tag"]) == (304, b"", "noindex")
    head = await reader.head(path)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", got.headers["etag"])


async def test_changes_come_newest_first_without_what_people_wrote(
    client: Clients, database: Sandbox, rated: Clock
) -> None:
    chief = await client("academy", "chief-executive")
    path = await path_of(chief)
    first = feedparser.parse((await (await client("academy")).get(path)).content)
    assert (await moderate(chief)).status_code == 201
    async with database.admin() as session:
        await change_figure(session, AMBER, 47.0)
        await change_figure(session, RED, 47.5)
    rated.advance(hours=1)
    await rerate(database)
    got = await (await client("academy")).get(path)
    read = feedparser.parse(got.content)
    titles = [entry.title for entry in read.entries]
    assert sorted(titles[:2]) == ["B School: amber to green", "C School: figures now say green, the override stays"]
    assert titles[2] == "C School: red to amber"
    assert [entry.id for entry in read.entries[3:]] == [entry.id for entry in first.entries]
    assert read.feed.updated == "2025-10-01T13:00:00Z"
    assert b"cohort joined" not in got.content
    # The first token has expired meanwhile; the link has not.
    later = await client("academy", "chief-executive")
    assert await entries(client, await path_of(later, urn=AMBER, limit=1)) == ["B School: amber to green"]


@pytest.mark.usefixtures("rated")
async def test_a_link_shows_what_its_maker_may_see_and_no_more(client: Clients) -> None:
    head = await client("academy", "headteacher", academies=[GREEN], leads=[GREEN])
    mine = await path_of(head)
    assert await entries(client, mine) == ["A School: first rated green"]
    hidden = await make(head, urn=RED)
    assert (hidden.status_code, hidden.json()["errors"][0]["pointer"]) == (422, "#/parameters/urn")
    # A caller with more rights who opens it sees no more either.
    chief = await client("academy", "chief-executive")
    assert len(feedparser.parse((await chief.get(mine)).content).entries) == 1
    nobody = await client("academy", "headteacher", academies=[])
    assert await entries(client, await path_of(nobody)) == []


@pytest.mark.usefixtures("rated")
async def test_links_are_listed_and_ended_by_who_made_them_and_by_administrators(client: Clients) -> None:
    chief, trustee = await client("academy", "chief-executive"), await client("academy", "trustee")
    admin, stranger = await client("academy", "trust-admin"), await client("academy", "trust-admin", trust=OTHER_TRUST)
    path = await path_of(chief)
    (listed,) = (await chief.get(LINKS)).json()["items"]
    assert "url" not in listed
    place = f"{LINKS}/{listed['id']}"
    for other in (trustee, stranger):
        assert (await other.get(LINKS)).json()["items"] == []
        assert (await other.get(place)).status_code == 404
        assert (await other.delete(place)).status_code == 404
    assert (await admin.get(LINKS)).json()["items"] == [listed]
    assert await entries(client, path)
    assert (await admin.delete(place)).status_code == 204
    reader = await client("academy")
    assert (await reader.get(path)).status_code == 404
    ended = (await chief.get(place)).json()
    assert (ended["state"], ended["ended_by"]) == ("ended", "person:trust-admin")
    assert (await chief.delete(place)).status_code == 204
    assert (await chief.get(place)).json() == ended


async def test_a_link_ends_with_its_last_day_in_london(client: Clients, rated: Clock) -> None:
    path = await path_of(await client("academy", "chief-executive"), expires_on="2025-10-31")
    # Clocks went back on 26 October: midnight in London is midnight in UTC.
    rated.set(datetime(2025, 10, 31, 23, 59, 59, tzinfo=UTC))
    assert await entries(client, path)
    rated.set(datetime(2025, 11, 1, tzinfo=UTC))
    assert (await (await client("academy")).get(path)).status_code == 404


async def test_what_shows_nothing_looks_the_same_for_whatever_reason(client: Clients, rated: Clock) -> None:
    chief = await client("academy", "chief-executive")
    ended, expired, good = await path_of(chief), await path_of(chief, expires_on="2025-10-02"), await path_of(chief)
    newest = (await chief.get(LINKS)).json()["items"]
    await chief.delete(f"{LINKS}/{newest[2]['id']}")
    rated.set(datetime(2025, 10, 5, tzinfo=UTC))
    token = good.rpartition("/")[2]
    flipped = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    paths = [
        ended,
        expired,
        f"{SHARED}/{new_token(PROSPERE)}",
        f"{SHARED}/{new_token(OTHER_TRUST)}",
        f"{SHARED}/{flipped}",
        f"{SHARED}/{token[:63]}",
        f"{SHARED}/{token}A",
        f"{SHARED}/{secret_of(token).sha256.hex()}",
        f"{SHARED}/%{ord(token[0]):02x}{token[1:]}",
        f"{SHARED}/x",
    ]
    reader = await client("academy")
    answers = [await reader.get(path) for path in paths]
    bodies = [{**answer.json(), "trace_id": None} for answer in answers]
    assert [answer.status_code for answer in answers] == [404] * len(paths)
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["instance"] == f"{SHARED}/[token]"
    assert {answer.headers["x-robots-tag"] for answer in answers} == {"noindex"}
    assert (await reader.get(good)).status_code == 200


@pytest.mark.usefixtures("rated")
async def test_no_other_method_gets_past_the_token(client: Clients) -> None:
    path = await path_of(await client("academy", "chief-executive"))
    reader = await client("academy")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = await reader.request(method, path, headers={"X-HTTP-Method-Override": "GET"})
        assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert (await reader.get(path, params={"urn": RED})).status_code == 422
    assert (await reader.get(LINKS)).status_code == 401
    for method in ("GET", "DELETE"):
        token = path.rpartition("/")[2]
        answer = await reader.request(
            method, f"{LINKS}/01900000-0000-7000-8000-000000000000", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 401


@pytest.mark.usefixtures("rated")
async def test_links_that_cant_be_made(client: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    chief = await client("academy", "chief-executive")
    for day in ("2025-09-30", "2026-11-06"):
        answer = await make(chief, expires_on=day)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/expires_on")
    assert (await make(chief, expires_on="2026-11-05")).status_code == 201
    wrong = await make(chief, colour="red")
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "#/parameters/colour")
    # A mistyped URN would be an empty feed for as long as the link lives.
    mistyped = await make(chief, urn=GREEN + 9)
    assert (mistyped.status_code, mistyped.json()["errors"][0]["code"]) == (422, "academy_not_found")
    unknown = await chief.post(LINKS, json={"resource": "ratings", "expires_on": "2025-10-31"})
    assert unknown.status_code == 422
    # It may make links, and read nothing that this one shows.
    admin = await client("academy", "trust-admin")
    answer = await make(admin)
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient-scope")
    for role in ("auditor", "status-reader", "governor", "research-lead"):
        assert (await make(await client("academy", role))).status_code == 403
    monkeypatch.setattr("kit.links.service.MOST_LINKS", 1)
    assert MOST_LINKS == 100
    full = await make(chief)
    assert (full.status_code, full.json()["code"]) == (409, "too-many-links")


@pytest.mark.usefixtures("clock")
async def test_nobody_has_more_links_than_the_most_when_they_are_made_at_once(
    committed_client: Clients, committed_database: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kit.links.service.MOST_LINKS", 1)
    chief = await committed_client("academy", "chief-executive")
    async with committed_database.admin() as admin:
        await admin.execute("begin; lock table academy.shared_link in exclusive mode")
        making = asyncio.gather(make(chief), make(chief))
        async with asyncio.timeout(20):
            # Neither goes on before both have counted, or wait to.
            while await admin.fetchval("select count(*) from pg_locks where not granted") < 2:
                await admin.execute("select pg_sleep(0.01)")
        await admin.execute("rollback")
        answers = await making
    assert sorted(answer.status_code for answer in answers) == [201, 409]


@pytest.mark.usefixtures("rated")
async def test_no_token_is_stored_or_logged(client: Clients, database: Sandbox) -> None:
    chief = await client("academy", "chief-executive")
    path = await path_of(chief)
    token = path.rpartition("/")[2]
    async with database.admin() as session:
        rows = await (await session.connection()).exec_driver_sql("select l::text from academy.shared_link l")
        stored = " ".join(row[0] for row in rows)
    assert token not in stored
    assert secret_of(token).sha256.hex() in stored
    written = io.StringIO()
    with redirect_stdout(written):
        reader = await client("academy")
        await reader.get(path)
        await reader.get(f"{path}x")
    assert token not in written.getvalue()


@pytest.mark.usefixtures("rated")
async def test_links_are_under_row_level_security(client: Clients, database: Sandbox) -> None:
    await path_of(await client("academy", "chief-executive"))
    for trust, seen in ((PROSPERE, 1), (OTHER_TRUST, 0)):
        async with database.of("academy").connection(Context(trust, None, "x")) as connection:
            assert await connection.fetchval("select count(*) from shared_link") == seen


@pytest.mark.usefixtures("rated")
async def test_a_page_of_links_leads_to_the_next(client: Clients) -> None:
    chief = await client("academy", "chief-executive")
    for _ in range(3):
        await path_of(chief)
    first = await chief.get(LINKS, params={"limit": 2})
    second = await chief.get(LINKS, params={"limit": 2, "cursor": first.json()["next"]})
    ids = [item["id"] for page in (first, second) for item in page.json()["items"]]
    assert len(set(ids)) == 3
    assert second.json()["next"] is None
    assert json.dumps(first.json()).count("shared/") == 0
