"""The state folder: made once, private where it must be, held by one command at a time."""

import multiprocessing
import os
import stat
import threading
from pathlib import Path

import pytest

from trellis.state import State, StateUnusable


def test_the_folder_is_made_and_keeps_itself_out_of_git(tmp_path: Path) -> None:
    state = State(tmp_path / "deep" / ".trellis")
    state.prepare()
    state.prepare()
    assert (state.folder / ".gitignore").read_text() == "*\n"
    assert stat.S_IMODE(state.run.stat().st_mode) == 0o700
    assert stat.S_IMODE(state.logs.stat().st_mode) == 0o700


def test_sockets_of_a_deep_folder_lie_in_a_short_one(tmp_path: Path) -> None:
    state = State(tmp_path / ("d" * 120) / ".trellis")
    state.prepare()
    assert state.sockets != state.run
    assert len(os.fsencode(state.socket("envoy-admin"))) <= 100
    assert stat.S_IMODE(state.sockets.stat().st_mode) == 0o700
    state.sockets.rmdir()


def test_a_file_in_its_place_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / ".trellis").touch()
    with pytest.raises(StateUnusable, match="can't be used"):
        State(tmp_path / ".trellis").prepare()


def _hold(folder: Path, held: "multiprocessing.synchronize.Event", done: "multiprocessing.synchronize.Event") -> None:
    with State(folder).locked():
        held.set()
        done.wait(10)


def test_one_command_holds_it_at_a_time_and_the_next_is_told_that_it_waits(tmp_path: Path) -> None:
    state = State(tmp_path / ".trellis")
    state.prepare()
    spawning = multiprocessing.get_context("spawn")
    held, done = spawning.Event(), spawning.Event()
    other = spawning.Process(target=_hold, args=(state.folder, held, done))
    other.start()
    assert held.wait(20)
    told: list[str] = []

    def waiting() -> None:
        told.append("waits")
        threading.Timer(0.2, done.set).start()

    with state.locked(waiting=waiting):
        told.append("holds")
    other.join()
    assert told == ["waits", "holds"]
