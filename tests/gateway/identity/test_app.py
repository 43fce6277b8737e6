"""The app as a whole: how it starts, and with what."""

from collections.abc import Callable
from typing import Any

from tests.gateway.identity.desk import Desk, said
from tests.support.clients import Clients
from tests.support.cluster import Cluster
from tests.support.databases import Clone, new_name


async def test_it_starts_on_a_database_that_is_not_migrated_and_says_so(
    cluster: Cluster, identity_on: Callable[..., Any]
) -> None:
    empty = Clone(cluster, new_name("empty"))
    await cluster.create(empty.name, "template0")
    try:
        async with identity_on(empty) as desk:
            assert (await desk.anybody.get("/healthz")).status_code == 200
            assert (await desk.anybody.get("/readyz")).status_code == 503
    finally:
        await cluster.drop(empty.name)


class Nowhere:
    """A database that nobody answers for."""

    def url(self, role: str) -> str:
        """Its address as one of the login roles."""
        return f"postgresql://{role}@/nothing?host=/nowhere"


async def test_it_starts_while_the_database_is_away_and_serves_when_it_is_back(
    committed_database: Clone, identity_on: Callable[..., Any], client: Clients
) -> None:
    credentials = {"client_id": "a", "client_secret": "b"}
    async with identity_on(Nowhere(), env="production") as desk:
        away = await desk.ask_as(credentials)
        assert (away.status_code, away.json()["code"]) == (503, "database-unavailable")
        assert (await desk.anybody.get("/readyz")).status_code == 503
        back = Desk(desk.app, client, committed_database.of("identity"))
        assert (await back.ask_as(credentials)).status_code == 401
        await back.aclose()


async def test_only_a_demo_has_tenants_from_the_start(
    committed_database: Clone, identity_on: Callable[..., Any]
) -> None:
    tenants = "select name from identity.tenant order by name"
    async with identity_on(committed_database, env="production"), committed_database.admin() as connection:
        assert await connection.fetch(tenants) == []
    for _ in range(2):
        async with identity_on(committed_database) as desk, committed_database.admin() as connection:
            names = [row["name"] for row in await connection.fetch(tenants)]
            assert names == ["Education and Leadership Trust", "Prospere Learning Trust"]
            answer = await desk.anybody.post("/identity/v1/demo-token", json={"role": "trustee"})
            async with await desk.holder(answer.json()["access_token"]) as holder:
                me = (await holder.get("/identity/v1/me")).json()
            assert me["subject"] == said(answer.json()["access_token"])["sub"] == "demo:trustee"
