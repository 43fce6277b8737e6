"""Which server process a data folder has, told from files that a killed server leaves behind.

A lock file holds a process number. After a restart of the machine, or in a fresh container, that number may
be another program's, and Postgres would refuse to start for ever.
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path

from trellis import processes

PATIENCE_SECONDS = 15.0
COLLECTED_SECONDS = 2.0


class DataInUse(Exception):
    """Processes that aren't the server's own still work in a data folder."""


def postmaster_of(data: Path) -> processes.Identity | None:
    """The living server of this data folder; None for a stale file, or a number that another has now."""
    pid = _number_in(data / "postmaster.pid")
    found = processes.Identity.of(pid)
    if found is None:
        return None
    if pid in processes.processes_in(data, only=[pid]):
        return found
    # Root in a container may not look at the working folder of another user's process.
    command = processes.command_of(pid)
    ours = bool(command) and Path(command[0]).name == "postgres" and str(data) in command
    return found if ours else None


def clear_stale_locks(data: Path, locks: Iterable[Path]) -> None:
    """Remove lock files whose number is another process's now, or of a dead one not yet collected. Raises DataInUse.

    Files with a number that nobody has stay: Postgres clears them itself, after a look at the shared memory that
    children of a killed server may still use. Nothing is removed while such children live, for the same reason.
    """
    for lock in locks:
        deadline = time.monotonic() + PATIENCE_SECONDS
        # A dead process that its parent will still collect needs no help from us.
        while _is_taken(pid := _number_in(lock)) and processes.Identity.of(pid) is None:
            if time.monotonic() > deadline - PATIENCE_SECONDS + COLLECTED_SECONDS:
                break
            time.sleep(0.05)
        if not _is_taken(pid):
            continue
        while left := list(processes.processes_in(data)):
            if time.monotonic() > deadline:
                raise DataInUse(f"{data} is still used by these processes: {', '.join(map(str, left))}.")
            time.sleep(0.1)
        lock.unlink(missing_ok=True)


def _is_taken(pid: int) -> bool:
    """Whether Postgres would take the process for alive: it asks the kernel, which also knows dead ones."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _number_in(lock: Path) -> int:
    """The process number in a lock file; 0, which no process has, when there is none."""
    try:
        return int(lock.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return 0
