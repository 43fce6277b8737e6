"""`GET /identity/v1/me`."""

from fastapi import APIRouter

from gateway.identity.me import service
from gateway.identity.me.schemas import MeOut
from kit.web.security import CallerDep
from kit.web.sessions import SessionDep

router = APIRouter(prefix="/me", tags=["me"])


@router.get("", operation_id="me_view", summary="Who am I?")
async def me_view(caller: CallerDep, session: SessionDep) -> MeOut:
    """What your token says: roles, scopes, academies, expiry; and the other views that you could ask for."""
    return await service.describe(session, caller)
