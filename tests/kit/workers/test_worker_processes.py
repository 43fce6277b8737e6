"""The workers of the services as they are started: `python -m {service}.worker`."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.databases import Clone
from tests.support.jobs import until

SERVICES = ("academy", "research", "reporting")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_worker_starts_says_that_it_is_ready_and_stops(
    service: str, committed_database: Clone, tmp_path: Path
) -> None:
    socket = tmp_path / "worker.sock"
    process = subprocess.Popen(  # noqa: ASYNC220 - a program of its own, beside the test
        [sys.executable, "-P", "-m", f"{service}.worker"],
        env={
            **os.environ,
            f"TRELLIS_{service.upper()}_DATABASE_URL": committed_database.url(f"{service}_app"),
            "TRELLIS_ACADEMY_LOADER_DATABASE_URL": committed_database.url("academy_loader"),
            "TRELLIS_SECRET_KEY": "s" * 32,
            "TRELLIS_WORKER_SOCKET": str(socket),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        transport = httpx.AsyncHTTPTransport(uds=str(socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://worker") as client:

            async def is_ready() -> bool:
                assert process.poll() is None
                return socket.exists() and (await client.get("/readyz")).status_code == 200

            await until(is_ready, 30)
            assert (await client.get("/healthz")).json() == {"status": "alive"}
            assert "process_resident_memory_bytes" in (await client.get("/metrics")).text
            assert (await client.get("/anything")).status_code == 404
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def loaded(*modules: str) -> set[str]:
    """What a new process has loaded after it has imported these."""
    found = subprocess.run(
        [sys.executable, "-c", f"import sys, {', '.join(modules)}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(found.stdout.split())


def test_workers_load_nothing_that_only_requests_or_migrations_need() -> None:
    unwanted = {"alembic", "fastapi", "numpy", "opentelemetry", "scipy", "starlette"}
    assert loaded(*(f"{service}.worker" for service in SERVICES)) & unwanted == set()


def test_services_dont_load_the_library_that_runs_jobs() -> None:
    assert "procrastinate" not in loaded(*(f"{service}.main" for service in SERVICES))
