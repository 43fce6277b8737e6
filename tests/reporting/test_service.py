"""Reporting stands: health, readiness, a feed and a contract, and nothing else yet."""

from tests.support.clients import Clients
from tests.support.databases import Clone

FEED = "/reporting/v1/events"


async def test_feed_is_there_and_empty(client: Clients) -> None:
    reader = await client("reporting", scopes=["events:read"])
    body = (await reader.get(FEED)).json()
    assert body["items"] == []
    again = await reader.get(FEED, params={"after": body["next"], "wait": 0})
    assert again.json()["items"] == []


async def test_feed_needs_a_token_and_its_scope(client: Clients) -> None:
    nobody = await client("reporting")
    assert (await nobody.get(FEED)).status_code == 401
    other = await client("reporting", scopes=["academies:read"])
    assert (await other.get(FEED)).status_code == 403


async def test_ready_on_its_own_schema(committed_client: Clients, committed_database: Clone) -> None:
    caller = await committed_client("reporting")
    assert (await caller.get("/healthz")).status_code == 200
    assert (await caller.get("/readyz")).json()["checks"] == {"database": "ok", "keys": "ok"}


async def test_there_is_nothing_else_yet(client: Clients) -> None:
    reader = await client("reporting", scopes=["events:read"])
    assert (await reader.get("/reporting/v1/anything")).status_code == 404
