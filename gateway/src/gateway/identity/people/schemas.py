"""People on the wire."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gateway.identity.tables import Person
from kit.resources.models import Tagged
from kit.resources.pages import ListParams, Page
from kit.resources.patches import MergePatch

# ASCII only: letters of other alphabets that look like ours must not pass for somebody else's address.
Email = Annotated[
    str, Field(max_length=254, pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")
]
Account = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]
DisplayName = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")]
_NAME = "Optional. Distinguishes accounts; leave it out if you can."
_EMAIL = "The address that their identity provider has verified."


class PersonCreate(BaseModel):
    """Somebody who is to sign in, by address or by account."""

    model_config = ConfigDict(extra="forbid")

    display_name: DisplayName | None = Field(default=None, description=_NAME, examples=["A. Nutt"])
    email: Email | None = Field(default=None, description=_EMAIL, examples=["a.nutt@example.org"])
    issuer: Account | None = Field(
        default=None, description="Their identity provider, with `subject`.", examples=["https://id.example.org"]
    )
    subject: Account | None = Field(
        default=None, description="Their `sub` there, with `issuer`.", examples=["248289761001"]
    )


class PersonPatch(MergePatch):
    """A change of a person; null removes, what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"is_active": False}]})

    display_name: DisplayName | None = Field(default=None, description=_NAME)
    email: Email | None = Field(default=None, description=_EMAIL)
    is_active: bool = Field(default=True, description="Whether they get tokens.")


class PersonParams(ListParams):
    """Filters of the list of people."""

    is_active: bool | None = Field(
        default=None, description="Only enabled people (`true`) or only disabled ones (`false`)."
    )
    is_bound: bool | None = Field(
        default=None, description="Only people whose account is known (`true`) or only those still invited (`false`)."
    )


class PersonOut(Tagged):
    """A person."""

    id: UUID = Field(description="Their id.", examples=["0193e2f1-8a39-7a7e-8b2e-5c7e0d8f9a10"])
    display_name: str | None = Field(description=_NAME, examples=[None])
    email: str | None = Field(description=_EMAIL, examples=["a.nutt@example.org"])
    issuer: str | None = Field(description="Their identity provider; null until bound.", examples=[None])
    subject: str | None = Field(description="Their `sub` there; null until bound.", examples=[None])
    is_bound: bool = Field(description="Whether an account is known.", examples=[False])
    is_active: bool = Field(description="Whether they get tokens.", examples=[True])
    created_at: datetime = Field(description="When they were invited.", examples=["2026-11-22T09:00:00Z"])
    created_by: str = Field(description="Subject of who invited them.", examples=["person:0193e2f1"])
    updated_at: datetime = Field(description="When this was last changed.", examples=["2026-11-22T09:00:00Z"])

    @classmethod
    def of(cls, person: Person) -> Self:
        """A person as the API shows them."""
        fields = person.model_dump(exclude={"trust_id", "version", "deleted_at"})
        return cls(**fields, is_bound=person.subject is not None).tagged(person.tag)


class PersonPage(Page[PersonOut]):
    """One page of people."""


class ErasureOut(BaseModel):
    """That a person was erased at identity, and by when they are erased everywhere."""

    person_id: UUID = Field(
        description="The person's id, which stays.", examples=["0193e2f1-8a39-7a7e-8b2e-5c7e0d8f9a10"]
    )
    erased_at: datetime = Field(
        description="When name, address and account were removed and the grants ended.",
        examples=["2026-11-22T09:00:00Z"],
    )
    done_by: datetime = Field(
        description="When every service has replaced the person by a pseudonym; each announces it in its feed "
        "(`person-data.erased`).",
        examples=["2026-11-23T09:00:00Z"],
    )
