"""Links as the API reads and shows them."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, create_model

from kit.links.resources import LinkResource
from kit.links.rules import LONGEST_DAYS, has_expired
from kit.links.tables import SharedLink
from kit.resources.pages import Page


class LinkCreate(BaseModel):
    """What a link shows, and until when."""

    model_config = ConfigDict(extra="forbid")

    resource: str = Field(description="What it shows.")
    parameters: Any = Field(description="Which part of it, fixed for the life of the link.")
    expires_on: date = Field(
        description=f"Its last day, in London; at most {LONGEST_DAYS} days ahead.", examples=["2027-08-31"]
    )


def create_models(resources: Sequence[LinkResource]) -> Any:
    """The model of a request body: one per resource, told apart by `resource`."""
    models: list[Any] = [_create_model(resource) for resource in resources]
    if len(models) == 1:
        return models[0]
    return Annotated[reduce(or_, models), Field(discriminator="resource")]


def _create_model(resource: LinkResource) -> type[LinkCreate]:
    name = "".join(word.capitalize() for word in resource.name.split("-"))
    parameters = Field(
        default_factory=resource.parameters, description="Which part of it. Default: all of it.", examples=[{}]
    )
    only: Any = Literal[resource.name]
    return create_model(
        f"{name}LinkCreate",
        __base__=LinkCreate,
        __doc__=f"A link: {resource.summary}.",
        resource=(only, Field(description=f"{resource.summary}.")),
        parameters=(resource.parameters, parameters),
    )


class LinkState(StrEnum):
    """Whether a link shows anything."""

    ACTIVE = "active"
    EXPIRED = "expired"
    ENDED = "ended"


class SharedLinkOut(BaseModel):
    """A link, without its URL."""

    id: UUID = Field(description="The link.")
    resource: str = Field(description="What it shows.", examples=["rag-changes"])
    parameters: dict[str, Any] = Field(description="Which part of it.", examples=[{"urn": 100001}])
    state: LinkState = Field(description="`active` while it shows something.")
    expires_on: date = Field(description="Its last day, in London.")
    academies: list[int] | None = Field(description="The academies that it can show; null for all of the trust.")
    created_at: datetime = Field(description="When it was made.")
    created_by: str = Field(description="Who made it.")
    ended_at: datetime | None = Field(description="When it was ended; null unless it was.")
    ended_by: str | None = Field(description="Who ended it; null unless it was.")

    @classmethod
    def fields_of(cls, link: SharedLink, now: datetime) -> dict[str, Any]:
        """A row as it is shown."""
        state = LinkState.ACTIVE
        if link.ended_at is not None:
            state = LinkState.ENDED
        elif has_expired(link.expires_on, now):
            state = LinkState.EXPIRED
        return {**link.model_dump(include=set(cls.model_fields)), "state": state, "academies": link.sees_academies}

    @classmethod
    def of(cls, link: SharedLink, now: datetime) -> "SharedLinkOut":
        """A row as it is shown."""
        return cls.model_validate(cls.fields_of(link, now))


class LinkWithUrlOut(SharedLinkOut):
    """A new link with its URL, which is in this answer and never shown again."""

    url: str = Field(
        description="The URL. Anyone who has it can see what it shows: treat it like a password.",
        examples=["https://trellis.example.org/academy/v1/shared/bh8W..."],
    )


class LinkPage(Page[SharedLinkOut]):
    """A page of links."""
