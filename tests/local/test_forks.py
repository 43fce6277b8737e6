"""Programs that share their libraries: forked from the supervising process, and otherwise like any other."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from trellis import forks, installation
from trellis.settings import LocalSettings

pytestmark = pytest.mark.skipif(not forks.can_fork(), reason="programs are forked on Linux only")

# Run in a process of its own: what it forks becomes its child.
PARENT = """
import json, os, subprocess, sys
from pathlib import Path
from trellis import forks
opened = open(sys.argv[2], "rb")
bare = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
server = forks.ForkServer(bare, names=["json", "not_there"])
with open(sys.argv[1], "ab") as log:
    forked = server.fork("a-program", ["the_program", *sys.argv[4:]], environment=json.loads(sys.argv[3]), log=log)
try:
    forked.wait(0.0001)
except subprocess.TimeoutExpired:
    pass
print(forked.wait(20), forked.pid)
if sys.argv[4:] == ["again"]:
    os.kill(server.pid, 9)
    with open(sys.argv[1], "ab") as log:
        second = server.fork("a-program", ["the_program", "leave"], environment=json.loads(sys.argv[3]), log=log)
    print(second.wait(20), second.pid)
server.close()
"""

PROGRAM = """
import gc, json, os, signal, sys
from pathlib import Path
facts = {"arguments": sys.argv[1:], "environment": dict(os.environ), "session": os.getsid(0), "pid": os.getpid(),
         "comm": Path("/proc/self/comm").read_text().strip(), "main": __name__, "shared": "json" in sys.modules,
         "began_with": Path("/proc/self/environ").read_text(), "parent": os.getppid(),
         "term": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
         "memory": "SECRET_OF_" + "THE_PARENT" in str([value for value in gc.get_objects() if type(value) is dict]),
         "open": [os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")
                  if os.path.exists(f"/proc/self/fd/{number}")]}
if sys.argv[1:] == ["fail"]:
    raise LookupError("this is why")
if sys.argv[1:] == ["leave"]:
    sys.exit(3)
if sys.argv[1:] == ["die"]:
    os.kill(os.getpid(), signal.SIGTERM)
print(json.dumps(facts))
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where the program writes; the program itself lies beside it."""
    (tmp_path / "the_program.py").write_text(PROGRAM)
    return tmp_path / "program.log"


def run(log: Path, *arguments: str) -> list[int]:
    """The exit code of each program that was forked."""
    environment = json.dumps({"PYTHONPATH": str(log.parent), "ONLY": "this"})
    done = subprocess.run(
        [sys.executable, "-P", "-c", textwrap.dedent(PARENT), str(log), __file__, environment, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "SECRET_OF_THE_PARENT": "x"},
    )
    return [int(line.split()[0]) for line in done.stdout.splitlines()]


def test_a_forked_program_is_one_of_its_own(log: Path) -> None:
    assert run(log, "one", "two") == [0]
    facts = json.loads(log.read_text())
    assert facts["arguments"] == ["one", "two"]
    assert facts["environment"] == {"PYTHONPATH": str(log.parent), "ONLY": "this"}
    assert facts["session"] == facts["pid"]
    assert (facts["comm"], facts["main"], facts["shared"], facts["term"]) == ("a-program", "__main__", True, True)
    assert not any(__file__ in name for name in facts["open"])
    # Neither what it began with nor what it holds knows anything of the process that asked for it.
    assert "SECRET_OF_THE_PARENT" not in facts["began_with"]
    assert not facts["memory"]


def test_a_killed_fork_server_is_replaced(log: Path) -> None:
    assert run(log, "again") == [0, 3]


@pytest.mark.parametrize(("how", "code"), [("fail", 1), ("leave", 3), ("die", -signal.SIGTERM)])
def test_its_end_is_known(log: Path, how: str, code: int) -> None:
    assert run(log, how) == [code]
    assert ("LookupError: this is why" in log.read_text()) is (how == "fail")


def test_an_operator_may_start_each_program_by_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRELLIS_STATE_DIR", str(tmp_path))
    for value, shares in (("true", True), ("false", False)):
        monkeypatch.setenv("TRELLIS_PRELOAD", value)
        assert installation.Installation(LocalSettings.load()).shares_libraries is shares


def test_what_is_shared_starts_no_thread() -> None:
    counted = "import os; from trellis import forks; forks.preload(); print(len(os.listdir('/proc/self/task')))"
    done = subprocess.run([sys.executable, "-P", "-c", counted], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
