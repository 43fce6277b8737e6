"""Applying the rows that were read, in one transaction: a trust's own figures as the service, national data as the
loader.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Final, Protocol
from uuid import UUID

from sqlalchemy import text

from academy.imports.applying import members
from academy.imports.applying.closings import clear_contradicted, end_with_schools
from academy.imports.applying.doubtful_memberships import doubtful_memberships
from academy.imports.applying.emptied import emptied
from academy.imports.applying.erased import leave_out_erased, left_out_warnings
from academy.imports.applying.merge import Counts, Origin, copy_in
from academy.imports.applying.stage import Staged, StagedTable
from academy.imports.applying.targets import (
    COMPARISONS,
    INSPECTIONS,
    NATIONAL_FIGURES,
    OWN_SCHOOLS,
    OWN_SCHOOLS_WITHOUT_TYPES,
    OWN_TRUSTS,
    SCHOOL_FACTS,
    SCHOOL_LINKS,
    SCHOOLS,
    TRUST_FIGURES,
    TRUSTS,
)
from academy.imports.applying.turns import take_turn
from academy.imports.codes import RowCode
from academy.imports.formats.reading import ReadingWarning
from academy.imports.schemas import Confirmation
from academy.imports.tables import Import, ReferenceLoad
from academy.measures.rules import MEASURES
from academy.observations.queries import newest_years
from academy.parameters import today
from academy.recording import begin_recording
from kit.database.sessions import Session

MOST_NAMED: Final = 100
"""So many URNs are named one by one."""

Report = Callable[[float], None]


class Merge(Protocol):
    """Brings the staged rows of one table in."""

    def __call__(self, session: Session, table: StagedTable, origin: Origin, *, dry_run: bool) -> Awaitable[Counts]: ...


_STRANGE_URNS: Final = """
    select i.urn from (select distinct urn from {rows}) i
    where not exists (
        select from academy.membership m
        where m.urn = i.urn and m.register_id = :tenant and m.superseded_at is null
          and (m.left_on is null or m.left_on > :today))
    order by i.urn
"""


async def load_own(
    session: Session, started: Import, staged: Staged, *, report: Report
) -> tuple[Counts, list[ReadingWarning]]:
    """Apply a trust's own figures, in the trust's transaction: the counts, and what its sender may have got wrong.

    Values that the trust has erased are left out, unless their sender has confirmed them.
    """
    table = staged.tables.get("observations")
    if table is None:
        return Counts(), []
    tenant = started.trust_id
    await copy_in(session, table)
    report(0.3)
    if not started.dry_run:
        await take_turn(session, tenant)
    keeps_erased = Confirmation.VALUE_WAS_ERASED in started.confirmed
    staged.left_out = [] if keeps_erased else await leave_out_erased(session, table, started)
    strange = text(_STRANGE_URNS.format(rows=table.incoming))
    urns = list((await session.execute(strange, {"tenant": tenant, "today": today()})).scalars())
    origin = await _origin(session, started, staged, tenant=tenant)
    counts = await TRUST_FIGURES.merge(session, table, origin, dry_run=started.dry_run)
    report(1.0)
    empty = [warning async for warning in emptied(session, TRUST_FIGURES)]
    return counts, [*left_out_warnings(staged.left_out), *empty, *_not_of_this_trust(urns)]


def _not_of_this_trust(urns: list[int]) -> Iterator[ReadingWarning]:
    for urn in urns[:MOST_NAMED]:
        detail = f"URN {urn} is no academy of this trust in the register; its figures are kept."
        yield ReadingWarning("urn", RowCode.ACADEMY_NOT_OF_TRUST, detail)
    if len(urns) > MOST_NAMED:
        detail = f"{len(urns) - MOST_NAMED} more URNs are no academies of this trust in the register."
        yield ReadingWarning("urn", RowCode.ACADEMIES_NOT_OF_TRUST, detail)


async def receipt_of(register: Session, import_id: UUID) -> ReferenceLoad | None:
    """What came of the import when it was applied; None when it hasn't been."""
    return await register.get(ReferenceLoad, import_id)


