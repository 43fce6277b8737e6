"""Services that are down, hang up, answer nonsense or take too long."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import httpx
import pytest

from gateway.envoy.routes import ROUTES, SERVICES
from tests.gateway.envoy.doorway import Behind, Door, opened, served, token, wait_until


@pytest.fixture(scope="module")
def impatient() -> Iterator[Door]:
    """A gateway that waits for one second."""
    routes = [replace(row, timeout_seconds=1) if row.name in {"academy", "token"} else row for row in ROUTES]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("gateway.envoy.configuration.HEADERS_SECONDS", 1)
        patched.setattr("gateway.envoy.configuration.QUIET_SECONDS", 1)
        with opened(routes) as running:
            yield running


def test_service_that_is_down_is_503_and_when_to_come_back(caller: httpx.Client) -> None:
    answer = caller.get("/research/v1/anything")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "2"
    assert answer.json()["code"] == "service-unavailable"


def test_gateway_is_ready_as_soon_as_it_would_serve_each_service() -> None:
    behind = Behind()
    with opened(behind=behind) as door, door.client() as stranger:
        missing = stranger.get("/readyz")
        assert missing.status_code == 503
        assert missing.json()["code"] == "service-unavailable"
        assert missing.headers["retry-after"] == "2"
        assert stranger.get("/healthz").status_code == 200
        with served(behind, door.settings.sockets, ["research"]):
            wait_until(lambda: stranger.get("/readyz").status_code == 200)
            for service in SERVICES:
                # Ready means now, not soon.
                with door.client(token()) as caller:
                    assert caller.get(f"/{service}/v1/anything").status_code == 200
            assert stranger.head("/readyz").status_code == 200
            assert stranger.post("/readyz").status_code == 405
        wait_until(lambda: stranger.get("/readyz").status_code == 503)


def test_others_are_served_meanwhile(caller: httpx.Client) -> None:
    assert caller.get("/academy/v1/echo").status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_safe_request_is_sent_again_when_the_service_hangs_up(door: Door, caller: httpx.Client, method: str) -> None:
    path = f"/reporting/v1/safe-{method}"
    door.behind.failures[path] = 2
    assert caller.request(method, path).status_code == 200
    assert door.behind.seen[f"{method} {path}"] == 3


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_change_is_never_sent_twice(door: Door, caller: httpx.Client, method: str) -> None:
    path = f"/reporting/v1/change-{method}"
    door.behind.failures[path] = 2
    answer = caller.request(method, path, content=b"{}")
    assert answer.status_code == 503
    assert "Idempotency-Key" in answer.json()["detail"]
    assert answer.headers["retry-after"] == "2"
    assert door.behind.seen[f"{method} {path}"] == 1


def test_service_that_keeps_hanging_up_is_left_alone_after_three_tries(door: Door, caller: httpx.Client) -> None:
    path = "/reporting/v1/always"
    door.behind.failures[path] = 10
    assert caller.get(path).status_code == 503
    assert door.behind.seen[f"GET {path}"] == 3


def test_nonsense_is_502(caller: httpx.Client) -> None:
    answer = caller.post("/reporting/v1/garbage")
    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "bad-gateway"
    assert answer.headers["retry-after"] == "2"


def test_problem_of_a_service_is_passed_on_as_it_is(caller: httpx.Client) -> None:
    answer = caller.get("/academy/v1/busy")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "9"
    assert answer.json() == {"code": "service-unavailable"}


def test_service_that_takes_too_long_is_504(impatient: Door) -> None:
    began = time.monotonic()
    with impatient.client(token()) as caller:
        answer = caller.get("/academy/v1/slow")
    assert answer.status_code == 504
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "gateway-timeout"
    assert answer.headers["retry-after"] == "2"
    assert time.monotonic() - began < 2.5
    assert impatient.behind.seen["GET /academy/v1/slow"] == 1


def test_stream_may_take_longer_than_a_request(impatient: Door) -> None:
    with impatient.client(token()) as caller, caller.stream("GET", "/academy/v1/events") as answer:
        text = "".join(answer.iter_text())
    assert text.count("data: ") == 3


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /academy/v1/echo HTTP/1.1\r\nhost: x\r\n",
        b"POST /identity/v1/token HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nx",
    ],
    ids=["headers", "body"],
)
def test_sender_that_stops_half_way_is_408(impatient: Door, sent: bytes) -> None:
    answer = impatient.raw(sent, seconds=4.0)
    assert answer.startswith(b"HTTP/1.1 408 "), answer
    assert b"application/problem+json" in answer
    assert b'"code":"request-timeout"' in answer
    assert b"connection: close" in answer


def test_hanging_senders_keep_nobody_waiting(door: Door) -> None:
    with ExitStack() as stack:
        for _ in range(100):
            connection = socket.create_connection(("127.0.0.1", door.port))
            stack.callback(connection.close)
            connection.sendall(b"GET /academy/v1/echo HTTP/1.1\r\nhost: x\r\n")
        with door.client(token()) as caller:
            assert caller.get("/academy/v1/echo", timeout=2).status_code == 200


def test_service_that_comes_back_is_found_by_itself(door: Door, caller: httpx.Client) -> None:
    assert caller.get("/research/v1/echo").status_code == 503
    with served(Behind(), door.settings.sockets, ["research"]):
        began = time.monotonic()
        wait_until(lambda: caller.get("/research/v1/echo").status_code == 200)
        assert time.monotonic() - began < 3


def test_unreachable_keys_are_no_fault_of_the_token() -> None:
    with opened(behind=Behind(gives_keys=False)) as door, door.client(token()) as caller:
        answer = caller.get("/academy/v1/echo")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "2"
        assert "www-authenticate" not in answer.headers
        door.behind.gives_keys = True
        wait_until(lambda: caller.get("/academy/v1/echo").status_code == 200)
