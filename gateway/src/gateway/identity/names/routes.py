"""`GET /identity/v1/names`."""

from typing import Annotated

from fastapi import APIRouter, Query

from gateway.identity.names import service
from gateway.identity.names.schemas import NameParams, NamesOut
from kit.identity.callers import Caller
from kit.web.security import requires
from kit.web.sessions import SessionDep

router = APIRouter(prefix="/names", tags=["names"])

Reader = Annotated[Caller, requires("names:read")]


@router.get("", operation_id="name_list", summary="List the names of subjects")
async def name_list(caller: Reader, session: SessionDep, params: Annotated[NameParams, Query()]) -> NamesOut:
    """Returns the names of people and clients of your trust whose subjects you have read somewhere.

    Don't keep them: who is erased has no name from then on.
    """
    return await service.list_names(session, caller, params)
