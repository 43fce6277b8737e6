"""What `trellis run` becomes once everything is ready: a process that stays as long as the installation runs.

For systemd and other supervisors of a machine, which want one process that stays. It watches nothing itself but the
two that do (`trellis.supervision`, `trellis.watcher`): when both are gone it ends, so that everything is started again.
"""

import os
import signal
import socket
import sys
import time
from pathlib import Path
from types import FrameType

from trellis import watcher
from trellis.state import State

LOOK_SECONDS = 1.0
LOOKS = 5
"""As many looks in a row must find nobody: the two replace each other within a second or two, and a restore starts
again what it stopped."""
STOPPING = (signal.SIGTERM, signal.SIGINT)
"""What ends it. `trellis run` holds them back until they are answered here."""
UNIT = "unit"
"""The lock that is held while systemd runs the installation: what another command starts doesn't belong to the unit,
and ends with the session of that command (`launching.refuse_if_of_unit`)."""
WAS_STOPPED = 77
"""The exit code when somebody else stopped the installation: `trellis down`, or who removed its state folder."""


def main() -> int:
    """Stay until the installation ends; 1 when nothing watches it any more, though it is meant to run."""
    state = State(Path(sys.argv[1]))
    for number in STOPPING:
        signal.signal(number, _stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    if "NOTIFY_SOCKET" not in os.environ:
        return _stay(state)
    with state.held(UNIT):
        announce("READY=1")
        return _stay(state)


def _stay(state: State) -> int:
    missed = 0
    while missed < LOOKS:
        missed = 0 if state.is_held("supervisor") or state.is_held(watcher.NAME) else missed + 1
        if not state.wanted.exists():
            # `down` and `restore` take it away first of all: what they stop may need a while yet.
            try:
                with state.locked():
                    pass
            except FileNotFoundError:
                return WAS_STOPPED
        time.sleep(LOOK_SECONDS)
    if not state.wanted.exists():
        return WAS_STOPPED
    print("Nothing watches the installation any more.", file=sys.stderr)
    return 1


def announce(what: str) -> None:
    """Say something to systemd, if it started us (sd_notify)."""
    if address := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.connect(f"\0{address[1:]}" if address.startswith("@") else address)
            connection.send(what.encode())


def _stop(_number: int, _frame: FrameType | None) -> None:
    """Become `trellis down`."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_DFL)
    os.execv(sys.executable, [sys.executable, "-P", "-m", "trellis.cli", "down"])  # noqa: S606 - our own interpreter


if __name__ == "__main__":
    sys.exit(main())
