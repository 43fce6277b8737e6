"""A service: its routes, dressed with everything that the house promises of every service."""

import copy
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import ResponseValidationError
from fastapi.routing import APIRoute, iter_route_contexts, request_response
from starlette.routing import BaseRoute, Match, compile_path
from starlette.types import Receive, Scope, Send

from kit.calls.client import Calls
from kit.database.registered import Registered
from kit.database.sessions import service_database
from kit.definition import ServiceDefinition
from kit.disks import DiskCollector, Disks
from kit.events.epochs import epoch_problem
from kit.events.recording import EventType
from kit.field_codes import KitCode, meanings
from kit.identity.callers import Authenticator
from kit.identity.keys import KeySource, RemoteKeys
from kit.memory import keep_what_is_loaded
from kit.objects.stores import object_store
from kit.readiness import Check, database_check
from kit.schema.chains import Chain
from kit.secrets.answers import answer_seal
from kit.settings import ServiceSettings
from kit.shutdown import Closing
from kit.telemetry.logs import configure_logs, hide_messages_of
from kit.telemetry.loop_lag import measuring_loop_lag
from kit.telemetry.metrics import Metrics
from kit.telemetry.tracing import start_tracing
from kit.web import answers
from kit.web.admission import Admission
from kit.web.capacity import WAIT_SECONDS, WAIT_SECONDS_IN_TESTS, Capacity
from kit.web.contract import write_contract
from kit.web.edge import Edge
from kit.web.exchange import exchange_of
from kit.web.feed_routes import feed_router
from kit.web.health import health_router
from kit.web.idempotency import purging
from kit.web.kept import KeptAnswers
from kit.web.operations import Operations
from kit.web.prepared import OLDEST_SECONDS, PreparedResponses
from kit.web.shared_links import links_router
from kit.web.strictness import strict_body
from kit.web.tools import Tools, tools_of
from kit.web.validation import refuse
from kit.web.waits import Waits

