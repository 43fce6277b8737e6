"""The unit for systemd: systemd itself finds nothing wrong with it, and it names what exists."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.stack import HOUSE
from trellis import launching
from trellis.attending import WAS_STOPPED
from trellis.state import State

UNIT = HOUSE / "deploy" / "systemd" / "trellis.service"
ANALYSE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYSE is None, reason="systemd's own check isn't on this machine")
MOST_EXPOSED = 2.0


def analysed(*arguments: str) -> str:
    """What systemd-analyze says."""
    assert ANALYSE is not None
    done = subprocess.run([ANALYSE, *arguments], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


@needs_systemd
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    command = str(Path(sys.executable).parent / "trellis")
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/trellis/.venv/bin/trellis", command))
    said = [line for line in analysed("verify", "--man=no", str(unit)).splitlines() if UNIT.name in line]
    assert said == []


@needs_systemd
def test_the_unit_gives_few_rights() -> None:
    said = analysed("security", "--offline=true", "--no-pager", str(UNIT))
    found = re.search(r"exposure level for trellis.service: ([0-9.]+)", said)
    assert found is not None
    assert float(found[1]) <= MOST_EXPOSED


def test_other_commands_leave_the_installation_to_systemd(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    state.prepare()
    launching.refuse_if_of_unit(state)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(20)
        attending = subprocess.Popen(
            [sys.executable, "-P", "-m", "trellis.attending", str(state.folder)],
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")},
        )
        try:
            assert systemd.recv(100) == b"READY=1"
            with pytest.raises(launching.LaunchFailed, match="systemctl stop trellis"):
                launching.refuse_if_of_unit(state)
        finally:
            attending.kill()
            attending.wait()
    launching.refuse_if_of_unit(state)


def test_the_guide_runs_other_commands_with_the_settings_of_the_unit() -> None:
    """Without one of them `trellis up` by hand would be another installation: a demo, say, with real data."""
    guide = (HOUSE / "docs" / "guides" / "operating.md").read_text()
    command = next(line for line in guide.splitlines() if "systemd-run " in line)
    for line in UNIT.read_text().splitlines():
        name, _, value = line.partition("=")
        if name == "Environment":
            assert f"-E {value} " in command
        elif name == "EnvironmentFile":
            assert f"-p EnvironmentFile={value} " in command


def test_it_starts_again_what_ends_unless_somebody_stopped_it() -> None:
    lines = UNIT.read_text().splitlines()
    assert "Restart=always" in lines
    assert f"RestartPreventExitStatus={WAS_STOPPED}" in lines
    assert f"SuccessExitStatus={WAS_STOPPED}" in lines
