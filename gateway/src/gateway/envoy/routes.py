"""Every path that can be reached from outside, in the order in which they are tried.

What isn't in this table is 404: `/metrics` and whatever else a service has for its operators stay inside. A new
service adds its name to `SERVICES`; a route of a service gets a row of its own only when it differs from the others (a
larger body, a stream).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.envoy.settings import EnvoySettings
from kit.web.bodies import LARGEST_ANONYMOUS_JSON_BYTES, LARGEST_FORM_BYTES, LARGEST_JSON_BYTES

IDENTITY: Final = "identity"
SERVICES: Final = (IDENTITY, "academy", "research", "reporting")
SHARED: Final = "shared/"
"""What comes after it in a path is a secret: it is counted by itself, and masked in the log."""
READY_PATH: Final = "/readyz"
"""Answered here; the `/readyz` of a service, which names what it lacks, stays inside."""

# Long enough for the commit of the largest import after its last byte.
IMPORT_SECONDS: Final = 120
# ... and for the largest file to reach the object store.
FILE_SECONDS: Final = 90
# The service that takes it holds it against this; here it is passed on as it comes.
FILE_BYTES: Final = 50 * 1024 * 1024
# A request that needs no body, and brings one all the same.
NO_BODY_BYTES: Final = 1024
REQUEST_SECONDS: Final = 30
PORTAL_SECONDS: Final = 10


class Access(StrEnum):
    """Whether a token is needed."""

    TOKEN = "token"  # noqa: S105 - the word, not a secret
    PUBLIC = "public"


class Limit(StrEnum):
    """What is counted against the rate limit."""

    PER_TOKEN = "per-token"  # noqa: S105
    SIGN_IN = "sign-in"
    PUBLIC = "public"
    SHARED = "shared"
    NONE = "none"


class Body(StrEnum):
    """How large a body may be, and whether the service sees it before it is complete."""

    NONE = "none"
    JSON = "json"
    ANONYMOUS = "anonymous"
    """JSON without a token."""
    FORM = "form"
    IMPORT = "import"
    FILE = "file"


class Match(StrEnum):
    """How a path is compared."""

    EXACT = "exact"
    PREFIX = "prefix"
    PATTERN = "pattern"
    """A regular expression of the whole path without its query."""


@dataclass(frozen=True, slots=True)
class Route:
    """One row: which requests, who answers them and within what bounds."""

    name: str
    path: str
    upstream: str | None
    """The service that answers; None when the gateway itself does."""
    match: Match = Match.PREFIX
    methods: tuple[str, ...] | None = None
    """Only these methods; the others go on to the next row. All when None."""
    access: Access = Access.TOKEN
    limit: Limit = Limit.PER_TOKEN
    body: Body = Body.JSON
    timeout_seconds: int | None = REQUEST_SECONDS
    """From the last byte of the request to the last of the answer; None for a stream, which has no end."""

    is_reserved: bool = False
    """Has a share of the service that other requests can't fill: what is cheap to answer, or only waits."""

    @property
    def is_streamed(self) -> bool:
        """Does the answer come bit by bit, for as long as the client likes?"""
        return self.timeout_seconds is None

    def max_body_bytes(self, settings: EnvoySettings) -> int:
        """The largest body that is taken, as the service would take it; its setting only lowers that."""
        match self.body:
            case Body.NONE:
                return NO_BODY_BYTES
            case Body.JSON:
                return min(settings.max_body_bytes, LARGEST_JSON_BYTES)
            case Body.ANONYMOUS:
                return min(settings.max_body_bytes, LARGEST_ANONYMOUS_JSON_BYTES)
            case Body.FORM:
                return min(settings.max_body_bytes, LARGEST_FORM_BYTES)
            case Body.IMPORT:
                return settings.limit_import_sent_bytes
            case Body.FILE:
                return FILE_BYTES


def _public(name: str, path: str, match: Match = Match.EXACT) -> Route:
    return Route(
        name,
        path,
        IDENTITY,
        match=match,
        access=Access.PUBLIC,
        limit=Limit.PUBLIC,
        body=Body.NONE,
        timeout_seconds=PORTAL_SECONDS,
    )


def _sign_in(name: str, path: str, body: Body) -> Route:
    return Route(name, path, IDENTITY, match=Match.EXACT, access=Access.PUBLIC, limit=Limit.SIGN_IN, body=body)


def _service(name: str) -> tuple[Route, ...]:
    return (
        Route(
            f"{name}-events",
            f"/{name}/v1/events",
            name,
            match=Match.EXACT,
            methods=("GET",),
            body=Body.NONE,
            timeout_seconds=None,
            is_reserved=True,
        ),
        # A file of anything: `/academy/v1/moderations/{id}/files`.
        Route(
            f"{name}-files",
            rf"/{name}/v1/[a-z-]+/[^/]+/files",
            name,
            match=Match.PATTERN,
            methods=("POST",),
            body=Body.FILE,
            timeout_seconds=FILE_SECONDS,
        ),
        # Links for programs that can send no header: the path is the secret.
        Route(
            f"{name}-shared",
            f"/{name}/v1/{SHARED}",
            name,
            access=Access.PUBLIC,
            limit=Limit.SHARED,
            body=Body.NONE,
        ),
        Route(name, f"/{name}/v1/", name),
    )


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "healthz",
        "/healthz",
        None,
        match=Match.EXACT,
        methods=("GET", "HEAD", "OPTIONS"),
        access=Access.PUBLIC,
        limit=Limit.NONE,
        body=Body.NONE,
    ),
    # The filter `readiness` answers its GET and HEAD; see there.
    Route(
        "readyz",
        READY_PATH,
        None,
        match=Match.EXACT,
        methods=("GET", "HEAD", "OPTIONS"),
        access=Access.PUBLIC,
        limit=Limit.NONE,
        body=Body.NONE,
    ),
    _public("portal", "/"),
    _public("portal-assets", "/portal/", Match.PREFIX),
    _public("contracts", "/openapi/", Match.PREFIX),
    _public("guides", "/guides/", Match.PREFIX),
    _public("jwks", "/.well-known/jwks.json"),
    _public("oauth-metadata", "/.well-known/oauth-authorization-server"),
    # RFC 8414 puts the metadata of an issuer with a path below the well-known part.
    _public("oauth-metadata-of-issuer", "/.well-known/oauth-authorization-server/", Match.PREFIX),
    # Client credentials and token exchange.
    _sign_in("token", "/identity/v1/token", Body.FORM),
    _sign_in("demo-token", "/identity/v1/demo-token", Body.ANONYMOUS),
    Route(
        "academy-imports",
        "/academy/v1/imports",
        "academy",
        match=Match.EXACT,
        methods=("POST",),
        body=Body.IMPORT,
        timeout_seconds=IMPORT_SECONDS,
    ),
    # Boards are answered from memory, whatever else the service is busy with.
    Route(
        "academy-board",
        "/academy/v1/rag-statuses",
        "academy",
        match=Match.EXACT,
        methods=("GET", "HEAD"),
        body=Body.NONE,
        is_reserved=True,
    ),
    *(route for service in SERVICES for route in _service(service)),
)
