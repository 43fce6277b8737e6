"""Figures that had a value and have none in the file that replaces them: perhaps it is not meant so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from sqlalchemy import text

from academy.imports.applying.merge import Figures
from academy.imports.codes import RowCode
from academy.imports.formats.reading import ReadingWarning
from academy.measures.rules import MEASURES
from kit.database.sessions import Session

_EMPTIED: Final = """
    select c.measure, count(*) as times, mode() within group (order by c.reason) as reason
    from {changed} c join {target} o on o.id = c.old_id
    where o.value is not null and c.value is null
    group by c.measure order by times desc, c.measure
"""


async def emptied(session: Session, figures: Figures) -> AsyncIterator[ReadingWarning]:
    """A warning for each measure of which the rows just merged take values away, with their number.

    Call it after `merge`, in its transaction: a trial says it too.
    """
    statement = text(_EMPTIED.format(changed=figures.changed, target=figures.target))
    for measure, times, reason in await session.execute(statement):
        detail = (
            f"Figures of {MEASURES[measure].title} that had a value have none in this file (most often {reason}). If "
            "that isn't meant so, take this import back."
        )
        several = "Figures that had a value have none in this file. If that isn't meant so, take this import back."
        title = MEASURES[measure].title
        yield ReadingWarning(None, RowCode.FIGURES_EMPTIED, detail, times, several, title)
