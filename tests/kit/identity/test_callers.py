"""Who asks: the header, the memory of good tokens, scopes."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from kit import clock
from kit.identity import callers
from kit.identity.callers import Authenticator, Caller, check_scopes
from kit.identity.keys import KeysUnavailable, StaticKeys
from kit.ids import PLATFORM
from kit.problems import InsufficientScope, ServiceUnavailable, Unauthorized
from kit.web.app import Service
from tests.kit.sample import sample_client
from tests.support.tokens import AUDIENCE, ISSUER, KEY_ID, PROSPERE, issue_token, signing_key

JWKS = {"keys": [dict(signing_key().public)]}


def authenticator(keys: Any = None) -> Authenticator:
    """One that trusts the tests' key."""
    return Authenticator(keys or StaticKeys(JWKS), issuer=ISSUER, audience=AUDIENCE)


def bearer(token: str) -> list[bytes]:
    """The header of a token."""
    return [f"Bearer {token}".encode()]


async def challenge_of(header: Sequence[bytes]) -> str:
    """What a refused header is told."""
    with pytest.raises(Unauthorized) as refused:
        await authenticator().authenticate(header)
    return refused.value.headers["WWW-Authenticate"]


async def test_token_gives_a_caller() -> None:
    token = issue_token("headteacher", trust=PROSPERE, academies=[100001], leads=[100001], subject="person:1")
    caller = await authenticator().authenticate(bearer(token))
    assert caller.subject == "person:1"
    assert caller.tenant_id == caller.trust_id == PROSPERE
    assert caller.sees_academy(100001)
    assert not caller.sees_academy(100002)
    assert caller.leads == {100001}
    assert caller.may("ratings:read")
    assert not caller.may("reference:write")


async def test_caller_without_a_trust_belongs_to_the_platform() -> None:
    caller = await authenticator().authenticate(bearer(issue_token("platform-operator")))
    assert caller.trust_id is None
    assert caller.tenant_id == PLATFORM


async def test_grant_for_all_academies_covers_each() -> None:
    caller = await authenticator().authenticate(bearer(issue_token("trustee")))
    assert caller.sees_academy(1)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
async def test_scheme_is_written_in_any_case(scheme: str) -> None:
    assert isinstance(await authenticator().authenticate([f"{scheme} {issue_token()}".encode()]), Caller)


async def test_no_header_is_asked_for_a_token_without_an_error() -> None:
    assert await challenge_of([]) == 'Bearer realm="trellis"'


@pytest.mark.parametrize(
    "header",
    [
        [b""],
        [b"Bearer"],
        [b"Bearer "],
        [b"Bearer  "],
        [b"Basic dXNlcjpwYXNz"],
        [b"Token abc"],
        [b"Bearer\tabc"],
        ["Bearer t\u00e9".encode()],
        [b"Bearer a b"],
        [b"Bearer " + b"\xff" * 20],
    ],
)
async def test_header_without_a_bearer_token_is_refused(header: list[bytes]) -> None:
    assert 'error="invalid_token"' in await challenge_of(header)


async def test_two_headers_are_refused_even_when_both_are_good() -> None:
    token = issue_token()
    assert "several Authorization headers" in await challenge_of(bearer(token) * 2)
    assert "several Authorization headers" in await challenge_of([*bearer(token), b"Bearer forged"])


async def test_challenge_cannot_be_broken_out_of() -> None:
    said = await challenge_of(bearer(issue_token(None, scopes=[], iss='x", realm="evil')))
    assert said.count('"') == 6


async def test_good_token_is_verified_once() -> None:
    class Counting(StaticKeys):
        asked = 0

        async def key(self, kid: str) -> dict[str, Any] | None:
            Counting.asked += 1
            return await super().key(kid)

    one = authenticator(Counting(JWKS))
    token = issue_token()
    first = await one.authenticate(bearer(token))
    asked = Counting.asked
    assert await one.authenticate(bearer(token)) is first
    # Once more for the key alone: is it still there?
    assert Counting.asked == asked + 1


async def test_remembered_token_is_refused_once_its_key_is_revoked() -> None:
    keys = StaticKeys(JWKS)
    one = authenticator(keys)
    token = issue_token()
    await one.authenticate(bearer(token))
    keys.replace({"keys": []})
    with pytest.raises(Unauthorized, match="revoked"):
        await one.authenticate(bearer(token))
    keys.replace({"keys": [{**signing_key("another").public, "kid": KEY_ID}]})
    with pytest.raises(Unauthorized, match="signature"):
        await one.authenticate(bearer(token))
    keys.replace(JWKS)
    await one.authenticate(bearer(token))


