"""Calls to a service: what is sent, what is tried again, what comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import Request
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from kit.calls.client import Calls, view_of
from kit.calls.declared import Call
from kit.calls.errors import (
    CALL_PROBLEMS,
    CalleeAnswerUnreadable,
    CalleeConflict,
    CalleeForbids,
    CalleeNotFound,
    CalleeRefused,
    CalleeUnauthorized,
    CalleeUnavailable,
    CallFailed,
)
from kit.calls.retrying import RetryPolicy
from kit.identity.callers import Authenticator, Caller
from kit.telemetry.logs import request_id
from kit.web.app import Service
from kit.web.calling import _calls_of_request
from tests.kit.sample import STATE, reset, sample_service, sample_settings
from tests.support.jobs import until
from tests.support.tokens import AUDIENCE, ISSUER, issue_token, trusted_keys

QUICK = RetryPolicy(deadline=2.0, first_pause=0.01, longest_pause=0.05)
BOTH = ("things:read", "things:write")


class Thing(BaseModel):
    """What is read of a thing."""

    id: int
    name: str


class Wrong(BaseModel):
    """What the sample never says."""

    colour: int


class NewThing(BaseModel):
    """What a thing is made from."""

    name: str


THING_VIEW = Call("sample", "thing_view", Thing, "/sample/v1/things/{number}")
POLLED = Call("sample", "polled_view", Thing, "/sample/v1/polled")
THING_CREATE = Call("sample", "thing_create", Thing, "/sample/v1/things", "POST")


class Door:
    """The sample service behind a door that can be shut: it answers what it is told so many times, then lets in."""

    def __init__(self) -> None:
        self.app: Service = sample_service()
        self.shut: list[tuple[int, dict[str, str]]] = []
        self.seen: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.delay = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        self.seen.append({name.decode(): value.decode() for name, value in scope["headers"]})
        self.paths.append(scope["raw_path"].decode())
        await asyncio.sleep(self.delay)
        if not self.shut:
            await self.app(scope, receive, send)
            return
        status, headers = self.shut.pop(0)
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": b""})

    def calls(self, policy: RetryPolicy = QUICK) -> Calls:
        """A client that reaches it."""
        return Calls(
            sample_settings(),
            transports=lambda _: httpx.ASGITransport(self, raise_app_exceptions=False),
            policy=policy,
        )


@pytest.fixture
def door() -> Door:
    """The sample service, open."""
    reset()
    return Door()


async def caller_of(token: str) -> Caller:
    """Who the token speaks for."""
    authenticator = Authenticator(trusted_keys(), issuer=ISSUER, audience=AUDIENCE)
    return await authenticator.authenticate([f"Bearer {token}".encode()])


async def as_caller(calls: Calls, *, scopes: tuple[str, ...] = BOTH, **claims: Any) -> Any:
    """Calls with a caller's own token."""
    token = issue_token(None, scopes=scopes, **claims)
    return calls.of_caller(f"Bearer {token}", await caller_of(token))


async def test_an_answer_becomes_the_model_that_the_call_names(door: Door) -> None:
    calls = await as_caller(door.calls())
    assert await calls.send(THING_VIEW, path={"number": 3}) == Thing(id=3, name="thing 3")
    assert await calls.send(THING_CREATE, body=NewThing(name="new")) == Thing(id=1, name="new")


async def test_the_callers_own_token_goes_along_and_rights_stay_the_callers(door: Door) -> None:
    calls = await as_caller(door.calls(), scopes=("things:read",))
    await calls.send(THING_VIEW, path={"number": 1})
    assert door.seen[0]["authorization"].startswith("Bearer ey")
    with pytest.raises(CalleeForbids) as refused:
        await calls.send(THING_CREATE, body=NewThing(name="new"))
    assert (refused.value.callee, refused.value.callee_code) == ("sample", "insufficient-scope")


async def test_request_id_and_trace_go_along(door: Door) -> None:
    token = issue_token(None, scopes=BOTH)
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    calls = door.calls().of_caller(f"Bearer {token}", await caller_of(token), {"traceparent": trace})
    held = request_id.set("the-request-before")
    try:
        await calls.send(POLLED)
    finally:
        request_id.reset(held)
    assert (door.seen[0]["x-request-id"], door.seen[0]["traceparent"]) == ("the-request-before", trace)


