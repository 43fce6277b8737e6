"""`POST /identity/v1/token` and, in a demo, `POST /identity/v1/demo-token`."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from gateway.identity.equipping import EquipmentDep, equipment_of
from gateway.identity.keys.errors import NoSigningKey
from gateway.identity.tenants.errors import TenantNotFound
from gateway.identity.tokens.demo import demo_token
from gateway.identity.tokens.errors import DemoTokenInvalid, TokenNotGiven
from gateway.identity.tokens.forms import read_request
from gateway.identity.tokens.request_tools import TokenRequestTools, address_of
from gateway.identity.tokens.schemas import DemoTokenCreate, TokenErrorOut, TokenForm, TokenOut
from gateway.identity.tokens.service import token_for
from kit.database.outages import DatabaseUnavailable
from kit.problems import (
    PROBLEMS,
    MalformedRequest,
    NotFound,
    Problem,
    ServiceUnavailable,
    TooManyRequests,
    response_of,
    responses,
)
from kit.web.sessions import database_of_request

router = APIRouter(tags=["tokens"])


async def _request_tools(request: Request) -> TokenRequestTools:
    equipment = await equipment_of(request)
    peer = request.client.host if request.client is not None else None
    return TokenRequestTools(
        equipment=equipment,
        database=database_of_request(request),
        id_tokens=request.app.state.id_tokens,
        address=address_of(peer, request.headers.getlist("x-forwarded-for"), equipment.settings),
    )


RequestToolsDep = Annotated[TokenRequestTools, Depends(_request_tools)]

# RFC 6749, 5.1 asks for both.
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def _refusal(description: str, *problems: type[Problem], header: str | None = None) -> dict[str, Any]:
    """A refusal in the words of OAuth; the house's own problems of the same status stand beside it."""
    content: dict[str, Any] = {"application/json": {"schema": {"$ref": "#/components/schemas/TokenErrorOut"}}}
    refusal: dict[str, Any] = {"model": TokenErrorOut, "description": description, "content": content}
    if problems:
        refusal[PROBLEMS] = response_of(problems)[PROBLEMS]
    return refusal | ({"headers": {header: {"schema": {"type": "string"}}}} if header else {})


def _form_schema() -> dict[str, Any]:
    """The form: a parameter is sent or not, and is never null."""
    schema = TokenForm.model_json_schema()
    for field in schema["properties"].values():
        field.pop("default", None)
        for choice in field.pop("anyOf", ()):
            if choice != {"type": "null"}:
                field.update(choice)
    return schema


_FORM: Final[dict[str, Any]] = {
    "required": True,
    "content": {"application/x-www-form-urlencoded": {"schema": _form_schema()}},
}


@router.post(
    "/token",
    operation_id="token_issue",
    summary="Get a token",
    response_model=TokenOut,
    openapi_extra={"security": [], "requestBody": _FORM},
    responses={
        400: _refusal("No token is issued (RFC 6749, 5.2; RFC 8693, 2.2.2).", MalformedRequest),
        401: _refusal("The client is unknown or its credentials are wrong.", header="WWW-Authenticate"),
        429: _refusal(
            "Too many failed attempts or too many requests. Try again after `Retry-After` seconds.",
            TooManyRequests,
            header="Retry-After",
        ),
        503: _refusal(
            "The service is unavailable. Try again later.",
            ServiceUnavailable,
            DatabaseUnavailable,
            NoSigningKey,
            header="Retry-After",
        ),
    },
)
async def token_issue(request: Request, tools: RequestToolsDep) -> Response:
    """Returns an access token, for the credentials of a client or in exchange for a person's ID token.

    Machines send `grant_type=client_credentials` with `client_id` and `client_secret`, by HTTP Basic or in the form.
    Portals send `grant_type=urn:ietf:params:oauth:grant-type:token-exchange` with the ID token of the signed-in person.
    Errors have the form of RFC 6749, not of problem details.
    """
    try:
        wanted = read_request(await request.body(), request.headers.getlist("authorization"))
        token = await token_for(tools, wanted)
    except TokenNotGiven as refused:
        body = TokenErrorOut.model_validate({"error": refused.error, "error_description": refused.description})
        return JSONResponse(body.model_dump(), refused.status, headers={**_NO_STORE, **refused.headers})
    return JSONResponse(token.model_dump(), headers=_NO_STORE)


@router.post(
    "/demo-token",
    operation_id="demo_token_issue",
    summary="Get a token for a demo person",
    openapi_extra={"security": []},
    responses=responses(NotFound, DemoTokenInvalid, NoSigningKey, TenantNotFound),
)
async def demo_token_issue(
    body: DemoTokenCreate, request: Request, response: Response, equipment: EquipmentDep
) -> TokenOut:
    """Returns a token for any person and role, in a demo only. Everywhere else this is 404."""
    token = await demo_token(database_of_request(request), equipment, body)
    response.headers.update(_NO_STORE)
    return token
