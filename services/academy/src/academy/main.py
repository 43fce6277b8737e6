"""The academy service over HTTP: how each academy is doing, and why."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from academy import schema
from academy.academies.routes import router as academies
from academy.criteria.events import EVENT_TYPES as CRITERIA_EVENTS
from academy.criteria.routes import router as criteria
from academy.imports.events import EVENT_TYPES as IMPORT_EVENTS
from academy.imports.receiving.limits import ImportLimits
from academy.imports.routes import router as imports
from academy.measures.routes import router as measures
from academy.moderations.events import EVENT_TYPES as MODERATION_EVENTS
from academy.moderations.routes import router as moderations
from academy.observations.routes import router as observations
from academy.previews.routes import router as previews
from academy.rag_statuses.routes import keep_prepared
from academy.rag_statuses.routes import router as rag_statuses
from academy.ratings.events import EVENT_TYPES as RATING_EVENTS
from academy.ratings.routes import router as ratings
from academy.trusts.events import EVENT_TYPES as TRUST_EVENTS
from academy.trusts.routes import router as trusts
from kit.events.recording import EventType
from kit.identity.keys import KeySource
from kit.settings import ServiceSettings
from kit.web.app import create_service

ROUTERS: tuple[APIRouter, ...] = (
    trusts,
    academies,
    measures,
    observations,
    imports,
    criteria,
    previews,
    rag_statuses,
    ratings,
    moderations,
)
"""The routes of every slice."""

SCHEMA = schema.TABLES
"""Every table, known before the first row is written: rows of one slice refer to those of another."""

EVENT_TYPES: tuple[EventType, ...] = (
    *IMPORT_EVENTS,
    *TRUST_EVENTS,
    *CRITERIA_EVENTS,
    *RATING_EVENTS,
    *MODERATION_EVENTS,
)
"""Everything that the feed tells."""


def create_app(settings: ServiceSettings | None = None, *, keys: KeySource | None = None) -> FastAPI:
    """The service's app. Without settings they are taken from the environment."""
    app = create_service(
        settings or ServiceSettings.for_service("academy"),
        title="Trellis Academy",
        description="How each academy of a trust is doing: the register, figures, criteria and explained ratings.",
        routers=ROUTERS,
        event_types=EVENT_TYPES,
        keys=keys,
    )
    app.state.import_limits = ImportLimits()
    keep_prepared(app, "/academy/v1")
    return app
