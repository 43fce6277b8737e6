"""Workers that are killed and imports that are cancelled in the middle: nothing half, nothing doubled."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from academy.imports.jobs import RETRIES
from academy.rate_again import rate_again
from kit.database.sessions import Context
from kit.disks import Disks
from kit.ids import PLATFORM, tenant_id
from tests.academy.imports.conftest import IMPORTS, Workbench, csv
from tests.support.jobs import until
from tests.support.tokens import OTHER_TRUST, PROSPERE

FIGURES = csv(
    [
        (urn, "ks4.attainment_8", f"{year}/{(year + 1) % 100:02d}", urn % 90)
        for urn in range(136000, 136100)
        for year in range(2015, 2025)
    ]
)
GROUPS = (
    "Group UID,Group ID,Group Name,Group Type (code),Group Type,Group Status\n"
    "16846,TR03794,Prospere Learning Trust,6,Multi-academy trust,Open\n"
)

KS4 = (
    "RECTYPE,LEA,URN,TPUP,ATT8SCR,P8PUP,P8MEA,P8CILOW,P8CIUPP,P8_BANDING\n"
    "1,352,136105,180,{value},,,,,\n7,,,523636,{value},,,,,\n"
)

WORKER = """
import asyncio, sys
from academy.criteria.queries import trusts_here
from academy.definition import ACADEMY
from kit.database.sessions import WORKER_TIMEOUTS, Database
from kit.workers.worker import run_worker
from tests.support.jobs import QUICK
urls = {"app": sys.argv[1], "loader": sys.argv[2]}
databases = {
    name: Database(url, application_name=f"academy-{name}", schema="academy", timeouts=WORKER_TIMEOUTS)
    for name, url in urls.items()
}
asyncio.run(run_worker(ACADEMY.chain, ACADEMY.tasks, databases, tenants=trusts_here, timings=QUICK))
"""


@contextmanager
def worker_process(bench: Workbench) -> Iterator[subprocess.Popen[bytes]]:
    """The service's worker as a process of its own."""
    urls = [bench.database.url(role) for role in ("academy_app", "academy_loader")]
    process = subprocess.Popen([sys.executable, "-c", WORKER, *urls], stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.wait()


@asynccontextmanager
async def held_up(bench: Workbench, table: str) -> AsyncIterator[None]:
    """Nobody can write to this table until the block ends."""
    async with bench.database.admin() as connection, connection.transaction():
        await connection.execute(f"lock table academy.{table} in exclusive mode")
        yield


async def waits_for(bench: Workbench, table: str) -> bool:
    """Is somebody held up?"""
    waiting = await bench.value(
        "select count(*) from pg_locks where not granted and relation = $1::text::regclass", f"academy.{table}"
    )
    return bool(waiting)


async def ended(bench: Workbench, location: str, role: str = "data-manager") -> dict[str, Any]:
    """The import, once it has come to its end."""
    client = await bench.client(role)

    async def is_over() -> bool:
        return (await client.get(location)).json()["state"] not in ("queued", "running")

    await until(is_over, 40)
    body: dict[str, Any] = (await client.get(location)).json()
    return body


async def test_a_worker_killed_while_applying_leaves_nothing_half_and_nothing_doubled(bench: Workbench) -> None:
    manager = await bench.client()
    accepted = await bench.send(manager, "observations", FIGURES)
    location = accepted.headers["Location"]
    async with held_up(bench, "observation"):
        with worker_process(bench) as first:
            await until(lambda: waits_for(bench, "observation"), 30)
            running = (await manager.get(location)).json()
            assert running["state"] == "running"
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
        assert await bench.value("select count(*) from academy.observation") == 0
        assert await bench.events() == []
    with worker_process(bench):
        body = await ended(bench, location)
    assert (body["state"], body["rows_new"], body["rows_changed"]) == ("succeeded", 1000, 0)
    assert await bench.value("select count(*) from academy.observation") == 1000
    kinds = [kind for kind, _ in await bench.events()]
    assert (kinds.count("observation.changed"), kinds.count("import.finished")) == (1000, 1)
    assert len(await bench.jobs("academy.ratings.rerate")) == 1


async def test_a_worker_killed_between_the_loaders_commit_and_ours_finishes_with_the_same_counts(
    bench: Workbench,
) -> None:
    operator = await bench.client("platform-operator")
    accepted = await bench.send(operator, "gias-groups", GROUPS)
    location = accepted.headers["Location"]
    async with held_up(bench, "event"):
        with worker_process(bench) as first:
            await until(lambda: waits_for(bench, "event"), 30)
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
        assert await bench.value("select count(*) from academy.trust_register") == 1
        assert await bench.value("select count(*) from academy.reference_load") == 1
        assert await bench.value("select state from academy.import") == "running"
    # Its figures are there already: it can't be cancelled any more.
    current = await operator.get(location)
    refused = await operator.post(f"{location}/cancel", headers={"If-Match": current.headers["ETag"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "import-already-finished")
    with worker_process(bench):
        body = await ended(bench, location, "platform-operator")
    assert (body["state"], body["rows_new"], body["rows_unchanged"]) == ("succeeded", 1, 0)
    assert await bench.value("select count(*) from academy.event") == 1


async def test_a_worker_killed_between_the_loaders_commit_and_ours_finishes_a_withdrawal(bench: Workbench) -> None:
    operator = await bench.client("platform-operator")
    loads = [
        await bench.load(operator, "dfe-ks4", KS4.format(value=value), academic_year="2017/18") for value in (44, 11)
    ]
    location = f"{IMPORTS}/{loads[1]['id']}"
    tag = (await operator.get(location)).headers["ETag"]
    body = {"reason": "The wrong file."}
    assert (await operator.post(f"{location}/withdraw", json=body, headers={"If-Match": tag})).status_code == 202
    figures = "select id, value, superseded_at from academy.reference_observation order by id"
    async with held_up(bench, "event"):
        with worker_process(bench) as first:
            await until(lambda: waits_for(bench, "event"), 60)
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
        # The figures are back and the receipt says so; the import doesn't know yet.
        receipt = "select withdrawn_at, figures_restored, figures_withdrawn from academy.reference_load"
        (known,) = await bench.rows(f"{receipt} where import_id = $1", loads[1]["id"])
        assert known["withdrawn_at"] is not None and known["figures_restored"] > 0
        assert (await operator.get(location)).json()["withdrawal"] == "withdrawing"
        after = await bench.rows(figures)
    with worker_process(bench):

        async def is_over() -> bool:
            return bool((await operator.get(location)).json()["withdrawal"] == "withdrawn")

        await until(is_over, 60)
    assert await bench.rows(figures) == after
    assert [kind for kind, _ in await bench.events(PLATFORM)].count("import.withdrawn") == 1
    withdrawn = "select data->>'figures_restored' as n from academy.event where type like '%import.withdrawn.v1'"
    assert await bench.value(withdrawn) == str(known["figures_restored"])
    assert (await operator.get(location)).json()["withdrawn_at"] is not None


async def test_an_import_without_room_waits_and_one_that_runs_out_of_it_keeps_nothing(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = await bench.client()
    location = (await bench.send(manager, "observations", FIGURES)).headers["Location"]
    free = [0]
    monkeypatch.setattr(Disks, "free_bytes", lambda _disks: {"database": free[0]})
    await bench.work()
    assert (await manager.get(location)).json()["state"] == "queued"

    free[0] = 1 << 40
    again = "set search_path = academy; update procrastinate_jobs set scheduled_at = now() where status = 'todo'"
    await bench.execute(again)
    async with held_up(bench, "observation"):
        working = asyncio.create_task(bench.work())
        await until(lambda: waits_for(bench, "observation"), 20)
        free[0] = 0
        # It ends by itself, though nobody lets it write.
        await working
    assert (await manager.get(location)).json()["state"] == "running"
    assert await bench.value("select count(*) from academy.observation") == 0

    await bench.execute(
        f"{again}; update procrastinate_jobs set attempts = {RETRIES.attempts - 1} where status = 'todo'"
    )
    await bench.work()
    failed = (await manager.get(location)).json()
    assert failed["state"] == "failed"
    assert "too little space" in failed["errors"][0]["detail"]
    assert await bench.value("select count(*) from academy.observation") == 0


async def test_a_running_import_is_cancelled_and_leaves_nothing(bench: Workbench) -> None:
    manager = await bench.client()
    accepted = await bench.send(manager, "observations", FIGURES)
    location = accepted.headers["Location"]
    async with held_up(bench, "observation"):
        working = asyncio.create_task(bench.work())
        await until(lambda: waits_for(bench, "observation"), 20)
        running = await manager.get(location)
        cancelled = await manager.post(f"{location}/cancel", headers={"If-Match": running.headers["ETag"]})
        assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    await working
    assert (await manager.get(location)).json()["state"] == "cancelled"
    assert await bench.value("select count(*) from academy.observation") == 0
    assert [kind for kind, _ in await bench.events()] == ["import.finished"]
    assert await bench.jobs("academy.ratings.rerate") == []


async def test_cancelling_reaches_what_waits_in_the_database(bench: Workbench) -> None:
    manager = await bench.client()
    accepted = await bench.send(manager, "observations", FIGURES)
    location = accepted.headers["Location"]
    async with held_up(bench, "observation"):
        working = asyncio.create_task(bench.work())
        await until(lambda: waits_for(bench, "observation"), 20)
        running = await manager.get(location)
        await manager.post(f"{location}/cancel", headers={"If-Match": running.headers["ETag"]})
        # Its slot is free although the table is still locked.
        async with asyncio.timeout(20):
            await working
        assert not await waits_for(bench, "observation")
    assert (await manager.get(location)).json()["state"] == "cancelled"


async def test_an_import_that_takes_too_long_has_failed(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_LIMIT_IMPORT_SECONDS", "1")
    manager = await bench.client()
    accepted = await bench.send(manager, "observations", FIGURES)
    async with held_up(bench, "observation"):
        async with asyncio.timeout(20):
            await bench.work()
        failed = (await manager.get(accepted.headers["Location"])).json()
    assert failed["state"] == "failed"
    assert (
        failed["errors"][0]["detail"] == "Reading and applying the file took longer than 1 s; nothing of it was kept."
    )
    assert await bench.value("select count(*) from academy.observation") == 0


async def test_two_trusts_with_endless_files_keep_no_third_from_being_rated(bench: Workbench) -> None:
    for trust in (OTHER_TRUST, tenant_id("gias-group:1")):
        await bench.send(await bench.client(trust=trust), "observations", FIGURES)
    await bench.rate()
    async with held_up(bench, "observation"):
        worker = bench.worker()
        working = asyncio.create_task(worker.run())
        await until(lambda: waits_for(bench, "observation"), 60)
        async with bench.database.of("academy").session(Context(PROSPERE, None, "test")) as session:
            await rate_again(session, PROSPERE)

        async def is_rated() -> bool:
            # The nightly job may have queued one as well.
            return "succeeded" in [job["status"] for job in await bench.jobs("academy.ratings.rerate")]

        await until(is_rated, 60)
    worker.stop()
    await working


async def test_a_running_import_tells_how_far_it_is(bench: Workbench) -> None:
    manager = await bench.client()
    accepted = await bench.send(manager, "observations", FIGURES)
    async with held_up(bench, "observation"):
        working = asyncio.create_task(bench.work())

        async def has_moved() -> bool:
            body = (await manager.get(accepted.headers["Location"])).json()
            return bool(body["state"] == "running" and body["progress_percent"] >= 60 and body["rows_read"] == 1000)

        await until(has_moved, 20)
    await working
    assert (await manager.get(accepted.headers["Location"])).json()["progress_percent"] == 100


async def test_two_imports_of_one_trust_follow_one_another(bench: Workbench) -> None:
    manager = await bench.client()
    first = await bench.send(manager, "observations", csv([(136105, "ks4.attainment_8", "2024/25", 1)]))
    second = await bench.send(manager, "observations", csv([(136105, "ks4.attainment_8", "2024/25", 2)]))
    await asyncio.gather(bench.work(), bench.work())
    await bench.work()
    for response in (first, second):
        assert (await manager.get(response.headers["Location"])).json()["state"] == "succeeded"
    rows = await bench.rows("select value::int, superseded_at is null as stands from academy.observation order by 1")
    assert rows == [{"value": 1, "stands": False}, {"value": 2, "stands": True}]


async def test_a_file_that_no_table_can_hold_ends_its_import(bench: Workbench) -> None:
    manager = await bench.client()
    accepted = await bench.send(manager, "observations", FIGURES)
    await bench.execute("alter table academy.observation add constraint impossible check (value < 0)")
    await bench.work()
    body = (await manager.get(accepted.headers["Location"])).json()
    assert (body["state"], body["errors"][0]["code"]) == ("failed", "fault")
    assert await bench.value("select count(*) from academy.observation") == 0
