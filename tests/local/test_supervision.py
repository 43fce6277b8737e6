"""Programs are started in order, watched, started again when they end, and stopped together."""

import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from trellis.probes import Answer, Probe
from trellis.processes import Identity, end_group
from trellis.programs import FIRST_PAUSE, Program, Stage, Watched
from trellis.state import State
from trellis.supervising import Plan
from trellis.supervision import leftovers

SUPERVISE = """
import sys
from pathlib import Path
from trellis.programs import Program
from trellis.state import State
from trellis.supervision import Supervisor
state = State(Path(sys.argv[1]))
programs = [Program(name, ["sh", "-c", script], after=after.split(), wait_seconds=1.0)
            for name, script, after in (part.split("|") for part in sys.argv[2:])]
Supervisor(state, programs, postgres=None).run()
"""
RUN_AGAIN = """
import sys
from pathlib import Path
from trellis import watcher
from trellis.state import State
state = State(Path(sys.argv[1]))
with state.held("watcher") as free:
    if free:
        watcher.watch(state, [sys.executable, "-P", "-c", sys.argv[2], *sys.argv[1:2], *sys.argv[3:]])
"""
# As `trellis.supervisor` runs it: under its lock, and with a watcher.
SUPERVISE_AND_WATCH = SUPERVISE.replace(
    "Supervisor(state, programs, postgres=None).run()",
    """
watcher = [sys.executable, "-P", "-c", Path(state.folder, "watcher.py").read_text(), *sys.argv[1:2],
           Path(state.folder, "supervise.py").read_text(), *sys.argv[2:]]
with state.held("supervisor", seconds=2.0) as free:
    if free:
        Supervisor(state, programs, postgres=None, watcher=watcher).run()
""",
)


