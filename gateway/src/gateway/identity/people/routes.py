"""`/identity/v1/people`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status

from gateway.identity.administrators import LastAdministrator
from gateway.identity.equipping import EquipmentDep
from gateway.identity.people import service
from gateway.identity.people.errors import PersonInvalid, PersonKnown, PersonNotFound
from gateway.identity.people.schemas import PersonCreate, PersonOut, PersonPage, PersonParams, PersonPatch
from kit.identity.callers import Caller
from kit.problems import InvalidCursor, PreconditionFailed, PreconditionRequired, responses
from kit.web.idempotency import SealedRoute
from kit.web.links import page_links
from kit.web.replies import CREATED
from kit.web.security import requires
from kit.web.sessions import SessionDep
from kit.web.tags import IfMatch, not_modified, tagged

# Names and addresses are what a person wrote.
router = APIRouter(prefix="/people", tags=["people"], route_class=SealedRoute)

Reader = Annotated[Caller, requires("identity:read")]
Writer = Annotated[Caller, requires("identity:write")]


@router.get("", operation_id="person_list", summary="People", responses=responses(InvalidCursor))
async def person_list(
    params: Annotated[PersonParams, Query()],
    request: Request,
    response: Response,
    caller: Reader,
    session: SessionDep,
) -> PersonPage:
    """The people of your trust who can sign in, those invited last first."""
    page = await service.list_people(session, caller, params)
    page_links(response, request, page.next)
    return page


@router.post(
    "",
    operation_id="person_create",
    summary="Invite somebody",
    status_code=status.HTTP_201_CREATED,
    responses=CREATED | responses(PersonInvalid, PersonKnown),
)
async def person_create(
    body: PersonCreate, response: Response, caller: Writer, session: SessionDep, equipment: EquipmentDep
) -> PersonOut:
    """Let somebody sign in, by verified address or by account; they may do nothing until they hold a grant."""
    person = await service.create_person(session, equipment, caller.tenant_id, body, by=caller.subject)
    response.headers["Location"] = f"/identity/v1/people/{person.id}"
    response.headers["ETag"] = service.person_etag(person)
    return service.shown_person(person)


@router.get(
    "/{person_id}",
    operation_id="person_view",
    summary="One person",
    response_model=PersonOut,
    responses={**tagged(), **responses(PersonNotFound)},
)
async def person_view(
    person_id: UUID, request: Request, response: Response, caller: Reader, session: SessionDep
) -> PersonOut | Response:
    """One person of your trust."""
    person = await service.person_of(session, caller, person_id)
    current = service.person_etag(person)
    if (unchanged := not_modified(request, current)) is not None:
        return unchanged
    response.headers["ETag"] = current
    return service.shown_person(person)


@router.patch(
    "/{person_id}",
    operation_id="person_change",
    summary="Change, disable or enable a person",
    responses={
        **tagged(),
        **responses(
            PersonInvalid, PersonKnown, PersonNotFound, LastAdministrator, PreconditionFailed, PreconditionRequired
        ),
    },
)
async def person_change(
    person_id: UUID,
    body: PersonPatch,
    if_match: IfMatch,
    response: Response,
    caller: Writer,
    session: SessionDep,
    equipment: EquipmentDep,
) -> PersonOut:
    """A disabled person gets no tokens; those that they have count until they expire."""
    person = await service.change_person(session, equipment, caller, person_id, body, if_match)
    response.headers["ETag"] = service.person_etag(person)
    return service.shown_person(person)


@router.delete(
    "/{person_id}",
    operation_id="person_erase",
    summary="Erase a person",
    status_code=status.HTTP_204_NO_CONTENT,
    response_class=Response,
    responses=responses(PersonNotFound, LastAdministrator, PreconditionFailed, PreconditionRequired),
)
async def person_erase(person_id: UUID, if_match: IfMatch, caller: Writer, session: SessionDep) -> None:
    """Remove name, address and account; their grants end."""
    await service.erase_person(session, caller, person_id, if_match)
