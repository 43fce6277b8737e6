"""Services that are down, hang up, answer nonsense or take too long."""

import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from gateway.envoy.routes import ROUTES
from tests.gateway.envoy.doorway import Door, opened, token


@pytest.fixture(scope="module")
def impatient() -> Iterator[Door]:
    """A gateway that waits for one second."""
    routes = [replace(row, timeout_seconds=1) if row.name == "academy" else row for row in ROUTES]
    with opened(routes) as running:
        yield running


def test_service_that_is_down_is_503_and_when_to_come_back(caller: httpx.Client) -> None:
    answer = caller.get("/research/v1/anything")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "2"
    assert answer.json()["code"] == "service-unavailable"


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
    assert time.monotonic() - began < 2.5
    assert impatient.behind.seen["GET /academy/v1/slow"] == 1


def test_stream_may_take_longer_than_a_request(impatient: Door) -> None:
    with impatient.client(token()) as caller, caller.stream("GET", "/academy/v1/events") as answer:
        text = "".join(answer.iter_text())
    assert text.count("data: ") == 3
