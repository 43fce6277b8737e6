"""Room on the disks for the files of imports: looked at before they are stored, also when many come at once."""

import asyncio
from pathlib import Path

import pytest

from kit.database.contexts import Context
from kit.database.reservations import reserve_disk
from kit.disks import Disks
from tests.academy.imports.conftest import Workbench
from tests.academy.imports.receiving.test_upload import GOOD, nothing_was_accepted
from tests.support.tokens import OTHER_TRUST


async def test_uploads_are_refused_before_the_disk_is_full(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app = await bench.clients._app_of("academy")
    free = Disks(0, {"here": tmp_path}).free_bytes()["here"]
    monkeypatch.setattr(app.state.tools, "disks", Disks(free * 2, {"here": tmp_path}))
    response = await bench.send(await bench.client(), "observations", GOOD)
    assert (response.status_code, response.json()["code"]) == (507, "storage-full")
    assert "Contact the operator" in response.json()["detail"]
    assert await nothing_was_accepted(bench)


async def test_uploads_at_once_leave_the_reserve_alone(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What each writes counts for all others before it is written, of whichever trust they are."""
    app = await bench.clients._app_of("academy")
    size = 10 << 20
    there = {"here": tmp_path}
    # Written by nobody: only what is reserved can keep them apart.
    monkeypatch.setattr(Disks, "free_bytes", lambda _disks: {"here": 100 << 20})
    monkeypatch.setattr(app.state.tools, "disks", Disks(55 << 20, there))
    content = GOOD.encode().ljust(size, b"\n")
    manager = await bench.client()
    answers = await asyncio.gather(*(bench.send(manager, "observations", content) for _ in range(6)))
    refused = [answer for answer in answers if answer.status_code != 202]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(507, "storage-full")}
    # The disk has room for two at a time, as rows and in the log.
    async with bench.database.of("academy").session(Context(OTHER_TRUST, None, "other")) as session:
        await reserve_disk(session, app.state.tools.disks, 20 << 20)
        soon = await bench.send(manager, "observations", content)
    assert (soon.status_code, soon.json()["code"], soon.headers["retry-after"]) == (507, "storage-full", "5")
    kept = await bench.value("select coalesce(sum(octet_length(content)), 0) from academy.import_chunk")
    assert kept == (6 - len(refused)) * size
    # Nothing stays reserved.
    assert (await bench.send(manager, "observations", content)).status_code == 202


async def test_a_file_for_which_the_room_runs_out_is_not_kept(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app = await bench.clients._app_of("academy")
    monkeypatch.setattr(app.state.tools, "disks", Disks(10 << 20, {"here": tmp_path}))
    # It is looked at before the body, when it is here, in the transaction, and before each MiB that is stored.
    rooms = iter([20 << 20] * 5)
    monkeypatch.setattr(Disks, "free_bytes", lambda _disks: {"here": next(rooms, 0)})
    response = await bench.send(await bench.client(), "observations", GOOD.encode().ljust(4 << 20, b"\n"))
    assert (response.status_code, response.json()["code"]) == (507, "storage-full")
    assert next(rooms, 0) == 0
    assert await nothing_was_accepted(bench)
