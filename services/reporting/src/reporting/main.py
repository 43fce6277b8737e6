"""The reporting service over HTTP: `uvicorn reporting.main:create_app --factory`."""

from fastapi import FastAPI

from kit.identity.keys import KeySource
from kit.settings import ServiceSettings
from kit.web import app
from reporting.definition import REPORTING


def create_app(settings: ServiceSettings | None = None, *, keys: KeySource | None = None) -> FastAPI:
    """The app; its settings come from the environment unless they are given."""
    return app.create_app(REPORTING, settings or ServiceSettings.for_service(REPORTING.name), keys=keys)
