"""The SQL of the list of inspections. They belong to no trust: every caller with the scope sees all of them."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, true
from sqlmodel import col

from academy.academies.queries import CURRENT, has_come, in_any_trust, in_trust
from academy.academies.tables import Inspection, School
from academy.inspections.schemas import InspectionListParams
from academy.trusts.queries import belongs_on
from academy.trusts.tables import Membership, TrustRegister
from kit.resources.paging import AnySelect


def inspections(params: InspectionListParams, trust_id: UUID | None, today: date, moved: Collection[int]) -> AnySelect:
    """Inspections of the academies of a trust, or of all of England for None, each with its academy's membership.

    With `updated_since` those that are new or gone since, and all of the academies that `moved` names.
    """
    since = params.updated_since
    statement, membership = (
        in_any_trust(today) if trust_id is None else in_trust(trust_id, today, withdrawn=since is not None)
    )
    stands = col(Inspection.superseded_at).is_(None)
    belongs = true() if trust_id is None else belongs_on(today, membership)
    statement = statement.with_only_columns(
        Inspection, membership, TrustRegister, (~and_(stands, belongs)).label("is_removed")
    ).join(Inspection, col(Inspection.urn) == School.urn)
    for column, values in ((Inspection.urn, params.urn), (Inspection.kind, params.kind)):
        if values:
            statement = statement.where(col(column).in_(values))
    if since is None:
        return statement.where(stands, belongs)
    is_moved = col(Inspection.urn).in_(moved) if trust_id is not None else _moved_anywhere(since, today)
    return statement.where(
        or_(col(Inspection.recorded_at) >= since, col(Inspection.superseded_at) >= since, and_(stands, is_moved))
    )


def _moved_anywhere(since: datetime, today: date) -> ColumnElement[bool]:
    """Has the academy joined or left any trust since, so that `joining` may have changed?"""
    changed = exists().where(
        col(Membership.urn) == Inspection.urn,
        or_(
            col(Membership.recorded_at) >= since,
            col(Membership.superseded_at) >= since,
            and_(CURRENT, has_come(since, today)),
        ),
    )
    # Proposed until then, perhaps: such a membership counts from its opening on.
    return or_(changed, and_(col(School.updated_at) >= since, exists().where(col(Membership.urn) == Inspection.urn)))
