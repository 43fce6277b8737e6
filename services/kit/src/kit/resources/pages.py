"""Pages of a list: `limit` and `cursor` in, `items` and `next` out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from kit.cursors import LONGEST_CURSOR

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 500

Item = TypeVar("Item")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Found(Generic[Row]):
    """The rows of a page and the cursor of the next one; None at the end. `carried` is what every cursor carries on."""

    rows: Sequence[Row]
    next: str | None
    carried: str | None = None


class Page(BaseModel, Generic[Item]):
    """One page of a list. Subclass it per list (`class PlanPage(Page[PlanOut])`)."""

    items: list[Item] = Field(description="The items of this page, in the order of the list.")
    next: str | None = Field(
        description="Send it as `cursor` to get the next page; null at the end.", examples=["c29tZSBwbGFjZQ"]
    )

    @classmethod
    def of(cls, found: Found[Any], out: Callable[[Any], Item], **more: Any) -> Self:
        """The page of what `paginate` found, each row as `out` shows it; `more` are members beside `items`, `next`."""
        return cls(items=[out(row) for row in found.rows], next=found.next, **more)


class ListParams(BaseModel):
    """The parameters of every list. Subclass it with the filters of one list."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=LARGEST_LIMIT, description="The largest number of items on a page.")] = (
        DEFAULT_LIMIT
    )
    cursor: Annotated[
        str | None,
        Field(
            min_length=1, max_length=LONGEST_CURSOR, description="Where to continue: the `next` of the previous page."
        ),
    ] = None
