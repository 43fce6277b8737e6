"""Identity and portal as one app: `uvicorn gateway.main:create_app --factory`."""

from fastapi import FastAPI

from gateway.identity import app as identity
from gateway.portal.routes import portal_router
from kit.identity.keys import KeySource
from kit.settings import ServiceSettings
from kit.web.app import create_service


def create_app(settings: ServiceSettings | None = None, *, keys: KeySource | None = None) -> FastAPI:
    """The app; its settings come from the environment unless they are given, its keys from its own database."""
    own = identity.settings_of(settings)
    app = create_service(
        own,
        title="Trellis identity",
        description="""
        Who may do what where: tokens for machines and people, the keys that sign them, and the grants behind them.

        Every other service trusts tokens from here, and checks each one itself.
        """,
        routers=identity.routers,
        event_types=identity.EVENT_TYPES,
        keys=keys or identity.own_keys(),
        lifespan=identity.lifespan,
        root_routers=(
            *identity.root_routers,
            portal_router(public_url=own.public_url, is_demo=own.env == "demo"),
        ),
        chain=identity.CHAIN,
    )
    identity.equip(app, own)
    return app
