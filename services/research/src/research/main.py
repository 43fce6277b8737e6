"""The research service as an app: `uvicorn research.main:create_app --factory`."""

from fastapi import FastAPI

from kit.identity.keys import KeySource
from kit.settings import ServiceSettings
from kit.web.app import create_service

SERVICE = "research"


def create_app(settings: ServiceSettings | None = None, *, keys: KeySource | None = None) -> FastAPI:
    """The app; its settings come from the environment unless they are given."""
    return create_service(
        settings or ServiceSettings.for_service(SERVICE),
        title="Trellis research",
        description="""
        What a trust's teachers find out, and the evidence for it.

        So far it tells its changes, and has none to tell: projects, baselines, evaluations and claims
        come with later versions.
        """,
        routers=[],
        event_types=[],
        keys=keys,
    )
