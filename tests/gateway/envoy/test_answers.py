"""What answers look like once they have passed the gateway: compression, tags, safety headers, ids, the log."""

import re

import httpx
import pytest

from tests.gateway.envoy.conftest import ORIGIN
from tests.gateway.envoy.doorway import BIG, Door, token

ECHO = "/academy/v1/echo"
BOARD = "/academy/v1/board"


@pytest.mark.parametrize(
    ("accepted", "given"),
    [("gzip", "gzip"), ("br", "br"), ("gzip, br", "br"), ("gzip;q=1, br;q=0.1", "gzip"), ("identity", None)],
)
def test_answers_are_compressed_as_the_client_likes(caller: httpx.Client, accepted: str, given: str | None) -> None:
    with caller.stream("GET", BOARD, headers={"accept-encoding": accepted}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers.get("content-encoding") == given
    assert "accept-encoding" in answer.headers["vary"].lower()
    assert len(raw) < len(BIG) / 10 if given else raw == BIG


@pytest.mark.parametrize("accepted", ["gzip", "br", "identity"])
def test_tag_of_an_answer_works_again_however_it_was_compressed(caller: httpx.Client, accepted: str) -> None:
    headers = {"accept-encoding": accepted}
    first = caller.get(BOARD, headers=headers)
    assert first.headers["etag"] == ('"7"' if accepted == "identity" else 'W/"7"')
    second = caller.get(BOARD, headers={**headers, "if-none-match": first.headers["etag"]})
    assert second.status_code == 304
    assert second.headers["etag"].removeprefix("W/") == '"7"'
    assert second.content == b""


def test_short_answers_and_streams_are_left_alone(caller: httpx.Client) -> None:
    assert "content-encoding" not in caller.get("/healthz", headers={"accept-encoding": "gzip"}).headers
    with caller.stream("GET", "/academy/v1/events", headers={"accept-encoding": "gzip, br"}) as answer:
        chunks = list(answer.iter_raw())
    assert "content-encoding" not in answer.headers
    assert next(chunk for chunk in chunks if chunk) == b"data: 0\n\n", "the first event didn't come by itself"


@pytest.mark.parametrize("path", [ECHO, "/healthz", "/readyz", "/nothing", "/"])
def test_every_answer_is_safe_for_browsers(caller: httpx.Client, path: str) -> None:
    headers = caller.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "strict-transport-security" not in headers, "this gateway doesn't speak TLS"


@pytest.mark.parametrize("path", [ECHO, "/healthz", "/readyz", "/nothing", "/research/v1/down"])
def test_answers_name_no_software(caller: httpx.Client, path: str) -> None:
    headers = caller.get(path).headers
    assert "server" not in headers
    assert not [name for name in headers if name.startswith(("x-envoy", "x-powered", "x-ratelimit"))]


def test_request_id_of_the_client_is_kept(caller: httpx.Client) -> None:
    answer = caller.get(ECHO, headers={"x-request-id": "board-2026.11_22"})
    assert answer.headers["x-request-id"] == "board-2026.11_22"
    assert dict(answer.json()["headers"])["x-request-id"] == "board-2026.11_22"


@pytest.mark.parametrize("given", ["short", 'in"jection', "a b c d e f", "x" * 129, "${jndi:ldap://evil}", "<script>"])
def test_strange_request_id_is_replaced(caller: httpx.Client, given: str) -> None:
    answer = caller.get(ECHO, headers={"x-request-id": given})
    made = answer.headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f-]{36}", made)
    assert dict(answer.json()["headers"])["x-request-id"] == made


def test_problem_names_the_request(stranger: httpx.Client) -> None:
    answer = stranger.get(ECHO, params={"q": "hush"}, headers={"x-request-id": "board-2026.11_22"})
    body = answer.json()
    assert body["trace_id"] == answer.headers["x-request-id"] == "board-2026.11_22"
    assert body["instance"] == ECHO
    assert set(body) == {"type", "title", "status", "detail", "instance", "code", "trace_id", "errors"}
    assert body["errors"] == []
    assert body["status"] == answer.status_code == 401


def test_path_in_a_problem_is_escaped(stranger: httpx.Client) -> None:
    answer = stranger.get('/nothing/"},{"x":"<b>')
    assert answer.status_code == 404
    assert answer.json()["code"] == "not-found"


def test_log_has_the_request_and_no_secret(door: Door, caller: httpx.Client) -> None:
    caller.get(ECHO, params={"q": "Ada Lovelace", "access_token": "hush"}, headers={"x-request-id": "logged-request-1"})
    (line,) = door.log_lines("logged-request-1")
    assert line["path"] == ECHO
    assert line["status"] == 200
    assert line["method"] == "GET"
    assert line["service"] == "academy"
    assert line["subject"] == "person:status-reader"
    written = door.log.read_text()
    for secret in ("hush", "Lovelace", "eyJ", "127.0.0.1"):
        assert secret not in written, secret


