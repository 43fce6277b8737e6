"""Folders in which files are read."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from academy.imports.applying.temporary_folders import temporary_folder


def test_folders_of_killed_workers_are_removed_and_those_of_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()
    left = tmp_path / f"trellis-import-{ended.pid}-abc"
    others = [
        tmp_path / f"trellis-import-{os.getppid()}-abc",
        tmp_path / "trellis-import-mine",
        tmp_path / f"something-{ended.pid}-abc",
    ]
    for folder in (left, *others):
        folder.mkdir()
        (folder / "file").write_text("x")
    with temporary_folder() as folder:
        assert folder.is_dir()
        assert not left.exists()
        assert all(other.exists() for other in others)
    assert not folder.exists()
