"""How far a follower has come: its row in the table `follower`, written in the transaction that applies a page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import text

from kit import clock
from kit.database.sessions import Session

Side = Literal["a", "b"]

_COLUMNS = (
    "cursor, skip_until, side, is_rebuild_wanted, is_rebuilding, rebuild_cursor, rebuilds, events, event_at, version"
)
_OF = "where source = :source and consumer = :consumer"
_INSERT = text("insert into follower (source, consumer) values (:source, :consumer) on conflict do nothing")
_READ = text(f"select {_COLUMNS} from follower {_OF}")  # noqa: S608 - constants
_LOCK = text(f"select {_COLUMNS} from follower {_OF} for update")  # noqa: S608 - constants
_APPLIED = text(
    f"""
    update follower set cursor = :cursor, applied_at = :now, events = events + :count,
           event_at = greatest(event_at, cast(:event_at as timestamptz)),
           skip_until = case when :is_end then null else skip_until end {_OF}
    """  # noqa: S608 - constants
)
_REBUILT_SO_FAR = text(
    f"""
    update follower set rebuild_cursor = :cursor, applied_at = :now, events = events + :count,
           event_at = greatest(event_at, cast(:event_at as timestamptz)) {_OF}
    """  # noqa: S608 - constants
)
_BEGIN = text(
    f"""
    update follower set is_rebuild_wanted = false, is_rebuilding = true, rebuild_cursor = null, version = :version {_OF}
    """  # noqa: S608 - constants
)
_SWAP = text(
    f"""
    update follower set side = case side when 'a' then 'b' else 'a' end, cursor = rebuild_cursor, rebuild_cursor = null,
           is_rebuilding = false, rebuilds = rebuilds + 1, rebuilt_at = :now {_OF}
    """  # noqa: S608 - constants
)
_SKIP = text(f"update follower set cursor = null, skip_until = event_at {_OF}")  # noqa: S608 - constants
_WANT = text(f"update follower set is_rebuild_wanted = true {_OF}")  # noqa: S608 - constants


def channel(schema: str) -> str:
    """Where the followers of a service are woken, when somebody wants a rebuild."""
    return f"{schema}_follower"


@dataclass(frozen=True, slots=True)
class Progress:
    """One follower's row."""

    cursor: str | None
    skip_until: datetime | None
    side: Side
    is_rebuild_wanted: bool
    is_rebuilding: bool
    rebuild_cursor: str | None
    rebuilds: int
    events: int
    event_at: datetime | None
    version: int

    @property
    def shadow(self) -> Side:
        """The side that nobody reads."""
        return "b" if self.side == "a" else "a"

    def is_at(self, other: "Progress") -> bool:
        """Whether nobody else went on, or began or ended a rebuild, since `other` was read."""
        return (self.cursor, self.side, self.is_rebuilding, self.rebuild_cursor, self.version) == (
            other.cursor,
            other.side,
            other.is_rebuilding,
            other.rebuild_cursor,
            other.version,
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Whose progress: which consumer follows which source."""

    source: str
    consumer: str

    def __str__(self) -> str:
        return f"{self.source} {self.consumer}"

    async def read(self, session: Session, *, lock: bool = False) -> Progress:
        """The row, made when it is missing; with `lock` nobody else changes it until the transaction ends."""
        row = (await session.execute(_LOCK if lock else _READ, self._names)).one_or_none()
        if row is None:
            await session.execute(_INSERT, self._names)
            row = (await session.execute(_LOCK if lock else _READ, self._names)).one()
        return Progress(**cast("dict[str, Any]", dict(row._mapping)))  # noqa: SLF001 - its public name

    async def applied(
        self, session: Session, cursor: str, count: int, event_at: datetime | None, *, is_end: bool
    ) -> None:
        """A page was applied; at the end of the feed nothing is skipped any more."""
        values = {"cursor": cursor, "count": count, "event_at": event_at, "is_end": is_end, "now": clock.now()}
        await session.execute(_APPLIED, {**self._names, **values})

    async def rebuilt_so_far(self, session: Session, cursor: str, count: int, event_at: datetime | None) -> None:
        """A page was applied to the side that is being rebuilt."""
        values = {"cursor": cursor, "count": count, "event_at": event_at, "now": clock.now()}
        await session.execute(_REBUILT_SO_FAR, {**self._names, **values})

    async def begin_rebuild(self, session: Session, version: int) -> None:
        """From the first event on, into the other side, as this version of the model says."""
        await session.execute(_BEGIN, {**self._names, "version": version})

    async def swap(self, session: Session) -> None:
        """The rebuilt side is the one that is read from this commit on."""
        await session.execute(_SWAP, {**self._names, "now": clock.now()})

    async def skip_what_was_applied(self, session: Session) -> None:
        """From the first event on, but without effect up to the last that had one."""
        await session.execute(_SKIP, self._names)

    async def want_rebuild(self, session: Session) -> None:
        """Somebody wants a rebuild."""
        await session.execute(_WANT, self._names)

    @property
    def _names(self) -> dict[str, str]:
        return {"source": self.source, "consumer": self.consumer}
