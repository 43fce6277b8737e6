"""The academy service over HTTP: `uvicorn academy.main:create_app --factory`."""

from fastapi import FastAPI

from academy.definition import ACADEMY
from kit.identity.keys import KeySource
from kit.settings import ServiceSettings
from kit.web import app


def create_app(settings: ServiceSettings | None = None, *, keys: KeySource | None = None) -> FastAPI:
    """The app; its settings come from the environment unless they are given."""
    return app.create_app(ACADEMY, settings or ServiceSettings.for_service(ACADEMY.name), keys=keys)
