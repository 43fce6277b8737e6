"""Pauses after failures, scopes, lifetimes, and how a request is read."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from gateway.identity.tokens.errors import ClientUnknown, RequestMalformed
from gateway.identity.tokens.forms import read_request
from gateway.identity.tokens.rules import FAILURE_LIMITS, AttemptKind, expires_at, pause_seconds, wanted_scopes

HELD = frozenset({"ratings:read", "events:read"})
KNOWN = HELD | {"platform:admin"}


def test_pauses_grow_and_then_stay() -> None:
    kind = AttemptKind.CLIENT_AT_ADDRESS
    assert [pause_seconds(kind, failures) for failures in range(1, 10)] == [0, 0, 0, 0, 1, 2, 4, 8, 16]
    assert pause_seconds(kind, 15) == 900
    assert pause_seconds(kind, 10_000_000) == 900


@pytest.mark.parametrize("kind", AttemptKind)
def test_every_count_has_some_patience_and_an_end_of_it(kind: AttemptKind) -> None:
    limit = FAILURE_LIMITS[kind]
    assert pause_seconds(kind, limit.free - 1) == 0
    assert pause_seconds(kind, limit.free) == 1
    assert pause_seconds(kind, limit.free + 40) == limit.longest_seconds


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (None, HELD),
        ("ratings:read", {"ratings:read"}),
        ("ratings:read  events:read", HELD),
        ("ratings:read platform:admin", "The roles of this view don't give platform:admin."),
        ("everything", "There is no scope 'everything'."),
        ("RATINGS:READ", "There is no scope 'RATINGS:READ'."),
        (" ", "Name a scope, or leave scope out."),
    ],
)
def test_scopes_can_be_fewer_and_never_more(wanted: str | None, given: object) -> None:
    assert wanted_scopes(wanted, HELD, KNOWN) == given


def test_a_token_ends_with_its_grant() -> None:
    now = datetime(2026, 11, 22, 23, 55, tzinfo=UTC)
    midnight = datetime(2026, 11, 23, tzinfo=UTC)
    assert expires_at(now, timedelta(minutes=10), midnight) == midnight
    assert expires_at(now, timedelta(minutes=10), None) == now + timedelta(minutes=10)
    assert expires_at(now, timedelta(minutes=4), midnight) == now + timedelta(minutes=4)


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_a_client_says_who_it_is_by_basic_or_in_the_form() -> None:
    form = read_request(b"grant_type=client_credentials&client_id=a&client_secret=s%2B+1", [])
    assert (form.client_id, form.client_secret) == ("a", "s+ 1")
    header = read_request(b"grant_type=client_credentials", [basic("a%3Ab:s%2B1")])
    assert (header.client_id, header.client_secret) == ("a:b", "s+1")
    same = read_request(b"client_id=a", [basic("a:s")])
    assert same.client_secret == "s"


def test_empty_parameters_were_not_sent_and_unknown_ones_are_ignored() -> None:
    request = read_request(b"client_id=a&scope=&client_secret=&flavour=mint&flavour=lime", [])
    assert request.get("scope") is None
    assert request.client_secret is None


@pytest.mark.parametrize(
    ("body", "authorization"),
    [
        (b"client_id=a&client_id=a", []),
        (b"client_id=a&scope=x&scope=y", []),
        (b"client_id=a&client_secret=s", [basic("a:s")]),
        (b"client_id=b", [basic("a:s")]),
        (b"", [basic("a:s"), basic("a:s")]),
        (b"client_id=a%00", []),
        (b"client_id=%ff", []),
        (b"client_id=\xc3\xa9", []),
        (b"client_id=a&scope=" + b"x" * 3000, []),
        (b"&".join(b"a=1" for _ in range(60)), []),
    ],
)
def test_what_can_be_read_in_two_ways_is_malformed(body: bytes, authorization: list[str]) -> None:
    with pytest.raises(RequestMalformed):
        read_request(body, authorization)


@pytest.mark.parametrize(
    "authorization",
    [
        [],
        ["Bearer abc"],
        ["Basic"],
        ["Basic !!!"],
        [basic("nocolon")],
        [basic(":secret")],
        [basic("a" * 256 + ":s")],
        ["Basic " + base64.b64encode(b"\xff:s").decode()],
        [basic("a%00:s")],
    ],
)
def test_a_client_that_cannot_be_read_is_unknown(authorization: list[str]) -> None:
    with pytest.raises(ClientUnknown):
        read_request(b"grant_type=client_credentials", authorization)
