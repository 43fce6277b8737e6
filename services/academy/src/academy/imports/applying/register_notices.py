"""What a trust's feed hears of the register and of figures to compare with, after a national import."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import text

from academy.imports.events import COMPARISON_CHANGED, INSPECTION_RECORDED, ComparisonChanged, InspectionRecorded
from academy.parameters import today
from academy.trusts.events import ACADEMY_CHANGED, AcademyChanged, AcademyFacts
from kit.database.sessions import Session
from kit.events.recording import NewEvent

_OF_TRUST: Final = "select m.urn from academy.membership m where m.register_id = :trust and m.superseded_at is null"

# A rating announces another name or phase, and who joined; this is for everything else that is shown of an academy.
_ACADEMIES = text(
    """
    select distinct on (s.urn) s.urn, s.name, s.phase, m.joined_on, s.la_name as local_authority,
        s.la_code as local_authority_code
    from academy.reference_load l
    join academy.school s on s.updated_at = l.recorded_at
    join academy.membership m on m.urn = s.urn and m.register_id = :trust and m.superseded_at is null
        and m.joined_on <= :today and (m.left_on is null or m.left_on > :today)
    join academy.rag_status r on r.trust_id = :trust and r.urn = s.urn and r.left_at is null
        and r.name = s.name and r.phase is not distinct from s.phase
    where l.import_id = :import_id order by s.urn, m.joined_on desc
    """
)

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

_COMPARISONS = text(
    f"""
    select c.measure, c.academic_year, c.area, c.area_code, count(*) as figures, c.import_id
    from academy.reference_load l
    join academy.comparison_figure c on c.import_id = l.import_id and c.recorded_at = l.recorded_at
    where l.import_id = :import_id and (c.area = 'england' or (c.area = 'la' and c.area_code in (
        select s.la_code from academy.school s where s.urn in ({_OF_TRUST}))))
    group by c.measure, c.academic_year, c.area, c.area_code, c.import_id
    order by c.measure, c.academic_year, c.area, c.area_code
    """  # noqa: S608 - constants
)


async def register_events(session: Session, trust_id: UUID, import_id: UUID) -> list[NewEvent]:
    """Events of a trust about inspections, changed academies and comparison figures that an import brought."""
    about = {"trust": trust_id, "import_id": import_id}
    events = []
    for row in await session.execute(_INSPECTIONS, about):
        data = InspectionRecorded(**row._asdict())
        events.append(NewEvent(INSPECTION_RECORDED, f"academies/{data.urn}", data.urn, data))
    for row in await session.execute(_ACADEMIES, {**about, "today": today()}):
        facts = AcademyFacts(name=row.name, phase=row.phase)
        more = {name: getattr(row, name) for name in ("urn", "joined_on", "local_authority", "local_authority_code")}
        events.append(
            NewEvent(
                ACADEMY_CHANGED, f"academies/{row.urn}", row.urn, AcademyChanged(before=facts, after=facts, **more)
            )
        )
    for row in await session.execute(_COMPARISONS, about):
        comparison = ComparisonChanged(**row._asdict())
        events.append(NewEvent(COMPARISON_CHANGED, f"measures/{comparison.measure}", None, comparison))
    return events