async def load_national(register: Session, started: Import, staged: Staged, *, report: Report) -> ReferenceLoad:
    """Apply a national file and leave the receipt, in one transaction of the loader; a dry run leaves none.

    What its sender may have got wrong is added to the warnings of `staged.reading`.
    """
    origin = await _origin(register, started, staged, tenant=None)
    steps = _steps(staged, started.kind)
    counts = Counts()
    newest_before = await newest_years(register, MEASURES)
    for number, (name, merge) in enumerate(steps):
        await copy_in(register, staged.tables[name])
        if name in _NAMES_SCHOOLS and not started.dry_run:
            named = staged.tables[name].incoming
            await members.add_stubs(register, _STATED if name == "memberships" else named, at=origin.at)
        counts += await merge(register, staged.tables[name], origin, dry_run=started.dry_run)
        if name == "memberships":
            staged.reading.warn([warning async for warning in doubtful_memberships(register)])
        if name in _FIGURES:
            staged.reading.warn([warning async for warning in emptied(register, _FIGURES[name])])
        report((number + 1) / len(steps))
    affected: list[UUID] = []
    ended = 0
    if _has_statuses_alone(staged, started.kind) and not started.dry_run:
        staged.reading.warn([warning async for warning in clear_contradicted(register, origin)])
    if _says_who_is_open(staged) and not started.dry_run:
        ended = await end_with_schools(register, origin)
        if ended:
            await members.touch_members(register, origin)
    if (counts.written or ended) and not started.dry_run:
        affected = await _affected(register, staged, origin, newest_before)
    receipt = ReferenceLoad(
        import_id=started.id,
        kind=started.kind,
        rows_new=counts.new,
        rows_changed=counts.changed,
        rows_unchanged=counts.unchanged,
        affected_trusts=affected,
        recorded_at=origin.at,
    )
    if not started.dry_run:
        register.add(receipt)
        await register.flush()
    return receipt


def _says_who_is_open(staged: Staged) -> bool:
    schools = staged.tables.get("schools")
    return schools is not None and not {"status", "closed_on"}.isdisjoint(schools.columns)


def _has_statuses_alone(staged: Staged, kind: str) -> bool:
    """Whether it is the register's own file of schools, with their statuses and without their closing days."""
    schools = staged.tables.get("schools")
    if schools is None or (kind, schools.name) not in _OWN:
        return False
    return "status" in schools.columns and "closed_on" not in schools.columns


# The register comes before what refers to it.
_ORDER: Final[tuple[tuple[str, Merge], ...]] = (
    ("trusts", TRUSTS.merge),
    ("schools", SCHOOLS.merge),
    ("school_links", SCHOOL_LINKS.merge),
    ("memberships", members.merge_memberships),
    ("inspections", INSPECTIONS.merge),
    ("observations", NATIONAL_FIGURES.merge),
    ("comparison_figures", COMPARISONS.merge),
)
_FIGURES: Final = {"observations": NATIONAL_FIGURES, "comparison_figures": COMPARISONS}
# A row that cancels a membership doesn't bring its school.
_STATED: Final = "(select urn from incoming_memberships where not is_cancelled)"
_NAMES_SCHOOLS: Final = ("memberships", "inspections", "observations")
_TOUCHES_SCHOOLS: Final = ("schools", "observations")


# What an empty cell of these files clears: they are the register's own.
_OWN: Final[Mapping[tuple[str, str], Merge]] = {
    ("gias-establishments", "schools"): OWN_SCHOOLS.merge,
    ("gias-groups", "trusts"): OWN_TRUSTS.merge,
}


def _steps(staged: Staged, kind: str) -> list[tuple[str, Merge]]:
    steps = []
    for name, merge in _ORDER:
        if name in staged.tables:
            is_register = name != "schools" or "name" in staged.tables[name].columns
            steps.append((name, _OWN.get((kind, name), merge) if is_register else SCHOOL_FACTS.merge))
            if steps[-1][1] == OWN_SCHOOLS.merge and {"type_code", "type_name"}.isdisjoint(staged.tables[name].columns):
                steps[-1] = (name, OWN_SCHOOLS_WITHOUT_TYPES.merge)
    return steps


async def _affected(register: Session, staged: Staged, origin: Origin, newest_before: Mapping[str, str]) -> list[UUID]:
    await members.touch_related(register, {name: f"changed_{name}" for name in staged.tables}, origin)
    changed = [f"changed_{name}" for name in _TOUCHES_SCHOOLS if name in staged.tables]
    await members.note_touched(register, changed)
    # The age of every figure counts back from the newest year of its measure, whosever figure made it.
    everybody = await newest_years(register, MEASURES) != newest_before
    if not everybody and "comparison_figures" in staged.tables:
        counted = await register.execute(text("select exists (select 1 from changed_comparison_figures)"))
        everybody = counted.scalar_one()
    return await members.affected_trusts(register, origin, everybody=everybody)


async def _origin(session: Session, started: Import, staged: Staged, *, tenant: UUID | None) -> Origin:
    return Origin(
        import_id=started.id,
        tenant=tenant,
        release=started.release,
        source=staged.reading.source or started.kind,
        at=await begin_recording(session),
    )
