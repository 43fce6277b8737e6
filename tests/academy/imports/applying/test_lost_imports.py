"""Imports without a job: one that lost its job is run, one whose job failed for good ends."""

from academy.imports.jobs import find_lost
from tests.academy.imports.applying.test_failed_withdrawals import job_run
from tests.academy.imports.applying.test_withdraw import figures
from tests.academy.imports.conftest import IMPORTS, Workbench
from tests.support.tokens import PROSPERE

JOBS = "select count(*) from academy.procrastinate_jobs where task_name like 'academy.imports.run%' and status = 'todo'"


async def test_a_lost_import_is_queued_again_and_one_with_a_job_isnt(bench: Workbench) -> None:
    manager = await bench.client()
    sent = (await bench.send(manager, "observations", figures((136105, "2017/18", 12)))).json()
    await find_lost(job_run(bench), PROSPERE)
    assert await bench.value(JOBS) == 1
    await bench.execute("set search_path = academy; delete from procrastinate_jobs")
    await bench.execute("update academy.import set state = 'running'")
    await find_lost(job_run(bench), PROSPERE)
    await bench.work()
    assert (await manager.get(f"{IMPORTS}/{sent['id']}")).json()["state"] == "succeeded"


async def test_an_import_whose_job_failed_for_good_fails(bench: Workbench) -> None:
    manager = await bench.client()
    sent = (await bench.send(manager, "observations", figures((136105, "2017/18", 12)))).json()
    # As when its worker was killed again and again.
    await bench.execute("update academy.import set state = 'running'")
    await bench.execute("set search_path = academy; update procrastinate_jobs set status = 'failed'")
    await find_lost(job_run(bench), PROSPERE)
    ended = (await manager.get(f"{IMPORTS}/{sent['id']}")).json()
    assert (ended["state"], ended["rows_accepted"]) == ("failed", 0)
    assert await bench.value(JOBS) == 0
