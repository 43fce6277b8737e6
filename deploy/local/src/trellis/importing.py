"""Loading a file: sent as a stream, followed to its end, and told what was kept and what was refused and why."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from trellis.api import Api, Refused

CHUNK_BYTES = 256 * 1024
ENDED = frozenset({"succeeded", "failed", "cancelled"})
CONFIRMABLE = frozenset({"same-file-other-year"})
"""Refusals that the sender may answer with `confirm`."""
SHOWN_ERRORS = 20

MEDIA_TYPES = {".json": "application/json", ".ndjson": "application/x-ndjson", ".jsonl": "application/x-ndjson"}

Moved = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Load:
    """One file to load, and what is said with it."""

    kind: str
    path: Path
    academic_year: str | None = None
    release: str | None = None
    dry_run: bool = False
    confirm: tuple[str, ...] = ()

    def parameters(self) -> dict[str, str | list[str]]:
        """The query of the request."""
        members = {"kind": self.kind, "academic_year": self.academic_year, "release": self.release}
        found: dict[str, str | list[str]] = {name: value for name, value in members.items() if value}
        if self.dry_run:
            found["dry_run"] = "true"
        if self.confirm:
            found["confirm"] = list(self.confirm)
        return found

    def headers(self) -> dict[str, str]:
        """The type of the content, by the name of the file."""
        suffixes = [suffix.lower() for suffix in self.path.suffixes]
        packed = bool(suffixes) and suffixes[-1] == ".gz"
        last = (suffixes[:-1] if packed else suffixes)[-1:]
        found = {"Content-Type": MEDIA_TYPES.get("".join(last), "text/csv")}
        return {**found, "Content-Encoding": "gzip"} if packed else found


def send(api: Api, load: Load, moved: Moved = lambda _: None) -> dict[str, Any]:
    """Send the file; the import as it was accepted. Raises Refused, Unreachable, OSError."""
    # The key lets a busy gateway be asked again without loading the file twice.
    headers = {**load.headers(), "Idempotency-Key": secrets.token_urlsafe(16)}
    accepted, _ = api.ask(
        "POST",
        "/academy/v1/imports",
        params=load.parameters(),
        headers=headers,
        content=lambda: _pieces(load.path, moved),
    )
    return accepted


def send_confirmed(api: Api, load: Load, ask: Callable[[str], bool], moved: Moved = lambda _: None) -> dict[str, Any]:
    """Send the file; where the service wants something confirmed, `ask` it and send again. Raises Refused on a no."""
    try:
        return send(api, load, moved)
    except Refused as refused:
        if refused.code not in CONFIRMABLE or refused.code in load.confirm or not ask(str(refused)):
            raise
        return send(api, replace(load, confirm=(*load.confirm, refused.code)), moved)


def follow(api: Api, accepted: dict[str, Any], moved: Moved = lambda _: None) -> dict[str, Any]:
    """Ask until the import has ended; the import as it ended."""
    pause = 0.05
    found = accepted
    while found["state"] not in ENDED:
        time.sleep(pause)
        pause = min(pause * 1.5, 1.0)
        found = api.get(f"/academy/v1/imports/{accepted['id']}")
        moved(found["progress_percent"])
    return found


def run(api: Api, load: Load, console: Console, ask: Callable[[str], bool] = lambda _: False) -> dict[str, Any]:
    """Send and follow with a progress bar on `console`, which is silent where there is no terminal.

    `ask` puts a question to the sender: is it meant so?
    """
    with Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TaskProgressColumn(),
        DownloadColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        size = load.path.stat().st_size
        sending = progress.add_task("Sending", total=size)

        def confirmed(question: str) -> bool:
            progress.stop()
            answer = ask(question)
            progress.start()
            return answer

        accepted = send_confirmed(api, load, confirmed, lambda done: progress.update(sending, completed=done))
        reading = progress.add_task("Loading", total=100)
        ended = follow(api, accepted, lambda percent: progress.update(reading, completed=percent))
        progress.update(reading, completed=100)
    return ended


def summarise(ended: dict[str, Any], console: Console) -> None:
    """What was kept, what was refused and why."""
    tried = " (only tried: nothing is kept)" if ended["dry_run"] else ""
    console.print(
        Text(
            f"{ended['state']}{tried}: {ended['rows_read']:,} rows read, {ended['rows_accepted']:,} accepted, "
            f"{ended['rows_ignored']:,} ignored (aggregates and other record types)"
        )
    )
    if "rows_new" in ended and ended["state"] == "succeeded":
        console.print(
            f"{ended['rows_new']:,} new, {ended['rows_changed']:,} changed, {ended['rows_unchanged']:,} as before"
        )
    for warning in ended["warnings"]:
        about = f"{warning['column']}: " if warning["column"] else ""
        console.print(Text(f"warning: {about}{warning['detail']}"))
    if ended["errors"]:
        console.print(_refusals(ended["errors"][:SHOWN_ERRORS]))
    if ended["errors_total"] > SHOWN_ERRORS:
        console.print(f"{ended['errors_total']:,} errors in all; every one of them keeps the whole file out.")


def _refusals(errors: list[dict[str, Any]]) -> Table:
    table = Table(title="Why the file was refused", title_justify="left", box=None, pad_edge=False)
    for heading in ("row", "column", "why"):
        table.add_column(heading, justify="right" if heading == "row" else "left", overflow="fold")
    for error in errors:
        row, column = error.get("row"), error.get("column")
        table.add_row("" if row is None else str(row), Text(str(column or "")), Text(error["detail"]))
    return table


def _pieces(path: Path, moved: Moved) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece
            moved(file.tell())
