"""Applying what was read, in one transaction: a trust's own figures as the service, national data as the loader."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import text

from academy.imports.applying import members
from academy.imports.applying.merge import Counts, Origin, copy_in
from academy.imports.applying.stage import Staged, StagedTable
from academy.imports.applying.targets import (
    COMPARISONS,
    INSPECTIONS,
    NATIONAL_FIGURES,
    SCHOOL_FACTS,
    SCHOOL_LINKS,
    SCHOOLS,
    TRUST_FIGURES,
    TRUSTS,
)
from academy.imports.events import OBSERVATION_CHANGED, ObservationChanged
from academy.imports.formats.reading import ReadingWarning
from academy.measures.rules import MEASURES
from academy.observations.queries import newest_years
from academy.parameters import today
from academy.recording import begin_recording
from kit.database.sessions import Session
from kit.events.recording import NewEvent, record_events
from kit.jobs.queue import defer

RERATE_TASK: Final = "academy.ratings.rerate"
TELL_TASK: Final = "academy.imports.tell"
MOST_NAMED: Final = 100
"""So many URNs are named one by one."""

Report = Callable[[float], None]


class Merge(Protocol):
    """Brings the staged rows of one table in."""

    def __call__(self, session: Session, table: StagedTable, origin: Origin, *, dry_run: bool) -> Awaitable[Counts]: ...


@dataclass(frozen=True, slots=True)
class TrustLoad:
    """What came of a trust's own figures, and what its sender may have got wrong."""

    counts: Counts
    warnings: list[ReadingWarning] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a national file, and the trusts whose ratings may differ now."""

    counts: Counts
    affected_trusts: list[UUID]


_STRANGE_URNS: Final = """
    select i.urn from (select distinct urn from {rows}) i
    where not exists (
        select from academy.membership m
        where m.urn = i.urn and m.register_id = :tenant and m.superseded_at is null
          and (m.left_on is null or m.left_on > :today))
    order by i.urn
"""

_CHANGES = text(
    """
    select urn, measure, academic_year, count(*) - count(old_id) as figures_new, count(old_id) as figures_changed
    from changed_observations group by urn, measure, academic_year order by urn, measure, academic_year
    """
)

_RECEIPT = text(
    """
    select rows_new, rows_changed, rows_unchanged, affected_trusts from academy.reference_load
    where import_id = :import_id
    """
)

_GIVE_RECEIPT = text(
    """
    insert into academy.reference_load
        (import_id, kind, rows_new, rows_changed, rows_unchanged, affected_trusts, recorded_at)
    values (:import_id, :kind, :new, :changed, :unchanged, cast(:affected_trusts as uuid[]), :at)
    """
)


async def load_trust(session: Session, started: Mapping[str, Any], staged: Staged, *, report: Report) -> TrustLoad:
    """Bring in a trust's own figures, in its own transaction."""
    table = staged.tables.get("observations")
    if table is None:
        return TrustLoad(Counts())
    await copy_in(session, table)
    report(0.3)
    tenant: UUID = started["trust_id"]
    strange = text(_STRANGE_URNS.format(rows=table.incoming))
    urns = list((await session.execute(strange, {"tenant": tenant, "today": today()})).scalars())
    origin = await _origin(session, started, staged, tenant=tenant)
    counts = await TRUST_FIGURES.merge(session, table, origin, dry_run=started["dry_run"])
    report(1.0)
    return TrustLoad(counts, list(_not_of_this_trust(urns)))


def _not_of_this_trust(urns: list[int]) -> Iterator[ReadingWarning]:
    for urn in urns[:MOST_NAMED]:
        detail = f"URN {urn} is no academy of this trust in the register; its figures are kept."
        yield ReadingWarning("urn", "academy-not-of-trust", detail)
    if len(urns) > MOST_NAMED:
        detail = f"{len(urns) - MOST_NAMED} more URNs are no academies of this trust in the register."
        yield ReadingWarning("urn", "academies-not-of-trust", detail)


