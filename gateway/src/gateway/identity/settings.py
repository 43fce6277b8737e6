"""What identity reads from its environment, beside the settings of every service."""

from ipaddress import IPv4Network, IPv6Network
from typing import Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from gateway.identity.hashing import is_long_enough
from kit.ids import tenant_id
from kit.settings import ServiceSettings

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class OidcIssuer(BaseModel):
    """One identity provider whose ID tokens are exchanged.

    Its keys are fetched from `jwks_url` and from nowhere else: nothing that a token or the provider says leads to
    another address. It speaks only for the accounts of the trusts that it is listed for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(min_length=1, max_length=500, description="`iss`, to the letter.")
    audiences: list[str] = Field(min_length=1, description="Each one of our application ids that may stand in `aud`.")
    jwks_url: str = Field(description="Where its keys are; https, or http on this machine.")
    algorithms: list[Literal["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]] = Field(
        default=["RS256"], min_length=1, description="What it signs with; anything else is refused."
    )
    trusts: list[str] | None = Field(
        default=None, description="Group UIDs of the trusts whose people it knows; all unless given."
    )
    emails_verified: bool = Field(
        default=False,
        description="Every address that it names is verified, though it doesn't say `email_verified` "
        "(Entra ID of a single organisation).",
    )

    @model_validator(mode="after")
    def _refuse_plain_http(self) -> Self:
        parts = urlsplit(self.jwks_url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ValueError("jwks_url must be https")
        return self

    def tenants(self) -> frozenset[UUID] | None:
        """The tenants whose people it knows; None for all."""
        if self.trusts is None:
            return None
        return frozenset(tenant_id(f"gias-group:{group_uid}") for group_uid in self.trusts)


class IdentitySettings(ServiceSettings):
    """The settings of the identity app."""

    oidc_issuers: list[OidcIssuer] = Field(
        default=[], description="Identity providers, as a JSON list; see docs/api/identity.md."
    )
    trusted_proxies: list[IPv4Network | IPv6Network] = Field(
        default=[],
        description="Networks of gateways that reach identity over TCP and name the client's address last in "
        "X-Forwarded-For. One that comes over the Unix socket is always believed.",
    )
    hash_workers: int = Field(default=2, ge=1, le=64, description="Argon2id hashes that one process checks at a time.")
    hash_waiting: int = Field(
        default=64, ge=1, description="Requests that may wait for that; more get a 503 with `Retry-After`."
    )

    service_clients: dict[str, SecretStr] = Field(
        default={},
        description="The secret of each service's own client, by the service's name, as a JSON object; "
        "identity registers what is missing.",
    )

    @field_validator("service_clients")
    @classmethod
    def _refuse_strange_secrets(cls, clients: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for service, secret in clients.items():
            if not is_long_enough(secret.get_secret_value()):
                raise ValueError(
                    f"the secret of {service} must look like trellis_<12 hex digits>_<at least 43 random characters>"
                )
        return clients

    @model_validator(mode="after")
    def _refuse_derived_keys(self) -> Self:
        if self.derived_keys is not None:
            raise ValueError("identity needs TRELLIS_SECRET_KEY: it alone opens the keys that sign tokens")
        return self

    @model_validator(mode="after")
    def _refuse_doubles(self) -> Self:
        names = [issuer.issuer for issuer in self.oidc_issuers]
        if len(set(names)) < len(names):
            raise ValueError("an issuer is listed twice in TRELLIS_OIDC_ISSUERS")
        return self
