"""Room on the disks: what is free, what must stay free, and what a full disk is called."""

import asyncio
import resource
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from academy.imports.receiving.limits import ImportLimits
from academy.imports.receiving.upload import receive
from kit.database.outages import FULL_RETRY_SECONDS
from kit.disks import DiskCollector, Disks, StorageFull
from kit.web.answers import problem_of
from tests.kit.test_problems import wrapped

MEBIBYTE = 1 << 20


async def body(pieces: int) -> AsyncIterator[bytes]:
    """So many mebibytes of a file."""
    for _ in range(pieces):
        yield b"x" * MEBIBYTE


def test_the_reserve_stays_free(tmp_path: Path) -> None:
    free = Disks(0, {"here": tmp_path}).free_bytes()["here"]
    assert free > 0
    # Others write to the same disk meanwhile.
    Disks(free // 2, {"here": tmp_path}).check(free // 4)
    with pytest.raises(StorageFull) as refused:
        Disks(free // 2, {"here": tmp_path}).check(free // 2 + free // 4)
    assert refused.value.status == 507
    assert int(refused.value.headers["Retry-After"]) >= 60
    with pytest.raises(StorageFull):
        Disks(free * 2, {"here": tmp_path}).check()


def test_a_folder_that_is_not_there_refuses_nothing(tmp_path: Path) -> None:
    missing = Disks(1 << 60, {"there": tmp_path / "missing"})
    assert missing.free_bytes() == {}
    missing.check()


def test_the_numbers_are_measured(tmp_path: Path) -> None:
    families = {family.name: family for family in DiskCollector(Disks(7, {"here": tmp_path})).collect()}
    (free,) = families["trellis_storage_free_bytes"].samples
    assert free.labels == {"place": "here"}
    assert free.value > 0
    assert families["trellis_storage_reserve_bytes"].samples[0].value == 7


def test_a_full_disk_during_an_upload_is_507_and_leaves_nothing() -> None:
    async def taken() -> None:
        async with receive(body(8), ImportLimits(), says_gzip=False):
            pytest.fail("there was no room for it")

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MEBIBYTE, before[1]))
    try:
        with pytest.raises(StorageFull):
            asyncio.run(taken())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_an_upload_ends_where_the_reserve_begins(tmp_path: Path) -> None:
    free = Disks(0, {"here": tmp_path}).free_bytes()["here"]
    disks = Disks(free * 2, {"here": tmp_path})

    async def taken() -> None:
        async with receive(body(2), ImportLimits(), says_gzip=False, disks=disks):
            pytest.fail("the reserve was used")

    with pytest.raises(StorageFull):
        asyncio.run(taken())


def test_a_database_without_room_says_so_and_when_to_come_back() -> None:
    error = asyncpg.DiskFullError("could not extend file")
    for one in (error, wrapped(error)):
        problem = problem_of(one)
        assert problem is not None
        assert (problem.status, problem.code) == (503, "database-unavailable")
        assert problem.headers == {"Retry-After": str(FULL_RETRY_SECONDS)}
        assert problem.detail is not None
        assert "no space left" in problem.detail


def test_a_full_disk_under_any_route_is_503() -> None:
    with tempfile.TemporaryFile() as file, Path("/dev/full").open("wb", buffering=0) as full:
        assert file.fileno() > 0
        with pytest.raises(OSError, match="No space left") as refused:
            full.write(b"x")
    problem = problem_of(refused.value)
    assert problem is not None
    assert problem.status == 503
    assert problem_of(PermissionError(13, "no")) is None
