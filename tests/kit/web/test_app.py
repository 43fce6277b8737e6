"""A whole service on a real database: outages and their end, state, the life of the process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter, Depends, FastAPI
from pydantic import BaseModel, Field
from sqlalchemy import text

from kit.database import sessions as db
from kit.database.sessions import Context
from kit.identity.callers import Caller
from kit.identity.keys import RemoteKeys, StaticKeys
from kit.web.app import Service, create_service
from kit.web.security import requires
from kit.web.sessions import SessionDep
from tests.kit.sample import sample_client, sample_settings
from tests.support.databases import Clone
from tests.support.tokens import PROSPERE, trusted_keys

router = APIRouter(prefix="/rows", tags=["rows"])
Reader = Annotated[Caller, requires("things:read")]


class Row(BaseModel):
    """Something out of the database."""

    number: int
    tenant: str


class RowCreate(BaseModel, extra="forbid"):
    """Something for the database."""

    number: int = Field(description="Of any size, which no column has.")


async def name_of_the_house() -> str:
    """To be overridden."""
    return "house"


@router.get("")
async def row_view(session: SessionDep, caller: Reader) -> Row:
    """Read something."""
    tenant = (await session.execute(text("select current_setting('app.trust_id')"))).scalar_one()
    return Row(number=1, tenant=tenant)


@router.get("/slow")
async def row_wait(session: SessionDep, caller: Reader) -> Row:
    """Read something slowly."""
    await session.execute(text("select pg_sleep(1)"))
    return Row(number=1, tenant="slow")


@router.post("")
async def row_create(body: RowCreate, session: SessionDep, caller: Reader) -> Row:
    """Keep something in a column of four bytes."""
    number = (await session.execute(text("select cast(:number as int)"), {"number": body.number})).scalar_one()
    return Row(number=number, tenant="")


@router.get("/named")
async def row_name(house: Annotated[str, Depends(name_of_the_house)]) -> Row:
    """Something that depends on something."""
    return Row(number=0, tenant=house)


def service(clone: Clone, pool_size: int = 8) -> Service:
    """A service on a clone."""
    settings = sample_settings(service="academy", database_url=clone.url("academy_app"), database_pool_size=pool_size)
    return create_service(
        settings, title="Rows", description="Rows.", routers=[router], keys=trusted_keys(), event_types=[]
    )


@pytest_asyncio.fixture
async def rows(committed_database: Clone) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service on a database of the test's own."""
    app = service(committed_database, pool_size=2)
    async with app.router.lifespan_context(app), sample_client(app) as client:
        yield client


async def test_session_sees_what_its_caller_may(rows: httpx.AsyncClient) -> None:
    assert (await rows.get("/academy/v1/rows")).json() == {"number": 1, "tenant": str(PROSPERE)}


async def test_database_that_goes_away_is_503_and_its_return_needs_no_restart(
    rows: httpx.AsyncClient, committed_database: Clone
) -> None:
    assert (await rows.get("/academy/v1/rows")).status_code == 200
    async with committed_database.away():
        for _ in range(3):
            answer = await rows.get("/academy/v1/rows")
            assert (answer.status_code, answer.json()["code"]) == (503, "database-unavailable")
            assert int(answer.headers["retry-after"]) > 0
        assert (await rows.get("/readyz")).status_code == 503
        assert (await rows.get("/healthz")).status_code == 200
    assert (await rows.get("/academy/v1/rows")).status_code == 200
    assert (await rows.get("/readyz")).status_code == 200


async def test_connection_cut_in_the_middle_is_503(rows: httpx.AsyncClient, committed_database: Clone) -> None:
    waiting = asyncio.create_task(rows.get("/academy/v1/rows/slow"))
    await asyncio.sleep(0.3)
    async with committed_database.admin() as admin:
        await admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where query like '%pg_sleep%' and pid <> pg_backend_pid()"
        )
    assert (await waiting).status_code == 503
    assert (await rows.get("/academy/v1/rows")).status_code == 200


async def test_pool_without_a_free_connection_is_503(
    committed_database: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "CHECKOUT_SECONDS", 0.05)
    app = service(committed_database, pool_size=1)
    async with app.router.lifespan_context(app), sample_client(app) as client:
        async with app.state.tools.database.session(Context(PROSPERE, None, "holder")):
            answer = await client.get("/academy/v1/rows")
        assert (answer.status_code, answer.json()["code"]) == (503, "database-unavailable")
        assert (await client.get("/academy/v1/rows")).status_code == 200


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**63, 10**30])
async def test_number_that_no_column_holds_is_422(rows: httpx.AsyncClient, number: int) -> None:
    answer = await rows.post("/academy/v1/rows", json={"number": number})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert str(number) not in answer.text
    assert (await rows.post("/academy/v1/rows", json={"number": 5})).json()["number"] == 5


async def test_what_is_wrong_with_the_query_is_told_before_the_database_is_asked(
    committed_database: Clone,
) -> None:
    async with sample_client(service(committed_database)) as client, committed_database.away():
        assert (await client.get("/academy/v1/rows?x=1")).status_code == 422


async def test_feed_is_there_and_empty(rows: httpx.AsyncClient, committed_database: Clone) -> None:
    async with sample_client(service(committed_database), scopes=("events:read",)) as client:
        body = (await client.get("/academy/v1/events")).json()
    assert body["items"] == []
    assert body["next"]


async def test_dependencies_can_be_overridden(committed_database: Clone) -> None:
    app = service(committed_database)
    app.dependency_overrides[name_of_the_house] = lambda: "other house"
    async with sample_client(app) as client:
        assert (await client.get("/academy/v1/rows/named")).json()["tenant"] == "other house"


async def test_life_of_the_process() -> None:
    told: list[str] = []

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        told.append("began")
        yield
        assert app.state.tools.closing.requested is False
        told.append("ended")

    app = create_service(
        sample_settings(), title="Rows", description="Rows.", routers=[router], lifespan=life, keys=trusted_keys()
    )
    async with app.router.lifespan_context(app):
        assert told == ["began"]
    assert told == ["began", "ended"]
    assert app.state.tools.closing.requested


async def test_keys_come_from_the_issuer_unless_they_are_given() -> None:
    app = create_service(sample_settings(), title="Rows", description="Rows.", routers=[router])
    assert isinstance(app.state.tools.keys, RemoteKeys)
    async with app.router.lifespan_context(app):
        pass
    given = create_service(
        sample_settings(), title="Rows", description="Rows.", routers=[router], keys=StaticKeys({"keys": []})
    )
    assert isinstance(given.state.tools.keys, StaticKeys)


async def test_followers_have_a_connection_of_their_own(committed_database: Clone) -> None:
    settings = sample_settings(
        service="academy",
        database_url=committed_database.url("academy_app"),
        follower_database_url=committed_database.url("academy_follower"),
    )
    with_feed = create_service(settings, title="Rows", description="Rows.", routers=[router], event_types=[])
    assert with_feed.state.tools.follower_database.url == committed_database.url("academy_follower")
    without = create_service(settings, title="Rows", description="Rows.", routers=[router])
    assert without.state.tools.follower_database is None


def test_what_belongs_to_no_prefix_stands_at_the_root() -> None:
    root = APIRouter(tags=["keys"])

    @root.get("/.well-known/rows.json")
    async def rows_view() -> Row:
        """A well-known document."""
        raise NotImplementedError

    app = create_service(
        sample_settings(), title="Rows", description="Rows.", routers=[router], root_routers=[root], keys=trusted_keys()
    )
    assert "/.well-known/rows.json" in app.openapi()["paths"]
