"""The data of most events: a thing before and after, who changed it, and in which role.

    class VisitChange(Change[VisitFacts]): ...

Facts are ids, codes, states, dates, numbers and titles; never what a person wrote, never a child's data.
"""

from typing import Annotated, Final, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, Field

Facts = TypeVar("Facts", bound=BaseModel)

LONGEST_TITLE: Final = 120


def shortened(title: object) -> object:
    """A title as events carry it: at most 120 characters."""
    if isinstance(title, str) and len(title) > LONGEST_TITLE:
        return f"{title[: LONGEST_TITLE - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"
    return title


EventTitle = Annotated[str, BeforeValidator(shortened), Field(max_length=LONGEST_TITLE)]
"""A name or title in an event; a longer one is cut."""


class Change(BaseModel, Generic[Facts]):
    """A thing before and after a change. Subclass it per thing, so that the contract has a name for it."""

    before: Facts | None = Field(description="As it was; null before it existed.")
    after: Facts | None = Field(description="As it is; null once it is gone.")
    by: str = Field(description="Subject of the token; the service itself where nobody did it.")
    as_role: str | None = Field(description="The role in which they did it; null for the service itself.")