async def test_a_route_gets_calls_with_its_callers_token(door: Door) -> None:
    door.app.state.tools.calls = door.calls()
    token = issue_token(None, scopes=BOTH)
    headers = [(b"authorization", f"Bearer {token}".encode()), (b"traceparent", b"00-1-2-01")]
    request = Request({"type": "http", "app": door.app, "headers": headers})
    calls = _calls_of_request(request, await caller_of(token))
    assert (await calls.send(POLLED)).id == 1
    assert (door.seen[0]["authorization"], door.seen[0]["traceparent"]) == (f"Bearer {token}", "00-1-2-01")


async def test_problems_become_errors_that_name_the_callee(door: Door) -> None:
    calls = await as_caller(door.calls())
    with pytest.raises(CalleeNotFound, match="sample: There is no thing 99") as missing:
        await calls.send(THING_VIEW, path={"number": 99})
    assert (missing.value.status, missing.value.operation, missing.value.callee_code) == (
        404,
        "thing_view",
        "not-found",
    )
    body = missing.value.body(instance="/x", trace_id="t")
    assert (body["callee"], body["code"], body["callee_code"]) == ("sample", "callee-not-found", "not-found")
    with pytest.raises(CalleeConflict, match="sample: There is a thing of this name"):
        await calls.send(THING_CREATE, body=NewThing(name="taken"))
    with pytest.raises(CalleeRefused):
        await calls.send(THING_CREATE, body=NewThing(name=""))
    nobody = door.calls().of_caller("Bearer nothing", await caller_of(issue_token(None, scopes=BOTH)))
    with pytest.raises(CalleeUnauthorized):
        await nobody.send(POLLED)


async def test_an_answer_of_another_shape_is_refused_without_its_contents(door: Door) -> None:
    calls = await as_caller(door.calls())
    with pytest.raises(CalleeAnswerUnreadable) as unreadable:
        await calls.send(Call("sample", "thing_view", Wrong, "/sample/v1/things/{number}"), path={"number": 3})
    assert "thing 3" not in str(unreadable.value)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_read_is_tried_again(door: Door, status: int) -> None:
    door.shut = [(status, {}), (status, {"Retry-After": "0"})]
    calls = await as_caller(door.calls())
    assert (await calls.send(POLLED)).id == 1
    assert len(door.seen) == 3


async def test_tries_are_bounded(door: Door) -> None:
    door.shut = [(503, {"Retry-After": "0"})] * 9
    calls = await as_caller(door.calls())
    with pytest.raises(CalleeUnavailable) as away:
        await calls.send(POLLED)
    assert (len(door.seen), away.value.callee_status) == (3, 503)


async def test_what_changes_something_is_never_tried_again(door: Door) -> None:
    door.shut = [(503, {})]
    calls = await as_caller(door.calls())
    with pytest.raises(CalleeUnavailable):
        await calls.send(THING_CREATE, body=NewThing(name="new"))
    assert len(door.seen) == 1


@pytest.mark.parametrize("status", [500, 404, 400])
async def test_what_would_fail_again_is_not_tried_again(door: Door, status: int) -> None:
    door.shut = [(status, {})]
    calls = await as_caller(door.calls())
    with pytest.raises(CallFailed):
        await calls.send(POLLED)
    assert len(door.seen) == 1


async def test_retry_after_is_waited_for_or_passed_on(door: Door) -> None:
    loop = asyncio.get_running_loop()
    calls = await as_caller(door.calls(RetryPolicy(deadline=5, first_pause=0.01, longest_pause=1.5)))
    door.shut = [(503, {"Retry-After": "1"})]
    began = loop.time()
    await calls.send(POLLED)
    assert loop.time() - began >= 1
    door.shut = [(503, {"Retry-After": "60"})]
    with pytest.raises(CalleeUnavailable) as away:
        await calls.send(POLLED)
    assert away.value.headers["Retry-After"] == "60"
    assert loop.time() - began < 3


