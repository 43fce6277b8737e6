"""Shared links and files at the gateway: no token, limits of their own, and no secret in the log."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.gateway.envoy.doorway import Door, opened, token

SECRET = "Ab3_" * 15 + "-x9Z"
OTHER = "Zz3_" * 15 + "-x9Z"
SHARED = f"/academy/v1/shared/{SECRET}"


@pytest.fixture(scope="module")
def tight() -> Iterator[Door]:
    """A gateway with limits that are quickly reached."""
    with opened(limit_shared_requests_per_minute=40, limit_link_requests_per_minute=6, max_body_bytes=4096) as running:
        yield running


def test_a_link_needs_no_token(stranger: httpx.Client) -> None:
    answer = stranger.get(SHARED)
    assert answer.status_code == 200
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert stranger.get("/academy/v1/shared").status_code == 401
    assert stranger.get("/academy/v1/links").status_code == 401


def test_a_link_is_counted_by_itself_and_by_address(tight: Door) -> None:
    with tight.client() as client:
        # A query, another case of a header or a made-up path in one makes no fresh link of it.
        answers = [
            client.get(SHARED, params={"n": number}, headers={"x-trellis-link": f"/{number}"}) for number in range(9)
        ]
        assert [answer.status_code for answer in answers].count(429) >= 2
        assert answers[-1].json()["code"] == "too-many-requests"
        assert answers[-1].headers["ratelimit-policy"] == '"requests";q=6;w=60'
        assert client.get(f"/academy/v1/shared/{OTHER}").status_code == 200
        guesses = [client.get(f"/academy/v1/shared/{number:064d}").status_code for number in range(60)]
        assert guesses.count(429) >= 20
        assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        SHARED,
        f"{SHARED}?x=1",
        f"//academy//v1/shared/{SECRET}",
        f"/academy/v1/./shared/{SECRET}",
        f"/academy/v1/%73hared/{SECRET}",
        f"/academy/v1/SHARED/{SECRET}",
        f"/academy/v1/%53hared/{SECRET}?x=%20",
        f"/academy/v1/shared/{SECRET}/more",
        f"/nothing/v1/shared/{SECRET}",
        f"/academy/v1/shared/{SECRET[:20]}%2f{SECRET[20:]}",
    ],
)
def test_no_secret_of_a_link_reaches_the_log(door: Door, path: str) -> None:
    name = f"links-{abs(hash(path)):x}"
    door.raw(f"GET {path} HTTP/1.1\r\nhost: x\r\nx-request-id: {name}\r\nconnection: close\r\n\r\n".encode(), seconds=5)
    lines = door.log_lines(name)
    assert len(lines) == 1
    written = json.dumps(lines)
    assert SECRET not in written
    assert SECRET[20:] not in written
    assert lines[0]["path"] == "/shared/[token]"


def test_other_requests_are_logged_once_with_their_path(door: Door, caller: httpx.Client) -> None:
    caller.get("/academy/v1/echo?x=1", headers={"x-request-id": "ordinary-request"})
    assert [line["path"] for line in door.log_lines("ordinary-request")] == ["/academy/v1/echo"]


def test_a_file_may_be_larger_than_a_json_body(tight: Door) -> None:
    with tight.client(token()) as client:
        path = "/academy/v1/moderations/01900000-0000-7000-8000-000000000000/files"
        assert client.post(path, content=b"x" * 100_000).json()["length"] == 100_000
        assert client.post(f"{path}?name=a.csv", content=b"x" * 100_000).status_code == 200
        for other in (f"{path}/more", "/academy/v1/files", "/academy/v1/moderations"):
            assert client.post(other, content=b"x" * 100_000).status_code == 413
        assert client.patch(path, content=b"x" * 100_000).status_code == 413