def test_preflight_of_a_known_origin_is_answered(stranger: httpx.Client) -> None:
    asks = {
        "origin": ORIGIN,
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "authorization, if-match, idempotency-key",
    }
    answer = stranger.options("/academy/v1/anything", headers=asks)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    allowed = answer.headers["access-control-allow-headers"].lower()
    for name in ("authorization", "if-match", "if-none-match", "idempotency-key", "content-type", "last-event-id"):
        assert name in allowed
    assert answer.headers["access-control-max-age"] == "600"


@pytest.mark.parametrize(
    "origin", ["https://evil.example.org", "null", f"{ORIGIN}.evil.example", "http://board.example.org"]
)
def test_preflight_of_another_origin_is_not(stranger: httpx.Client, origin: str) -> None:
    asks = {"origin": origin, "access-control-request-method": "GET"}
    answer = stranger.options("/academy/v1/anything", headers=asks)
    assert "access-control-allow-origin" not in answer.headers


def test_page_of_a_known_origin_may_read_what_it_needs(caller: httpx.Client, door: Door) -> None:
    answer = caller.get(ECHO, headers={"origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in answer.headers
    assert "origin" in answer.headers["vary"].lower()
    exposed = {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert exposed >= {
        "ETag",
        "Link",
        "Location",
        "Retry-After",
        "RateLimit",
        "RateLimit-Policy",
        "Deprecation",
        "Sunset",
    }
    with door.client() as stranger:
        refused = stranger.get(ECHO, headers={"origin": ORIGIN})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == ORIGIN, "a page must be able to see why"


# What the gateway refuses by itself, what a service that is down would, and what can't be read.
OWN_ANSWERS = [
    ("GET", "/nothing", 404),
    ("POST", "/healthz", 405),
    ("LOCK", "/nothing", 404),
    ("GET", "/academy/v1/a%2fb", 400),
    ("GET", "/" + "a" * 20_000, 431),
    ("GET", "/research/v1/down", 503),
]


@pytest.mark.parametrize(("method", "path", "status"), OWN_ANSWERS)
def test_page_of_a_known_origin_sees_why_it_was_refused(
    caller: httpx.Client, method: str, path: str, status: int
) -> None:
    refused = caller.request(method, path, headers={"origin": ORIGIN})
    assert refused.status_code == status
    assert refused.headers.get_list("access-control-allow-origin") == [ORIGIN]
    assert "ETag" in refused.headers["access-control-expose-headers"]
    assert "origin" in refused.headers["vary"].lower()


@pytest.mark.parametrize(("method", "path", "status"), OWN_ANSWERS)
@pytest.mark.parametrize("origin", ["https://evil.example.org", f"{ORIGIN}.evil.example", "null", None])
def test_page_of_another_origin_never_sees_its_own_named(
    caller: httpx.Client, method: str, path: str, status: int, origin: str | None
) -> None:
    refused = caller.request(method, path, headers={"origin": origin} if origin else {})
    assert refused.status_code == status
    # What can't be read has no origin either, and names ours.
    assert refused.headers.get("access-control-allow-origin") in (
        {None} if status not in {400, 431} else {None, ORIGIN}
    )


@pytest.mark.parametrize("method", ["PROPFIND", "LOCK", "TRACE", "QUERY"])
def test_a_service_says_which_methods_its_paths_take(caller: httpx.Client, stranger: httpx.Client, method: str) -> None:
    """The one behind this gateway takes them all; tests/contracts/test_fuzz.py sees a real one refuse them."""
    headers = {"content-type": "a/b"}
    assert caller.request(method, "/academy/v1/methods", headers=headers).json()["method"] == method
    assert stranger.request(method, "/academy/v1/methods", headers=headers).status_code == 401
    assert stranger.request(method, "/nothing", headers=headers).status_code == 404


def test_page_of_another_origin_may_not(caller: httpx.Client) -> None:
    assert "access-control-allow-origin" not in caller.get(ECHO, headers={"origin": "https://evil.example.org"}).headers


def test_health_is_the_gateways_own(door: Door) -> None:
    with door.client(token()) as client:
        answer = client.get("/healthz")
    assert answer.json() == {"status": "ok"}
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
def test_health_can_only_be_read(caller: httpx.Client, method: str) -> None:
    answer = caller.request(method, "/healthz")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert answer.headers["content-type"] == "application/problem+json"
    assert caller.head("/healthz").status_code == 200
