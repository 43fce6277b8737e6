"""Identity and portal as one app: `uvicorn gateway.main:create_app --factory`."""

from fastapi import FastAPI

from gateway.identity import app as identity
from gateway.portal.routes import portal_router
from kit.identity.keys import KeySource
from kit.settings import ServiceSettings
from kit.web.app import create_app as create

# They are in the contract, which is the same everywhere, and served in a demo alone.
DEMO_OPERATIONS = ("demo_token_issue",)


def create_app(settings: ServiceSettings | None = None, *, keys: KeySource | None = None) -> FastAPI:
    """The app; its settings come from the environment unless they are given, its keys from its own database."""
    own = identity.settings_of(settings)
    app = create(
        identity.IDENTITY,
        own,
        keys=keys or identity.own_keys(),
        lifespan=identity.lifespan,
        unserved=() if own.env == "demo" else DEMO_OPERATIONS,
        root_routers=(portal_router(public_url=own.public_url, is_demo=own.env == "demo"),),
    )
    identity.equip(app, own)
    return app
