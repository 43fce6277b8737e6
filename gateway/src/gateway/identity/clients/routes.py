"""`/identity/v1/clients`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query, Response

from gateway.identity.administrators import LastAdministrator
from gateway.identity.clients import service
from gateway.identity.clients.errors import ClientHasNoSecret, ClientNameTaken, ClientNotFound
from gateway.identity.clients.schemas import (
    ClientCreate,
    ClientOut,
    ClientPage,
    ClientParams,
    ClientPatch,
    ClientWithSecretOut,
    SecretRotation,
)
from gateway.identity.equipping import EquipmentDep
from kit.identity.callers import Caller
from kit.problems import responses
from kit.web.idempotency import SealedRoute
from kit.web.replies import CREATED, TAGGED, Reply
from kit.web.security import requires
from kit.web.sessions import SessionDep
from kit.web.tags import IfMatch

router = APIRouter(prefix="/clients", tags=["clients"], route_class=SealedRoute)

Reader = Annotated[Caller, requires("identity:read")]
Writer = Annotated[Caller, requires("identity:write")]


@router.get("", operation_id="client_list", summary="List clients")
async def client_list(
    reply: Reply, caller: Reader, session: SessionDep, params: Annotated[ClientParams, Query()]
) -> ClientPage:
    """Returns the clients of your trust, newest first."""
    return reply.page(await service.list_clients(session, caller, params))


@router.post(
    "",
    operation_id="client_create",
    summary="Register a client",
    status_code=201,
    responses=CREATED | responses(ClientNameTaken),
)
async def client_create(
    reply: Reply, response: Response, caller: Writer, session: SessionDep, equipment: EquipmentDep, body: ClientCreate
) -> ClientWithSecretOut:
    """Registers a client of your trust. Its secret is in this response and is never shown again."""
    client, secret = await service.create_client(session, equipment.hasher, caller.tenant_id, body, by=caller.subject)
    response.headers["Cache-Control"] = "no-store"
    return reply.created(await service.with_secret(session, client, secret), f"clients/{client.id}")


@router.get(
    "/{client_id}",
    operation_id="client_view",
    summary="View one client",
    responses=TAGGED | responses(ClientNotFound),
)
async def client_view(reply: Reply, caller: Reader, session: SessionDep, client_id: UUID) -> ClientOut:
    """Returns a client of your trust by its `id`."""
    return reply.tagged(await service.view_client(session, caller, client_id))


@router.patch(
    "/{client_id}",
    operation_id="client_change",
    summary="Rename, disable or enable a client",
    responses=TAGGED | responses(ClientNotFound, ClientNameTaken, LastAdministrator),
)
async def client_change(
    reply: Reply, caller: Writer, session: SessionDep, client_id: UUID, body: ClientPatch, if_match: IfMatch
) -> ClientOut:
    """Changes a client by a merge patch. A disabled client gets no new tokens; those that it has stay valid until
    they expire."""
    return reply.tagged(await service.change_client(session, caller, client_id, body, if_match))


@router.delete(
    "/{client_id}",
    operation_id="client_delete",
    summary="Delete a client",
    status_code=204,
    response_class=Response,
    responses=responses(ClientNotFound, LastAdministrator),
)
async def client_delete(client_id: UUID, if_match: IfMatch, caller: Writer, session: SessionDep) -> None:
    """Deletes a client with its secrets, and ends its grants."""
    await service.delete_client(session, caller, client_id, if_match)


@router.post(
    "/{client_id}/rotate-secret",
    operation_id="client_rotate_secret",
    summary="Make a new secret",
    responses=TAGGED | responses(ClientNotFound, ClientHasNoSecret),
)
async def client_rotate_secret(
    reply: Reply,
    response: Response,
    caller: Writer,
    session: SessionDep,
    equipment: EquipmentDep,
    client_id: UUID,
    if_match: IfMatch,
    body: Annotated[SecretRotation | None, Body()] = None,
) -> ClientWithSecretOut:
    """Creates a new secret, which is never shown again. The previous secret stays valid for `overlap_hours`."""
    wanted = body or SecretRotation()
    client, secret = await service.rotate_secret(session, equipment.hasher, caller, client_id, wanted, if_match)
    response.headers["Cache-Control"] = "no-store"
    return reply.tagged(await service.with_secret(session, client, secret))
