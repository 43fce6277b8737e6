"""`GET /{service}/v1/events`: the change feed as JSON with long polling, or as a stream of server-sent events."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from kit import clock
from kit.cursors import LONGEST_CURSOR
from kit.database.outages import DatabaseUnavailable
from kit.database.sessions import context_of
from kit.events.feed import FeedRestarted, Follower, cursor_of, media_of, place_of
from kit.events.pages import Page, Reader
from kit.events.recording import EventType
from kit.field_codes import KitCode
from kit.identity.callers import Caller, check_scopes
from kit.problems import FieldError, InvalidCursor, InvalidRequest, responses
from kit.web.exchange import exchange_of
from kit.web.kept import KEPT
from kit.web.security import requires
from kit.web.sessions import database_of_request
from kit.web.tools import tools_of

READ = "events:read"
# Who has it reads across trusts, through a database role that sees events and nothing else.
FOLLOW = "events:follow"
LONGEST_WAIT_SECONDS = 30
HEARTBEAT_SECONDS = 15.0
RECONNECT_MILLISECONDS = 2_000


class EventTypeUnknown(InvalidRequest):
    """This service has no event of this type."""


class CloudEvent(BaseModel):
    """Something that happened (CloudEvents 1.0)."""

    specversion: str = Field(description="Always `1.0`.", examples=["1.0"])
    id: str = Field(description="Unique: an event that you have seen before has the same id.")
    source: str = Field(description="The service that published it.", examples=["/academy/v1"])
    type: str = Field(description="What happened.", examples=["org.trellis.academy.rating.computed.v1"])
    subject: str = Field(description="What it happened to.", examples=["academies/100001"])
    time: str = Field(description="When it happened (RFC 3339, UTC).", json_schema_extra={"format": "date-time"})
    datacontenttype: str = Field(description="Always `application/json`.", examples=["application/json"])
    trust: str = Field(description="The trust that it concerns.", json_schema_extra={"format": "uuid"})
    urn: int | None = Field(description="The academy that it concerns; null for the whole trust.", examples=[100001])
    data: dict[str, Any] = Field(description="Before and after, as docs/api/events.md describes for each type.")


class EventPage(BaseModel):
    """Events in order, and where to continue."""

    items: list[CloudEvent] = Field(description="The next events; empty when none came in time.")
    next: str = Field(description="Send it as `after` to go on; never null.", examples=["c29tZSBwbGFjZQ"])


class EventParams(BaseModel):
    """From where, how many, which, and how long to wait."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=LONGEST_CURSOR,
            description="The `next` of the previous page. Default: the first event. `now`: only events from now on.",
        ),
    ] = None
    limit: Annotated[int, Field(ge=1, le=500, description="The largest number of events on a page.")] = 100
    wait: Annotated[
        int,
        Field(
            ge=0,
            le=LONGEST_WAIT_SECONDS,
            description="Seconds to wait for an event when there is none yet. 0 returns at once.",
        ),
    ] = 0
    types: Annotated[
        list[str] | None,
        Field(
            max_length=50,
            description="Only events of these types; repeat it for several. Default: every type that you may see.",
        ),
    ] = None


