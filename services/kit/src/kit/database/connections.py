"""Connections whose transactions begin with a context, in one round trip."""

from typing import TYPE_CHECKING, Any

import asyncpg

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection


class ContextTransaction:
    """A transaction whose `BEGIN` and context travel in one message.

    Two messages would make a short read a third slower. It has what SQLAlchemy uses of
    the driver's own transactions.
    """

    def __init__(self, connection: "ContextConnection", context: str) -> None:
        self._connection = connection
        self._context = context

    async def start(self) -> None:
        """Begin; every statement from here on sees the context."""
        await self._connection.execute(f"BEGIN; {self._context}")

    async def commit(self) -> None:
        """End it, and keep what was done."""
        await self._connection.execute("COMMIT")

    async def rollback(self) -> None:
        """End it, and keep nothing."""
        await self._connection.execute("ROLLBACK")


class ContextConnection(Connection):
    """A connection whose next transaction begins with a context."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._context = ""
        self.propagates = False

    def begin_with(self, context: str) -> None:
        """Begin the next transaction with these statements."""
        self._context = context

    def check_begun(self) -> None:
        """Raises RuntimeError when it began without them: then there is no context, and nothing may happen."""
        if self._context:
            raise RuntimeError("the transaction began without its context")

    def transaction(self, **options: Any) -> Any:
        """The next transaction, with its context where one waits; else as the driver's own."""
        if not self._context:
            return super().transaction(**options)
        if options.get("isolation") not in (None, "read_committed"):
            raise ValueError(f"a transaction with a context is read committed, not {options['isolation']}")
        context, self._context = self._context, ""
        return ContextTransaction(self, context)
