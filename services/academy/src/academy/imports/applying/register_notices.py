"""What a trust's feed announces of the register and of figures to compare with, after a national import or its
withdrawal.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import text

from academy.imports.events import COMPARISON_CHANGED, INSPECTION_RECORDED, ComparisonChanged, InspectionRecorded
from academy.parameters import today
from academy.trusts.events import ACADEMY_CHANGED, AcademyChanged, AcademyFacts
from kit.database.sessions import Session
from kit.events.recording import NewEvent
from sector.regions import region_code

_OF_TRUST: Final = "select m.urn from academy.membership m where m.register_id = :trust and m.superseded_at is null"

# A rating announces another name or phase, and who joined; this is for everything else that is shown of an academy.
_CHANGED_ACADEMIES: Final = """
    select distinct on (s.urn) s.urn, s.name, s.phase, m.joined_on, s.la_name as local_authority,
        s.la_code as local_authority_code
    from academy.reference_load l
    join academy.school s on s.updated_at = l.{instant}
    join academy.membership m on m.urn = s.urn and m.register_id = :trust and m.superseded_at is null
        and m.joined_on <= :today and (m.left_on is null or m.left_on > :today)
    join academy.rag_status r on r.trust_id = :trust and r.urn = s.urn and r.left_at is null
        and r.name = s.name and r.phase is not distinct from s.phase
    where l.import_id = :import_id order by s.urn, m.joined_on desc
"""
_ACADEMIES = text(_CHANGED_ACADEMIES.format(instant="recorded_at"))
_ACADEMIES_WITHDRAWN = text(_CHANGED_ACADEMIES.format(instant="withdrawn_at"))

_INSPECTIONS = text(
    f"""
    select i.urn, i.id as inspection_id, b.id as replaces, i.kind, i.inspected_on, i.published_on, i.overall_grade,
        i.category_of_concern, i.safeguarding, i.import_id
    from academy.reference_load l
    join academy.inspection i on i.import_id = l.import_id and i.recorded_at = l.recorded_at
    left join academy.inspection b on b.urn = i.urn and b.inspected_on = i.inspected_on and b.kind = i.kind
        and b.superseded_at = i.recorded_at
    where l.import_id = :import_id and i.urn in ({_OF_TRUST}) order by i.urn, i.inspected_on, i.kind
    """  # noqa: S608 - constants
)

# What stands again, with what was taken back as `replaces`; or else what was taken back.
_INSPECTIONS_WITHDRAWN = text(
    f"""
    select s.urn, s.id as inspection_id, case when a.id is not null then w.id end as replaces, s.kind,
        s.inspected_on, s.published_on, s.overall_grade, s.category_of_concern, s.safeguarding,
        l.import_id, a.id is null as is_withdrawn
    from academy.reference_load l
    join academy.inspection w on w.import_id = l.import_id and w.superseded_at = l.withdrawn_at
    left join academy.inspection a on a.urn = w.urn and a.inspected_on = w.inspected_on and a.kind = w.kind
        and a.recorded_at = l.withdrawn_at
    join academy.inspection s on s.id = coalesce(a.id, w.id)
    where l.import_id = :import_id and w.urn in ({_OF_TRUST}) order by w.urn, w.inspected_on, w.kind
    """  # noqa: S608 - constants
)

_CONCERNS_TRUST: Final = f"""
    (c.area = 'england' or (c.area = 'la' and c.area_code in (
        select s.la_code from academy.school s where s.urn in ({_OF_TRUST})))
     or (c.area = 'region' and c.area_code = any(cast(:regions as text[]))))
"""  # noqa: S608 - constants

_COMPARISONS = text(
    f"""
    select c.measure, c.academic_year, c.area, c.area_code, count(*) as figures, c.import_id
    from academy.reference_load l
    join academy.comparison_figure c on c.import_id = l.import_id and c.recorded_at = l.recorded_at
    where l.import_id = :import_id and {_CONCERNS_TRUST}
    group by c.measure, c.academic_year, c.area, c.area_code, c.import_id
    order by c.measure, c.academic_year, c.area, c.area_code
    """  # noqa: S608 - constants
)

_COMPARISONS_WITHDRAWN = text(
    f"""
    select c.measure, c.academic_year, c.area, c.area_code, count(b.id) as figures,
        count(*) - count(b.id) as figures_withdrawn, c.import_id
    from academy.reference_load l
    join academy.comparison_figure c on c.import_id = l.import_id and c.superseded_at = l.withdrawn_at
    left join academy.comparison_figure b
        on b.measure = c.measure and b.academic_year = c.academic_year and b.area = c.area
       and b.area_code = c.area_code and b.sector = c.sector and b.phase = c.phase
       and b.pupil_group = c.pupil_group and b.period = c.period and b.release = c.release
       and b.recorded_at = l.withdrawn_at
    where l.import_id = :import_id and {_CONCERNS_TRUST}
    group by c.measure, c.academic_year, c.area, c.area_code, c.import_id
    order by c.measure, c.academic_year, c.area, c.area_code
    """  # noqa: S608 - constants
)

_REGIONS = text(
    f"select distinct s.region from academy.school s where s.region is not null and s.urn in ({_OF_TRUST})"  # noqa: S608 - constants
)


async def register_events(
    session: Session, trust_id: UUID, import_id: UUID, *, is_withdrawal: bool = False
) -> list[NewEvent]:
    """Events of a trust about inspections, changed academies and comparison figures that an import brought.

    With `is_withdrawal` those about what became of them when the import was taken back.
    """
    about = {"trust": trust_id, "import_id": import_id}
    events = []
    for row in await session.execute(_INSPECTIONS_WITHDRAWN if is_withdrawal else _INSPECTIONS, about):
        data = InspectionRecorded(**row._asdict())
        events.append(NewEvent(INSPECTION_RECORDED, f"academies/{data.urn}", data.urn, data))
    for row in await session.execute(
        _ACADEMIES_WITHDRAWN if is_withdrawal else _ACADEMIES, {**about, "today": today()}
    ):
        facts = AcademyFacts(name=row.name, phase=row.phase)
        more = {name: getattr(row, name) for name in ("urn", "joined_on", "local_authority", "local_authority_code")}
        events.append(
            NewEvent(
                ACADEMY_CHANGED, f"academies/{row.urn}", row.urn, AcademyChanged(before=facts, after=facts, **more)
            )
        )
    named = (await session.execute(_REGIONS, {"trust": trust_id})).scalars()
    regions = sorted({code for name in named if (code := region_code(name)) is not None})
    comparisons = _COMPARISONS_WITHDRAWN if is_withdrawal else _COMPARISONS
    for row in await session.execute(comparisons, {**about, "regions": regions}):
        comparison = ComparisonChanged(**row._asdict())
        events.append(NewEvent(COMPARISON_CHANGED, f"measures/{comparison.measure}", None, comparison))
    return events
