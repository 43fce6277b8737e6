"""Programs in Python that share their libraries: forked from this process, which has loaded them once.

Seven of an installation's programs load the same libraries, 60 MB each. Forked, they share what none of them changes.
Linux only; elsewhere, and where `TRELLIS_PRELOAD` is off, each program is an interpreter of its own.
"""

import contextlib
import gc
import importlib
import os
import runpy
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NoReturn

SHARED = (
    "uvicorn.config",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.loops.auto",
    "kit.web.app",
    "kit.workers.worker",
)
"""What services and workers load before anything else; nothing of it starts a thread or reads the environment."""


def can_fork() -> bool:
    """Whether forking without a new program is safe here: macOS's own libraries don't survive it."""
    return sys.platform == "linux"


def preload(names: Sequence[str] = SHARED) -> None:
    """Load what the programs share. What can't be loaded is left to the program, which says why."""
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    # A collection in a child would write to every page that it shares.
    gc.freeze()


class Forked:
    """A program that was forked; read and awaited like `subprocess.Popen`."""

    def __init__(self, pid: int, name: str) -> None:
        self.pid = pid
        self._name = name
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = 0.001
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() >= deadline:
                raise subprocess.TimeoutExpired(self._name, timeout or 0.0)
            time.sleep(pause)
            pause = min(pause * 2, 0.05)
        return code


def fork(name: str, arguments: Sequence[str], *, environment: Mapping[str, str], log: IO[bytes]) -> Forked:
    """Run `python -m ARGUMENTS` as a copy of this process, in a session of its own, with nothing of ours open."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if not pid:
        _become(name, arguments, environment, log.fileno())
    return Forked(pid, name)


def _become(name: str, arguments: Sequence[str], environment: Mapping[str, str], log: int) -> NoReturn:
    code = 1
    try:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        # What `ps -o comm` and `top` show; 15 bytes.
        with contextlib.suppress(OSError):
            Path("/proc/self/comm").write_text(name[:15])
        os.environ.clear()
        os.environ.update(environment)
        sys.path[:0] = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
        module, *rest = arguments
        sys.argv = [module, *rest]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:  # noqa: BLE001 - nothing may return into the process that we are a copy of
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
