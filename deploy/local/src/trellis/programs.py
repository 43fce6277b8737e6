"""The programs that an installation keeps running, and the one place that starts and watches one of them."""

import contextlib
import math
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO

from trellis import places, processes
from trellis.forks import Forked, ForkServer
from trellis.probes import Answer, Probe

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 30.0
ANSWER_SECONDS = 2.0
LONGEST_LOOK = 10.0
"""At most so much of the time between two looks counts as silence: a machine may have slept in between."""
TO_START = 3
"""So many times as patient is the watch with a program that has never answered."""
CANT_START = 127
UNSEEN = 1 << 16
"""In place of an exit code: the process was started by another one, and only that one could know."""


@dataclass(frozen=True, slots=True)
class Program:
    """One program: how it is started, what must be ready before it, how to ask whether it is."""

    name: str
    command: Sequence[str]
    module: Sequence[str] = ()
    """A Python module and its arguments, to be forked by the fork server; `command` is the same program."""
    probe: Probe | None = None
    """None: ready while it runs."""
    alive: Probe | None = None
    """What every process answers that doesn't hang, whatever it lacks; None: nobody looks."""
    patience_seconds: float = 0.0
    """After so many seconds of silence it is ended and started again; 0: never."""
    after: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    wait_seconds: float = 15.0
    """Seconds between the polite request to stop and the kill."""
    stops_last: bool = False
    """Whether it is asked to stop only when the others are gone."""