async def test_a_call_ends_at_its_deadline(door: Door) -> None:
    door.delay = 30
    calls = await as_caller(door.calls())
    began = asyncio.get_running_loop().time()
    with pytest.raises(CalleeUnavailable, match=r"within 0\.2 seconds"):
        await calls.send(POLLED, seconds=0.2)
    assert asyncio.get_running_loop().time() - began < 2


async def test_what_cant_be_reached_is_unavailable(tmp_path: Path) -> None:
    settings = sample_settings(upstreams={"sample": str(tmp_path / "nobody.sock")})
    calls = await as_caller(Calls(settings, policy=QUICK))
    with pytest.raises(CalleeUnavailable, match="it can't be reached"):
        await calls.send(POLLED)


async def test_an_unchanged_answer_isnt_sent_again_and_is_always_revalidated(door: Door) -> None:
    calls = await as_caller(door.calls())
    first = await calls.send(POLLED)
    assert await calls.send(POLLED) == first
    assert "if-none-match" in door.seen[1]
    STATE["version"] += 1
    assert (await calls.send(POLLED)).id == first.id + 1


async def test_one_caller_never_gets_what_another_was_shown(door: Door) -> None:
    client = door.calls()
    await (await as_caller(client, academies=[100001])).send(POLLED)
    await (await as_caller(client, academies=[100002])).send(POLLED)
    assert "if-none-match" not in door.seen[1]


async def test_a_view_is_everything_in_a_token_that_counts() -> None:
    views = set()
    for claims in (
        {"scopes": ["a"]},
        {"scopes": ["a", "b"]},
        {"scopes": ["a"], "academies": []},
        {"scopes": ["a"], "academies": [1]},
        {"scopes": ["a"], "leads": [1]},
        {"scopes": ["a"], "trust": None},
        {"scopes": ["a"], "subject": "person:somebody"},
        {"scopes": ["a"], "roles": ["trustee"]},
        {"scopes": ["a"], "academies": [], "projects": ["0193e2f1-0000-7000-8000-000000000001"]},
    ):
        views.add(view_of(await caller_of(issue_token(None, **claims))))
        views.add(view_of(await caller_of(issue_token(None, **claims))))
    assert len(views) == 9


async def test_a_service_by_itself_only_reads(door: Door) -> None:
    service = door.calls().following()
    with pytest.raises(ValueError, match="only reads"):
        await service.send(THING_CREATE)
    with pytest.raises(CalleeUnauthorized, match="TRELLIS_SAMPLE_SERVICE_CLIENT_ID"):
        await service.send(POLLED)


@pytest.mark.parametrize(
    ("values", "said"), [({}, "takes"), ({"number": 1, "x": 2}, "takes"), ({"number": ""}, "can't be")]
)
def test_a_path_is_filled_in_whole(values: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        THING_VIEW.url(values)


@pytest.mark.parametrize("value", ["..", "."])
def test_a_value_leads_to_no_other_path(value: str) -> None:
    with pytest.raises(ValueError, match="can't be"):
        THING_VIEW.url({"number": value})
    assert THING_VIEW.url({"number": "../x?y"}) == "/sample/v1/things/..%2Fx%3Fy"


def test_every_error_of_a_call_is_a_problem_of_its_own() -> None:
    assert len({problem.code for problem in CALL_PROBLEMS}) == len(CALL_PROBLEMS)
    assert all(problem.code.startswith("callee-") for problem in CALL_PROBLEMS)


@asynccontextmanager
async def listening(door: Door, socket: Path) -> AsyncIterator[None]:
    """The door on a real socket."""
    server = uvicorn.Server(uvicorn.Config(door, uds=str(socket), lifespan="off", log_config=None))
    serving = asyncio.create_task(server._serve())
    await until(lambda: server.started)
    try:
        yield
    finally:
        server.should_exit = True
        await serving


async def test_over_a_socket_a_restart_of_the_callee_is_bridged(door: Door, tmp_path: Path) -> None:
    socket = tmp_path / "sample.sock"
    client = Calls(sample_settings(upstreams={"sample": str(socket)}), policy=QUICK)
    calls = await as_caller(client)
    async with listening(door, socket):
        assert (await calls.send(POLLED)).id == 1
    async with listening(door, socket):
        assert (await calls.send(POLLED)).id == 1
    await client.aclose()
