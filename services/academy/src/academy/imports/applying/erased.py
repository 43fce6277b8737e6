"""Values that come back although the trust has erased them: left out unless their sender has confirmed them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import text

from academy.imports.applying.stage import StagedTable
from academy.imports.applying.targets import SCHOOL_KEY
from academy.imports.codes import RowCode
from academy.imports.formats.reading import ReadingWarning
from academy.imports.schemas import Confirmation
from academy.imports.tables import Import
from kit.database.sessions import Session

MOST_NAMED: Final = 20
"""So many figures are named one by one."""

_SAYS: Final = ("value", "lower", "upper", "cohort", "published_band")
"""The parts of a figure that were erased with its value; only the number of pupils may stand without one."""


def _same(left: str, right: str) -> str:
    return " and ".join(f"{left}.{column} = {right}.{column}" for column in SCHOOL_KEY)


# From the erasures, which are few, to what is known of their figures, one by one, and then to the rows. Imports that
# hadn't stored the figure before it was erased were sent later (a withdrawal records old values again): the erasure
# counts until they have stored a value, and as long as nothing of theirs stands. The imports themselves aren't looked
# at: who sends figures of some academies may not see those of the whole trust. A row that says what stands already
# brings nothing back.
_LEAVE_OUT: Final = f"""
    with erased as materialized (
        select distinct on ({", ".join(f"e.{column}" for column in SCHOOL_KEY)})
            {", ".join(f"e.{column}" for column in SCHOOL_KEY)},
            {", ".join(f"standing.{column} as known_{column}" for column in _SAYS)}
        from academy.observation_erasure e
        left join lateral (
            select bool_or(v.value is not null or v.cohort is not null) and bool_or(v.superseded_at is null) as is_there
            from academy.observation v
            where v.trust_id = :tenant and {_same("v", "e")} and v.recorded_at > e.erased_at
              and not exists (
                select from academy.observation w where w.trust_id = :tenant and {_same("w", "e")}
                  and w.import_id = v.import_id and w.recorded_at <= e.erased_at)
        ) confirmed on true
        left join lateral (
            select {", ".join(f"s.{column}" for column in _SAYS)} from academy.observation s
            where s.trust_id = :tenant and {_same("s", "e")} and s.release = :release and s.superseded_at is null
            limit 1
        ) standing on true
        where e.trust_id = :tenant and confirmed.is_there is not true
    )
    delete from {{rows}} i using erased e
    where {_same("i", "e")} and ({{says}}) and not ({{stands}})
    returning {", ".join(f"i.{column}" for column in SCHOOL_KEY)}
"""  # noqa: S608 - constants


async def leave_out_erased(session: Session, table: StagedTable, started: Import) -> list[tuple[int | str, ...]]:
    """Take the rows that would give an erased figure a value again out of the staged ones: the keys of these figures.

    A key has the columns of `SCHOOL_KEY`, in their order.
    """
    says = [column for column in _SAYS if column in table.columns]
    values = [column for column in ("value", "cohort") if column in says]
    if not values:
        return []
    statement = _LEAVE_OUT.format(
        rows=table.incoming,
        says=" or ".join(f"i.{column} is not null" for column in values),
        stands=" and ".join(
            f"(i.{column} is null or i.{column} is not distinct from e.known_{column})" for column in says
        ),
    )
    about = {"tenant": started.trust_id, "release": started.release}
    return sorted(tuple(row) for row in (await session.execute(text(statement), about)).all())


def left_out_warnings(keys: Sequence[tuple[int | str, ...]]) -> Iterator[ReadingWarning]:
    """A warning for each of the first figures that were left out, and one that counts the others."""
    remedy = f"Were it right, send it with confirm={Confirmation.VALUE_WAS_ERASED}."
    for urn, measure, year, group, period in keys[:MOST_NAMED]:
        which = f"{measure} of URN {urn} for {year} (period {period}, pupil group {group})"
        detail = f"The value of {which} was erased by the trust, so this one isn't stored."
        yield ReadingWarning("value", RowCode.VALUE_WAS_ERASED, f"{detail} {remedy}")
    if len(keys) > MOST_NAMED:
        detail = f"{len(keys) - MOST_NAMED} more values were erased by the trust, so these aren't stored. {remedy}"
        yield ReadingWarning("value", RowCode.VALUE_WAS_ERASED, detail)
