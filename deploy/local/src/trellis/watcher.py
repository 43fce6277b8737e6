"""Starts the supervising process again when it ends though the installation is meant to run.

The supervising process does the same for this one. It is small on purpose, and knows nothing of settings: its command
line names the state folder (`python -m trellis.watcher FOLDER`), and its environment is the one that the supervising
process needs. Both ends are noticed by locks, which the kernel frees however a process ends.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from trellis.processes import Identity
from trellis.state import State

SUPERVISOR = "supervisor"
NAME = "watcher"
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 30.0
START_SECONDS = 60.0


def command_of(state: State) -> list[str]:
    """The command that watches an installation's supervising process."""
    return [sys.executable, "-P", "-m", "trellis.watcher", str(state.folder)]


def watch(state: State, supervise: Sequence[str]) -> None:
    """Run `supervise` again each time when nothing supervises, until the installation isn't meant to run any more."""
    pause = FIRST_PAUSE
    while _has_ended(state) and state.wanted.exists():
        began = time.monotonic()
        process = subprocess.Popen(supervise, stdin=subprocess.DEVNULL, start_new_session=True)
        _say(f"the supervising process was gone: started it again ({process.pid})")
        while process.poll() is None and not state.is_held(SUPERVISOR) and time.monotonic() < began + START_SECONDS:
            time.sleep(0.1)
        if not _has_ended(state):
            return
        # It is our child: what is left of it goes now.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        pause = FIRST_PAUSE if time.monotonic() > began + STEADY_SECONDS else min(pause * 2, LONGEST_PAUSE)
        due = time.monotonic() + pause
        while time.monotonic() < due and state.wanted.exists():
            time.sleep(0.1)


def _has_ended(state: State) -> bool:
    """Wait until nothing supervises; False when the state folder is gone."""
    try:
        with (state.run / f"{SUPERVISOR}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
    except FileNotFoundError:
        return False
    return True


def _say(what: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, f"watcher: {what}\n".encode())


def main() -> int:
    """Watch. Exit code 1 when another one already watches this installation."""
    state = State(Path(sys.argv[1]))

    def stop(_number: int, _frame: FrameType | None) -> None:
        """End everything, as the same signal to the supervising process does."""
        state.wanted.unlink(missing_ok=True)
        if (supervisor := Identity.read(state.supervisor)) is not None:
            supervisor.send(signal.SIGTERM)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    signal.signal(signal.SIGHUP, lambda *_: None)
    with state.held(NAME, seconds=2.0) as free:
        if not free:
            return 1
        me = Identity.of(os.getpid())
        assert me is not None
        file = state.process(NAME)
        with contextlib.suppress(OSError):
            me.write(file)
        watch(state, [sys.executable, "-P", "-m", "trellis.supervisor"])
        if Identity.read(file) == me:
            file.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
