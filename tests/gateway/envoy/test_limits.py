"""How much and how often: bodies, headers, requests."""

import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from gateway.envoy.routes import NO_BODY_BYTES
from kit.web.bodies import LARGEST_ANONYMOUS_JSON_BYTES, LARGEST_FORM_BYTES, LARGEST_JSON_BYTES
from tests.gateway.envoy.doorway import Door, opened, token, wait_until

ECHO = "/academy/v1/echo"
IMPORTS = "/academy/v1/imports"
MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def tight() -> Iterator[Door]:
    """A gateway with limits that are quickly reached."""
    with opened(
        limit_requests_per_minute=60,
        limit_token_requests_per_minute=5,
        limit_public_requests_per_minute=20,
        limit_import_sent_bytes=2 * MEBIBYTE,
        max_body_bytes=4096,
    ) as running:
        yield running


def test_answers_say_what_is_left(caller: httpx.Client) -> None:
    answer = caller.get(ECHO)
    assert answer.headers["ratelimit-policy"] == '"requests";q=6000;w=60'
    # A hundred are refilled each second: what was taken may be back already.
    assert re.fullmatch(r'"requests";r=(59\d\d|6000)', answer.headers["ratelimit"])


def test_token_over_its_limit_is_told_when_to_come_back(tight: Door) -> None:
    greedy, modest = token(), token()
    with tight.client(greedy) as client:
        answers = [client.get(ECHO) for _ in range(65)]
    refused = answers[-1]
    assert sum(answer.status_code == 200 for answer in answers) in range(60, 64), "a minute's worth, refilled evenly"
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "too-many-requests"
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["ratelimit"] == '"requests";r=0'
    assert refused.headers["ratelimit-policy"] == '"requests";q=60;w=60'
    with tight.client(modest) as client:
        assert client.get(ECHO).status_code == 200, "another token has a limit of its own"
    time.sleep(1.1)
    with tight.client(greedy) as client:
        assert client.get(ECHO).status_code == 200, "waiting as told helps"


def test_limit_counts_all_services_together_and_no_spelling_escapes_it(tight: Door) -> None:
    mine = token()
    with tight.client() as client:
        answers = [
            client.get(f"/{service}/v1/x", headers={"authorization": f"{scheme} {mine}"}).status_code
            for _ in range(17)
            for service in ("academy", "identity")
            for scheme in ("Bearer", "bearer")
        ]
    assert answers.count(429) >= 4


def test_token_endpoint_is_limited_by_address_whatever_the_client_says(tight: Door) -> None:
    with tight.client() as client:
        answers = [
            client.post("/identity/v1/token", headers={"x-forwarded-for": f"203.0.113.{number}"}) for number in range(9)
        ]
    assert [answer.status_code for answer in answers].count(200) in (5, 6)
    assert answers[-1].status_code == 429
    assert answers[-1].headers["retry-after"] == "12"
    assert answers[-1].headers["ratelimit-policy"] == '"requests";q=5;w=60'


def test_a_stranger_leaves_tokens_for_the_others_behind_the_same_address(door: Door) -> None:
    with door.client() as client:
        answers = [client.post("/identity/v1/token").status_code for _ in range(120)]
    assert set(answers) == {200}


def test_public_paths_are_limited_and_health_is_not(tight: Door) -> None:
    with tight.client() as client:
        assert [client.get("/").status_code for _ in range(25)].count(429) >= 3
        assert {client.get("/healthz").status_code for _ in range(40)} == {200}


def test_refused_tokens_cost_their_owner_nothing(tight: Door) -> None:
    """Who forges tokens with somebody's id can't use up that somebody's limit."""
    mine = token()
    with tight.client(mine[:-8] + "AAAAAAAA") as forger:
        assert {forger.get(ECHO).status_code for _ in range(70)} == {401}
    with tight.client(mine) as owner:
        assert owner.get(ECHO).status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_body_over_the_limit_never_reaches_a_service(tight: Door, chunked: bool) -> None:
    body = b"x" * 4097
    with tight.client(token()) as client:
        answer = client.post(ECHO, content=iter([body]) if chunked else body)
        assert answer.status_code == 413
        assert answer.json()["code"] == "payload-too-large"
        assert tight.behind.seen[f"POST {ECHO}"] == 0
        assert client.post("/academy/v1/fits", content=body[:4096]).json()["length"] == 4096


