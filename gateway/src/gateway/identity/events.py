"""What identity announces on the feed: who gave what to whom, and when.

No event carries a person's name or address, nor any secret. `by` is the subject of the token that did it.
"""

from datetime import date
from typing import Final
from uuid import UUID

from pydantic import BaseModel, Field

from kit.events.recording import EventType

_BY = Field(description="Subject of the token that did it, or the command.", examples=["client:0193e2f1"])


class ClientFacts(BaseModel):
    """A client as the feed shows it."""

    client_id: UUID = Field(description="Id of the client.")
    name: str = Field(description="What the trust calls it.")
    kind: str = Field(description="`confidential` or `public`.")
    is_active: bool = Field(description="Whether it gets tokens.")


class ClientChange(BaseModel):
    """A client before and after a change; null before it existed and after it was deleted."""

    before: ClientFacts | None = Field(description="As it was; null before it existed.")
    after: ClientFacts | None = Field(description="As it is; null once it is gone.")
    by: str = _BY


class SecretChange(BaseModel):
    """A client got a new secret."""

    client_id: UUID = Field(description="Id of the client.")
    hint: str = Field(description="The part of the new secret by which it is known.")
    by: str = _BY


class PersonFacts(BaseModel):
    """A person as the feed shows them: no name, no address, no account."""

    person_id: UUID = Field(description="Id of the person.")
    is_active: bool = Field(description="Whether they get tokens.")
    is_bound: bool = Field(description="Whether they have signed in with an account.")


class PersonChange(BaseModel):
    """A person before and after a change; null before they were known and after they were erased."""

    before: PersonFacts | None = Field(description="As it was; null before it existed.")
    after: PersonFacts | None = Field(description="As it is; null once it is gone.")
    by: str = _BY


class GrantFacts(BaseModel):
    """A grant as the feed shows it."""

    grant_id: UUID = Field(description="Id of the grant.")
    role: str = Field(description="The role.")
    person_id: UUID | None = Field(description="Who holds it, when a person does.")
    client_id: UUID | None = Field(description="Who holds it, when a client does.")
    extent: str = Field(description="`trust`, `academies` or `project`.")
    academies: list[int] | None = Field(description="URNs, when it covers some academies only.")
    project_id: UUID | None = Field(description="The research project, when it covers one only.")
    starts_on: date = Field(description="First day.")
    ends_on: date | None = Field(description="Last day.")
    is_ended: bool = Field(description="Whether it was ended before its last day.")


class GrantChange(BaseModel):
    """A grant before and after a change; null before it was given."""

    before: GrantFacts | None = Field(description="As it was; null before it existed.")
    after: GrantFacts | None = Field(description="As it is; null once it is gone.")
    by: str = _BY


class TenantFacts(BaseModel):
    """A tenant as the feed shows it."""

    tenant_id: UUID = Field(description="Id of the trust.")
    group_uid: str = Field(description="Group UID.")
    name: str = Field(description="Name of the trust.")
    is_active: bool = Field(description="Whether tokens are issued for it.")


class TenantChange(BaseModel):
    """A tenant before and after a change; null before it was registered."""

    before: TenantFacts | None = Field(description="As it was; null before it existed.")
    after: TenantFacts | None = Field(description="As it is; null once it is gone.")
    by: str = _BY


class KeyFacts(BaseModel):
    """A signing key as the feed shows it."""

    kid: str = Field(description="Id of the key.")
    state: str = Field(description="standby, pending, signing, verifying, retired or revoked.")


class KeyChange(BaseModel):
    """A signing key before and after a change; null before it was made."""

    before: KeyFacts | None = Field(description="As it was; null before it existed.")
    after: KeyFacts | None = Field(description="As it is; null once it is gone.")
    by: str = _BY


def _type(name: str, title: str, data: type[BaseModel], scope: str = "identity:read") -> EventType:
    return EventType(type=f"org.trellis.identity.{name}.v1", title=title, scope=scope, data=data)


CLIENT_CREATED: Final = _type("client.created", "A client was registered", ClientChange)
CLIENT_CHANGED: Final = _type("client.changed", "A client was renamed, disabled or enabled", ClientChange)
CLIENT_DELETED: Final = _type("client.deleted", "A client was deleted", ClientChange)
SECRET_ROTATED: Final = _type("client.secret-rotated", "A client got a new secret", SecretChange)
PERSON_CREATED: Final = _type("person.created", "A person was invited", PersonChange)
PERSON_CHANGED: Final = _type("person.changed", "A person was changed, disabled or enabled", PersonChange)
PERSON_BOUND: Final = _type("person.bound", "A person signed in for the first time", PersonChange)
PERSON_ERASED: Final = _type("person.erased", "A person was erased", PersonChange)
GRANT_CREATED: Final = _type("grant.created", "A role was granted", GrantChange)
GRANT_ENDED: Final = _type("grant.ended", "A grant was ended", GrantChange)
TENANT_CREATED: Final = _type("tenant.created", "A trust became a tenant", TenantChange, "platform:admin")
TENANT_CHANGED: Final = _type("tenant.changed", "A tenant was changed", TenantChange, "platform:admin")
KEY_CREATED: Final = _type("key.created", "A signing key was published", KeyChange, "platform:admin")
KEY_ROTATED: Final = _type("key.rotated", "A signing key takes over", KeyChange, "platform:admin")
KEY_REVOKED: Final = _type("key.revoked", "A signing key was revoked", KeyChange, "platform:admin")
