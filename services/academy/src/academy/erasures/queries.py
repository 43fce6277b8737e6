"""All SQL of erasures. Every statement names the trust beside row-level security.

Figures, ratings and events are histories of other slices that only lose a value here, by sets (ADR 0094).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Select, text
from sqlmodel import col

from academy.erasures.schemas import ObservationErasureListParams
from academy.erasures.tables import ObservationErasure
from academy.observations.tables import Observation
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.resources.rows import visible

ERASED: Final = "erased"
"""The reason in place of a value that was erased."""

_OF_FIGURE: Final = """
    o.trust_id = :trust_id and o.urn = :urn and o.measure = :measure and o.academic_year = :academic_year
    and o.pupil_group = :pupil_group and o.period = :period
"""

_VERSIONS = text(
    f"""
    select o.id from academy.observation o where {_OF_FIGURE} and o.value = :value
    order by o.recorded_at, o.id for update
    """  # noqa: S608 - constants
)

# What counts now is replaced, so that copies hear of it; every version loses its value.
_REPLACE = text(
    """
    with ended as (
        update academy.observation o set superseded_at = :at
        where o.trust_id = :trust_id and o.id = any(cast(:ids as uuid[])) and o.superseded_at is null returning o.*
    )
    insert into academy.observation (trust_id, urn, measure, pupil_group, academic_year, period, release, reason,
        source, import_id, recorded_at, erased_at)
    select trust_id, urn, measure, pupil_group, academic_year, period, release, :erased, source, import_id, :at, :at
    from ended
    """
)
_CLEAR = text(
    """
    update academy.observation o
    set value = null, reason = :erased, lower = null, upper = null, cohort = null, published_band = null,
        erased_at = :at
    where o.trust_id = :trust_id and o.id = any(cast(:ids as uuid[]))
    """
)

# A criterion rests on a figure as its own, or as the one of the year before that it is compared with.
_RESTS: Final = """
    (c ->> 'observation_id' = any(cast(:texts as text[])) or (
        c ->> 'layer' = 'trust' and c ->> 'measure' = :measure and c ->> 'pupil_group' = :pupil_group
        and c -> 'comparison' ->> 'kind' <> 'national' and c -> 'comparison' ->> 'period' = :shown_period
        and (c -> 'comparison' ->> 'value')::numeric = :value))
"""
_RATINGS = text(
    f"""
    select r.id, array(select c ->> 'code' from jsonb_array_elements(r.criteria) c where {_RESTS}) as codes
    from academy.rating r
    where r.trust_id = :trust_id and r.urn = :urn
      and exists (select from jsonb_array_elements(r.criteria) c where {_RESTS})
    """  # noqa: S608 - constants
)
_CLEAR_RATING = text(
    """
    update academy.rating r set content_sha256 = :content, criteria = (
        select jsonb_agg(case when c ->> 'code' = any(cast(:codes as text[])) then c || jsonb_build_object(
            'value', null, 'interval', null, 'cohort', null, 'reason', cast(:erased as text),
            'comparison', c -> 'comparison' || '{"value": null}', 'sentence', cast(:sentence as text))
            else c end order by place)
        from jsonb_array_elements(r.criteria) with ordinality as e (c, place))
    where r.trust_id = :trust_id and r.id = :rating_id
    """
)
_CLEAR_EVENTS = text(
    """
    update academy.event v set data = jsonb_set(v.data, '{criteria}', (
        select jsonb_agg(case when c ->> 'code' = any(cast(:codes as text[]))
            then c || jsonb_build_object('value', null, 'reason', cast(:erased as text)) else c end order by place)
        from jsonb_array_elements(v.data -> 'criteria') with ordinality as e (c, place)))
    where v.trust_id = :trust_id and v.urn = :urn and v.type = 'org.trellis.academy.rating.computed.v1'
      and v.data -> 'after' ->> 'rating_id' = cast(:rating_id as text) and v.data ? 'criteria'
    returning v.id
    """
)

_DELETE_FILES = text(
    """
    with gone as (
        delete from academy.import_chunk c using academy.import i
        where c.trust_id = :trust_id and i.trust_id = :trust_id and i.id = c.import_id and i.finished_at is not null
        returning c.import_id
    ) select count(distinct import_id) from gone
    """
)


def erasures(caller: Caller, params: ObservationErasureListParams) -> Select[ObservationErasure]:
    """The erasures that the caller may see."""
    statement = visible(ObservationErasure, caller)
    return statement.where(col(ObservationErasure.urn).in_(params.urn)) if params.urn else statement


async def erase_versions(session: Session, figure: Observation, at: datetime) -> list[UUID]:
    """Take the value out of every version of the figure that has it; their ids."""
    about = {
        "trust_id": figure.trust_id,
        **figure.model_dump(include={"urn", "measure", "academic_year", "pupil_group", "period", "value"}),
    }
    ids = list((await session.execute(_VERSIONS, about)).scalars())
    values = {"trust_id": figure.trust_id, "ids": ids, "at": at, "erased": ERASED}
    await session.execute(_REPLACE, values)
    await session.execute(_CLEAR, values)
    return ids


async def erase_from_ratings(
    session: Session, figure: Observation, ids: Sequence[UUID], sentence: str
) -> tuple[list[UUID], int]:
    """Take the value out of ratings that rest on these versions, and of their events; the ratings, how many events."""
    shown = figure.academic_year if figure.period == "year" else f"{figure.academic_year} {figure.period}"
    about = {
        "trust_id": figure.trust_id,
        "texts": [str(one) for one in ids],
        "shown_period": shown,
        **figure.model_dump(include={"urn", "measure", "pupil_group", "value"}),
    }
    ratings, events = [], 0
    for row in (await session.execute(_RATINGS, about)).all():
        which = {"trust_id": figure.trust_id, "rating_id": row.id, "codes": row.codes, "erased": ERASED}
        # The hash of what it said would give a small number away to who tries them all.
        content = hashlib.sha256(row.id.bytes).digest()
        await session.execute(_CLEAR_RATING, {**which, "content": content, "sentence": sentence})
        changed = await session.execute(_CLEAR_EVENTS, {**which, "rating_id": str(row.id), "urn": figure.urn})
        events += len(changed.all())
        ratings.append(row.id)
    return ratings, events


async def delete_files(session: Session, trust_id: UUID) -> int:
    """Delete the stored files of a trust's imports that have ended, whichever figures they hold; how many."""
    return int((await session.execute(_DELETE_FILES, {"trust_id": trust_id})).scalar_one())
