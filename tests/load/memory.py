"""How much memory an installation takes while nobody asks anything of it: the sum of PSS over all its processes.

PSS counts a page that several processes share once in all. Postgres and Envoy are counted with their children.
"""

import time

import psutil

from tests.load.pulls import Row
from tests.support.stack import Stack
from trellis.processes import Identity
from trellis.state import State

IDLE_SECONDS = 20.0
MOST_MB = 700.0


def _pss(process: psutil.Process) -> int:
    memory: int = process.memory_full_info().pss
    return memory


def idle_memory(stack: Stack) -> dict[str, float]:
    """Megabytes (10^6 bytes) of each program of a running installation, the supervising process among them."""
    roots = {program["name"]: int(program["pid"]) for program in stack.status()["programs"]}
    supervisor = Identity.read(State(stack.state).supervisor)
    assert supervisor is not None
    supervising = psutil.Process(supervisor.pid)
    # The process that forks programs is no program of its own.
    others = [child for child in supervising.children() if child.pid not in roots.values()]
    found = {"supervisor": sum(_pss(process) for process in (supervising, *others)) / 1e6}
    for name, pid in roots.items():
        root = psutil.Process(pid)
        found[name] = sum(_pss(process) for process in (root, *root.children(recursive=True))) / 1e6
    return found


def measure_idle_memory(stack: Stack) -> list[Row]:
    """The whole installation: started on the demo's data and left alone; and before, having just loaded it."""
    time.sleep(IDLE_SECONDS)
    loaded = sum(idle_memory(stack).values())
    stack.cli("up", "--restart", "--no-demo")
    time.sleep(IDLE_SECONDS)
    programs = idle_memory(stack)
    for name, megabytes in sorted(programs.items()):
        print(f"  {name:18} {megabytes:7.1f} MB")
    return [
        Row("idle_memory_mb", sum(programs.values()), "MB", "the most that is promised", MOST_MB, "≤ 1"),
        Row("loaded_memory_mb", loaded, "MB", "the same", MOST_MB),
    ]
