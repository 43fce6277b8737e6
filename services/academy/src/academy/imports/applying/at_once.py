"""An import that comes with a request and is applied in its transaction: a trust's own figures, few at a time.

It is read by the reader of files and applied by what applies files, so that a figure means the same however it came.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import text

from academy.imports.applying import end, load, notices
from academy.imports.applying.merge import Counts
from academy.imports.applying.stage import Staged, stage
from academy.imports.applying.targets import SCHOOL_KEY, TRUST_FIGURES
from academy.imports.applying.temporary_folders import temporary_folder
from academy.imports.applying.turns import take_turn_soon
from academy.imports.formats.reading import Reading
from academy.imports.tables import Import
from academy.parameters import today
from kit.database.sessions import Session
from kit.jobs.threads import in_thread


@dataclass(frozen=True, slots=True)
class TakenFigure:
    """What became of one figure: its key, the version that stands now if any does, and whether that is new or replaced
    another, or the figure was left out because the trust has erased it.
    """

    urn: int
    measure: str
    pupil_group: str
    academic_year: str
    period: str
    observation_id: UUID | None
    is_written: bool
    replaced: UUID | None
    is_left_out: bool


_KEY: Final = ", ".join(SCHOOL_KEY)
# Not joined with what stands, and that is looked up one by one: otherwise the plan that the database makes for all
# requests compares each figure with each.
_WRITTEN: Final = text(f"select {_KEY}, old_id from {TRUST_FIGURES.changed}")  # noqa: S608 - constants
_STANDING: Final = text(
    f"""
    select {", ".join(f"k.{column}" for column in SCHOOL_KEY)}, o.id
    from unnest(cast(:urns as int[]), cast(:measures as text[]), cast(:academic_years as text[]),
        cast(:pupil_groups as text[]), cast(:periods as text[])) with ordinality as k ({_KEY}, place)
    left join lateral (
        select o.id from academy.observation o
        where o.trust_id = :tenant and o.release = :release and o.superseded_at is null
          and {" and ".join(f"o.{column} = k.{column}" for column in SCHOOL_KEY)} limit 1
    ) o on true
    order by k.place
    """  # noqa: S608 - constants
)


async def apply_at_once(session: Session, sent: Import, lines: bytes) -> tuple[Reading, Sequence[TakenFigure]]:
    """Apply figures (NDJSON) in the session's transaction, and end their import `sent`, which isn't stored yet.

    Of figures that can't be taken nothing is stored: the reading has the errors. Otherwise what became of each figure,
    in the order in which they were sent. Raises ImportInProgress.
    """
    with temporary_folder() as folder:
        staged = await in_thread(_read, folder, sent, lines, today())
        if not staged.reading.is_valid:
            return staged.reading, ()
        await take_turn_soon(session, sent.trust_id)
        counts, warnings = await load.load_own(session, sent, staged, report=lambda _: None)
        staged.reading.warn(warnings)
        taken = await _taken(session, sent, staged, await in_thread(_keys, staged))
    await _end(session, sent, staged, counts)
    return staged.reading, taken


def _read(folder: Path, sent: Import, lines: bytes, day: date) -> Staged:
    path = folder / "file"
    path.write_bytes(lines)
    return stage(path, folder, sent, day, lambda _done, _rows: None)


def _keys(staged: Staged) -> list[dict[str, str]]:
    """The keys of the figures as they were read, in the order in which they were sent."""
    table = staged.tables[TRUST_FIGURES.name]
    with table.path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, table.columns))


async def _taken(session: Session, sent: Import, staged: Staged, keys: Sequence[dict[str, str]]) -> list[TakenFigure]:
    values = {f"{column}s": [key[column] for key in keys] for column in SCHOOL_KEY}
    about = {**values, "urns": [int(key["urn"]) for key in keys], "tenant": sent.trust_id, "release": sent.release}
    written = {row[:-1]: row.old_id for row in (await session.execute(_WRITTEN)).all()}
    left_out = frozenset(staged.left_out)
    taken = []
    for *key, standing in (await session.execute(_STANDING, about)).all():
        which = tuple(key)
        figure = dict(zip(SCHOOL_KEY, which, strict=True))
        taken.append(
            TakenFigure(
                **figure,
                observation_id=standing,
                is_written=which in written,
                replaced=written.get(which),
                is_left_out=which in left_out,
            )
        )
    return taken


async def _end(session: Session, sent: Import, staged: Staged, counts: Counts) -> None:
    session.add(sent)
    if counts.written:
        await notices.announce_own(session, sent)
    await end.succeed(session, sent, staged.reading, counts, has_file=False)
