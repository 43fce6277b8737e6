"""`/identity/v1/people`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from gateway.identity.administrators import LastAdministrator
from gateway.identity.equipping import EquipmentDep
from gateway.identity.people import service
from gateway.identity.people.errors import PersonInvalid, PersonKnown, PersonNotFound
from gateway.identity.people.schemas import ErasureOut, PersonCreate, PersonOut, PersonPage, PersonParams, PersonPatch
from kit.identity.callers import Caller
from kit.problems import responses
from kit.web.idempotency import SealedRoute
from kit.web.replies import CREATED, TAGGED, Reply
from kit.web.security import requires
from kit.web.sessions import SessionDep
from kit.web.tags import IfMatch

# Names and addresses are what a person wrote.
router = APIRouter(prefix="/people", tags=["people"], route_class=SealedRoute)

Reader = Annotated[Caller, requires("identity:read")]
Writer = Annotated[Caller, requires("identity:write")]


@router.get("", operation_id="person_list", summary="List people")
async def person_list(
    reply: Reply, caller: Reader, session: SessionDep, params: Annotated[PersonParams, Query()]
) -> PersonPage:
    """Returns the people of your trust who can sign in, the newest invitations first."""
    return reply.page(await service.list_people(session, caller, params))


@router.post(
    "",
    operation_id="person_create",
    summary="Invite a person",
    status_code=201,
    responses=CREATED | responses(PersonInvalid, PersonKnown),
)
async def person_create(
    reply: Reply, caller: Writer, session: SessionDep, equipment: EquipmentDep, body: PersonCreate
) -> PersonOut:
    """Invites a person by verified address or by account. They can sign in, and can do nothing until they hold a
    grant."""
    person = await service.create_person(session, equipment, caller.tenant_id, body, by=caller.subject)
    return reply.created(PersonOut.of(person), f"people/{person.id}")


@router.get(
    "/{person_id}",
    operation_id="person_view",
    summary="View one person",
    responses=TAGGED | responses(PersonNotFound),
)
async def person_view(reply: Reply, caller: Reader, session: SessionDep, person_id: UUID) -> PersonOut:
    """Returns a person of your trust."""
    return reply.tagged(PersonOut.of(await service.person_of(session, caller, person_id)))


@router.patch(
    "/{person_id}",
    operation_id="person_change",
    summary="Change, disable or enable a person",
    responses=TAGGED | responses(PersonInvalid, PersonKnown, PersonNotFound, LastAdministrator),
)
async def person_change(
    reply: Reply,
    caller: Writer,
    session: SessionDep,
    equipment: EquipmentDep,
    person_id: UUID,
    body: PersonPatch,
    if_match: IfMatch,
) -> PersonOut:
    """Changes a person by a merge patch. A disabled person gets no new tokens; those that they have stay valid until
    they expire."""
    return reply.tagged(
        PersonOut.of(await service.change_person(session, equipment, caller, person_id, body, if_match))
    )


@router.delete(
    "/{person_id}",
    operation_id="person_erase",
    summary="Erase a person",
    status_code=204,
    response_class=Response,
    responses=responses(PersonNotFound, LastAdministrator),
)
async def person_erase(
    person_id: UUID, if_match: IfMatch, caller: Writer, session: SessionDep, equipment: EquipmentDep
) -> None:
    """Erases a person everywhere, as `POST .../erase` does, if they are still as you read them."""
    await service.erase_person(session, equipment, caller, person_id, if_match)


@router.post(
    "/{person_id}/erase",
    operation_id="person_erase_everywhere",
    summary="Erase a person everywhere",
    status_code=202,
    responses=responses(PersonNotFound, LastAdministrator),
)
async def person_erase_everywhere(
    person_id: UUID, caller: Writer, session: SessionDep, equipment: EquipmentDep
) -> ErasureOut:
    """Erases name, address and account and ends the grants at once; within a day every service erases the person.

    What they did stays on record under a pseudonym. It can't be undone.
    """
    return await service.erase_person(session, equipment, caller, person_id)
