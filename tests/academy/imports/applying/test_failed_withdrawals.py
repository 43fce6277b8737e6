"""Withdrawals that fail: they end in a state that says so, can be asked for again, and none is lost."""

from uuid import UUID

import pytest

from academy.imports.applying.run import ImportRun
from academy.imports.applying.withdraw import give_up_withdrawal
from academy.imports.jobs import RETRIES, find_lost_national_withdrawals, find_lost_withdrawals
from academy.imports.receiving.limits import ImportLimits
from kit.database.sessions import Session
from kit.disks import Disks
from kit.ids import PLATFORM
from kit.jobs.tasks import JobRun
from tests.academy.imports.applying.test_run import KS4
from tests.academy.imports.applying.test_withdraw import figures, shown, taken_back, withdraw
from tests.academy.imports.conftest import IMPORTS, Workbench
from tests.support.tokens import PROSPERE

LATER = "set search_path = academy; update procrastinate_jobs set scheduled_at = now() where status = 'todo'"
BROKEN = "alter table academy.{} add constraint broken check (superseded_at is null) not valid"


async def no_fence(_: Session) -> None:
    """Nobody else has the job."""


def job_run(bench: Workbench) -> JobRun:
    """A run that nobody takes away."""

    class Unfenced(JobRun):
        async def fence(self, session: Session) -> None:
            """Nobody else has the job."""

    databases = {name: bench.database.of("academy", name) for name in ("app", "loader")}
    return Unfenced(1, 1, None, databases["app"], databases)


async def until_given_up(bench: Workbench) -> None:
    """Let every try fail, without its pauses."""
    for _ in range(RETRIES.attempts):
        await bench.work()
        await bench.execute(LATER)


@pytest.mark.parametrize("role", ["data-manager", "platform-operator"])
async def test_after_the_last_try_it_says_so_and_can_be_asked_for_again(bench: Workbench, role: str) -> None:
    sender = await bench.client(role)
    if role == "data-manager":
        layer, table = "trust", "observation"
        wrong = await bench.load(sender, "observations", figures((136105, "2017/18", 12)))
    else:
        layer, table = "national", "reference_observation"
        wrong = await bench.load(sender, "dfe-ks4", KS4.format(value=12), academic_year="2017/18")
    await bench.execute(BROKEN.format(table))
    assert (await withdraw(sender, wrong)).status_code == 202
    await until_given_up(bench)
    body = (await sender.get(f"{IMPORTS}/{wrong['id']}")).json()
    assert (body["state"], body["withdrawal"], body["withdrawn_at"]) == ("succeeded", "not_withdrawn", None)
    assert [one["verb"] for one in body["actions"]] == ["withdraw"]
    assert await shown(bench, layer) == {(136105, "2017/18"): 12}
    items = (await sender.get(IMPORTS, params={"withdrawal": "not_withdrawn"})).json()["items"]
    assert [one["id"] for one in items] == [wrong["id"]]
    assert (await sender.get(IMPORTS, params={"state": "succeeded"})).json()["items"] == items
    await bench.execute(f"alter table academy.{table} drop constraint broken")
    await taken_back(bench, sender, wrong)
    assert await shown(bench, layer) == {}


