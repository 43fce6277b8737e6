"""No body that is allowed costs the event loop of a service more than some milliseconds, in any operation."""

import gc
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from kit.web.bodies import LARGEST_ANONYMOUS_JSON_BYTES, LARGEST_JSON_BYTES
from tests.support.clients import BASE_URL, FACTORIES, create_app
from tests.support.tokens import issue_token

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=1"
NOTHING = "00000000-0000-7000-8000-000000000000"
# What is promised is 20 ms; other processes of the machine make the same work dearer.
MOST_SECONDS = 0.030
TRIES = 8


def filled(begin: bytes, part: bytes, end: bytes, size: int, most: int = 1 << 30) -> bytes:
    """As many parts as fit."""
    return begin + part * min((size - len(begin) - len(end)) // len(part), most) + end


def numbered(count: int) -> bytes:
    """An object with so many names."""
    return b"{" + b",".join(b'"k%x":0' % number for number in range(count)) + b"}"


def shapes(size: int, member: bytes) -> Iterator[tuple[str, bytes]]:
    """The largest bodies: as many as may be of one kind of part, and a few more, which are refused."""
    inside, after = b'{"' + member + b'":', b"}"
    yield "nested lists", filled(b"[" * 31, b"[],0,", b"0" + b"]" * 31, size)
    yield "nested lists that may be", filled(b"[" * 31, b"[],0,", b"0" + b"]" * 31, size, 2400)
    yield "names", numbered(min(size // 12, 9_990))
    yield "names of a member", inside + numbered(min(size // 13, 9_990)) + after
    yield "more names", numbered(size // 12)
    yield "objects", filled(inside + b"[", b'{"a":0},', b"{}]" + after, size, 2400)
    yield "more objects", filled(inside + b"[", b'{"a":0},', b"{}]" + after, size)
    yield "numbers", filled(inside + b"[", b"0,", b"0]" + after, size, 19_990)
    yield "more numbers", filled(inside + b"[", b"0,", b"0]" + after, size)
    yield "texts", filled(inside + b"[", b'"x",', b'""]' + after, size, 19_990)
    yield "quotation marks", filled(inside + b'"', b'\\"', b'"' + after, size)
    yield "a long text", filled(inside + b'"', b"\xc3\xa9", b'"' + after, size)
    yield "an escaped text", filled(inside + b'"', b"\\u00e9", b'"' + after, size)
    yield "an object of texts", filled(inside + b"{", b'"a":"",', b'"b":""}' + after, size, 9_000)


def operations(contract: Mapping[str, Any]) -> Iterator[tuple[str, str, str, bool, list[str]]]:
    """The operations that take JSON: method, path, media type, whether they need a token, and members of the body."""
    for path, methods in contract["paths"].items():
        for method, operation in methods.items():
            if not isinstance(operation, dict) or operation.get("x-streamed-body"):
                continue
            for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
                if "json" in media_type:
                    name = content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
                    schema = contract["components"]["schemas"].get(name, {})
                    yield method, path, media_type, bool(operation.get("security")), list(schema.get("properties", []))


@pytest.fixture
def settled() -> Iterator[None]:
    """As in a service that has started: what is loaded isn't looked at by the garbage collector."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


async def cost(client: httpx.AsyncClient, request: httpx.Request) -> float:
    """The least time of the processor that a request takes, of several; few when it takes little."""
    least = float("inf")
    for _ in range(TRIES):
        began = time.process_time()
        answer = await client.send(request)
        least = min(least, time.process_time() - began)
        assert answer.status_code >= 400
        if least < MOST_SECONDS:
            break
    return least


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("service", FACTORIES)
async def test_no_allowed_body_holds_the_loop(service: str) -> None:
    app = create_app(service, NOWHERE)
    contract = app.openapi()
    scopes = sorted(set(re.findall(r'"([a-z_-]+:[a-z_-]+)"', str(contract).replace("'", '"'))))
    dear = {}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=BASE_URL
    ) as client:
        for method, path, media_type, needs_token, members in operations(contract):
            size = LARGEST_JSON_BYTES if needs_token else LARGEST_ANONYMOUS_JSON_BYTES
            headers = {"Content-Type": media_type, "If-Match": '"1"'}
            if needs_token:
                headers["Authorization"] = f"Bearer {issue_token(None, scopes=scopes)}"
            for member in members[:1] or ["x"]:
                for name, body in shapes(size, member.encode()):
                    url = re.sub(r"\{[^}]*\}", NOTHING, path)
                    request = client.build_request(method, url, content=body, headers=headers)
                    seconds = await cost(client, request)
                    if seconds >= MOST_SECONDS:
                        dear[f"{method} {path}: {name}"] = round(seconds * 1000, 1)
    assert dear == {}