def eventually(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """What the condition gives, once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
    return found


@pytest.fixture
def state(tmp_path: Path) -> State:
    """An empty state folder."""
    made = State(tmp_path / "state")
    made.prepare()
    return made


@pytest.fixture
def supervise(state: State) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Starts a supervising process for programs written as `name|shell script|names to wait for`."""
    started: list[subprocess.Popen[bytes]] = []

    def supervise(*programs: str, script: str = SUPERVISE) -> "subprocess.Popen[bytes]":
        log = state.log("supervisor").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", script, str(state.folder), *programs],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        started.append(process)
        return process

    yield supervise
    state.wanted.unlink(missing_ok=True)
    for process in started:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for _, left in leftovers(state.run):
        end_group(left)


def reported(state: State) -> dict[str, dict[str, Any]]:
    """What the supervising process says about each program."""
    try:
        return {program["name"]: program for program in json.loads(state.report.read_text())["programs"]}
    except FileNotFoundError:
        return {}


def ready(state: State, *names: str) -> bool:
    """Whether all these programs are reported as ready."""
    found = reported(state)
    return all(found.get(name, {}).get("stage") == "ready" for name in names)


def test_programs_run_in_sessions_of_their_own_and_are_named_by_files(
    state: State, supervise: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    supervise("a|sleep 60|", "b|sleep 60|a")
    eventually(lambda: ready(state, "a", "b"))
    for name in ("a", "b"):
        process = Identity.read(state.process(name))
        assert process is not None
        assert os.getsid(process.pid) == process.pid
        assert process.pid == reported(state)[name]["pid"]


def test_a_killed_program_is_started_again(state: State, supervise: Callable[..., "subprocess.Popen[bytes]"]) -> None:
    supervise("a|sleep 60|", "b|sleep 60|")
    eventually(lambda: ready(state, "a", "b"))
    before = reported(state)
    os.kill(before["a"]["pid"], signal.SIGKILL)
    eventually(lambda: ready(state, "a", "b") and reported(state)["a"]["restarts"] == 1)
    after = reported(state)
    assert after["a"]["pid"] != before["a"]["pid"]
    assert after["b"]["pid"] == before["b"]["pid"]
    assert "a was ended by SIGKILL" in state.log("supervisor").read_text()


def test_what_waits_for_another_is_not_started_before_it_is_ready(
    state: State, supervise: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    supervise("broken|exit 3|", "after|sleep 60|broken")
    eventually(lambda: reported(state).get("broken", {}).get("reason") == "ended with exit code 3")
    eventually(lambda: reported(state)["broken"]["restarts"] >= 1)
    assert reported(state)["after"]["stage"] == "waiting"


def test_a_request_to_stop_ends_all_and_leaves_no_trace(
    state: State, supervise: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    process = supervise("a|sleep 60|", "deaf|trap '' TERM; sleep 60 & wait; wait|")
    eventually(lambda: ready(state, "a", "deaf"))
    pids = [Identity.of(program["pid"]) for program in reported(state).values()]
    process.terminate()
    assert process.wait(15) == 0
    assert not any(pid.is_alive() for pid in pids if pid)
    assert not state.supervisor.exists()
    assert not state.report.exists()
    assert leftovers(state.run) == []


def test_children_of_a_program_go_with_it(state: State, supervise: Callable[..., "subprocess.Popen[bytes]"]) -> None:
    supervise(f"parent|sleep 61 & echo $! > {state.folder}/child; exec sleep 62|")
    eventually(lambda: ready(state, "parent"))
    child = Identity.of(int(eventually((state.folder / "child").read_text)))
    os.kill(reported(state)["parent"]["pid"], signal.SIGKILL)
    eventually(lambda: reported(state)["parent"]["restarts"] == 1)
    assert child is not None
    assert child.wait(5)


def test_it_stops_when_its_state_folder_is_taken_away(
    state: State, supervise: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    process = supervise("a|sleep 60|")
    eventually(lambda: ready(state, "a"))
    found = Identity.of(reported(state)["a"]["pid"])
    state.supervisor.unlink()
    assert process.wait(15) == 0
    assert found is not None
    assert not found.is_alive()


def test_programs_of_a_killed_supervisor_are_found(
    state: State, supervise: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    process = supervise("a|sleep 60|")
    eventually(lambda: ready(state, "a"))
    process.kill()
    process.wait()
    assert [name for name, _ in leftovers(state.run)] == ["a"]


def test_a_new_supervisor_takes_over_what_runs(
    state: State, supervise: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    first = supervise("a|sleep 60|", "b|sleep 60|")
    eventually(lambda: ready(state, "a", "b"))
    before = reported(state)
    first.kill()
    first.wait()
    os.kill(before["b"]["pid"], signal.SIGKILL)
    second = supervise("a|sleep 60|", "b|sleep 60|")
    eventually(lambda: ready(state, "a", "b") and reported(state)["b"]["pid"] != before["b"]["pid"])
    assert reported(state)["a"]["pid"] == before["a"]["pid"]
    os.kill(before["a"]["pid"], signal.SIGKILL)
    eventually(lambda: ready(state, "a") and reported(state)["a"]["pid"] != before["a"]["pid"])
    assert "a ended while nobody watched it" in state.log("supervisor").read_text()
    second.terminate()
    assert second.wait(15) == 0
    assert leftovers(state.run) == []


def test_a_killed_supervisor_is_replaced_until_nothing_is_wanted(
    state: State, supervise: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    (state.folder / "watcher.py").write_text(RUN_AGAIN)
    (state.folder / "supervise.py").write_text(SUPERVISE_AND_WATCH)
    state.wanted.touch()
    process = supervise("a|sleep 60|", script=SUPERVISE_AND_WATCH)
    eventually(lambda: ready(state, "a") and state.is_held("watcher"))
    program = reported(state)["a"]["pid"]
    process.kill()
    process.wait()
    found = Identity.read(state.supervisor)
    eventually(lambda: Identity.read(state.supervisor) != found and ready(state, "a"), 20)
    assert reported(state)["a"]["pid"] == program
    second = Identity.read(state.supervisor)
    assert second is not None
    # Nothing is wanted any more: neither it nor its watcher stays, nor what they watched.
    state.wanted.unlink()
    assert second.wait(10)
    eventually(lambda: not state.is_held("watcher"))
    assert leftovers(state.run) == []


@pytest.mark.skipif(sys.platform != "linux", reason="the limits of a running process can be changed on Linux only")
def test_a_full_disk_ends_nothing_and_is_forgotten(
    state: State, supervise: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    process = supervise("a|sleep 60|", "b|sleep 60|")
    eventually(lambda: ready(state, "a", "b"))
    before = reported(state)
    # No file can be written any more, by it and by what it starts.
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    os.kill(before["a"]["pid"], signal.SIGKILL)
    gone = psutil.Process(process.pid)
    children = {before["a"]["pid"], before["b"]["pid"]}
    eventually(lambda: {child.pid for child in gone.children()} - children)
    # Old news, for want of room.
    assert reported(state) == before
    assert process.poll() is None
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    eventually(lambda: ready(state, "a", "b") and reported(state)["a"]["pid"] != before["a"]["pid"])
    named = Identity.read(state.process("a"))
    assert named is not None
    assert named.pid == reported(state)["a"]["pid"]
    process.terminate()
    assert process.wait(15) == 0


class _Silent(Probe):
    """A probe that never gets an answer."""

    def ask(self, timeout: float = 2.0) -> Answer:  # noqa: ARG002
        return Answer(False, "does not answer")


def watched(tmp_path: Path, *command: str, probe: Probe | None = None) -> Watched:
    program = Program("x", command, probe=probe)
    return Watched(program, process_file=tmp_path / "x.pid", log=tmp_path / "x.log")


def test_the_pause_grows_with_each_end(tmp_path: Path) -> None:
    one = watched(tmp_path, "false")
    now, starts = 0.0, []
    while now < 8 * FIRST_PAUSE:
        before = one.starts
        one.step(now, may_start=True)
        if one.starts > before:
            starts.append(now)
            eventually(lambda: one._process is None or one._process.poll() is not None)
        now += FIRST_PAUSE / 10
    pauses = [second - first for first, second in itertools.pairwise(starts)]
    assert len(pauses) == 3
    assert pauses[1] > pauses[0] * 1.5
    assert pauses[2] > pauses[1] * 1.5


def test_a_program_that_does_not_exist_is_a_failure_with_a_reason(tmp_path: Path) -> None:
    one = watched(tmp_path, str(tmp_path / "no-such-program"))
    one.step(0, may_start=True)
    assert one.stage is Stage.FAILED
    assert "can't be started" in (tmp_path / "x.log").read_text()


def test_a_program_is_not_ready_before_its_probe_says_so(tmp_path: Path) -> None:
    one = watched(tmp_path, "sleep", "60", probe=_Silent("/readyz"))
    one.step(0, may_start=True)
    one.step(1, may_start=True)
    assert one.stage is Stage.STARTING
    assert one.report()["reason"] == "does not answer"
    one.finish(0)
    assert one.report()["stage"] == "stopped"


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    program = Program(
        "a",
        ["sleep", "60"],
        module=["a", "b"],
        probe=Probe("/readyz", unix=tmp_path / "a.sock"),
        alive=Probe("/healthz", unix=tmp_path / "a.sock"),
        patience_seconds=60.0,
        after=["b"],
        environment={"ONLY": "this"},
        stops_last=True,
    )
    plan = Plan(
        tmp_path,
        [program, Program("b", ["true"], module=[], after=[])],
        {"digest": "x"},
        is_embedded=True,
        forks={"PATH": "/bin"},
    )
    assert Plan.read(plan.written()) == plan
    assert "ONLY" not in repr(plan)
