"""Processes of one installation: who they are, whether they still live, and how they are ended.

A process id alone names nothing: it is reused after a restart of the machine, or in another container. An
`Identity` adds the moment at which the process began, so that an unrelated process is never taken for ours.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from trellis import places

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Identity:
    """One process that cannot be mistaken: its number, and when it began."""

    pid: int
    began: str

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """The process with this number; None when there is none, or only what is left of one that ended."""
        began = _began(pid)
        return cls(pid, began) if began else None

    @classmethod
    def read(cls, path: Path) -> "Identity | None":
        """The process that a file names, dead or alive; None without such a file or with nonsense in it."""
        try:
            pid, began = path.read_text().split("\n")[:2]
            return cls(int(pid), began)
        except (OSError, ValueError):
            return None

    def write(self, path: Path) -> None:
        """Name this process in a file that is complete from its first moment on. Raises OSError."""
        places.write_small(path, f"{self.pid}\n{self.began}\n")

    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        return _began(self.pid) == self.began

    def send(self, number: signal.Signals) -> bool:
        """Signal it; False when it is gone."""
        if not self.is_alive():
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True

    def wait(self, seconds: float) -> bool:
        """Wait until it is gone; False when it is still there after so many seconds."""
        deadline = time.monotonic() + seconds
        pause = 0.01
        while self.is_alive():
            if time.monotonic() >= deadline:
                return False
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)
        return True


def end(process: Identity, *, politely: signal.Signals = signal.SIGTERM, wait_seconds: float = 10.0) -> bool:
    """Ask a process to stop, and kill it when it doesn't within so many seconds. False when it survived."""
    if not process.send(politely):
        return True
    if process.wait(wait_seconds):
        return True
    process.send(signal.SIGKILL)
    return process.wait(5.0)


def end_group(process: Identity) -> None:
    """Kill what a leader of a session left behind in its process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def is_traced(pid: int, *, proc: Path = PROC) -> bool:
    """Whether a debugger holds this process (Linux; elsewhere nobody knows)."""
    try:
        lines = (proc / str(pid) / "status").read_text(errors="replace").splitlines()
    except OSError:
        return False
    return any(line.startswith("TracerPid:") and line.split()[1] != "0" for line in lines)


def command_of(pid: int) -> list[str]:
    """The command line of a process; empty when it can't be known."""
    try:
        return psutil.Process(pid).cmdline()
    except (psutil.Error, ValueError):
        return []


def processes_in(folder: Path, *, only: Iterable[int] | None = None) -> Iterator[int]:
    """Processes whose working directory is this folder; only those that we may look at."""
    if not folder.exists():
        return
    for pid in psutil.pids() if only is None else only:
        with contextlib.suppress(psutil.Error, ValueError, OSError):
            if (where := psutil.Process(pid).cwd()) and Path(where).samefile(folder):
                yield pid


def _began(pid: int) -> str:
    """When a process began, only to be compared: clock ticks and the boot on Linux, else the time from psutil.

    psutil counts from the time of the boot by the wall clock, which moves when that is set: a process would be taken
    for another.
    """
    try:
        process = psutil.Process(pid)
        if process.status() in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}:
            return ""
        if sys.platform != "linux":
            return str(process.create_time())
        # The name in brackets may hold anything, brackets too: the fields are counted after the last one.
        fields = (PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        return f"{fields[19]} {(PROC / 'sys/kernel/random/boot_id').read_text().strip()}"
    except (psutil.Error, ValueError, OSError):
        return ""
