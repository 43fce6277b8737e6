"""The academy app with two routes beside it, to measure against: constant JSON, and what an afternoon would give.

Both are a plain FastAPI app in the same process, behind the same gateway; neither pays for the house's conventions.
"""

import os
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Response
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlmodel import col, select
from starlette.types import ASGIApp, Receive, Scope, Send

from academy import main
from academy.academies.tables import School
from academy.criteria.tables import CriteriaSet
from academy.rag_statuses.tables import RagStatus
from academy.ratings.tables import Rating
from kit.database.urls import asyncpg_dsn

PREFIX = "/academy/v1/bench/"


class CriteriaSetOut(BaseModel):
    """The criteria set of a status."""

    id: UUID
    title: str
    version: int


class StatusOut(BaseModel):
    """One status, with the fields of the real answer."""

    urn: int
    name: str
    phase: str | None
    status: str
    label: str
    moderated: bool
    computed_status: str
    counts: dict[str, int]
    criteria_set: CriteriaSetOut
    rating_id: UUID
    rated_at: datetime
    data_as_at: datetime | None


class StatusPage(BaseModel):
    """The statuses of a trust."""

    items: list[StatusOut]


def _plain() -> FastAPI:
    app = FastAPI()
    trust = os.environ["TRELLIS_BENCH_TRUST"]
    url = asyncpg_dsn(os.environ["TRELLIS_ACADEMY_DATABASE_URL"]).replace("postgresql://", "postgresql+asyncpg://", 1)
    sessions = async_sessionmaker(create_async_engine(url, pool_size=8), expire_on_commit=False)
    kept: dict[str, bytes] = {"body": b"{}"}

    async def session_of_trust() -> AsyncIterator[AsyncSession]:
        async with sessions.begin() as session:
            await session.execute(
                text("select set_config('app.trust_id', :trust, true), set_config('app.academies', '*', true)"),
                {"trust": trust},
            )
            yield session

    @app.get("/academy/v1/bench/size/{size}")
    async def size_view(size: int) -> dict[str, int]:
        kept["body"] = b'{"items":"' + b"x" * (size - 12) + b'"}'
        return {"size": len(kept["body"])}

    @app.get("/academy/v1/bench/constant")
    async def constant_view() -> Response:
        return Response(kept["body"], media_type="application/json")

    @app.get("/academy/v1/bench/orm")
    async def orm_view(session: Annotated[AsyncSession, Depends(session_of_trust)]) -> StatusPage:
        wanted = (
            select(RagStatus, Rating, CriteriaSet, School)
            .join(Rating, (col(Rating.trust_id) == RagStatus.trust_id) & (col(Rating.id) == RagStatus.rating_id))
            .join(
                CriteriaSet,
                (col(CriteriaSet.trust_id) == Rating.trust_id) & (col(CriteriaSet.id) == Rating.criteria_set_id),
            )
            .join(School, col(School.urn) == RagStatus.urn)
            .where(col(RagStatus.trust_id) == UUID(trust), col(RagStatus.left_at).is_(None))
            .order_by(col(School.name))
        )
        rows = (await session.execute(wanted)).all()
        return StatusPage(
            items=[
                StatusOut(
                    urn=status.urn,
                    name=school.name or "",
                    phase=status.phase,
                    status=rating.status,
                    label=rating.status.title(),
                    moderated=status.moderation_id is not None,
                    computed_status=rating.status,
                    counts=rating.counts,
                    criteria_set=CriteriaSetOut(id=criteria.id, title=criteria.title, version=criteria.number),
                    rating_id=rating.id,
                    rated_at=rating.rated_at,
                    data_as_at=rating.data_as_at,
                )
                for status, rating, criteria, school in rows
            ]
        )

    return app


class Beside:
    """Sends the measured paths to the plain app and everything else to the real one."""

    def __init__(self, real: ASGIApp, plain: ASGIApp) -> None:
        self._real = real
        self._plain = plain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose by path."""
        beside = scope["type"] == "http" and scope["path"].startswith(PREFIX)
        await (self._plain if beside else self._real)(scope, receive, send)


def create_app() -> Beside:
    """Both, for uvicorn's `--factory`."""
    return Beside(main.create_app(), _plain())
