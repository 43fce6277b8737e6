"""The logs of an installation: kept from growing without end, and read back."""

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

LARGEST_BYTES = 10 * 1024 * 1024
KEPT = 3
BLOCK_BYTES = 1024 * 1024


def trim(paths: Iterable[Path], *, largest: int = LARGEST_BYTES, kept: int = KEPT) -> None:
    """Move what is in a log that has grown too large to `.1`, and that to `.2`; the oldest goes.

    The log is copied and emptied, since its program keeps it open (for appending); lines that are written
    between the two are lost. Of one that grew beyond `largest` since the last look, the newest `largest` bytes are
    kept. Where there is no room for the copy, it is emptied all the same: a full disk must not get fuller.
    """
    for path in paths:
        with contextlib.suppress(OSError):
            if path.stat().st_size <= largest:
                continue
            for number in range(kept - 1, 0, -1):
                with contextlib.suppress(FileNotFoundError):
                    path.with_name(f"{path.name}.{number}").replace(path.with_name(f"{path.name}.{number + 1}"))
            copy = path.with_name(f"{path.name}.1")
            try:
                _copy_end(path, copy, largest)
            except OSError:
                copy.unlink(missing_ok=True)
            os.truncate(path, 0)


def _copy_end(path: Path, copy: Path, most: int) -> None:
    """Copy the last `most` bytes: never more, though the program goes on writing."""
    with path.open("rb") as source, copy.open("wb") as target:
        shutil.copymode(path, copy)
        source.seek(max(0, source.seek(0, os.SEEK_END) - most))
        while most > 0 and (block := source.read(min(most, BLOCK_BYTES))):
            target.write(block)
            most -= len(block)


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a log; empty when there is none."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            start = end
            block = b""
            while start > 0 and block.count(b"\n") <= lines:
                start = max(0, start - 64 * 1024)
                file.seek(start)
                block = file.read(end - start)
    except OSError:
        return []
    return block.decode(errors="replace").splitlines()[-lines:]


def follow(logs: Mapping[str, Path], *, pause: float = 0.2) -> Iterator[tuple[str, str]]:
    """Lines of several logs that come from now on, each with the name of its log. Never ends by itself."""
    return _following(logs, {name: path.stat().st_size if path.exists() else 0 for name, path in logs.items()}, pause)


def _following(logs: Mapping[str, Path], read: dict[str, int], pause: float) -> Iterator[tuple[str, str]]:
    rest = dict.fromkeys(logs, b"")
    while True:
        for name, path in logs.items():
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                # It was emptied: what came since is all new.
                file.seek(min(read[name], size) if size >= read[name] else 0)
                block = rest[name] + file.read()
                read[name] = file.tell()
                *complete, rest[name] = block.split(b"\n")
                for line in complete:
                    yield name, line.decode(errors="replace")
        time.sleep(pause)


def show(logs: Mapping[str, Path], *, lines: int, following: bool) -> None:
    """Print the end of each log, and what comes after when following, with the names in front of several."""
    width = max(map(len, logs), default=0)

    def put(name: str, line: str) -> None:
        sys.stdout.write(f"{name:<{width}} | {line}\n" if len(logs) > 1 else f"{line}\n")

    coming = follow(logs)
    for name, path in logs.items():
        for line in tail(path, lines):
            put(name, line)
    sys.stdout.flush()
    if following:
        for name, line in coming:
            put(name, line)
            sys.stdout.flush()
