"""`GET /identity/v1/me`."""

from fastapi import APIRouter

from gateway.identity.me import service
from gateway.identity.me.schemas import MeOut
from kit.web.security import CallerDep
from kit.web.sessions import SessionDep

router = APIRouter(prefix="/me", tags=["me"])


@router.get("", operation_id="me_view", summary="View your own access")
async def me_view(caller: CallerDep, session: SessionDep) -> MeOut:
    """Returns the roles, scopes, academies and expiry of your token, and the other views that you can get a token
    for."""
    return await service.describe(session, caller)
