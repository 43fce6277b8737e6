"""Processes are told apart by number and birth, so that no stranger is ever signalled."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from trellis import processes
from trellis.processes import Identity


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own, in `tmp_path`."""
    process = subprocess.Popen(["sleep", "60"], cwd=tmp_path, start_new_session=True)
    yield process
    process.kill()
    process.wait()


def test_a_living_process_is_known_again(sleeper: subprocess.Popen[bytes]) -> None:
    assert Identity.of(sleeper.pid) == Identity.of(sleeper.pid)
    found = Identity.of(sleeper.pid)
    assert found is not None
    assert found.is_alive()


def test_a_file_names_a_process(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    found = Identity.of(sleeper.pid)
    assert found is not None
    found.write(tmp_path / "sleeper.pid")
    assert Identity.read(tmp_path / "sleeper.pid") == found


@pytest.mark.parametrize("text", ["", "12", "no number\nthen\n", "\n\n"])
def test_nonsense_in_a_process_file_names_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.pid").write_text(text)
    assert Identity.read(tmp_path / "x.pid") is None


def test_a_missing_process_file_names_nobody(tmp_path: Path) -> None:
    assert Identity.read(tmp_path / "x.pid") is None


def test_a_reused_number_is_another_process_and_is_not_signalled(sleeper: subprocess.Popen[bytes]) -> None:
    stale = Identity(sleeper.pid, "1 an-earlier-boot")
    assert not stale.is_alive()
    assert not stale.send(signal.SIGKILL)
    assert processes.end(stale)
    time.sleep(0.05)
    assert sleeper.poll() is None


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 1])
def test_numbers_that_no_process_has(pid: int) -> None:
    assert Identity.of(pid) is None


def test_a_process_that_ended_but_was_not_collected_is_dead() -> None:
    process = subprocess.Popen(["true"])
    found = Identity.of(process.pid)
    deadline = time.monotonic() + 5
    while Identity.of(process.pid) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert Identity.of(process.pid) is None
    assert found is None or not found.is_alive()
    process.wait()


def test_a_polite_request_ends_it(sleeper: subprocess.Popen[bytes]) -> None:
    found = Identity.of(sleeper.pid)
    assert found is not None
    assert processes.end(found)
    assert sleeper.wait(5) == -signal.SIGTERM


def test_who_ignores_the_request_is_killed() -> None:
    deaf = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )
    assert deaf.stdout is not None
    deaf.stdout.readline()
    found = Identity.of(deaf.pid)
    assert found is not None
    assert processes.end(found, wait_seconds=0.2)
    assert deaf.wait(5) == -signal.SIGKILL
    deaf.stdout.close()


def test_a_group_goes_with_its_leader() -> None:
    leader = subprocess.Popen(["sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE, start_new_session=True)
    assert leader.stdout is not None
    child = Identity.of(int(leader.stdout.readline()))
    found = Identity.of(leader.pid)
    assert child is not None
    assert found is not None
    processes.end_group(found)
    leader.wait(5)
    leader.stdout.close()
    assert child.wait(5)


def test_processes_are_found_by_their_folder(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert list(processes.processes_in(tmp_path)) == [sleeper.pid]
    assert list(processes.processes_in(tmp_path, only=[os.getpid()])) == []
    assert list(processes.processes_in(tmp_path / "nowhere")) == []


def test_the_command_of_a_process(sleeper: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 5
    while processes.command_of(sleeper.pid) != ["sleep", "60"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert processes.command_of(2**22 + 1) == []