@pytest.mark.parametrize(
    ("method", "path", "most"),
    [
        ("POST", "/identity/v1/token", LARGEST_FORM_BYTES),
        ("POST", "/identity/v1/demo-token", LARGEST_ANONYMOUS_JSON_BYTES),
        ("PATCH", "/academy/v1/echo", LARGEST_JSON_BYTES),
        ("GET", "/openapi/trellis.v1.json", NO_BODY_BYTES),
    ],
)
def test_nothing_is_held_that_the_service_would_refuse(door: Door, method: str, path: str, most: int) -> None:
    """While a body comes, the gateway keeps it in memory, for each of thousands of connections."""
    with door.client(token()) as client:
        assert client.request(method, path, content=b"x" * most).status_code == 200
        before = door.behind.seen[f"{method} {path}"]
        for content in (b"x" * (most + 1), iter([b"x" * most, b"x"])):
            answer = client.request(method, path, content=content)
            assert (answer.status_code, answer.json()["code"]) == (413, "payload-too-large")
            assert answer.headers["content-type"] == "application/problem+json"
        assert door.behind.seen[f"{method} {path}"] == before


@pytest.mark.parametrize("chunked", [False, True])
def test_import_may_be_larger_and_has_a_limit_of_its_own(tight: Door, chunked: bool) -> None:
    piece = b"x" * 65536

    def body(pieces: int) -> object:
        return iter([piece] * pieces) if chunked else piece * pieces

    with tight.client(token()) as client:
        assert client.post(IMPORTS, content=body(32)).json()["length"] == 2 * MEBIBYTE  # type: ignore[arg-type]
        answer = client.post(IMPORTS, content=body(33))  # type: ignore[arg-type]
        assert answer.status_code == 413
        assert answer.json()["code"] == "payload-too-large"


def test_only_the_import_itself_may_be_large(tight: Door) -> None:
    with tight.client(token()) as client:
        for method, path in (("POST", f"{IMPORTS}/1/cancel"), ("PUT", IMPORTS), ("POST", f"{IMPORTS}/")):
            assert client.request(method, path, content=b"x" * 5000).status_code == 413, (method, path)


def test_only_imports_are_passed_on_while_they_come(door: Door) -> None:
    """Of everything else a service hears when it is complete: slow senders cost it nothing."""
    head = f"HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token()}\r\ncontent-length: 9\r\n\r\nx"
    with (
        socket.create_connection(("127.0.0.1", door.port)) as whole,
        socket.create_connection(("127.0.0.1", door.port)) as streamed,
    ):
        whole.sendall(f"POST /academy/v1/whole {head}".encode())
        streamed.sendall(f"POST {IMPORTS} {head}".encode())
        wait_until(lambda: door.behind.begun[f"POST {IMPORTS}"] == 1)
        assert door.behind.begun["POST /academy/v1/whole"] == 0


def test_long_headers_are_refused(caller: httpx.Client, stranger: httpx.Client) -> None:
    for client in (caller, stranger):
        answer = client.get(ECHO, headers={"x-long": "x" * 17_000})
        assert answer.status_code == 431
        assert answer.json()["code"] == "request-header-fields-too-large"
    assert caller.get(ECHO, headers={f"x-{number}": "x" for number in range(120)}).status_code == 431
    assert caller.get(f"{ECHO}?q={'x' * 20_000}").status_code == 431


def test_a_full_service_keeps_room_for_boards_and_readers_of_events() -> None:
    """Two requests run, two wait for a connection, and the others are refused."""
    with opened(limit_requests_at_once=2) as door, ThreadPoolExecutor(8) as pool, door.client(token()) as client:
        held = [pool.submit(client.get, "/academy/v1/slow", timeout=20) for _ in range(8)]
        wait_until(lambda: sum(one.done() for one in held) == 4)
        assert client.get("/academy/v1/rag-statuses").status_code == 200
        assert client.get("/academy/v1/events").status_code == 200
        assert client.get("/healthz").status_code == 200
        assert door.behind.begun["GET /academy/v1/slow"] == 2
        refused = [one.result() for one in held if one.done()]
        assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(503, "service-unavailable")}
        assert "nothing was done" in refused[0].json()["detail"]
        assert refused[0].headers["retry-after"] == "2"
        assert sorted(one.result().status_code for one in held) == [200] * 4 + [503] * 4
        assert client.get(ECHO).status_code == 200
