"""Sending files and having them read, on a database where commits are commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from academy.criteria.queries import trusts_here
from academy.definition import ACADEMY
from kit.workers.worker import Worker
from tests.academy.rated import rerate
from tests.support.clients import Clients
from tests.support.databases import Clone
from tests.support.tokens import PROSPERE

IMPORTS = "/academy/v1/imports"


@dataclass
class Workbench:
    """One test's database, its clients and its worker."""

    clients: Clients
    database: Clone

    async def client(self, role: str = "data-manager", **claims: Any) -> httpx.AsyncClient:
        """A client with a token of this role."""
        if role == "platform-operator":
            claims.setdefault("trust", None)
        return await self.clients("academy", role, **claims)

    def worker(self) -> Worker:
        """The service's own worker."""
        databases = {name: self.database.of("academy", name) for name in ("app", "loader")}
        return Worker("academy", ACADEMY.tasks, databases, tenants=trusts_here)

    async def work(self) -> None:
        """Do all that is queued, and what that queues."""
        await self.worker().drain()

    async def send(
        self,
        client: httpx.AsyncClient,
        kind: str,
        content: bytes | str,
        *,
        media_type: str = "text/csv",
        headers: dict[str, str] | None = None,
        **params: Any,
    ) -> httpx.Response:
        """Send a file."""
        return await client.post(
            IMPORTS,
            params={"kind": kind, **params},
            content=content,
            headers={"Content-Type": media_type, **(headers or {})},
        )

    async def load(self, client: httpx.AsyncClient, kind: str, content: bytes | str, **more: Any) -> dict[str, Any]:
        """Send a file, have it read, and give the import as it ended."""
        response = await self.send(client, kind, content, **more)
        assert response.status_code == 202, response.text
        await self.work()
        ended = await client.get(response.headers["Location"])
        body: dict[str, Any] = ended.json()
        return body

    async def rows(self, statement: str, *arguments: Any) -> list[dict[str, Any]]:
        """What the superuser sees."""
        async with self.database.admin() as connection:
            return [dict(row) for row in await connection.fetch(statement, *arguments)]

    async def value(self, statement: str, *arguments: Any) -> Any:
        """The first value that the superuser sees."""
        async with self.database.admin() as connection:
            return await connection.fetchval(statement, *arguments)

    async def execute(self, statement: str, *arguments: Any) -> None:
        """Something that the superuser does."""
        async with self.database.admin() as connection:
            await connection.execute(statement, *arguments)

    async def rate(self, *trusts: UUID) -> None:
        """Let these trusts be ones that rate their academies, and have begun to."""
        for trust in trusts or (PROSPERE,):
            await self.execute("insert into academy.rated_trust values ($1, now()) on conflict do nothing", trust)
            await rerate(self.database, trust)

    async def jobs(self, task: str) -> list[dict[str, Any]]:
        """Jobs of a task, as they were queued."""
        return await self.rows(
            "select args, status::text from academy.procrastinate_jobs where task_name = $1 order by id", task
        )

    async def events(self, trust: UUID = PROSPERE) -> list[tuple[str, str]]:
        """Type (its short name) and subject of a trust's events, in order."""
        rows = await self.rows("select type, subject from academy.event where trust_id = $1 order by xid, seq", trust)
        return [(row["type"].removeprefix("org.trellis.academy.").removesuffix(".v1"), row["subject"]) for row in rows]


@pytest.fixture
def bench(committed_client: Clients, committed_database: Clone) -> Workbench:
    """Clients, a worker and a database of the test's own."""
    return Workbench(committed_client, committed_database)


def csv(rows: Sequence[Sequence[object]], header: str = "urn,measure,academic_year,value") -> str:
    """A small file of figures."""
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"
