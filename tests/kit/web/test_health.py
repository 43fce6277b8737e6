"""Alive is not ready."""

import asyncio
from typing import Any

import pytest

from kit import readiness
from kit.database.outages import DatabaseUnavailable
from kit.identity.keys import KeysUnavailable
from kit.schema.chains import Chain
from kit.web.app import Service, create_service
from tests.kit.sample import router, sample_client, sample_settings
from tests.support.databases import Clone
from tests.support.tokens import trusted_keys


def service(database_url: str | None = None, **arguments: Any) -> Service:
    """A service with its own checks."""
    changes = {"database_url": database_url} if database_url else {}
    return create_service(
        sample_settings(**changes),
        title="Sample",
        description="For health.",
        routers=[router],
        **{"keys": trusted_keys(), "chain": Chain("academy", "academy"), **arguments},
    )


async def ready(app: Service) -> tuple[int, dict[str, Any]]:
    """What `/readyz` says."""
    async with sample_client(app, scopes=None) as client:
        answer = await client.get("/readyz")
        assert answer.headers["cache-control"] == "no-store"
        return answer.status_code, answer.json()


async def test_alive_needs_nothing(sample: Service) -> None:
    async with sample_client(sample, scopes=None) as client:
        answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


async def test_ready_with_the_migrated_database(worker_database: Clone) -> None:
    app = service(worker_database.url("academy_app"))
    assert await ready(app) == (200, {"status": "ready", "checks": {"database": "ok", "keys": "ok"}})
    await app.state.tools.database.dispose()


async def test_unready_before_its_migrations(worker_database: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kit.schema.chains.head", lambda _: "9999_not_yet")
    app = service(worker_database.url("academy_app"))
    status, body = await ready(app)
    assert status == 503
    assert "this code needs 9999_not_yet" in body["checks"]["database"]
    await app.state.tools.database.dispose()


async def test_unready_when_restored_from_another_cluster(committed_database: Clone) -> None:
    app = service(committed_database.url("academy_app"), event_types=[])
    assert (await ready(app))[0] == 200
    async with committed_database.admin() as admin:
        await admin.execute("update academy.feed_epoch set system_identifier = '7000000000000000000'")
    _, body = await ready(app)
    assert "raises the epoch" in body["checks"]["database"]
    await app.state.tools.database.dispose()


async def test_unready_without_a_database() -> None:
    status, body = await ready(service())
    assert (status, body["status"]) == (503, "unready")
    assert body["checks"] == {"database": "DatabaseUnavailable", "keys": "ok"}


async def test_unready_without_keys() -> None:
    class Away:
        async def key(self, kid: str) -> dict[str, Any] | None:
            raise KeysUnavailable(kid)

    _, body = await ready(service(keys=Away()))
    assert body["checks"]["keys"] == "KeysUnavailable"


async def test_services_add_checks_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "CHECK_SECONDS", 0.05)

    async def fine() -> str | None:
        return None

    async def wrong() -> str | None:
        return "the worker is behind"

    async def slow() -> str | None:
        await asyncio.sleep(5)
        return None

    async def away() -> str | None:
        raise DatabaseUnavailable

    _, body = await ready(service(extra_ready={"fine": fine, "wrong": wrong, "slow": slow, "away": away}))
    assert body["checks"]["fine"] == "ok"
    assert body["checks"]["wrong"] == "the worker is behind"
    assert body["checks"]["slow"] == "no answer in time"
    assert body["checks"]["away"] == "DatabaseUnavailable"


async def test_unready_once_it_was_asked_to_stop() -> None:
    app = service()
    app.state.tools.closing.begin()
    _, body = await ready(app)
    assert body["checks"]["process"] == "is stopping"
