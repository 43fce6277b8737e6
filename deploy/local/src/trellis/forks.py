"""Programs in Python that share their libraries: forked from one process, which has loaded them and knows no secret.

Seven of an installation's programs load the same libraries, 60 MB each. Forked, they share what none of them changes.
Linux only; elsewhere, and where `TRELLIS_PRELOAD` is off, each program is an interpreter of its own.

The fork server (`python -m trellis.forks`) is a program of the supervising process with an environment that holds no
secret. A program reads its own environment from a pipe, in its own process: neither the fork server nor another
program ever has it in memory. It becomes a child of the supervising process, which therefore sees how it ends.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Collection, Mapping, Sequence
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

ANSWER_SECONDS = 60.0
"""How long a new fork server may take until it has loaded everything and forked."""

_PR_SET_CHILD_SUBREAPER = 36


def can_fork() -> bool:
    """Whether forking without a new program is safe here: macOS's own libraries don't survive it."""
    return sys.platform == "linux"


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


class ForkServer:
    """The process that forks programs: started when the first is forked, and again when it has ended."""

    def __init__(self, environment: Mapping[str, str], *, names: Sequence[str] = SHARED) -> None:
        """`environment` is its own and must hold no secret; `names` are the modules that it loads."""
        self._environment = dict(environment)
        self._names = names
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def fork(self, name: str, arguments: Sequence[str], *, environment: Mapping[str, str], log: IO[bytes]) -> Forked:
        """Run `python -m ARGUMENTS` in a session of its own, with this environment and nothing of ours open.

        Raises OSError when the fork server can't be started or doesn't answer.
        """
        program = json.dumps({"name": name, "arguments": list(arguments), "environment": dict(environment)}).encode()
        reading, writing = os.pipe()
        # A program that ends before it has read has said why in its log.
        with contextlib.suppress(BrokenPipeError), os.fdopen(writing, "wb") as pipe:
            try:
                pid = self._ask(log.fileno(), reading)
            finally:
                os.close(reading)
            pipe.write(program)
        return Forked(pid, name)

    @property
    def pid(self) -> int | None:
        """The number of its process; None while there is none."""
        # Its end is collected with the look at it: whatever ended after it would otherwise stay behind it.
        return self._process.pid if self._process and self._process.poll() is None else None

    def close(self) -> None:
        """End the fork server; what it has forked goes on."""
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._socket = None

    def _ask(self, *files: int) -> int:
        for last in (False, True):
            if self._process is None or self._process.poll() is not None:
                self._start()
            assert self._socket is not None
            try:
                socket.send_fds(self._socket, [b"fork"], list(files))
                if answer := self._socket.recv(64):
                    return int(answer)
            except ConnectionError:
                # It was killed a moment ago. What it may have forked ends when it can't give its number.
                if last:
                    raise
            except OSError:
                self.close()
                raise
            self.close()
        raise ConnectionResetError("the process that forks programs has ended twice")

    def _start(self) -> None:
        self.close()
        # What it forks becomes a child of this process when the process in between ends.
        if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "the kernel doesn't hand orphans to this process")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(ANSWER_SECONDS)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "trellis.forks", *self._names],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=self._environment,
                start_new_session=True,
            )
        self._socket = ours


def collect_ended(known: Collection[int]) -> None:
    """Collect what is left of ended processes that became children of this one, except those that are known."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid in known:
            return
        os.waitpid(ended.si_pid, 0)


def preload(names: Sequence[str] = SHARED) -> None:
    """Load what the programs share. What can't be loaded is left to the program, which says why."""
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    # A collection in a child would write to every page that it shares.
    gc.freeze()


def serve(asking: socket.socket) -> None:
    """Fork what the other end asks for, until it closes."""
    while True:
        try:
            request, files, _, _ = socket.recv_fds(asking, 16, 2)
        except ConnectionResetError:
            return
        if not request:
            return
        log, pipe = files
        between = os.fork()
        if not between:
            _hand_over(asking, log, pipe)
        os.close(log)
        os.close(pipe)
        os.waitpid(between, 0)


def _hand_over(asking: socket.socket, log: int, pipe: int) -> NoReturn:
    """Fork the program, and end: its new parent is the supervising process, which gets its number from itself."""
    parent = os.getpid()
    if os.fork():
        os._exit(0)
    while os.getppid() == parent:
        time.sleep(0.0005)
    try:
        asking.send(str(os.getpid()).encode())
    except OSError:
        # The supervising process has ended meanwhile: nobody would watch this program.
        os._exit(1)
    _become(log, pipe)


def _become(log: int, pipe: int) -> NoReturn:
    code = 1
    try:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with os.fdopen(pipe, "rb") as file:
            program = json.loads(file.read())
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        # What `ps -o comm` and `top` show; 15 bytes.
        with contextlib.suppress(OSError):
            Path("/proc/self/comm").write_text(program["name"][:15])
        environment: dict[str, str] = program["environment"]
        os.environ.clear()
        os.environ.update(environment)
        sys.path[:0] = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
        module, *rest = program["arguments"]
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


def main() -> None:
    """Load what is named, then fork for the process at the other end of standard input."""
    preload(sys.argv[1:])
    serve(socket.socket(fileno=os.dup(0)))


if __name__ == "__main__":
    main()
