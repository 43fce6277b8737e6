"""The transaction of a request: opened for its caller, committed before the answer is sent."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from kit.database.sessions import Database, Session, context_of
from kit.web.security import CallerDep
from kit.web.tools import tools_of


def database_of_request(request: Request) -> Database:
    """The database of the service that answers `request`."""
    return tools_of(request).database


async def _session_of_request(request: Request, caller: CallerDep) -> AsyncIterator[Session]:
    opened: Session | None = getattr(request.state, "session", None)
    if opened is not None:
        # The route opened it to keep an idempotency key; it commits at its own edge.
        yield opened
        return
    async with database_of_request(request).session(context_of(caller)) as session:
        yield session


# Function scope: the commit happens before the answer is sent, so that a failed commit can't follow a 200.
SessionDep = Annotated[Session, Depends(_session_of_request, scope="function")]
