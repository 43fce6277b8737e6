"""Values that come back although the trust has erased them: left out unless their sender has confirmed them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from sqlalchemy import text

from academy.imports.applying.stage import StagedTable
from academy.imports.applying.targets import SCHOOL_KEY
from academy.imports.codes import RowCode
from academy.imports.formats.reading import ReadingWarning
from academy.imports.schemas import Confirmation
from kit.database.sessions import Session

MOST_NAMED: Final = 20
"""So many figures are named one by one."""

# From the erasures, which are few, to the rows. The number of pupils was erased with the value.
_LEAVE_OUT: Final = """
    delete from {rows} i using academy.observation_erasure e, academy.observation o
    where e.trust_id = :tenant and o.trust_id = e.trust_id and o.superseded_at is null and o.reason = 'erased'
      and {erased} and {incoming} and ({says})
    returning i.urn, i.measure, i.academic_year
"""


async def leave_out_erased(session: Session, table: StagedTable, tenant: UUID) -> list[ReadingWarning]:
    """Take the rows that would give an erased figure a value again out of the staged ones: a warning for each."""
    says = [f"i.{column} is not null" for column in ("value", "cohort") if column in table.columns]
    if not says:
        return []
    statement = _LEAVE_OUT.format(
        rows=table.incoming,
        says=" or ".join(says),
        erased=" and ".join(f"o.{column} = e.{column}" for column in SCHOOL_KEY),
        incoming=" and ".join(f"i.{column} = e.{column}" for column in SCHOOL_KEY),
    )
    rows = (await session.execute(text(statement), {"tenant": tenant})).all()
    return list(_warnings(sorted((row.urn, row.measure, row.academic_year) for row in rows)))


def _warnings(found: list[tuple[int, str, str]]) -> Iterator[ReadingWarning]:
    remedy = f"Were it right, send it with confirm={Confirmation.VALUE_WAS_ERASED}."
    for urn, measure, year in found[:MOST_NAMED]:
        detail = f"The value of {measure} of URN {urn} for {year} was erased by the trust, so this one isn't stored."
        yield ReadingWarning("value", RowCode.VALUE_WAS_ERASED, f"{detail} {remedy}")
    if len(found) > MOST_NAMED:
        detail = f"{len(found) - MOST_NAMED} more values were erased by the trust, so these aren't stored. {remedy}"
        yield ReadingWarning("value", RowCode.VALUE_WAS_ERASED, detail)