def feed_router(event_types: Sequence[EventType]) -> APIRouter:
    """The feed of a service that tells events of these types."""
    router = APIRouter(tags=["events"])
    known = {event_type.type: event_type for event_type in event_types}

    @router.get(
        "/events",
        operation_id="event_list",
        summary="List events",
        response_model=EventPage,
        openapi_extra=KEPT,
        responses={
            200: {
                "description": "The next events. A stream with `Accept: text/event-stream`.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            **responses(InvalidCursor, EventTypeUnknown, FeedRestarted),
        },
    )
    async def event_list(
        request: Request,
        parameters: Annotated[EventParams, Query()],
        caller: Annotated[Caller, requires(READ)],
        last_event_id: Annotated[
            str | None,
            Header(
                alias="Last-Event-ID",
                max_length=LONGEST_CURSOR,
                description="Sent by clients of server-sent events when they reconnect. Overrides `after`.",
            ),
        ] = None,
    ) -> Response:
        """Returns the events of your trust that you may see, each once and in one order. Deletions are events too.

        For more, send the `next` of the response as `after`. With `Accept: text/event-stream` events are sent as they
        happen until the token expires; each has an id to reconnect with.
        """
        reader = _reader(request, caller, _types(caller, known, parameters.types))
        is_stream = media_of(request.headers.get("accept")) == "text/event-stream"
        if is_stream or parameters.wait:
            # Who waits for something new isn't served with what there was.
            exchange_of(request.scope).keep_nothing()
            exchange_of(request.scope).at_end.append(tools_of(request).waits.begin(caller))
        follower = Follower(
            reader, await place_of(reader, last_event_id or parameters.after), tools_of(request).closing
        )
        if is_stream:
            page = await follower.next_page(parameters.limit, 0)
            return StreamingResponse(
                _stream(request, caller, follower, page, parameters.limit),
                media_type="text/event-stream",
                headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
            )
        longest = min(parameters.wait, tools_of(request).settings.long_poll_seconds)
        page = await follower.next_page(parameters.limit, 0)
        if longest and not page.events:
            # Who sleeps takes nobody's turn.
            exchange_of(request.scope).leave()
            page = await follower.next_page(parameters.limit, longest, after=page)
        return Response(
            orjson.dumps(
                {"items": [event for _, event in page.events], "next": cursor_of(reader, page.origin, page.after)}
            ),
            media_type="application/json",
            headers={"Cache-Control": "private, no-cache"},
        )

    return router


def _types(caller: Caller, known: dict[str, EventType], wanted: Sequence[str] | None) -> list[str]:
    """The types that the caller gets. Raises EventTypeUnknown, InsufficientScope."""
    if wanted is None:
        return [name for name, event_type in known.items() if _may_read(caller, event_type)]
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise EventTypeUnknown(
            "There are no events of some of these types.",
            errors=[
                FieldError.in_query("types", KitCode.UNKNOWN_TYPE, f"There is no type {name[:100]!r}.")
                for name in unknown
            ],
        )
    if not caller.may(FOLLOW):
        check_scopes(caller, sorted({known[name].scope for name in wanted}))
    # Of events that the grant doesn't reach there are none, as for academies that it doesn't reach.
    return [name for name in wanted if _may_read(caller, known[name])]


def _may_read(caller: Caller, event_type: EventType) -> bool:
    if caller.may(FOLLOW):
        return True
    return caller.may(event_type.scope) and (caller.academies is None or not event_type.whole_tenant)


def _reader(request: Request, caller: Caller, types: Sequence[str]) -> Reader:
    context = context_of(caller)
    follower_database = tools_of(request).follower_database
    if caller.may(FOLLOW) and follower_database is not None:
        return Reader(follower_database, context, None, types)
    return Reader(database_of_request(request), context, caller.tenant_id, types)


async def _stream(request: Request, caller: Caller, follower: Follower, page: Page, limit: int) -> AsyncIterator[bytes]:
    """Events as they come; a comment every now and then shows that the line is alive."""
    yield b"retry: %d\n\n" % RECONNECT_MILLISECONDS
    closing = tools_of(request).closing
    while True:
        for position, event in page.events:
            cursor = cursor_of(follower.reader, page.origin, position)
            yield b"id: %s\nevent: %s\ndata: %s\n\n" % (cursor.encode(), event["type"].encode(), orjson.dumps(event))
        left = (caller.expires_at - clock.machine_now()).total_seconds()
        if closing.requested or left <= 0:
            return
        try:
            # An empty page was read just now: whatever is new since then wakes the reader.
            page = await follower.next_page(limit, min(HEARTBEAT_SECONDS, left), after=None if page.events else page)
        except DatabaseUnavailable:
            # The reader keeps its place and comes back.
            return
        if not page.events:
            yield b": still here\n\n"
