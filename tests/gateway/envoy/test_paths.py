"""What can be reached by whatever spelling, and requests that try to be two."""

import socket

import httpx
import pytest

from tests.gateway.envoy.doorway import Door, token


def head(door: Door, lines: str, body: bytes = b"") -> tuple[int, bytes]:
    """Status and the rest of the answer to a request as it stands."""
    request = lines.replace("\n", "\r\n").encode("latin-1") + body
    answer = door.raw(request, until=lambda got: got.endswith((b"}", b"}\n", b"0\r\n\r\n")))
    return (int(answer.split(b" ", 2)[1]), answer) if answer else (0, answer)


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/academy/metrics",
        "/academy/readyz",
        "/academy/v1/../../metrics",
        "/academy/v1/../readyz",
        "/academy/v1/%2e%2e/%2e%2e/metrics",
        "/academy/v1/.%2E/.%2e/metrics",
        "/academy/v1/./../../metrics",
        "//metrics",
        "/./metrics",
        "/academy//v1/..//..//metrics",
        "/openapi/../metrics",
        "/portal/../metrics",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/admin",
        "/ACADEMY/v1/echo",
        "/academy/v2/echo",
        "/academy/v1",
        "/academyx/v1/echo",
    ],
)
def test_internal_and_unknown_paths_are_not_found(door: Door, path: str) -> None:
    seen = sum(door.behind.seen.values()) - door.behind.seen["GET /healthz"]
    status, answer = head(door, f"GET {path} HTTP/1.1\nhost: x\nauthorization: Bearer {token()}\n\n")
    assert status == 404, answer
    assert b"application/problem+json" in answer
    assert sum(door.behind.seen.values()) - door.behind.seen["GET /healthz"] == seen


@pytest.mark.parametrize(
    "path",
    [
        "/academy/v1%2f..%2f..%2fmetrics",
        "/academy/v1/%2F%2e%2e/metrics",
        "/academy%5cv1/echo",
        "/academy/v1/%5c..%5cmetrics",
        "/academy/v1/\x7f",
        "/academy/v1/echo#fragment",
    ],
)
def test_escaped_slashes_and_strange_bytes_are_refused(door: Door, path: str) -> None:
    status, answer = head(door, f"GET {path} HTTP/1.1\nhost: x\nauthorization: Bearer {token()}\n\n")
    assert status == 400, answer
    assert b"application/problem+json" in answer


@pytest.mark.parametrize(
    "path",
    ["/academy/v1/..;/metrics", "/academy/v1/..%3b/metrics", "/academy/v1/%252e%252e/metrics", "/academy/v1/x/..%00/"],
)
def test_other_spellings_stay_below_the_services_own_paths(door: Door, path: str) -> None:
    status, answer = head(door, f"GET {path} HTTP/1.1\nhost: x\nauthorization: Bearer {token()}\n\n")
    if status == 200:
        assert b'"raw_path": "/academy/v1/' in answer
    else:
        assert status in {400, 404}, answer


def test_absolute_form_is_routed_like_any_other(door: Door) -> None:
    request = "GET http://academy/{} HTTP/1.1\nhost: x\nauthorization: Bearer {}\n\n"
    assert head(door, request.format("metrics", token()))[0] == 404
    assert head(door, request.format("academy/v1/echo", token()))[0] == 200


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "TRACK", "DEBUG", "BREW", "QUERY"])
def test_methods_of_tools_reach_no_service(door: Door, method: str) -> None:
    target = "academy:80" if method == "CONNECT" else "/academy/v1/echo"
    status, answer = head(door, f"{method} {target} HTTP/1.1\nhost: x\n\n")
    # Envoy's parser of HTTP/1 doesn't read words that aren't in the register of methods, nor QUERY without a type.
    assert status == {"CONNECT": 403, "TRACE": 401}.get(method, 400), answer
    assert door.behind.seen[f"{method} {target}"] == 0


