"""The reporting service as an app: `uvicorn reporting.main:create_app --factory`."""

from fastapi import FastAPI

from kit.identity.keys import KeySource
from kit.settings import ServiceSettings
from kit.web.app import create_service

SERVICE = "reporting"


def create_app(settings: ServiceSettings | None = None, *, keys: KeySource | None = None) -> FastAPI:
    """The app; its settings come from the environment unless they are given."""
    return create_service(
        settings or ServiceSettings.for_service(SERVICE),
        title="Trellis reporting",
        description="""
        What a trust tells others.

        So far it tells its changes, and has none to tell: boards, reports, exports and webhooks
        come with later versions.
        """,
        routers=[],
        event_types=[],
        keys=keys,
    )
