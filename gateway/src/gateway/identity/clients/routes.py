"""`/identity/v1/clients`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request, Response, status

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
from kit.problems import InvalidCursor, PreconditionFailed, PreconditionRequired, responses
from kit.web.idempotency import SealedRoute
from kit.web.links import page_links
from kit.web.replies import CREATED
from kit.web.security import requires
from kit.web.sessions import SessionDep
from kit.web.tags import IfMatch, not_modified, tagged

router = APIRouter(prefix="/clients", tags=["clients"], route_class=SealedRoute)

Reader = Annotated[Caller, requires("identity:read")]
Writer = Annotated[Caller, requires("identity:write")]


@router.get("", operation_id="client_list", summary="Clients", responses=responses(InvalidCursor))
async def client_list(
    params: Annotated[ClientParams, Query()],
    request: Request,
    response: Response,
    caller: Reader,
    session: SessionDep,
) -> ClientPage:
    """The clients of your trust, newest first."""
    page = await service.list_clients(session, caller, params)
    page_links(response, request, page.next)
    return page


@router.post(
    "",
    operation_id="client_create",
    summary="Register a client",
    status_code=status.HTTP_201_CREATED,
    responses=CREATED | responses(ClientNameTaken),
)
async def client_create(
    body: ClientCreate, response: Response, caller: Writer, session: SessionDep, equipment: EquipmentDep
) -> ClientWithSecretOut:
    """Register a client of your trust. Its secret is in this answer and never shown again."""
    client, secret = await service.create_client(session, equipment.hasher, caller.tenant_id, body, by=caller.subject)
    response.headers["Location"] = f"/identity/v1/clients/{client.id}"
    response.headers["ETag"] = service.client_etag(client)
    response.headers["Cache-Control"] = "no-store"
    return await service.shown_with_secret(session, client, secret)


@router.get(
    "/{client_id}",
    operation_id="client_view",
    summary="One client",
    response_model=ClientOut,
    responses={**tagged(), **responses(ClientNotFound)},
)
async def client_view(
    client_id: UUID, request: Request, response: Response, caller: Reader, session: SessionDep
) -> ClientOut | Response:
    """One client of your trust, by its `id`."""
    client = await service.client_of(session, caller, client_id)
    current = service.client_etag(client)
    if (unchanged := not_modified(request, current)) is not None:
        return unchanged
    response.headers["ETag"] = current
    return await service.view_client(session, client)


@router.patch(
    "/{client_id}",
    operation_id="client_change",
    summary="Rename, disable or enable a client",
    responses={
        **tagged(),
        **responses(ClientNotFound, ClientNameTaken, LastAdministrator, PreconditionFailed, PreconditionRequired),
    },
)
async def client_change(
    client_id: UUID,
    body: ClientPatch,
    if_match: IfMatch,
    response: Response,
    caller: Writer,
    session: SessionDep,
) -> ClientOut:
    """A disabled client gets no tokens; those that it has count until they expire."""
    client = await service.change_client(session, caller, client_id, body, if_match)
    response.headers["ETag"] = service.client_etag(client)
    return await service.view_client(session, client)


@router.delete(
    "/{client_id}",
    operation_id="client_delete",
    summary="Delete a client",
    status_code=status.HTTP_204_NO_CONTENT,
    response_class=Response,
    responses=responses(ClientNotFound, LastAdministrator, PreconditionFailed, PreconditionRequired),
)
async def client_delete(client_id: UUID, if_match: IfMatch, caller: Writer, session: SessionDep) -> None:
    """Delete a client with its secrets; its grants end."""
    await service.delete_client(session, caller, client_id, if_match)


@router.post(
    "/{client_id}/rotate-secret",
    operation_id="client_rotate_secret",
    summary="Make a new secret",
    responses={
        **tagged(),
        **responses(ClientNotFound, ClientHasNoSecret, PreconditionFailed, PreconditionRequired),
    },
)
async def client_rotate_secret(
    client_id: UUID,
    if_match: IfMatch,
    response: Response,
    caller: Writer,
    session: SessionDep,
    equipment: EquipmentDep,
    body: Annotated[SecretRotation | None, Body()] = None,
) -> ClientWithSecretOut:
    """A new secret, in this answer and never shown again; the present one counts on for `overlap_hours`."""
    client, secret = await service.rotate_secret(
        session, equipment.hasher, caller, client_id, body or SecretRotation(), if_match
    )
    response.headers["ETag"] = service.client_etag(client)
    response.headers["Cache-Control"] = "no-store"
    return await service.shown_with_secret(session, client, secret)
