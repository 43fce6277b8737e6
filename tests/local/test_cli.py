"""The command itself: what it says when something is wrong, and that it says it without a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.stack import free_port


def trellis(state: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command on a state folder where nothing runs."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "trellis.cli", *arguments],
        env={"PATH": "/usr/bin:/bin", "TRELLIS_STATE_DIR": str(state), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_settings_that_make_no_sense_are_named_all_at_once(tmp_path: Path) -> None:
    done = trellis(tmp_path / "state", "status", TRELLIS_LISTEN_PORT="much", TRELLIS_ENV="live")
    assert done.returncode == 1
    assert "TRELLIS_LISTEN_PORT" in done.stderr
    assert "TRELLIS_ENV" in done.stderr
    assert "Traceback" not in done.stderr


def test_where_nothing_runs_status_says_so_and_makes_nothing(tmp_path: Path) -> None:
    done = trellis(tmp_path / "state", "status")
    assert done.returncode == 1
    assert "Nothing runs" in done.stdout
    assert trellis(tmp_path / "state", "down").stdout == "Nothing was running.\n"
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("token", "status-reader"), "does not answer"),
        (("keys", "list"), "There is no database yet"),
        (("logs", "academy"), "There is no log of academy"),
    ],
)
def test_where_nothing_runs_commands_say_what_to_do(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = trellis(tmp_path / "state", *arguments, TRELLIS_LISTEN_PORT=str(free_port()))
    assert done.returncode == 1
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_there_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    done = trellis(tmp_path / "state", "import", "dfe-ks4", str(tmp_path / "missing.csv"))
    assert done.returncode == 2
    assert "missing.csv" in done.stderr.replace("\n", "")


def test_outside_the_demo_credentials_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n")
    done = trellis(tmp_path / "state", "import", "dfe-ks4", str(tmp_path / "a.csv"), TRELLIS_ENV="production")
    assert done.returncode == 1
    assert "trellis bootstrap" in done.stderr