async def test_one_that_there_is_no_room_for_waits(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = await bench.client()
    wrong = await bench.load(sender, "observations", figures((136105, "2017/18", 12)))
    assert (await withdraw(sender, wrong)).status_code == 202
    with monkeypatch.context() as full:
        full.setattr(Disks, "free_bytes", lambda _disks: {"database": 0})
        await bench.work()
    assert (await sender.get(f"{IMPORTS}/{wrong['id']}")).json()["withdrawal"] == "withdrawing"
    assert await shown(bench, "trust") == {(136105, "2017/18"): 12}
    await bench.execute(LATER)
    await bench.work()
    assert await shown(bench, "trust") == {}


async def test_a_national_one_whose_figures_are_gone_isnt_given_up(bench: Workbench) -> None:
    """Only its end is missing: giving up would say that the figures stand."""
    operator = await bench.client("platform-operator")
    wrong = await bench.load(operator, "dfe-ks4", KS4.format(value=12), academic_year="2017/18")
    await bench.execute("alter table academy.event add constraint broken check (type not like '%withdrawn%') not valid")
    assert (await withdraw(operator, wrong)).status_code == 202
    await until_given_up(bench)
    assert (await operator.get(f"{IMPORTS}/{wrong['id']}")).json()["withdrawal"] == "withdrawing"
    assert await shown(bench, "national") == {}
    await bench.execute("alter table academy.event drop constraint broken")
    await find_lost_national_withdrawals(job_run(bench))
    await bench.work()
    assert (await operator.get(f"{IMPORTS}/{wrong['id']}")).json()["withdrawal"] == "withdrawn"


async def test_one_without_a_job_is_queued_again_and_one_with_a_job_isnt(bench: Workbench) -> None:
    manager = await bench.client()
    wrong = await bench.load(manager, "observations", figures((136105, "2017/18", 12)))
    assert (await withdraw(manager, wrong)).status_code == 202
    run = job_run(bench)
    await find_lost_withdrawals(run, PROSPERE)
    await find_lost_withdrawals(run, PLATFORM)
    assert len(await bench.jobs("academy.imports.withdraw")) == 1
    await bench.execute(
        "set search_path = academy; delete from procrastinate_jobs where task_name = 'academy.imports.withdraw'"
    )
    await find_lost_withdrawals(run, PROSPERE)
    await bench.work()
    assert (await manager.get(f"{IMPORTS}/{wrong['id']}")).json()["withdrawal"] == "withdrawn"


async def test_one_whose_last_try_took_too_long_ends_and_can_be_asked_for_again(bench: Workbench) -> None:
    manager = await bench.client()
    wrong = await bench.load(manager, "observations", figures((136105, "2017/18", 12)))
    assert (await withdraw(manager, wrong)).status_code == 202
    # Nobody could give it up: the worker ended the job.
    await bench.execute(
        "set search_path = academy; update procrastinate_jobs set status = 'failed' "
        "where task_name = 'academy.imports.withdraw'"
    )
    for _ in range(2):
        await find_lost_withdrawals(job_run(bench), PROSPERE)
        await bench.work()
        assert (await manager.get(f"{IMPORTS}/{wrong['id']}")).json()["withdrawal"] == "not_withdrawn"
    assert await shown(bench, "trust") == {(136105, "2017/18"): 12}
    await taken_back(bench, manager, wrong)
    assert await shown(bench, "trust") == {}


async def test_an_import_whose_figures_stand_is_never_said_to_have_failed(bench: Workbench) -> None:
    """The loader has committed; what fails is the import's own end, and the next try writes it."""
    operator = await bench.client("platform-operator")
    await bench.execute("alter table academy.import add constraint broken check (state <> 'succeeded') not valid")
    accepted = await bench.send(operator, "dfe-ks4", KS4.format(value=12), academic_year="2017/18")
    path = accepted.headers["Location"]
    await bench.work()
    assert await shown(bench, "national") == {(136105, "2017/18"): 12}
    assert (await operator.get(path)).json()["state"] == "running"
    await bench.execute("alter table academy.import drop constraint broken")
    await bench.execute(LATER)
    await bench.work()
    body = (await operator.get(path)).json()
    assert (body["state"], body["rows_new"] > 0) == ("succeeded", True)


async def test_giving_up_what_isnt_withdrawing_changes_nothing(bench: Workbench) -> None:
    manager = await bench.client()
    loaded = await bench.load(manager, "observations", figures((136105, "2017/18", 12)))
    databases = {name: bench.database.of("academy", name) for name in ("app", "loader")}
    await give_up_withdrawal(
        ImportRun(databases["app"], databases["loader"], ImportLimits(), no_fence, PROSPERE, UUID(loaded["id"]))
    )
    assert (await manager.get(f"{IMPORTS}/{loaded['id']}")).json()["withdrawal"] is None