async def test_remembered_token_is_refused_once_it_expires() -> None:
    one = authenticator()
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with clock.frozen(start):
        token = issue_token(lifetime=timedelta(seconds=60))
        await one.authenticate(bearer(token))
    with clock.frozen(start + timedelta(seconds=59)):
        await one.authenticate(bearer(token))
    with clock.frozen(start + timedelta(seconds=60)), pytest.raises(Unauthorized, match="expired"):
        await one.authenticate(bearer(token))


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "MOST_REMEMBERED", 3)
    one = authenticator()
    for _ in range(10):
        await one.authenticate(bearer(issue_token()))
    assert len(one._remembered) == 3


async def test_refused_tokens_are_not_remembered() -> None:
    one = authenticator()
    for _ in range(5):
        with pytest.raises(Unauthorized):
            await one.authenticate(bearer(issue_token(aud="other")))
    assert not one._remembered


async def test_token_itself_is_not_kept() -> None:
    one = authenticator()
    token = issue_token()
    await one.authenticate(bearer(token))
    assert token not in repr(one._remembered)


async def test_without_keys_nobody_is_refused_but_asked_to_wait() -> None:
    class Away:
        async def key(self, kid: str) -> dict[str, Any] | None:
            raise KeysUnavailable(kid)

    with pytest.raises(ServiceUnavailable) as unavailable:
        await authenticator(Away()).authenticate(bearer(issue_token()))
    assert unavailable.value.headers["Retry-After"] == "2"


async def test_every_missing_scope_is_named() -> None:
    caller = await authenticator().authenticate(bearer(issue_token(None, scopes=["a:read"])))
    check_scopes(caller, ["a:read"])
    with pytest.raises(InsufficientScope, match="lacks b:read and c:read") as refused:
        check_scopes(caller, ["a:read", "b:read", "c:read"])
    assert 'scope="a:read b:read c:read"' in refused.value.headers["WWW-Authenticate"]


async def test_route_needs_all_of_its_scopes(sample: Service) -> None:
    async with sample_client(sample, scopes=("things:read",)) as client:
        assert (await client.get("/sample/v1/things")).status_code == 200
        refused = await client.post("/sample/v1/things", json={"name": "x"})
        assert (refused.status_code, refused.json()["code"]) == (403, "insufficient-scope")
        assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]


async def test_route_for_every_caller_needs_a_token_and_no_scope(sample: Service) -> None:
    async with sample_client(sample, scopes=()) as client:
        assert (await client.get("/sample/v1/anybody")).status_code == 200
        assert (await client.get("/sample/v1/things")).status_code == 403
    async with sample_client(sample, scopes=None) as client:
        assert (await client.get("/sample/v1/anybody")).status_code == 401
        assert (await client.get("/sample/v1/open")).status_code == 200


@pytest.mark.parametrize("name", ["access_token", "token", "authorization", "Authorization"])
async def test_token_in_the_query_is_no_token(sample: Service, name: str) -> None:
    async with sample_client(sample, scopes=None) as client:
        answer = await client.get("/sample/v1/anybody", params={name: issue_token()})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="trellis"'
        cookie = await client.get("/sample/v1/anybody", headers={"Cookie": f"{name}={issue_token()}"})
        assert cookie.status_code == 401
        form = await client.post("/sample/v1/things", data={name: issue_token()})
        assert form.status_code == 401


async def test_whoever_is_unknown_learns_nothing_about_the_request(sample: Service) -> None:
    """401 comes before 400, 415 and 422."""
    async with sample_client(sample, scopes=None) as client:
        for request in (
            {"content": b"{", "headers": {"content-type": "application/json"}},
            {"content": b"x", "headers": {"content-type": "text/plain"}},
            {"json": {"unknown": 1}},
            {"params": {"unknown": "1"}},
        ):
            answer: httpx.Response = await client.post("/sample/v1/things", **request)
            assert answer.status_code == 401


async def test_two_headers_over_http_are_refused(sample: Service) -> None:
    async with sample_client(sample, scopes=None) as client:
        headers = [("Authorization", f"Bearer {issue_token()}")] * 2
        assert (await client.get("/sample/v1/anybody", headers=headers)).status_code == 401