# Followers are few and wait without a connection.
FOLLOWER_CONNECTIONS = 2

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class _Chosen(BaseRoute):
    """The operation that the edge has found already; nothing is searched twice."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Fits every request that the edge let in."""
        return (Match.NONE, {}) if exchange_of(scope).operation is None else (Match.FULL, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the operation."""
        operation = exchange_of(scope).operation
        assert operation is not None
        await operation.route.app(scope, receive, send)


class Service(FastAPI):
    """A FastAPI app whose outermost layer is the house's own, and whose contract follows the house's conventions."""

    def __init__(
        self,
        *,
        title: str,
        description: str,
        tags: Mapping[str, str],
        event_types: Sequence[EventType] = (),
        field_codes: Mapping[str, str],
        **options: Any,
    ) -> None:
        super().__init__(title=title, description=description, **options)
        self._tags = tags
        self._event_types = event_types
        self._field_codes = field_codes
        self.edge: Edge | None = None

    def put_edge(self, edge: Edge) -> None:
        """From now on requests meet this edge first."""
        self.edge = edge

    async def without_edge(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What the edge hands a request to."""
        await super().__call__(scope, receive, send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the process."""
        if scope["type"] == "http" and self.edge is not None:
            scope["app"] = self
            await self.edge(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The contract."""
        if not self.openapi_schema:
            self.openapi_schema = write_contract(
                self.routes,
                title=self.title,
                description=self.description,
                tags=self._tags,
                event_types=self._event_types,
                field_codes=self._field_codes,
            )
        return self.openapi_schema


def create_service(  # noqa: PLR0913 - what a service is made of
    settings: ServiceSettings,
    *,
    title: str,
    description: str,
    routers: Sequence[APIRouter],
    event_types: Sequence[EventType] | None = None,
    keys: KeySource | None = None,
    lifespan: Lifespan | None = None,
    extra_ready: Mapping[str, Check] | None = None,
    root_routers: Sequence[APIRouter] = (),
    tags: Mapping[str, str] | None = None,
    chain: Chain | None = None,
    registered: Registered | None = None,
    unserved: Collection[str] = (),
    field_codes: Mapping[str, str] | None = None,
) -> Service:
    """The app of a service.

    `routers` are mounted under `/{service}/v1`, `root_routers` at the root (well-known documents). With
    `event_types`, even an empty list, the service has a change feed. `keys` are the issuer's public
    ones, fetched from it unless given. `chain` names the migrations that the database must be at, those
    of the package with the service's name unless given. With `registered` other events and jobs than the
    service's own are refused when they are recorded. Operations that `unserved` names are in the contract and
    lead nowhere here. `field_codes` are the codes of single faults, the kit's own unless given. Raises ValueError when
    a route has no name or no description.
    """
    keys = keys or RemoteKeys(settings.jwks_url, socket=settings.jwks_socket)
    chain = chain or Chain(settings.service, settings.service)
    metrics = Metrics(settings.service)
    disks = Disks.of(settings)
    metrics.registry.register(DiskCollector(disks))
    authenticator = Authenticator(keys, issuer=settings.issuer, audience=settings.audience)
    prepared = PreparedResponses(
        authenticator,
        metrics.prepared,
        # Tests change the database behind the service's back.
        oldest_seconds=0.0 if settings.env == "test" else OLDEST_SECONDS,
    )
    database = service_database(
        settings, settings.database_url, application_name=settings.service, registered=registered
    )
    follower_database = None
    if event_types is not None and settings.follower_database_url is not None:
        follower_database = service_database(
            settings,
            settings.follower_database_url,
            application_name=f"{settings.service}-follower",
            pool_size=FOLLOWER_CONNECTIONS,
        )
    capacity = Capacity(
        settings.database_pool_size, wait_seconds=WAIT_SECONDS_IN_TESTS if settings.env == "test" else WAIT_SECONDS
    )
    metrics.watch(capacity)
    kept = KeptAnswers()
    hide_messages_of(ResponseValidationError)
    closing = Closing()
    app = Service(
        title=title,
        description=description,
        tags=tags or {},
        event_types=event_types or (),
        field_codes=meanings(KitCode) if field_codes is None else field_codes,
        version="1",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # The kit has numbers and traces of its own, without paths and queries in them.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=_life(settings, lifespan),
    )
    app.state.tools = Tools(
        settings=settings,
        database=database,
        follower_database=follower_database,
        keys=keys,
        authenticator=authenticator,
        prepared=prepared,
        metrics=metrics,
        waits=Waits(settings),
        kept=kept,
        closing=closing,
        calls=Calls(settings),
        objects=object_store(settings.object_store),
        answer_seal=answer_seal(settings.key_ring, settings.service),
        disks=disks,
    )
    answers.install(app)
    prefix = f"/{settings.service}/v1"
    feed = [] if event_types is None else [feed_router(event_types)]
    app.router.routes.append(_Chosen())
    for router in [*routers, *feed]:
        _mount(app, router, prefix)
    for router in root_routers:
        _mount(app, router, "")
    checks: dict[str, Check] = {
        "database": _database_check(app, chain, has_feed=event_types is not None),
        "keys": _keys_check(keys),
        **(extra_ready or {}),
    }
    _mount(app, health_router(checks, metrics, closing), "")
    mounted = [
        route
        for route in app.router.routes
        if isinstance(route, APIRoute) and route.operation_id not in frozenset(unserved)
    ]
    edge = Edge(
        app.without_edge,
        settings=settings,
        operations=Operations(mounted),
        admission=Admission(settings, authenticator),
        prepared=prepared,
        metrics=metrics,
        capacity=capacity,
        kept=kept,
    )
    app.put_edge(edge)
    return app


def create_app(
    definition: ServiceDefinition,
    settings: ServiceSettings,
    *,
    keys: KeySource | None = None,
    lifespan: Lifespan | None = None,
    root_routers: Sequence[APIRouter] = (),
    unserved: Collection[str] = (),
) -> Service:
    """The app of a service as it is defined: what its slices hold, found by name (see `kit.definition`).

    Operations that `unserved` names are in the contract and lead nowhere here.
    """
    # Rows of one slice refer to those of another: all tables are known before the first row is written.
    assert definition.tables is not None
    app = create_service(
        settings,
        title=definition.title,
        description=definition.description,
        routers=[*definition.named("routes", "router"), *_links(definition)],
        event_types=definition.event_types,
        keys=keys,
        lifespan=lifespan,
        root_routers=(*definition.named("routes", "root_router"), *root_routers),
        chain=definition.chain,
        registered=definition,
        unserved=unserved,
        field_codes=definition.field_codes,
    )
    for install in definition.named("routes", "install"):
        install(app)
    return app


def _links(definition: ServiceDefinition) -> Iterator[APIRouter]:
    if definition.link_resources:
        yield links_router(definition.link_resources)


def _mount(app: Service, router: APIRouter, prefix: str) -> None:
    """Copy a router's routes into the app, flat: routers are shared by all apps of a process, and a
    request then reaches its route without a search.
    """
    for context in iter_route_contexts(router.routes):
        original = context.original_route
        if not isinstance(original, APIRoute):
            raise TypeError(f"{original!r} is no API route")
        route = copy.copy(original)
        for name in vars(original):
            if name != "app":
                setattr(route, name, getattr(context, name, getattr(original, name)))
        route.path = prefix + route.path
        route.path_regex, route.path_format, route.param_convertors = compile_path(route.path)
        route.operation_id = route.operation_id or route.name
        route.unique_id = route.operation_id
        route.dependency_overrides_provider = app
        if route.include_in_schema:
            _check_route(route, app)
        route.app = request_response(_refusing(route, route.get_route_handler()))
        app.router.routes.append(route)


def _check_route(route: APIRoute, app: Service) -> None:
    name = route.operation_id
    if name is None or "_" not in name:
        raise ValueError(f"{route.path}: the operation id {name} isn't <resource>_<verb>")
    if any(isinstance(other, APIRoute) and other.operation_id == name for other in app.router.routes):
        raise ValueError(f"{route.path}: there is an operation {name} already")
    if not inspect.cleandoc(route.description or ""):
        raise ValueError(f"{name} doesn't say what it does")


Handler = Callable[[Request], Awaitable[Response]]


def _refusing(route: APIRoute, handle: Handler) -> Handler:
    """Refuse what is wrong with query and body before anything is opened for the request."""
    strict = strict_body(route)

    async def handle_admitted(request: Request) -> Response:
        errors = exchange_of(request.scope).query_errors
        body = await request.body() if strict is not None else b""
        body_errors = strict.errors(body) if strict is not None and body else ()
        if errors or body_errors:
            await refuse(request, route, errors, body_errors)
        return await handle(request)

    return handle_admitted


def _life(settings: ServiceSettings, lifespan: Lifespan | None) -> Lifespan:
    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        tools = tools_of(app)
        if settings.env != "test":
            configure_logs(settings.service, settings.log_level)
            keep_what_is_loaded()
        async with AsyncExitStack() as stack:
            if (tracing := start_tracing(settings.service)) is not None:
                assert isinstance(app, Service) and app.edge is not None
                app.edge.tracing = tracing
                stack.callback(tracing.shutdown)
            stack.push_async_callback(tools.calls.aclose)
            stack.push_async_callback(tools.database.dispose)
            if tools.follower_database is not None:
                stack.push_async_callback(tools.follower_database.dispose)
            if isinstance(tools.keys, RemoteKeys):
                stack.push_async_callback(tools.keys.aclose)
            await stack.enter_async_context(measuring_loop_lag(tools.metrics))
            stack.enter_context(tools.closing.listening())
            stack.callback(tools.closing.begin)
            await stack.enter_async_context(purging(tools.database))
            if lifespan is not None:
                await stack.enter_async_context(lifespan(app))
            yield

    return life


def _database_check(app: Service, chain: Chain, *, has_feed: bool) -> Check:
    async def check() -> str | None:
        database = tools_of(app).database
        wrong = await database_check(database, chain)()
        return await epoch_problem(database) if wrong is None and has_feed else wrong

    return check


def _keys_check(keys: KeySource) -> Check:
    async def check() -> str | None:
        # Whether there is such a key doesn't matter: that keys are known does.
        await keys.key("readiness")
        return None

    return check
