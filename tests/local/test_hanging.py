"""A program that answers nothing is ended and started again; one that lacks something, or is held, is left alone."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from trellis import processes, programs
from trellis.probes import Probe
from trellis.processes import is_traced
from trellis.programs import Program, Stage, Watched

ANSWERING = """
import sys, time
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingUnixStreamServer
class Handler(BaseHTTPRequestHandler):
    client_address = ("", 0)
    def do_GET(self):
        if self.path == "/readyz" and sys.argv[2] == "lacks":
            time.sleep(60)
        self.send_response(200 if sys.argv[2] == "well" else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
ThreadingUnixStreamServer(sys.argv[1], Handler).serve_forever()
"""


@pytest.fixture
def answering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Watched]]:
    """Watches a program that answers on a socket; the watch waits for no answer longer than a tenth of a second."""
    monkeypatch.setattr(programs, "ANSWER_SECONDS", 0.1)
    socket = tmp_path / "x.sock"
    made: list[Watched] = []

    def watch(how: str) -> Watched:
        program = Program(
            "x",
            ["sh", "-c", 'rm -f "$3"; exec "$0" -P -c "$1" "$3" "$2"', sys.executable, ANSWERING, how, str(socket)],
            probe=Probe("/readyz", unix=socket),
            alive=Probe("/healthz", unix=socket),
            patience_seconds=60.0,
        )
        made.append(Watched(program, process_file=tmp_path / "x.pid", log=tmp_path / "x.log"))
        return made[0]

    yield watch
    made[0].finish(0)


def stepped(one: Watched, now: float, *, every: float = 5.0, until: Callable[[], Any], most: int = 25) -> float:
    """Look again and again, so many seconds apart by the clock that the watch is given; what the clock shows then."""
    for _ in range(most):
        if until():
            return now
        now += every
        one.step(now, may_start=True)
        time.sleep(0.05)
    return now


def test_a_program_that_hangs_is_ended_and_started_again(answering: Callable[[str], Watched]) -> None:
    one = answering("well")
    now = stepped(one, 0.0, until=lambda: one.stage is Stage.READY)
    first = one.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    began, now = now, stepped(one, now, until=lambda: one.stage is Stage.FAILED)
    assert 60 <= now - began <= 80
    assert one.reason == "did not answer for 60 s and was ended"
    stepped(one, now, until=lambda: one.stage is Stage.READY)
    assert (one.pid != first, one.starts, one.last_end) == (True, 2, "did not answer for 60 s and was ended")


def test_a_program_that_lacks_its_database_is_left_alone(answering: Callable[[str], Watched]) -> None:
    one = answering("lacks")
    stepped(one, 0.0, until=lambda: False, every=10.0)
    assert (one.stage, one.starts) == (Stage.STARTING, 1)
    assert one.reason.startswith("does not answer")


def test_a_machine_that_slept_ends_nothing(answering: Callable[[str], Watched]) -> None:
    one = answering("well")
    now = stepped(one, 0.0, until=lambda: one.stage is Stage.READY)
    assert one.pid is not None
    os.kill(one.pid, signal.SIGSTOP)
    now = stepped(one, now, until=lambda: False, every=86_400.0, most=5)
    assert one.stage is Stage.STARTING
    os.kill(one.pid, signal.SIGCONT)
    stepped(one, now, until=lambda: one.stage is Stage.READY)
    assert one.starts == 1


def test_a_program_that_never_answers_gets_longer(tmp_path: Path) -> None:
    nobody = Probe("/healthz", unix=tmp_path / "nobody.sock")
    program = Program("x", ["sleep", "60"], probe=nobody, alive=nobody, patience_seconds=60.0)
    one = Watched(program, process_file=tmp_path / "x.pid", log=tmp_path / "x.log")
    now = stepped(one, 0.0, until=lambda: one.stage is Stage.FAILED, every=10.0)
    assert 180 <= now <= 220
    one.finish(0)


@pytest.mark.skipif(sys.platform != "linux", reason="who debugs a process is known on Linux only")
def test_a_program_under_a_debugger_may_halt(
    answering: Callable[[str], Watched], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = answering("well")
    now = stepped(one, 0.0, until=lambda: one.stage is Stage.READY)
    assert one.pid is not None
    assert not is_traced(one.pid)
    os.kill(one.pid, signal.SIGSTOP)
    status = tmp_path / "proc" / str(one.pid) / "status"
    status.parent.mkdir(parents=True)
    status.write_text("Name:\tx\nTracerPid:\t17\n")
    traced = is_traced
    monkeypatch.setattr(processes, "is_traced", lambda pid: traced(pid, proc=tmp_path / "proc"))
    stepped(one, now, until=lambda: False, every=10.0, most=15)
    assert (one.stage, one.starts) == (Stage.STARTING, 1)
