"""Keeps the programs of one installation running until it is asked to stop, or its state folder is taken away.

A disk without room must not end it: what can't be written now is written later.
"""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType, MappingProxyType

from trellis import logs, places, processes
from trellis.forks import ForkServer, collect_ended
from trellis.postgres import EmbeddedPostgres, PostgresFailed
from trellis.postmasters import DataInUse
from trellis.programs import Program, Stage, Watched
from trellis.state import State

TICK_SECONDS = 0.1
LOOK_SECONDS = 1.0
TRIM_SECONDS = 10.0

DATABASE = "postgres"
WATCHER = "watcher"


class Supervisor:
    """Starts, watches, restarts and stops; says how everything is in the report file."""

    def __init__(
        self,
        state: State,
        programs: Sequence[Program],
        *,
        postgres: EmbeddedPostgres | None,
        told: Mapping[str, object] = MappingProxyType({}),
        watcher: Sequence[str] = (),
        fork_server: ForkServer | None = None,
    ) -> None:
        """`told` is kept in the report: what other commands must know of the settings that these run with.

        `watcher` is the command of the process that starts this one again when it ends (`trellis.watcher`).
        """
        self._state = state
        self._postgres = postgres
        self._told = told
        self._watched = [
            Watched(
                program,
                process_file=state.process(program.name),
                log=state.log(program.name),
                fork_server=fork_server,
            )
            for program in programs
        ]
        self._fork_server = fork_server
        self._watcher = watcher
        self._watching: subprocess.Popen[bytes] | None = None
        self._watcher_starts = 0
        self._me = processes.Identity.of(os.getpid())
        self._stop = threading.Event()
        self._database_reason = ""
        self._database_restarts = 0
        self._reported = ""
        self._next_look = 0.0
        self._next_trim = 0.0

    def run(self) -> None:
        """Until SIGTERM or SIGINT, or until the state folder no longer names this process."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop_signal)
        # Not ignored: an ignored signal would be inherited by every program.
        signal.signal(signal.SIGHUP, lambda *_: None)
        assert self._me is not None
        self._me.write(self._state.supervisor)
        adopted = [watched.program.name for watched in self._watched if watched.adopt()]
        if adopted:
            self._say("running already: " + ", ".join(adopted))
        self._say("watching " + ", ".join(watched.program.name for watched in self._watched))
        while not self._stop.is_set():
            self._step(time.monotonic())
            self._stop.wait(TICK_SECONDS)
        self._finish()

    def _step(self, now: float) -> None:
        if now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            if processes.Identity.read(self._state.supervisor) != self._me:
                self._say("the state folder no longer names this process: stopping")
                self._stop.set()
                return
            if self._watcher and not self._state.wanted.exists():
                self._say("the installation isn't meant to run any more: stopping")
                self._stop.set()
                return
            self._look_after_watcher()
            self._look_after_database()
        ready = {watched.program.name for watched in self._watched if watched.stage is Stage.READY}
        for watched in self._watched:
            before = (watched.stage, watched.reason)
            watched.step(now, may_start=ready.issuperset(watched.program.after))
            if (watched.stage, watched.reason) != before and watched.stage in {Stage.READY, Stage.FAILED}:
                self._say(f"{watched.program.name} {watched.reason or 'is ready'}")
        self._collect_ended()
        if now >= self._next_trim:
            self._next_trim = now + TRIM_SECONDS
            logs.trim(self._state.logs.glob("*.log"))
            if self._postgres is not None:
                logs.trim([self._postgres.log])
        self._write_report()

    def _look_after_watcher(self) -> None:
        if not self._watcher or (self._watching is not None and self._watching.poll() is None):
            return
        try:
            # One that an earlier supervising process started is no child of ours.
            if self._state.is_held(WATCHER):
                self._watcher_starts = max(self._watcher_starts, 1)
                return
            self._watching = subprocess.Popen(self._watcher, stdin=subprocess.DEVNULL, start_new_session=True)
        except OSError as problem:
            self._say(f"the watcher can't be started: {problem}")
            return
        self._watcher_starts += 1
        if self._watcher_starts > 1:
            self._say("the watcher was gone: started it again")

    def _collect_ended(self) -> None:
        """Collect what became a child of ours since we take those of the fork server, a database server too."""
        if self._fork_server is not None:
            ours = [*(watched.pid for watched in self._watched), self._fork_server.pid]
            ours.append(self._watching.pid if self._watching else None)
            collect_ended([pid for pid in ours if pid is not None])

    def _look_after_database(self) -> None:
        if self._postgres is None or self._postgres.is_running():
            self._database_reason = ""
            return
        self._database_restarts += 1
        self._say("the database is gone: starting it")
        try:
            self._postgres.start()
        except (PostgresFailed, DataInUse, OSError) as problem:
            self._database_reason = str(problem)
            self._say(str(problem))

    def _write_report(self) -> None:
        """Write the report, when it differs from the last one."""
        programs: list[dict[str, object]] = [watched.report() for watched in self._watched]
        if self._postgres is not None:
            programs.insert(0, self._database_report())
        if self._watcher:
            programs.append(self._watcher_report())
        report = json.dumps({"told": dict(self._told), "programs": programs}, indent=1)
        if report != self._reported:
            with contextlib.suppress(OSError):
                places.write_small(self._state.report, report)
                self._reported = report

    def _database_report(self) -> dict[str, object]:
        assert self._postgres is not None
        return {
            "name": DATABASE,
            "stage": (Stage.FAILED if self._database_reason else Stage.READY).value,
            "reason": self._database_reason,
            "last_end": "",
            "pid": self._postgres.pid,
            "restarts": self._database_restarts,
            "was_ready": True,
            "log": str(self._postgres.log),
        }

    def _watcher_report(self) -> dict[str, object]:
        found = processes.Identity.read(self._state.process(WATCHER))
        runs = found is not None and found.is_alive()
        return {
            "name": WATCHER,
            "stage": (Stage.READY if runs else Stage.STARTING).value,
            "reason": "" if runs else "is starting",
            "last_end": "",
            "pid": found.pid if found is not None and runs else None,
            "restarts": max(self._watcher_starts - 1, 0),
            "was_ready": True,
            "log": str(self._state.log("supervisor")),
        }

    def _finish(self) -> None:
        """Stop the services, then the gateway (so that their last answers get out), then the database."""
        self._say("stopping")
        with contextlib.suppress(OSError):
            self._state.wanted.unlink(missing_ok=True)
        for last in (False, True):
            rank = [watched for watched in self._watched if watched.program.stops_last is last]
            for watched in rank:
                watched.ask_to_stop()
            asked_at = time.monotonic()
            for watched in rank:
                watched.finish(asked_at + watched.program.wait_seconds)
        if self._fork_server is not None:
            self._fork_server.close()
        if self._postgres is not None:
            try:
                self._postgres.stop()
            except PostgresFailed as problem:
                self._say(str(problem))
        if processes.Identity.read(self._state.supervisor) == self._me:
            self._state.report.unlink(missing_ok=True)
            self._state.supervisor.unlink(missing_ok=True)
        self._say("stopped")

    def _on_stop_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _say(self, what: str) -> None:
        # Not through a buffer, which would keep what a full disk didn't take and fail with it again.
        with contextlib.suppress(OSError):
            os.write(2, f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {what}\n".encode())


def leftovers(folder: Path) -> list[tuple[str, processes.Identity]]:
    """The living processes that files in a run folder name: of a supervisor that was killed, say."""
    found = ((path.stem, processes.Identity.read(path)) for path in sorted(folder.glob("*.pid")))
    return [(name, process) for name, process in found if process is not None and process.is_alive()]