class Stage(StrEnum):
    """How far a program is."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    STOPPED = "stopped"


class Adopted:
    """A program that an earlier supervising process started; read and awaited like `subprocess.Popen`."""

    def __init__(self, identity: processes.Identity) -> None:
        self.pid = identity.pid
        self._identity = identity

    def poll(self) -> int | None:
        """None while it runs; nobody can know its exit code, and `UNSEEN` stands for it."""
        return None if self._identity.is_alive() else UNSEEN

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""
        if not self._identity.wait(math.inf if timeout is None else timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return UNSEEN


class Watched:
    """One program under watch: started when it may, asked until it is ready, started again when it ended.

    The pause before a new start doubles with each end and is forgotten after a steady while.
    """

    def __init__(
        self, program: Program, *, process_file: Path, log: Path, fork_server: ForkServer | None = None
    ) -> None:
        """Without a fork server each program is a process of its own command."""
        self.program = program
        self._fork_server = fork_server
        self.stage = Stage.WAITING
        self.reason = ""
        self.last_end = ""
        self.starts = 0
        self.was_ready = False
        self._process_file = process_file
        self._log = log
        self._process: subprocess.Popen[bytes] | Forked | Adopted | None = None
        self._is_named = False
        self._identity: processes.Identity | None = None
        self._started_at = 0.0
        self._due_at = 0.0
        self._asked_at = 0.0
        self._wait_seconds = 0.1
        self._pause = FIRST_PAUSE
        self._silent_seconds = 0.0
        self._has_answered = False
        self._hung = ""

    @property
    def pid(self) -> int | None:
        """The number of its process; None while there is none."""
        return self._process.pid if self._process else None

    def report(self) -> dict[str, object]:
        """What is told about it."""
        return {
            "name": self.program.name,
            "stage": self.stage.value,
            "reason": self.reason,
            "last_end": self.last_end,
            "pid": self.pid,
            "restarts": max(self.starts - 1, 0),
            "was_ready": self.was_ready,
            "log": str(self._log),
        }

    def adopt(self) -> bool:
        """Take over the program that runs already by its process file; whether there is one."""
        found = processes.Identity.read(self._process_file)
        if found is None or not found.is_alive():
            return False
        self._process, self._identity, self._is_named = Adopted(found), found, True
        self.starts, self.was_ready, self._has_answered = 1, True, True
        self.stage, self.reason = Stage.STARTING, "was running already"
        return True

    def step(self, now: float, *, may_start: bool) -> None:
        """Do what is due: notice an end, start, ask whether it is ready."""
        self._name()
        if self._process is not None and (code := self._process.poll()) is not None:
            self._ended(code, now)
        if self._process is None:
            if may_start and now >= self._due_at:
                self._start(now)
            return
        # Each answer costs the program something: seldom once it is ready.
        if now - self._asked_at >= (5.0 if self.stage is Stage.READY else self._wait_seconds):
            since = now - self._asked_at if self._asked_at else 0.0
            self._asked_at = now
            self._wait_seconds = min(self._wait_seconds * 1.2, 2.0)
            answer = self.program.probe.ask(ANSWER_SECONDS) if self.program.probe else Answer(True)
            self.stage = Stage.READY if answer.ready else Stage.STARTING
            self.was_ready = self.was_ready or answer.ready
            self.reason = answer.reason
            self._look_whether_it_hangs(answer, min(since, LONGEST_LOOK))
        if now - self._started_at > STEADY_SECONDS:
            self._pause = FIRST_PAUSE

    def _look_whether_it_hangs(self, answer: Answer, seconds: float) -> None:
        """End it when it has been silent for too long. That it lacks something, such as a database, is no reason."""
        alive, patience = self.program.alive, self.program.patience_seconds
        if alive is None or not patience or self._identity is None:
            return
        if answer.ready or not alive.ask(ANSWER_SECONDS).is_silent:
            self._silent_seconds, self._has_answered = 0.0, True
            return
        if processes.is_traced(self._identity.pid):
            self._silent_seconds = 0.0
            return
        self._silent_seconds += seconds
        if self._silent_seconds >= (patience if self._has_answered else patience * TO_START):
            self._hung = f"did not answer for {self._silent_seconds:.0f} s and was ended"
            self._silent_seconds = 0.0
            # It couldn't end politely.
            self._identity.send(signal.SIGKILL)

    def ask_to_stop(self) -> None:
        """Ask it politely to stop."""
        if self._identity is not None:
            self._identity.send(signal.SIGTERM)

    def finish(self, deadline: float) -> None:
        """Wait until it is gone, and kill it and what it started when it stays too long."""
        if self._process is None or self._identity is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._identity.send(signal.SIGKILL)
            self._process.wait()
        processes.end_group(self._identity)
        self._gone(Stage.STOPPED, "")

    def _start(self, now: float) -> None:
        try:
            with places.open_log(self._log) as log:
                self._process = self._spawned(dict(self.program.environment), log)
        except OSError as problem:
            self._ended(CANT_START, now)
            self.last_end = self.reason = f"can't be started: {problem}"
            with contextlib.suppress(OSError), places.open_log(self._log) as log:
                log.write(f"{self.program.command[0]} {self.reason}\n".encode())
            return
        self._identity = processes.Identity.of(self._process.pid)
        self._name()
        self.starts += 1
        self.stage, self.reason = Stage.STARTING, "is starting"
        self._started_at, self._asked_at, self._wait_seconds = now, 0.0, 0.1
        self._silent_seconds, self._has_answered = 0.0, False

    def _name(self) -> None:
        """Name the process in its file: at once, or as soon as the disk takes it."""
        if self._identity is not None and not self._is_named:
            with contextlib.suppress(OSError):
                self._identity.write(self._process_file)
                self._is_named = True

    def _spawned(self, environment: Mapping[str, str], log: IO[bytes]) -> subprocess.Popen[bytes] | Forked:
        if self.program.module and self._fork_server is not None:
            return self._fork_server.fork(self.program.name, self.program.module, environment=environment, log=log)
        # A session of its own: no terminal and no signal of the caller reaches it.
        return subprocess.Popen(
            self.program.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )

    def _ended(self, code: int, now: float) -> None:
        if self._identity is not None:
            processes.end_group(self._identity)
        self.last_end, self._hung = self._hung or _ending(code), ""
        self._gone(Stage.FAILED, self.last_end)
        self._due_at = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _gone(self, stage: Stage, reason: str) -> None:
        self.stage, self.reason = stage, reason
        self._process = self._identity = None
        self._is_named = False
        with contextlib.suppress(OSError):
            self._process_file.unlink(missing_ok=True)


def _ending(code: int) -> str:
    """The end of a process in words."""
    if code == UNSEEN:
        return "ended while nobody watched it"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
