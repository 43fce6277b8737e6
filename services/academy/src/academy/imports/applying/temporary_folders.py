"""Folders in which files are read, and what killed workers leave of them."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"trellis-import-(\d+)-\w+")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for one import, gone when the block ends. Those of workers that were killed go first."""
    sweep()
    with tempfile.TemporaryDirectory(prefix=f"trellis-import-{os.getpid()}-") as name:
        yield Path(name)


def sweep() -> None:
    """Remove the folders of processes that are no more."""
    for folder in Path(tempfile.gettempdir()).glob("trellis-import-*"):
        owner = _NAME.fullmatch(folder.name)
        if owner is not None and not _is_alive(int(owner[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
