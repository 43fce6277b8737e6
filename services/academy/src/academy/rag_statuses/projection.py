"""Keeping what boards show of each academy, and its version, in the transactions that change it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from kit.database.sessions import Session


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of one academy now: its rating and override, and whether it has left.

    Name and phase are those that the feed announced last; without a name it hasn't announced them yet.
    """

    urn: int
    name: str | None
    phase: str | None
    rating_id: UUID | None
    moderation_id: UUID | None
    has_left: bool


_SHOWN = text(
    """
    select rs.urn, rs.name, rs.phase, rs.rating_id, rs.moderation_id, rs.left_at is not null as has_left
    from academy.rag_status rs where rs.trust_id = :trust_id
    """
)

_HAS_BEGUN = text("select exists (select from academy.rag_version v where v.trust_id = :trust_id)")

_SHOW = text(
    """
    insert into academy.rag_status (trust_id, urn, name, phase, rating_id, changed_at)
    select :trust_id, n.urn, n.name, n.phase, n.rating_id, :at
    from unnest(cast(:urns as int[]), cast(:names as text[]), cast(:phases as text[]), cast(:rating_ids as uuid[]))
        as n (urn, name, phase, rating_id)
    on conflict (trust_id, urn) do update set
        name = excluded.name, phase = excluded.phase, rating_id = excluded.rating_id,
        changed_at = excluded.changed_at, left_at = null
    """
)

_LEAVE = text(
    """
    update academy.rag_status set left_at = :at, changed_at = :at, moderation_id = null
    where trust_id = :trust_id and urn = any(cast(:urns as int[])) and left_at is null
    """
)

_LOCK = text(
    """
    select rs.rating_id, rs.moderation_id from academy.rag_status rs
    where rs.trust_id = :trust_id and rs.urn = :urn and rs.left_at is null for update
    """
)

_MODERATE = text(
    """
    update academy.rag_status set moderation_id = :moderation_id, changed_at = :at
    where trust_id = :trust_id and urn = :urn
    """
)

_RAISE = text(
    """
    insert into academy.rag_version as v (trust_id, version) values (:trust_id, 1)
    on conflict (trust_id) do update set version = v.version + 1
    """
)


async def shown_now(session: Session, trust_id: UUID) -> dict[int, Shown]:
    """What boards show of each academy of the trust, by URN, with those that have left."""
    rows = await session.execute(_SHOWN, {"trust_id": trust_id})
    return {row.urn: Shown(*row) for row in rows}


async def has_begun(session: Session, trust_id: UUID) -> bool:
    """Has the trust ever been rated? From then on it has a version, also while it has no academy."""
    return bool((await session.execute(_HAS_BEGUN, {"trust_id": trust_id})).scalar_one())


async def show(
    session: Session, trust_id: UUID, changes: Sequence[tuple[int, str, str | None, UUID | None]], *, at: datetime
) -> None:
    """From now on show these ratings of these academies (URN, name, phase, rating); what overrides them stays."""
    if changes:
        urns, names, phases, rating_ids = zip(*changes, strict=True)
        await session.execute(
            _SHOW,
            {
                "trust_id": trust_id,
                "urns": list(urns),
                "names": list(names),
                "phases": list(phases),
                "rating_ids": list(rating_ids),
                "at": at,
            },
        )


async def show_left(session: Session, trust_id: UUID, urns: Sequence[int], *, at: datetime) -> None:
    """These academies have left: a tombstone stays of each."""
    if urns:
        await session.execute(_LEAVE, {"trust_id": trust_id, "urns": list(urns), "at": at})


async def hold(session: Session, trust_id: UUID, urn: int) -> tuple[UUID | None, UUID | None] | None:
    """The rating and override that boards show, held until the transaction ends; None when the academy has left."""
    row = (await session.execute(_LOCK, {"trust_id": trust_id, "urn": urn})).one_or_none()
    return None if row is None else (row.rating_id, row.moderation_id)


async def show_moderation(
    session: Session, trust_id: UUID, urn: int, moderation_id: UUID | None, *, at: datetime
) -> None:
    """From now on show this override of the academy; None for none."""
    await session.execute(_MODERATE, {"trust_id": trust_id, "urn": urn, "moderation_id": moderation_id, "at": at})


async def raise_version(session: Session, trust_id: UUID) -> None:
    """Say that the lists of the trust have changed: prepared answers no longer hold. Once, at the end."""
    await session.execute(_RAISE, {"trust_id": trust_id})