def _literal(name: bytes, value: bytes) -> bytes:
    """A header of HTTP/2 that is spelt out."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


@pytest.mark.parametrize(("method", "code"), [("BREW", b'"method-not-allowed"'), ("QUERY", b'"unauthorized"')])
def test_a_word_that_is_no_method_reaches_no_service_over_http_2_either(door: Door, method: str, code: bytes) -> None:
    said = {b":method": method.encode(), b":scheme": b"http", b":path": b"/academy/v1/echo", b":authority": b"x"}
    block = b"".join(_literal(name, value) for name, value in {**said, b"content-type": b"a/b"}.items())
    request = b"".join(
        (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
            # All of it: the end of the headers and of the stream.
            len(block).to_bytes(3, "big") + b"\x01\x05\x00\x00\x00\x01" + block,
        )
    )

    answer = door.raw(request, until=lambda got: b'"type":"urn:trellis' in got)

    assert code in answer
    assert door.behind.seen[f"{method} /academy/v1/echo"] == 0


SMUGGLED = b"GET /academy/v1/smuggled HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("both lengths", "content-length: 5\ntransfer-encoding: chunked\n"),
        ("two lengths", "content-length: 5\ncontent-length: 6\n"),
        ("a list of lengths", "content-length: 5, 6\n"),
        ("negative length", "content-length: -1\n"),
        ("signed length", "content-length: +5\n"),
        ("hexadecimal length", "content-length: 0x5\n"),
        ("unknown coding", "transfer-encoding: xchunked\n"),
        ("coding twice", "transfer-encoding: chunked\ntransfer-encoding: identity\n"),
        ("space before the colon", "transfer-encoding : chunked\n"),
        ("NUL in a value", "x-a: b\x00c\n"),
        ("underscore", "content_length: 5\n"),
        ("folded length", "content-length:\n 5\n 6\n"),
        ("folded coding", "transfer-encoding: chunked,\n identity\n"),
        ("two hosts", "host: y\n"),
        ("the same host twice", "Host: x\n"),
    ],
)
def test_ambiguous_requests_are_refused_and_hide_no_second_one(door: Door, name: str, lines: str) -> None:
    status, answer = head(
        door,
        f"POST /academy/v1/echo HTTP/1.1\nhost: x\nauthorization: Bearer {token()}\n{lines}\n",
        b"0\r\n\r\n" + SMUGGLED,
    )
    assert status in {400, 501}, answer
    assert answer.count(b"HTTP/1.1 ") == 1, "something behind the request was answered"
    assert door.behind.seen["GET /academy/v1/smuggled"] == 0


@pytest.mark.parametrize(
    ("name", "lines", "became"),
    [
        ("folded line", "x-a: b\n c\n", '["x-a", "b c"]'),
        ("bare carriage return", "x-a: b\rtransfer-encoding: chunked\n", '["x-a", "btransfer-encoding: chunked"]'),
    ],
)
def test_what_is_read_leniently_is_passed_on_plainly(door: Door, name: str, lines: str, became: str) -> None:
    status, answer = head(door, f"GET /academy/v1/echo HTTP/1.1\nhost: x\nauthorization: Bearer {token()}\n{lines}\n")
    assert status == 200
    assert became.encode() in answer
    assert b'["transfer-encoding"' not in answer


@pytest.mark.parametrize("host", ["", "x, y", "x,y", "x y", "x@y", "x/y", "[::1", "x:port", "a\xe9.example", "x:1:2"])
def test_a_host_that_is_no_name_or_address_is_refused(door: Door, host: str) -> None:
    seen = door.behind.seen["GET /academy/v1/echo"]
    status, answer = head(door, f"GET /academy/v1/echo HTTP/1.1\nhost: {host}\nauthorization: Bearer {token()}\n\n")
    assert status == 400
    assert b'"code":"malformed-request"' in answer
    assert door.behind.seen["GET /academy/v1/echo"] == seen


@pytest.mark.parametrize(
    "host", ["x", "trellis.example.org", "a_b-c.local:8080", "10.0.0.1:80", "[::1]:8080", "[fe80::1]"]
)
def test_a_host_is_a_name_or_an_address(door: Door, host: str) -> None:
    assert head(door, f"GET /healthz HTTP/1.1\nhost: {host}\n\n")[0] == 200


def test_chunks_that_lie_are_refused(door: Door) -> None:
    lines = f"POST /academy/v1/echo HTTP/1.1\nhost: x\nauthorization: Bearer {token()}\ntransfer-encoding: chunked\n\n"
    for body in (b"zz\r\nhello\r\n0\r\n\r\n", b"5;\n\r\nhello0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n"):
        assert head(door, lines, body)[0] == 400, body


def test_http_1_0_is_told_to_upgrade(door: Door) -> None:
    status, answer = head(door, "GET /healthz HTTP/1.0\n\n")
    assert status == 426
    assert b"upgrade-required" in answer


def test_http_2_is_spoken(door: Door) -> None:
    """Connection preface, empty SETTINGS, HEADERS for GET /healthz in HPACK's static table."""
    block = b"\x82\x86\x41\x01x\x04\x08/healthz"
    frames = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + len(block).to_bytes(3) + b"\x01\x05\x00\x00\x00\x01" + block
    with socket.create_connection(("127.0.0.1", door.port), timeout=2.0) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frames)
        received = b""
        while b'{"status":"ok"}' not in received:
            chunk = connection.recv(65536)
            assert chunk, received
            received += chunk


def test_spoofed_internal_headers_are_dropped(caller: httpx.Client) -> None:
    spoofed = {
        "x-trellis-trust": "me",
        "x-trellis-anything": "me",
        "x-envoy-retry-on": "5xx",
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-envoy-internal": "true",
        "x-forwarded-host": "evil.example.org",
        "x-forwarded-prefix": "/evil",
        "x-forwarded-for": "203.0.113.9",
        "x-forwarded-proto": "https",
        "x-original-url": "/metrics",
        "x-rewrite-url": "/metrics",
        "x-http-method-override": "DELETE",
        "x-real-ip": "203.0.113.9",
        "forwarded": "for=203.0.113.9",
        "proxy": "http://evil.example.org",
    }
    seen = dict(caller.get("/academy/v1/echo", headers=spoofed).json()["headers"])
    assert seen.pop("x-forwarded-for") == "127.0.0.1"
    assert seen.pop("x-forwarded-proto") == "http"
    assert not set(spoofed) & set(seen)
    assert not [
        name for name in seen if name.startswith(("x-envoy-", "x-trellis-")) and name != "x-envoy-external-address"
    ]
