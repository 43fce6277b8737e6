"""A disk without room: uploads are refused before that, and what is killed meanwhile comes back afterwards."""

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.support.stack import Stack, eventually, forget, processes_of
from trellis.processes import Identity

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

SIZE = "600m"
RESERVE_BYTES = 100 << 20
ROOM_BYTES = 60 << 20
AT_ONCE = 6
LARGE_BYTES = 20 << 20
GROUPS = "Group UID,Group ID,Group Name,Group Type,Group Status\n16846,TR03359,A trust,Multi-academy trust,Open\n"


@pytest.fixture
def volume() -> Iterator[Path]:
    """A small file system of its own, in memory."""
    folder = Path(tempfile.mkdtemp(prefix="trellis-volume-", dir="/tmp"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "trellis", str(folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip(f"this user may not mount a file system: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
    forget(folder)


def fill(path: Path, *, leaving: int = 0) -> None:
    """Take all the room that there is, but for so many bytes."""
    room = os.statvfs(path.parent)
    left = room.f_bavail * room.f_frsize - leaving
    with path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while left > 0:
            left -= file.write(b"\0" * min(left, 1 << 20))
        while leaving == 0:
            file.write(b"\0" * 4096)
    assert leaving or not os.statvfs(path.parent).f_bavail


def upload(stack: Stack, operator: httpx.Client) -> httpx.Response | None:
    """Send a small file; None when there was no answer at all."""
    with contextlib.suppress(httpx.TransportError):
        return operator.post(
            "/academy/v1/imports",
            params={"kind": "gias-groups", "dry_run": "true"},
            content=GROUPS,
            headers={"Content-Type": "text/csv", "Authorization": operator.headers["Authorization"]},
        )
    return None


def upload_at_once(stack: Stack, operator: httpx.Client, volume: Path) -> int:
    """Send large files that don't fit together; the least that was free meanwhile."""
    content = GROUPS.encode() + os.urandom(LARGE_BYTES // 2).hex().encode()

    def send(_number: int) -> httpx.Response:
        with httpx.Client(base_url=stack.url, timeout=60) as client:
            return client.post(
                "/academy/v1/imports",
                params={"kind": "gias-groups", "dry_run": "true"},
                content=content,
                headers={"Content-Type": "text/csv", "Authorization": operator.headers["Authorization"]},
            )

    lowest = 1 << 62
    with ThreadPoolExecutor(AT_ONCE) as threads:
        sending = [threads.submit(send, number) for number in range(AT_ONCE)]
        while any(not one.done() for one in sending):
            room = os.statvfs(volume)
            lowest = min(lowest, room.f_bavail * room.f_frsize)
            time.sleep(0.01)
    answers = [one.result() for one in sending]
    assert {answer.status_code for answer in answers} <= {202, 507}, [answer.text for answer in answers]
    assert any(answer.status_code == 507 for answer in answers)
    return lowest


def test_a_full_disk_is_survived_and_forgotten(volume: Path) -> None:
    stack = Stack(
        volume,
        demo=False,
        environment={"TRELLIS_STORAGE_RESERVE_BYTES": str(RESERVE_BYTES), "TMPDIR": tempfile.gettempdir()},
    )
    filler = volume / "filler"
    with stack, stack.client("platform-operator") as operator:
        accepted = upload(stack, operator)
        assert accepted is not None
        assert accepted.status_code == 202, accepted.text
        assert stack.status()["storage"]["reserve_bytes"] == RESERVE_BYTES

        # Many at once count together, and the database goes on.
        fill(filler, leaving=RESERVE_BYTES + ROOM_BYTES)
        database = stack.program("postgres")["pid"]
        lowest = upload_at_once(stack, operator, volume)
        assert lowest >= RESERVE_BYTES // 2, lowest
        assert stack.program("postgres")["pid"] == database
        assert operator.get("/academy/v1/imports").status_code == 200
        filler.unlink()

        # Uploads end where the reserve begins, while everything else goes on.
        fill(filler, leaving=RESERVE_BYTES // 2)
        refused = upload(stack, operator)
        assert refused is not None
        assert (refused.status_code, refused.json()["code"]) == (507, "storage-full")
        assert int(refused.headers["Retry-After"]) > 0
        assert operator.get("/academy/v1/imports").status_code == 200

        fill(filler)
        supervisor = Identity.read(stack.state / "run" / "supervisor.pid")
        killed = {name: stack.kill(name) for name in ("academy", "academy-worker", "postgres")}
        # Long enough that each of them was tried again.
        time.sleep(8)
        assert supervisor is not None
        assert supervisor.is_alive()
        answered = upload(stack, operator)
        assert answered is None or answered.status_code in {503, 507}, answered.text
        if answered is not None:
            assert int(answered.headers["Retry-After"]) > 0

        filler.unlink()
        for name, pid in killed.items():
            stack.until_ready(name, other_than=pid, seconds=150)
        eventually(lambda: bool(stack.status()["ready"]), 60)
        renewed = {"Authorization": f"Bearer {stack.token('platform-operator')}"}
        operator.headers.update(renewed)
        eventually(lambda: (answer := upload(stack, operator)) is not None and answer.status_code == 202, 60)
        assert supervisor.is_alive()
    assert not processes_of(volume)
