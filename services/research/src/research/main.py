"""The research service over HTTP: `uvicorn research.main:create_app --factory`."""

from fastapi import FastAPI

from kit.identity.keys import KeySource
from kit.settings import ServiceSettings
from kit.web import app
from research.definition import RESEARCH


def create_app(settings: ServiceSettings | None = None, *, keys: KeySource | None = None) -> FastAPI:
    """The app; its settings come from the environment unless they are given."""
    return app.create_app(RESEARCH, settings or ServiceSettings.for_service(RESEARCH.name), keys=keys)
