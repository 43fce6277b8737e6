"""What a service announces once it has erased what it held of a person."""

from uuid import UUID

from pydantic import BaseModel, Field

from kit.events.recording import EventType


class PersonDataErased(BaseModel):
    """That a service has replaced or deleted what named a person: ids and counts, and no pseudonym."""

    person_id: UUID = Field(description="Id of the person whom identity has erased.")
    tables: dict[str, int] = Field(
        description="How many rows were replaced or deleted, by table; tables without any are left out.",
        examples=[{"moderation": 3, "state_change": 5}],
    )


def person_data_erased(service: str) -> EventType:
    """The event of a service."""
    return EventType(
        type=f"org.trellis.{service}.person-data.erased.v1",
        title="What the service held of an erased person was replaced or deleted",
        scope="identity:read",
        data=PersonDataErased,
        whole_tenant=True,
    )
