"""Pages of a list: `limit` and `cursor` in, `items` and `next` out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from kit.cursors import LONGEST_CURSOR

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 500
MOST_COUNTED = 10_000
"""A list is counted up to here: further the count would cost as much as reading the list."""

Item = TypeVar("Item")
Row = TypeVar("Row")


class TotalOut(BaseModel):
    """How many items a list has on all its pages."""

    count: int = Field(description="How many; 10,000 of a longer list.", ge=0, le=MOST_COUNTED, examples=[118])
    is_exact: bool = Field(description="False when the list has more than `count`.", examples=[True])

    @classmethod
    def of(cls, counted: int) -> Self:
        """The total of a list of which so many items were counted, one more than `MOST_COUNTED` at most."""
        return cls(count=min(counted, MOST_COUNTED), is_exact=counted <= MOST_COUNTED)


@dataclass(frozen=True, slots=True)
class Found(Generic[Row]):
    """The rows of a page and the cursor of the next one; None at the end. `carried` is what every cursor carries on.

    `total` is None unless it was to be counted.
    """

    rows: Sequence[Row]
    next: str | None
    carried: str | None = None
    total: TotalOut | None = None


class Page(BaseModel, Generic[Item]):
    """One page of a list. Subclass it per list (`class PlanPage(Page[PlanOut])`)."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    items: list[Item] = Field(description="The items of this page, in the order of the list.")
    next: str | None = Field(
        description="Send it as `cursor` to get the next page; null at the end.", examples=["c29tZSBwbGFjZQ"]
    )
    total: TotalOut | None = Field(
        default=None, description="How many items the list has on all its pages; null unless `count=true` was sent."
    )

    @classmethod
    def of(cls, found: Found[Any], out: Callable[[Any], Item], **more: Any) -> Self:
        """The page of what `paginate` found, each row as `out` shows it; `more` are further members."""
        return cls(items=[out(row) for row in found.rows], next=found.next, total=found.total, **more)


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
    count: Annotated[
        bool, Field(description="Also count the items of all pages: exactly up to 10,000, then as more than that.")
    ] = False
