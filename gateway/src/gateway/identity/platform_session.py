"""The transaction of a request whose caller isn't known yet."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from gateway.identity.anonymous import NOBODY
from kit.database.sessions import Session
from kit.web.sessions import database_of_request


async def _platform_session(request: Request) -> AsyncIterator[Session]:
    async with database_of_request(request).session(NOBODY) as session:
        yield session


PlatformSession = Annotated[Session, Depends(_platform_session, scope="function")]
