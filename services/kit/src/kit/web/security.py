"""Who is asking, as routes declare it: `caller: Annotated[Caller, requires("ratings:read")]`."""

from typing import Annotated

from fastapi import Request, Security, params
from fastapi.openapi.models import OAuth2, OAuthFlowClientCredentials, OAuthFlows
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase

from kit.identity.callers import Caller, check_scopes
from kit.identity.reach import ActsOn, check_reach
from kit.web.exchange import exchange_of
from kit.web.tools import tools_of

SCHEME_NAME = "trellis"
TOKEN_PATH = "/identity/v1/token"  # noqa: S105 - a path


class _TokenScheme(SecurityBase):
    """How callers prove who they are, for the contract. The check itself is `_current_caller`."""

    def __init__(self) -> None:
        flow = OAuthFlowClientCredentials(tokenUrl=TOKEN_PATH, scopes={})
        self.model = OAuth2(
            flows=OAuthFlows(clientCredentials=flow),
            description="A short-lived access token (JWT, ES256) as `Authorization: Bearer ...`.",
        )
        self.scheme_name = SCHEME_NAME

    async def __call__(self) -> None:
        """Nothing: the header is read once, by the authenticator."""


async def current_caller(
    request: Request,
    needed: SecurityScopes,
    _: Annotated[None, Security(_TokenScheme())],
) -> Caller:
    """The caller of this request, with every scope that the route needs.

    Raises Unauthorized, InsufficientScope or ServiceUnavailable.
    """
    exchange = exchange_of(request.scope)
    caller = exchange.caller
    if caller is None:
        caller = exchange.caller = await tools_of(request).authenticator.authenticate(_authorization(request))
    check_scopes(caller, needed.scopes)
    return caller


def _authorization(request: Request) -> list[bytes]:
    return [value for name, value in request.scope["headers"] if name == b"authorization"]


class CallerWith:
    """The caller of a request, whose grant reaches what the route declares that it acts on."""

    def __init__(self, acts_on: ActsOn) -> None:
        self.acts_on = acts_on

    async def __call__(
        self, request: Request, needed: SecurityScopes, _: Annotated[None, Security(_TokenScheme())]
    ) -> Caller:
        """The caller. Raises what `current_caller` raises, and WholeTrustOnly."""
        caller = await current_caller(request, needed, None)
        if request.method not in READS:
            check_reach(caller, self.acts_on)
        return caller


READS = frozenset({"GET", "HEAD"})
_CALLERS = {acts_on: CallerWith(acts_on) for acts_on in ActsOn}


def requires(*scopes: str, acts_on: ActsOn = ActsOn.WHOLE_TRUST) -> params.Security:
    """A caller with all of these scopes: `caller: Annotated[Caller, requires("ratings:read")]`.

    For an operation that writes, `acts_on` says how far it reaches: unless it says otherwise the operation needs a
    grant for the whole trust. For one that reads, row-level security decides which rows a caller sees.
    """
    security: params.Security = Security(_CALLERS[acts_on], scopes=list(scopes))
    return security


CallerDep = Annotated[Caller, Security(current_caller)]
