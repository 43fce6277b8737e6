"""The academy service over HTTP: how each academy is doing, and why."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from academy.academies.routes import router as academies
from academy.imports.events import EVENT_TYPES as IMPORT_EVENTS
from academy.imports.limits import ImportLimits
from academy.imports.routes import router as imports
from academy.measures.routes import router as measures
from academy.observations.routes import router as observations
from academy.trusts.routes import router as trusts
from kit.app import create_service
from kit.events import EventType
from kit.keys import KeySource
from kit.settings import ServiceSettings

ROUTERS: tuple[APIRouter, ...] = (
    trusts,
    academies,
    measures,
    observations,
    imports,
)
"""The routes of every slice."""

EVENT_TYPES: tuple[EventType, ...] = (*IMPORT_EVENTS,)
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
    return app
