"""`GET /.well-known/jwks.json` and the metadata of the token endpoint."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from gateway.identity.keys import service
from gateway.identity.platform_session import PlatformSession
from gateway.identity.roles import SCOPES
from gateway.identity.settings import IdentitySettings
from kit.web.tools import tools_of

CACHE_SECONDS = 30

root_router = APIRouter(tags=["keys"])


class Jwk(BaseModel):
    """A public key (RFC 7517)."""

    kty: Literal["EC"] = Field(description="Key type.")
    crv: Literal["P-256"] = Field(description="Curve.")
    x: str = Field(description="First coordinate.", examples=["f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"])
    y: str = Field(description="Second coordinate.", examples=["x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"])
    kid: str = Field(description="Id of the key.", examples=["NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"])
    use: Literal["sig"] = Field(description="It signs.")
    alg: Literal["ES256"] = Field(description="Algorithm.")


class JwkSet(BaseModel):
    """The keys that tokens may be signed with."""

    keys: list[Jwk] = Field(description="Public keys; a revoked one is not among them.")


class ServerMetadata(BaseModel):
    """What a client needs to know to get a token (RFC 8414)."""

    issuer: str = Field(description="`iss` of the tokens.", examples=["http://127.0.0.1:8080"])
    token_endpoint: str = Field(
        description="The URL of the token endpoint.", examples=["http://127.0.0.1:8080/identity/v1/token"]
    )
    jwks_uri: str = Field(description="Where the keys are.", examples=["http://127.0.0.1:8080/.well-known/jwks.json"])
    response_types_supported: list[str] = Field(description="None: people sign in at their own provider.")
    grant_types_supported: list[str] = Field(description="The grant types that are supported.")
    token_endpoint_auth_methods_supported: list[str] = Field(description="How a client authenticates.")
    scopes_supported: list[str] = Field(description="Every scope.")
    service_documentation: str = Field(description="Where this is explained.")


def _cacheable(response: Response, seconds: int) -> None:
    response.headers["Cache-Control"] = f"public, max-age={seconds}"


@root_router.get(
    "/.well-known/jwks.json",
    operation_id="key_set_view",
    summary="List the public keys",
    response_model=JwkSet,
    openapi_extra={"security": []},
)
async def key_set_view(response: Response, session: PlatformSession) -> dict[str, list[dict[str, str]]]:
    """Returns the keys that sign tokens. Cache them for 30 seconds at most."""
    _cacheable(response, CACHE_SECONDS)
    return await service.key_set(session)


async def _settings(request: Request) -> IdentitySettings:
    settings = tools_of(request).settings
    assert isinstance(settings, IdentitySettings)
    return settings


@root_router.get(
    "/.well-known/oauth-authorization-server",
    operation_id="server_metadata_view",
    summary="View the metadata of the token endpoint",
    openapi_extra={"security": []},
)
async def server_metadata_view(
    response: Response, settings: Annotated[IdentitySettings, Depends(_settings)]
) -> ServerMetadata:
    """Returns the metadata of the token endpoint (RFC 8414)."""
    _cacheable(response, 3600)
    return ServerMetadata(
        issuer=settings.issuer,
        token_endpoint=f"{settings.public_url}/identity/v1/token",
        jwks_uri=f"{settings.public_url}/.well-known/jwks.json",
        response_types_supported=[],
        grant_types_supported=["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"],
        token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post", "none"],
        scopes_supported=list(SCOPES),
        service_documentation=settings.public_url,
    )
