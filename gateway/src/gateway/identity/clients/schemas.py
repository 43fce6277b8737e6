"""Clients on the wire."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gateway.identity.clients.rules import client_id_of
from gateway.identity.tables import Client, ClientSecret
from kit.resources.models import Tagged
from kit.resources.pages import ListParams, Page
from kit.resources.patches import MergePatch

Kind = Literal["confidential", "public"]
Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")]
_NAME = "What you call it; unique among your clients."


class ClientCreate(BaseModel):
    """A new client."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(description=_NAME, examples=["Wallboard in the foyer"])
    kind: Kind = Field(description="`confidential` keeps a secret; `public` (a portal in a browser) can't.")


class ClientPatch(MergePatch):
    """A change of a client; what is left out stays."""

    name: Name = Field(default="", description=_NAME, examples=["Wallboard in the hall"])
    is_active: bool = Field(default=True, description="Whether it gets tokens.")


class ClientParams(ListParams):
    """Filters of the list of clients."""

    kind: Kind | None = Field(default=None, description="Only clients of this kind.")
    is_active: bool | None = Field(
        default=None, description="Only enabled clients (`true`) or only disabled ones (`false`)."
    )


class SecretOut(BaseModel):
    """What may be shown of a secret."""

    hint: str = Field(description="The part after `trellis_` in it.", examples=["9f8e7d6c5b4a"])
    created_at: datetime = Field(description="When it was made.", examples=["2026-11-22T09:00:00Z"])
    expires_at: datetime | None = Field(description="When it expires or expired. Null: never.", examples=[None])
    last_used_on: date | None = Field(description="The last day on which it got a token.", examples=["2026-11-22"])


class ClientOut(Tagged):
    """A client."""

    id: UUID = Field(
        description="Its id in this API, where others call it `client_id`.",
        examples=["0193e2f1-8a39-7a7e-8b2e-5c7e0d8f9a10"],
    )
    oauth_client_id: str = Field(
        description="What it sends as `client_id` to the token endpoint.",
        examples=["Sks6IQ5dVAq0mJrQYxBDMgGT4vGKOXp-iy5cfg2PmhA"],
    )
    name: str = Field(description=_NAME, examples=["Wallboard in the foyer"])
    kind: Kind = Field(description="Whether it keeps a secret.", examples=["confidential"])
    is_active: bool = Field(description="Whether it gets tokens.", examples=[True])
    secrets: list[SecretOut] = Field(description="Its secrets, newest first; two at the most.")
    created_at: datetime = Field(description="When it was registered.", examples=["2026-11-22T09:00:00Z"])
    created_by: str = Field(description="Subject of who registered it.", examples=["person:0193e2f1"])
    updated_at: datetime = Field(description="When it was last changed.", examples=["2026-11-22T09:00:00Z"])

    @classmethod
    def of(cls, client: Client, secrets: Sequence[ClientSecret]) -> Self:
        """A client as the API shows it."""
        fields = client.model_dump(exclude={"trust_id", "version", "deleted_at"})
        shown = [SecretOut(**secret.model_dump(include=set(SecretOut.model_fields))) for secret in secrets]
        return cls(**fields, oauth_client_id=client_id_of(client.trust_id, client.id), secrets=shown).tagged(client.tag)


class ClientWithSecretOut(ClientOut):
    """A client with the secret that was just made."""

    client_secret: str | None = Field(
        description="Keep it now: it is never shown again. Null for a public client.",
        examples=["trellis_9f8e7d6c5b4a_Zm9v"],
    )

    @classmethod
    def made(cls, client: ClientOut, secret: str | None) -> Self:
        """A client with the secret that was just made; None for a public one."""
        return cls(**dict(client), client_secret=secret).tagged(client.tag)


class ClientPage(Page[ClientOut]):
    """One page of clients."""


class SecretRotation(BaseModel):
    """How to change over to a new secret."""

    model_config = ConfigDict(extra="forbid")

    overlap_hours: int = Field(
        default=24, ge=0, le=168, description="Hours for which the previous secret stays valid. 0 ends it now."
    )
