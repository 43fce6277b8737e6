"""Methods, paths, ids, HEAD, OPTIONS and everything else that every answer has."""

import asyncio
import json
import logging
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi.routing import APIRoute

from kit.web.app import Service
from kit.web.operations import Operations
from tests.kit.sample import ALL_SCOPES, SampleTransport, sample_client, sample_service
from tests.support.jobs import until
from tests.support.tokens import issue_token


async def test_unknown_path_is_a_problem(thing_client: httpx.AsyncClient) -> None:
    for path in (
        "/",
        "/nope",
        "/sample",
        "/sample/v1",
        "/sample/v1/things/",
        "/sample/v2/things",
        "/docs",
        "/openapi.json",
    ):
        answer = await thing_client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/sample/v1/things", "GET, HEAD, OPTIONS, POST"),
        ("/sample/v1/things/3", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("/sample/v1/things/lookup", "OPTIONS, POST"),
        ("/sample/v1/things/3/publish", "OPTIONS, POST"),
        ("/healthz", "GET, HEAD, OPTIONS"),
    ],
)
async def test_allow_names_every_method_of_the_path(thing_client: httpx.AsyncClient, path: str, allow: str) -> None:
    for method in ("PUT", "TRACE", "PROPFIND", "get"):
        answer = await thing_client.request(method, path)
        if method == "get":
            continue
        assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
        assert answer.headers["allow"] == allow
    options = await thing_client.options(path)
    assert (options.status_code, options.headers["allow"], options.content) == (204, allow, b"")


async def test_options_need_no_token_and_unknown_paths_have_none(sample: Service) -> None:
    async with sample_client(sample, scopes=None) as client:
        assert (await client.options("/sample/v1/things")).status_code == 204
        assert (await client.options("/sample/v1/nope")).status_code == 404


async def test_fixed_path_goes_before_a_template(thing_client: httpx.AsyncClient) -> None:
    assert (await thing_client.post("/sample/v1/things/lookup", json={"name": "x"})).json()["id"] == 2
    assert (await thing_client.get("/sample/v1/things/lookup")).status_code == 405


@pytest.mark.parametrize(
    "path", ["/sample/v1/things", "/sample/v1/things/3", "/sample/v1/polled", "/sample/v1/things/999", "/healthz"]
)
async def test_head_answers_as_get_without_a_body(thing_client: httpx.AsyncClient, path: str) -> None:
    read = await thing_client.get(path)
    headed = await thing_client.head(path)
    assert headed.status_code == read.status_code
    assert headed.content == b""
    for name in ("etag", "content-type", "cache-control"):
        assert headed.headers.get(name) == read.headers.get(name)
    if read.status_code == 200:
        assert headed.headers["content-length"] == str(len(read.content))


async def test_head_honours_conditions(thing_client: httpx.AsyncClient) -> None:
    for path, tag in (("/sample/v1/things/3", '"3"'), ("/sample/v1/polled", '"v1"')):
        assert (await thing_client.head(path, headers={"If-None-Match": tag})).status_code == 304


