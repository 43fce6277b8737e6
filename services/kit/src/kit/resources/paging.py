"""One page of a list, in an order that nothing is missed or doubled in while rows come and go.

A `Listing` names the list and its order; the cursor of a page holds the values of its last row in that order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlmodel import SQLModel

from kit.cursors import decode, encode
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.resources.pages import MOST_COUNTED, Found, ListParams, TotalOut

Row = TypeVar("Row")
AnySelect = Select[*tuple[Any, ...]]

PAGING = frozenset({"limit", "cursor", "count"})
"""Parameters that choose no items: a cursor isn't bound to them."""


@dataclass(frozen=True, slots=True)
class By:
    """Something else than a column of its own that a list is sorted by: a column of a joined table, an expression.

    `of` gives its value in a row of the statement, whose first member is the list's own table.
    """

    column: Any
    kind: type[Any]
    of: Callable[[Any], Any]
    descending: bool = False


class Listing:
    """A list: its name, its table, and the columns that it is sorted by, with `-` for descending.

    Together the columns must tell every two rows apart, and none may be null:
    `Listing("visits", Visit, "-happened_on", "-id")`.
    """

    def __init__(self, name: str, table: type[SQLModel], *order: str | By) -> None:
        self.name = name
        by = [one if isinstance(one, By) else _own(table, one) for one in order]
        self._descending = tuple(one.descending for one in by)
        self._columns = tuple(one.column for one in by)
        self._values = tuple((TypeAdapter(one.kind), one.of) for one in by)

    def sorted(self, statement: AnySelect) -> AnySelect:
        """The statement in the order of the list."""
        return statement.order_by(
            *(
                column.desc() if descending else column
                for column, descending in zip(self._columns, self._descending, strict=True)
            )
        )

    def after(self, values: Sequence[Any]) -> ColumnElement[bool]:
        """Only what comes after the row with these values."""
        read = [adapter.validate_python(value) for (adapter, _), value in zip(self._values, values, strict=True)]
        if len(set(self._descending)) == 1:
            ours = tuple_(*self._columns)
            return ours < tuple(read) if self._descending[0] else ours > tuple(read)
        # Directions differ: the first column that isn't equal decides.
        choices = []
        for place, column in enumerate(self._columns):
            equal = [self._columns[earlier] == read[earlier] for earlier in range(place)]
            further = column < read[place] if self._descending[place] else column > read[place]
            choices.append(and_(*equal, further))
        return or_(*choices)

    def values(self, row: Any) -> list[Any]:
        """What the cursor of a row of the statement holds."""
        return [adapter.dump_python(of(row), mode="json") for adapter, of in self._values]


def _own(table: type[SQLModel], name: str) -> By:
    """A column of the list's own table."""
    plain = name.removeprefix("-")
    kind: Any = table.model_fields[plain].annotation
    return By(getattr(table, plain), kind, lambda row: getattr(row[0], plain), descending=name != plain)


async def paginate(
    session: Session,
    caller: Caller,
    listing: Listing,
    statement: AnySelect,
    params: ListParams,
    *,
    carry: str | None = None,
    **within: Any,
) -> Found[Any]:
    """The page that `params` name of what `statement` selects.

    A statement for whole rows of the table gives these; one for more gives rows whose first member is the table's.
    `within` are facts beside the parameters that a cursor is bound to, such as the academy in the path. `carry` is
    something about the first page that holds for all, such as a watermark: later pages give the one of the first.
    With `count` the total is that of all pages, whichever this is; counting stops at `MOST_COUNTED`. Raises
    InvalidCursor.
    """
    everything = statement
    filters = {**params.model_dump(mode="json", exclude=set(PAGING)), **within}
    if params.cursor is not None:
        place = decode(listing.name, params.cursor, tenant=caller.tenant_id, filters=filters)
        carry = place.pop() if carry is not None else None
        statement = statement.where(listing.after(place))
    # One more than asked for tells whether there is a next page.
    rows = (await session.execute(listing.sorted(statement).limit(params.limit + 1))).all()
    page = rows[: params.limit]
    following = None
    if len(rows) > params.limit:
        values = [*listing.values(page[-1]), *([] if carry is None else [carry])]
        following = encode(listing.name, values, tenant=caller.tenant_id, filters=filters)
    total = None
    if params.count:
        # A first page that is also the last has been counted by reading it.
        is_whole = params.cursor is None and following is None
        total = TotalOut.of(len(rows) if is_whole else await _counted(session, everything))
    return Found([row[0] if len(row) == 1 else row for row in page], following, carry, total)


async def _counted(session: Session, statement: AnySelect) -> int:
    """How many rows a statement has, in the same transaction and so for the same reader; at most one too many."""
    some = statement.order_by(None).limit(MOST_COUNTED + 1).subquery()
    return int((await session.execute(select(func.count()).select_from(some))).scalar_one())


def page_of(caller: Caller, name: str, values: Sequence[Row], params: ListParams) -> Found[Row]:
    """The page that `params` name of values that are all at hand, in their own order, such as a catalogue's.

    Raises InvalidCursor.
    """
    filters = params.model_dump(mode="json", exclude=set(PAGING))
    start = 0
    if params.cursor is not None:
        (start,) = decode(name, params.cursor, tenant=caller.tenant_id, filters=filters)
    end = start + params.limit
    following = encode(name, [end], tenant=caller.tenant_id, filters=filters) if end < len(values) else None
    return Found(values[start:end], following, total=TotalOut.of(len(values)) if params.count else None)
