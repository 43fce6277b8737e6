"""The data of most events: a thing before and after, who changed it, and in which role.

    class VisitChange(Change[VisitFacts]): ...

Facts are ids, codes, states, dates, numbers and titles; never what a person wrote, never a child's data.
"""

from typing import Generic, TypeVar

from pydantic import BaseModel, Field

Facts = TypeVar("Facts", bound=BaseModel)


class Change(BaseModel, Generic[Facts]):
    """A thing before and after a change. Subclass it per thing, so that the contract has a name for it."""

    before: Facts | None = Field(description="As it was; null before it existed.")
    after: Facts | None = Field(description="As it is; null once it is gone.")
    by: str = Field(description="Subject of the token; the service itself where nobody did it.")
    as_role: str | None = Field(description="The role in which they did it; null for the service itself.")
