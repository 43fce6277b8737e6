"""The state folder of one installation (`.trellis/`): what lies where, and who may have it at a time."""

import contextlib
import fcntl
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from trellis import places

LONGEST_SOCKET = "reporting-worker.sock"


class StateUnusable(Exception):
    """The state folder can't be made or written; the message says why."""


@dataclass(frozen=True, slots=True)
class State:
    """The folders and files of one installation. Nothing is made before `prepare`."""

    folder: Path

    @property
    def run(self) -> Path:
        """Sockets, process files and the rendered gateway; only for its owner. It goes with the processes."""
        return self.folder / "run"

    @property
    def sockets(self) -> Path:
        """Where services really listen: the run folder, or a short one when its path is too long for sockets."""
        return places.socket_folder(self.run, LONGEST_SOCKET)

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self.folder / "log"

    @property
    def postgres(self) -> Path:
        """The embedded database: data, password, log, socket."""
        return self.folder / "postgres"

    @property
    def credentials(self) -> Path:
        """The generated secrets of this installation."""
        return self.folder / "credentials.json"

    @property
    def supervisor(self) -> Path:
        """Names the supervising process."""
        return self.run / "supervisor.pid"

    @property
    def wanted(self) -> Path:
        """There while the installation is meant to run: made by `up`, and gone before anything is stopped."""
        return self.run / "wanted"

    @property
    def gateway(self) -> Path:
        """The gateway's configuration."""
        return self.run / "envoy.json"

    @property
    def report(self) -> Path:
        """What the supervising process says about each program."""
        return self.run / "report.json"

    @property
    def schemas(self) -> Path:
        """Where the migrations left the schemas."""
        return self.folder / "schemas.json"

    @property
    def bytecode(self) -> Path:
        """What Python remembers of compiled modules, where it may not write beside them."""
        return self.folder / "bytecode"

    @property
    def demo(self) -> Path:
        """What of the demo was loaded, by the digest of what was loaded."""
        return self.folder / "demo.json"

    @property
    def production(self) -> Path:
        """There once the installation has run in production: its data are real ones."""
        return self.folder / "production"

    def socket(self, name: str) -> Path:
        """The socket of one service."""
        return self.sockets / f"{name}.sock"

    def log(self, name: str) -> Path:
        """The log of one program."""
        return self.logs / f"{name}.log"

    def process(self, name: str) -> Path:
        """Names the process of one program."""
        return self.run / f"{name}.pid"

    def prepare(self) -> None:
        """Make the folders. Raises StateUnusable."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            ignore = self.folder / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
            if self.sockets != self.run:
                places.make_private(self.sockets)
            places.make_private(self.run)
            places.make_private(self.logs)
            self.postgres.mkdir(exist_ok=True)
        except OSError as problem:
            raise StateUnusable(f"The state folder {self.folder} can't be used: {problem}") from problem

    @contextlib.contextmanager
    def held(self, name: str, *, seconds: float = 0.0) -> Iterator[IO[str] | None]:
        """Hold the lock of a process of this package (`supervisor`, `watcher`) while the block runs, if it is free.

        Gives its open file; None when it wasn't free within so many seconds. The kernel frees it when its holder ends,
        however that is.
        """
        deadline = time.monotonic() + seconds
        with (self.run / f"{name}.lock").open("a") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        yield None
                        return
                    time.sleep(0.02)
                else:
                    yield file
                    return

    def is_held(self, name: str) -> bool:
        """Whether a process of this name lives."""
        try:
            with self.held(name) as lock:
                return lock is None
        except FileNotFoundError:
            return False

    @contextlib.contextmanager
    def locked(self, *, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold the installation: one `up`, `down` or `restore` at a time. `waiting` is called before a wait."""
        with (self.folder / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


def default_folder() -> Path:
    """`.trellis` beside the environment that this command is installed in; else in the working folder."""
    environment = Path(sys.prefix)
    beside = environment.parent if environment.name == ".venv" else Path.cwd()
    return beside / ".trellis"