async def test_head_of_an_endless_stream_ends(thing_client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(5):
        answer = await thing_client.head("/sample/v1/forever")
    assert answer.headers["content-type"].startswith("text/event-stream")


async def test_head_leaves_the_connection_open(
    sample: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    socket = tmp_path / "s.sock"
    server = uvicorn.Server(uvicorn.Config(sample, uds=str(socket), lifespan="off", log_config=None))
    serving = asyncio.create_task(server._serve())
    try:
        await until(lambda: server.started)
        reader, writer = await asyncio.open_unix_connection(str(socket))
        async with asyncio.timeout(10):
            with caplog.at_level(logging.ERROR):
                for path in ("/sample/v1/things/3", "/sample/v1/things", "/nope", "/healthz"):
                    writer.write(f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                    head = await reader.readuntil(b"\r\n\r\n")
                    assert head.startswith(b"HTTP/1.1 ")
        writer.close()
        await writer.wait_closed()
    finally:
        server.should_exit = True
        await serving
    # Warnings of other services in this process stand there too.
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("path", ["/sample/v1/things", "/sample/v1/polled", "/nope", "/healthz"])
async def test_two_hosts_and_folded_headers_are_400(sample: Service, tmp_path: Path, path: str) -> None:
    socket = tmp_path / "s.sock"
    server = uvicorn.Server(uvicorn.Config(sample, uds=str(socket), lifespan="off", log_config=None))
    serving = asyncio.create_task(server._serve())
    token = issue_token(None, scopes=ALL_SCOPES)

    async def status(lines: str) -> int:
        reader, writer = await asyncio.open_unix_connection(str(socket))
        request = f"GET {path} HTTP/1.1\n{lines}\nAuthorization: Bearer {token}\nConnection: close\n\n"
        writer.write(request.replace("\n", "\r\n").encode())
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return int(answer.split(b" ", 2)[1])

    try:
        await until(lambda: server.started)
        plain = await status("Host: x")
        assert plain in {200, 404}
        # A kept answer is given to nobody who names two hosts.
        for lines in ("Host: x\nHost: y", "Host: x\nhost: x", "Host: x, y", "Host: x\nAccept: a/b,\n c/d"):
            assert await status(lines) == 400, lines
    finally:
        server.should_exit = True
        await serving


async def test_head_where_there_is_no_get(thing_client: httpx.AsyncClient) -> None:
    assert (await thing_client.head("/sample/v1/form")).status_code == 405


@pytest.mark.parametrize("path", ["/sample/v1/things/%00", "/sample/v1/things/3%00", "/sample/v1/things/%ed%a0%80"])
async def test_path_that_cannot_be_read_is_400(thing_client: httpx.AsyncClient, path: str) -> None:
    request = thing_client.build_request("GET", "http://x" + path)
    answer = await thing_client.send(request)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-request")


async def test_numbers_beyond_all_bounds_are_422(thing_client: httpx.AsyncClient) -> None:
    for number in ("0", "-1", "2147483648", "9" * 500, "1e5", "1.5", "abc", "%20", "1%202"):
        answer = await thing_client.get(f"/sample/v1/things/{number}")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/path/number"


async def test_given_request_id_is_kept(thing_client: httpx.AsyncClient) -> None:
    answer = await thing_client.get("/nope", headers={"X-Request-Id": "0193e2f1-8a39-7a7e"})
    assert answer.headers["x-request-id"] == "0193e2f1-8a39-7a7e"
    assert answer.json()["trace_id"] == "0193e2f1-8a39-7a7e"


@pytest.mark.parametrize("given", ["", "short", "x" * 129, "has space here", "line\x7fbreak", "<script>alert()"])
async def test_strange_request_id_is_replaced(thing_client: httpx.AsyncClient, given: str) -> None:
    answer = await thing_client.get("/healthz", headers={"X-Request-Id": given})
    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 32


async def test_every_answer_has_an_id_of_its_own(thing_client: httpx.AsyncClient) -> None:
    paths = ["/sample/v1/things", "/nope", "/sample/v1/polled", "/sample/v1/polled", "/healthz"]
    answers = [await thing_client.get(path) for path in paths]
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(paths)


async def test_reads_are_private_and_problems_are_not_stored(thing_client: httpx.AsyncClient) -> None:
    assert (await thing_client.get("/sample/v1/things")).headers["cache-control"] == "private, no-cache"
    assert (await thing_client.get("/sample/v1/things/999")).headers["cache-control"] == "no-store"
    assert "cache-control" not in (await thing_client.post("/sample/v1/things", json={"name": "x"})).headers


async def test_caller_who_goes_away_while_sending_is_no_fault(
    sample: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    sent: list[object] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/sample/v1/things",
        "raw_path": b"/sample/v1/things",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [
            (b"authorization", f"Bearer {issue_token(None, scopes=['things:read', 'things:write'])}".encode()),
            (b"content-type", b"application/json"),
            (b"content-length", b"20"),
        ],
        "client": None,
        "server": None,
    }
    await sample(scope, receive, send)
    assert sent == []
    assert "error" not in capfd.readouterr().out


async def test_requests_are_logged_without_ids_queries_and_tokens(capfd: pytest.CaptureFixture[str]) -> None:
    app = sample_service(log_level="INFO")
    async with sample_client(app, subject="person:jane", client_id="wallboard") as client:
        await client.get("/sample/v1/things/3?secret=unsaid", headers={"X-Request-Id": "0193e2f1-log"})
        await client.get("/sample/v1/things/3")
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [line["status"] for line in lines] == [422, 200]
    first = lines[0]
    assert first["route"] == "/sample/v1/things/{number}"
    assert (first["code"], first["client_id"], first["request_id"]) == ("invalid-request", "wallboard", "0193e2f1-log")
    text = json.dumps(lines)
    for secret in ("secret", "unsaid", "jane", "eyJ", "things/3"):
        assert secret not in text


async def test_probes_are_logged_only_when_something_is_wrong(capfd: pytest.CaptureFixture[str]) -> None:
    async with sample_client(sample_service(log_level="INFO")) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert capfd.readouterr().out == ""
        assert (await client.get("/readyz")).status_code == 503
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [line["status"] for line in lines if line["event"] == "request"] == [503]


async def test_log_level_leaves_answered_requests_out(
    sample: Service, thing_client: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]
) -> None:
    await thing_client.get("/sample/v1/things")
    await thing_client.get("/sample/v1/things/999")
    assert capfd.readouterr().out == ""
    await thing_client.get("/sample/v1/fail", params={"how": "gone"})
    assert json.loads(capfd.readouterr().out)["status"] == 503


async def test_every_operation_has_a_place(sample: Service) -> None:
    operations = Operations(route for route in sample.router.routes if isinstance(route, APIRoute))
    found = {(operation.method, operation.path): operation for operation in operations}
    assert found["GET", "/sample/v1/things"].scopes == ("things:read",)
    assert found["GET", "/sample/v1/things"].query == {
        "limit": False,
        "cursor": False,
        "count": False,
        "colour": True,
        "q": False,
    }
    assert found["GET", "/sample/v1/anybody"].scopes == ()
    assert found["GET", "/sample/v1/open"].scopes is None
    assert found["POST", "/sample/v1/stream"].is_streamed
    assert operations.find("/sample/v1/things/3") is not None
    assert operations.find("/sample/v1/things/3/4") is None


async def test_websocket_is_refused(sample: Service) -> None:
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/sample/v1/things", "headers": [], "query_string": b"", "root_path": ""}
    await sample(scope, receive, send)  # type: ignore[arg-type]
    assert [message["type"] for message in sent] == ["websocket.close"]


async def test_two_apps_of_one_process_do_not_share_anything() -> None:
    one, two = sample_service(), sample_service(secret_key="another-secret-key-of-another-app")
    async with sample_client(one) as first, sample_client(two) as second:
        cursor = (await first.get("/sample/v1/things", params={"limit": 1})).json()["next"]
        assert (await second.get("/sample/v1/things", params={"cursor": cursor})).status_code == 400
        assert (await first.get("/sample/v1/things", params={"cursor": cursor})).status_code == 200
    assert isinstance(SampleTransport(one), httpx.ASGITransport)