async def tell_trust(session: Session, started: Mapping[str, Any], loaded: TrustLoad) -> None:
    """Tell the trust's feed what changed, and have its ratings looked at again."""
    if not loaded.counts.written:
        return
    tenant, import_id = started["trust_id"], started["id"]
    rows = await session.execute(_CHANGES)
    await record_events(
        session, [observation_changed(dict(row), layer="trust", import_id=import_id) for row in rows.mappings()]
    )
    await defer(session, RERATE_TASK, lock=f"ratings:{tenant}", trust_id=tenant, import_id=import_id)


def observation_changed(row: Mapping[str, Any], *, layer: Any, import_id: UUID) -> NewEvent:
    """The event about the figures of one academy, measure and year."""
    data = ObservationChanged(
        urn=row["urn"],
        measure=row["measure"],
        academic_year=row["academic_year"],
        layer=layer,
        figures_new=row["figures_new"],
        figures_changed=row["figures_changed"],
        import_id=import_id,
    )
    return NewEvent(OBSERVATION_CHANGED, f"academies/{row['urn']}", row["urn"], data)


async def receipt_of(register: Session, import_id: UUID) -> Receipt | None:
    """What came of the import when it was applied; None when it wasn't yet."""
    row = (await register.execute(_RECEIPT, {"import_id": import_id})).one_or_none()
    if row is None:
        return None
    return Receipt(Counts(row.rows_new, row.rows_changed, row.rows_unchanged), list(row.affected_trusts))


async def load_national(register: Session, started: Mapping[str, Any], staged: Staged, *, report: Report) -> Receipt:
    """Bring in a national file and leave the receipt, in one transaction of the loader."""
    origin = await _origin(register, started, staged, tenant=None)
    dry_run: bool = started["dry_run"]
    steps = _steps(staged)
    counts = Counts()
    newest_before = await newest_years(register, MEASURES)
    for number, (name, merge) in enumerate(steps):
        await copy_in(register, staged.tables[name])
        if name in _NAMES_SCHOOLS and not dry_run:
            await members.add_stubs(register, staged.tables[name].incoming, at=origin.at)
        counts += await merge(register, staged.tables[name], origin, dry_run=dry_run)
        report((number + 1) / len(steps))
    affected: list[UUID] = []
    if not dry_run:
        if counts.written:
            affected = await _affected(register, staged, origin, newest_before)
        parameters = {
            "import_id": origin.import_id,
            "kind": started["kind"],
            "new": counts.new,
            "changed": counts.changed,
            "unchanged": counts.unchanged,
            "affected_trusts": affected,
            "at": origin.at,
        }
        await register.execute(_GIVE_RECEIPT, parameters)
    return Receipt(counts, affected)


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
_NAMES_SCHOOLS: Final = ("memberships", "inspections", "observations")
_TOUCHES_SCHOOLS: Final = ("schools", "observations")


def _steps(staged: Staged) -> list[tuple[str, Merge]]:
    steps = []
    for name, merge in _ORDER:
        if name in staged.tables:
            is_register = name != "schools" or "name" in staged.tables[name].columns
            steps.append((name, merge if is_register else SCHOOL_FACTS.merge))
    return steps


async def _affected(register: Session, staged: Staged, origin: Origin, newest_before: Mapping[str, str]) -> list[UUID]:
    changed = [f"changed_{name}" for name in _TOUCHES_SCHOOLS if name in staged.tables]
    await members.note_touched(register, changed)
    # The age of every figure counts back from the newest year of its measure, whosever figure made it.
    everybody = await newest_years(register, MEASURES) != newest_before
    if not everybody and "comparison_figures" in staged.tables:
        counted = await register.execute(text("select exists (select 1 from changed_comparison_figures)"))
        everybody = counted.scalar_one()
    return await members.affected_trusts(register, origin, everybody=everybody)


async def defer_affected(session: Session, started: Mapping[str, Any], receipt: Receipt) -> None:
    """Have each affected trust told and its ratings looked at again, each in a job of its own."""
    for trust_id in receipt.affected_trusts:
        for task in (TELL_TASK, RERATE_TASK):
            await defer(session, task, lock=f"ratings:{trust_id}", trust_id=trust_id, import_id=started["id"])


async def _origin(session: Session, started: Mapping[str, Any], staged: Staged, *, tenant: UUID | None) -> Origin:
    return Origin(
        import_id=started["id"],
        tenant=tenant,
        release=started["release"],
        source=staged.reading.source or started["kind"],
        at=await begin_recording(session),
    )
