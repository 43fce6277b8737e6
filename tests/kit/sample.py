"""A service without a domain, to try the conventions of the kit."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import httpx
from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from kit import cursors
from kit.database.sessions import Context
from kit.etags import check_if_match, etag
from kit.identity.callers import Caller
from kit.problems import Conflict, NotFound, Problem, responses
from kit.resources.pages import ListParams, Page
from kit.resources.patches import MergePatch
from kit.settings import ServiceSettings
from kit.web.app import Service, create_service
from kit.web.bodies import streamed_body
from kit.web.links import page_links
from kit.web.security import CallerDep, requires
from kit.web.tags import IfMatch, not_modified, tagged
from tests.support.contracts import ContractChecker
from tests.support.tokens import AUDIENCE, ISSUER, issue_token, trusted_keys

SECRET = "a-secret-key-that-only-the-tests-know"


class ThingTaken(Conflict):
    """There is such a thing already."""


class Undeclared(Problem):
    """A problem that no route lists."""

    status = 418


class Colour(StrEnum):
    """A closed list."""

    RED = "red"
    GREEN = "green"


class Measure(BaseModel, extra="forbid"):
    """A part of a thing."""

    code: str = Field(min_length=1, max_length=20)
    value: int | None = Field(default=None, ge=0, le=100)


class ThingCreate(BaseModel, extra="forbid"):
    """What a thing is made from."""

    name: str = Field(min_length=1, max_length=50)
    colour: Colour = Colour.GREEN
    measures: list[Measure] = Field(default=[], max_length=10)
    tags: dict[str, str] = {}
    made_on: date | None = None


class ThingPatch(MergePatch):
    """What of a thing can be changed."""

    name: str = Field(default="", min_length=1, max_length=50)
    note: str | None = None


class ThingOut(BaseModel):
    """A thing."""

    id: int
    name: str
    note: str | None


class ThingPage(Page[ThingOut]):
    """A page of things."""


class ThingParams(ListParams):
    """Which things."""

    colour: list[Colour] = Field(default=[], max_length=5)
    q: str | None = Field(default=None, max_length=20)


router = APIRouter(prefix="/things", tags=["things"])
extras = APIRouter(tags=["extras"])
Reader = Annotated[Caller, requires("things:read")]
Writer = Annotated[Caller, requires("things:read", "things:write")]
NAMES = [f"thing {number}" for number in range(1, 8)]
# What the polled list says, and how often it was made.
STATE = {"version": 1, "made": 0}


def reset() -> None:
    """As at the beginning."""
    STATE.update(version=1, made=0)


@router.get("", operation_id="thing_list")
async def thing_list(
    params: Annotated[ThingParams, Query()], caller: Reader, request: Request, response: Response
) -> ThingPage:
    """Things by number."""
    filters = params.model_dump(exclude={"limit", "cursor"})
    after = 0
    if params.cursor is not None:
        (after,) = cursors.decode("things", params.cursor, tenant=caller.tenant_id, filters=filters)
    rows = [(number, name) for number, name in enumerate(NAMES, 1) if number > after]
    page, rest = rows[: params.limit], rows[params.limit :]
    following = None
    if rest:
        following = cursors.encode("things", [page[-1][0]], tenant=caller.tenant_id, filters=filters)
    page_links(response, request, following)
    return ThingPage(items=[ThingOut(id=number, name=name, note=None) for number, name in page], next=following)


@router.post("", status_code=201, responses=responses(ThingTaken))
async def thing_create(body: ThingCreate, caller: Writer) -> ThingOut:
    """Make a thing."""
    if body.name == "taken":
        raise ThingTaken("There is a thing of this name.", name_taken=body.name)
    return ThingOut(id=1, name=body.name, note=caller.subject)


@router.post("/lookup")
async def thing_lookup(body: ThingCreate, caller: Reader) -> ThingOut:
    """A fixed path beside a template."""
    return ThingOut(id=2, name=body.name, note=None)


@router.get("/{number}", response_model=ThingOut, responses={**tagged(), **responses(NotFound)})
async def thing_view(
    number: Annotated[int, Path(ge=1, le=2**31 - 1)], caller: Reader, request: Request, response: Response
) -> Any:
    """One thing."""
    if number > len(NAMES):
        raise NotFound(f"There is no thing {number}.")
    response.headers["ETag"] = etag(number)
    return not_modified(request, response.headers) or ThingOut(id=number, name=NAMES[number - 1], note=None)


@router.patch("/{number}", responses={**tagged(), **responses(NotFound)})
async def thing_change(
    number: int, body: ThingPatch, if_match: IfMatch, caller: Writer, response: Response
) -> ThingOut:
    """Change a thing."""
    check_if_match(if_match, etag(number))
    response.headers["ETag"] = etag(f"{number}-2")
    changes = body.changes()
    return ThingOut(id=number, name=changes.get("name", "old"), note=changes.get("note", "kept"))


@router.delete("/{number}", status_code=204)
async def thing_delete(number: int, if_match: IfMatch, caller: Writer) -> None:
    """Remove a thing."""
    check_if_match(if_match, etag(number))


@router.post("/{number}/publish")
async def thing_publish(number: int, caller: Writer) -> ThingOut:
    """An action without a body."""
    return ThingOut(id=number, name="published", note=None)


@extras.get("/polled", response_model=ThingOut, responses=tagged())
async def polled_view(caller: Reader, request: Request, response: Response) -> Any:
    """What thousands poll."""
    STATE["made"] += 1
    response.headers["ETag"] = etag(f"v{STATE['version']}")
    return not_modified(request, response.headers) or ThingOut(
        id=STATE["version"], name=str(caller.tenant_id), note=None
    )


@extras.get("/open")
async def open_view() -> ThingOut:
    """For everybody."""
    return ThingOut(id=0, name="open", note=None)


@extras.get("/anybody")
async def anybody_view(caller: CallerDep) -> ThingOut:
    """For every caller with a token."""
    return ThingOut(id=0, name=caller.subject, note=None)


@extras.post("/form")
async def form_create(grant_type: Annotated[str, Form()], scope: Annotated[str | None, Form()] = None) -> ThingOut:
    """A form."""
    return ThingOut(id=0, name=grant_type, note=scope)


@extras.post("/stream", openapi_extra=streamed_body({"text/csv": {}}, description="Rows"))
async def stream_create(request: Request, caller: Writer) -> ThingOut:
    """A body that is read as it comes."""
    size = 0
    async for part in request.stream():
        size += len(part)
    return ThingOut(id=size, name="stream", note=request.headers.get("content-encoding"))


@extras.get("/forever", response_class=StreamingResponse)
async def forever_view(caller: Reader) -> StreamingResponse:
    """A stream without an end."""

    async def parts() -> AsyncIterator[bytes]:
        while True:
            yield b": ping\n\n"
            await asyncio.sleep(0.01)

    return StreamingResponse(parts(), media_type="text/event-stream")


FAILURES: dict[str, Callable[[], Exception]] = {
    "fault": lambda: RuntimeError("Somebody's name and eyJhbGciOiJFUzI1NiJ9.e30.c2ln"),
    "gone": lambda: ConnectionRefusedError("database"),
    "interface": lambda: asyncpg.InterfaceError("connection is closed"),
    "shutdown": lambda: asyncpg.AdminShutdownError("terminating connection"),
    "serialization": lambda: asyncpg.SerializationError("could not serialize access"),
    "deadlock": lambda: asyncpg.DeadlockDetectedError("deadlock detected"),
    "range": lambda: asyncpg.NumericValueOutOfRangeError("integer out of range"),
    "undeclared": Undeclared,
}


@extras.get("/fail")
async def failure_view(how: str, caller: Reader) -> ThingOut:
    """Something goes wrong."""
    failure = FAILURES[how]()
    raise failure


async def _version(context: Context) -> str:
    assert isinstance(context.tenant_id, UUID)
    return str(STATE["version"])


def sample_settings(**changes: Any) -> ServiceSettings:
    """What the sample service is told."""
    values: dict[str, Any] = {
        "service": "sample",
        "env": "test",
        "database_url": "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=1",
        "secret_key": SECRET,
        "public_url": ISSUER,
        "audience": AUDIENCE,
        "log_level": "WARNING",
        "max_body_bytes": 2048,
        **changes,
    }
    return ServiceSettings(**values)


def sample_service(**changes: Any) -> Service:
    """The sample service, which trusts the tests' key."""
    keys = changes.pop("keys", None) or trusted_keys()
    app = create_service(
        sample_settings(**changes),
        title="Sample",
        description="A service without a domain.",
        routers=[router, extras],
        keys=keys,
    )
    app.state.tools.prepared.route("/sample/v1/polled", version=_version)
    return app


class SampleTransport(httpx.ASGITransport):
    """Holds every answer against the contract."""

    def __init__(self, app: Service, *, checked: bool = True) -> None:
        super().__init__(app, raise_app_exceptions=False)
        self._checker = ContractChecker(app.openapi()) if checked else None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange."""
        response = await super().handle_async_request(request)
        await response.aread()
        if self._checker is not None:
            self._checker.check(request, response)
        return response


ALL_SCOPES = ("things:read", "things:write")


def sample_client(
    app: Service, *, scopes: tuple[str, ...] | None = ALL_SCOPES, checked: bool = True, **claims: Any
) -> httpx.AsyncClient:
    """A client with these scopes; without a token when `scopes` is None."""
    headers = {}
    if scopes is not None:
        headers["Authorization"] = f"Bearer {issue_token(None, scopes=scopes, **claims)}"
    return httpx.AsyncClient(transport=SampleTransport(app, checked=checked), base_url=ISSUER, headers=headers)
