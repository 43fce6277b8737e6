"""Tokens on the wire."""

from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gateway.identity.grants.schemas import RoleCode, Urn
from gateway.identity.tenants.schemas import TrustReference

CLIENT_CREDENTIALS: Final = "client_credentials"
TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - a name
ID_TOKEN: Final = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - a name
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name


class TokenForm(BaseModel):
    """The form of the token endpoint, for the contract; the endpoint reads it itself."""

    grant_type: Literal["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"] = Field(
        description="`client_credentials` for a machine, token exchange for a person."
    )
    client_id: str | None = Field(
        default=None, max_length=255, description="Unless it is sent by HTTP Basic.", examples=["Sks6IQ5dVAq0mJ"]
    )
    client_secret: str | None = Field(
        default=None,
        max_length=200,
        description="Unless it is sent by HTTP Basic; a public client has none.",
        json_schema_extra={"format": "password"},
    )
    scope: str | None = Field(
        default=None,
        max_length=2000,
        description="Scopes with spaces between them, when fewer than all are wanted. One that isn't held is refused.",
        examples=["rag-statuses:read"],
    )
    role: str | None = Field(
        default=None, max_length=80, description="Only this role counts.", examples=["headteacher"]
    )
    trust: str | None = Field(
        default=None,
        max_length=36,
        description="Which trust, by id, Group UID or TR reference: for who belongs to several, and for a service "
        "reader, which always names the one that its token is for.",
        examples=["16846"],
    )
    subject_token: str | None = Field(default=None, max_length=16384, description="The ID token to exchange.")
    subject_token_type: Literal["urn:ietf:params:oauth:token-type:id_token"] | None = Field(
        default=None, description="What `subject_token` is."
    )
    requested_token_type: Literal["urn:ietf:params:oauth:token-type:access_token"] | None = Field(
        default=None, description="What is wanted for it."
    )
    audience: str | None = Field(default=None, max_length=255, description="For whom the token is.")
    resource: str | None = Field(default=None, max_length=2000, description="Where the token will be used.")


class TokenOut(BaseModel):
    """An access token (RFC 6749, 5.1)."""

    access_token: str = Field(
        description="Send it as `Authorization: Bearer ...`.", examples=["eyJhbGciOiJFUzI1NiJ9.e30.c2ln"]
    )
    token_type: Literal["Bearer"] = Field(description="How to send it.", examples=["Bearer"])
    expires_in: int = Field(description="Seconds until it expires.", examples=[600])
    scope: str = Field(description="Its scopes, with spaces between them.", examples=["rag-statuses:read events:read"])
    issued_token_type: Literal["urn:ietf:params:oauth:token-type:access_token"] = Field(
        description="What it is (RFC 8693).", examples=[ACCESS_TOKEN]
    )


class TokenErrorOut(BaseModel):
    """The reason why no token is issued (RFC 6749, 5.2)."""

    error: Literal[
        "invalid_request",
        "invalid_client",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "invalid_target",
        "slow_down",
        "temporarily_unavailable",
    ] = Field(description="An error code of RFC 6749, for programs.", examples=["invalid_client"])
    error_description: str = Field(
        description="What went wrong, for people.", examples=["No such client, or a wrong secret."]
    )


class DemoTokenCreate(BaseModel):
    """A demo person."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"role": "headteacher", "academies": [139148]}]}
    )

    role: RoleCode = Field(description="What they may do.", examples=["headteacher"])
    trust: TrustReference | None = Field(
        default=None, description="Their trust, by id, Group UID or TR reference; the main demo trust unless given."
    )
    academies: Annotated[list[Urn], Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="URNs; all of the trust's unless given.", examples=[[139148]]
    )
    project: UUID | None = Field(
        default=None, description="The research project, for a role that is held for one project only."
    )
    person: Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$")] | None = Field(
        default=None,
        description="Which demo person: a name of your choice, so that two people of one role can be tried. "
        "The same name in two roles is one person; without it each role is one person.",
        examples=["second-head"],
    )
