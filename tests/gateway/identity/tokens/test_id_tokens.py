"""Attacks with ID tokens, against a provider that serves its keys over HTTP."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from jose import jws

from gateway.identity.settings import OidcIssuer
from gateway.identity.tokens import provider_keys
from gateway.identity.tokens.id_tokens import IdTokens
from gateway.identity.tokens.provider_keys import ProviderUnreachable
from kit import clock as house_clock
from kit.identity.compact import TokenRefused
from tests.conftest import Clock
from tests.gateway.identity.provider import AUDIENCE, ISSUER, Provider, ec_key, encoded, rsa_key

Json = dict[str, Any]
Believe = Callable[..., IdTokens]


@pytest.fixture
def believe(provider: Provider) -> Believe:
    """Makes somebody who believes the provider: `believe(algorithms=["ES256"])`."""

    def make(**told: Any) -> IdTokens:
        values: Json = {"issuer": ISSUER, "audiences": [AUDIENCE], "jwks_url": provider.url}
        return IdTokens([OidcIssuer(**(values | told))], provider.outbound)

    return make


@pytest.fixture
def id_tokens(believe: Believe) -> IdTokens:
    return believe()


async def accepted(id_tokens: IdTokens, token: str) -> str:
    """Whom a token is about."""
    return (await id_tokens.verify(token, house_clock.now())).subject


async def refused(id_tokens: IdTokens, token: str) -> str:
    """Why a token isn't accepted."""
    with pytest.raises(TokenRefused) as error:
        await id_tokens.verify(token, house_clock.now())
    return str(error.value)


def compact(header: Json, claims: Json, signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(encoded(part) for part in parts)


def hs256(header: Json, claims: Json, secret: bytes) -> str:
    unsigned = compact(header, claims).rpartition(".")[0]
    return f"{unsigned}.{encoded(hmac.digest(secret, unsigned.encode(), hashlib.sha256))}"


async def test_a_good_token_is_accepted(id_tokens: IdTokens, provider: Provider) -> None:
    assert await accepted(id_tokens, provider.id_token())
    assert provider.asked == ["/keys"]


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "nOnE", "", None, ["RS256"], 256, "ES256", "PS256", "rs256"]
)
async def test_an_algorithm_that_is_not_the_providers(id_tokens: IdTokens, provider: Provider, algorithm: Any) -> None:
    token = compact({"alg": algorithm, "kid": "one"}, provider.claims(), b"x" * 256)
    assert "algorithm" in await refused(id_tokens, token)


async def test_no_signature_at_all(id_tokens: IdTokens, provider: Provider) -> None:
    assert "no signed token" in await refused(id_tokens, compact({"alg": "none"}, provider.claims()))


async def test_the_public_key_as_a_secret(id_tokens: IdTokens, provider: Provider) -> None:
    """CVE-2024-33663 and CVE-2026-85394: PEM and DER keys accepted as HMAC secrets."""
    key = provider.keys[0]
    for secret in (key.public_pem, key.public_pem.strip(), key.public_der, json.dumps(key.jwk).encode()):
        for algorithm in ("HS256", "HS384", "HS512"):
            token = hs256({"alg": algorithm, "kid": "one"}, provider.claims(), secret)
            assert "algorithm" in await refused(id_tokens, token)
        token = hs256({"alg": "RS256", "kid": "one"}, provider.claims(), secret)
        assert "signature" in await refused(id_tokens, token)


async def test_a_key_of_somebody_else(id_tokens: IdTokens, provider: Provider) -> None:
    forger = replace(rsa_key("forger"), kid="one")
    assert "signature" in await refused(id_tokens, provider.id_token(key=forger))
    assert "unknown" in await refused(id_tokens, provider.id_token(key=rsa_key("forger")))
    for header in ({"jwk": forger.jwk}, {"jku": "http://127.0.0.1:1/keys"}, {"x5u": "http://127.0.0.1:1/"}):
        assert "may not say" in await refused(id_tokens, provider.id_token(key=forger, header=header))
    chain = [base64.b64encode(forger.public_der).decode()]
    assert "may not say" in await refused(id_tokens, provider.id_token(key=forger, header={"x5c": chain}))
    # Nothing in a token makes us ask anywhere but where our settings say.
    assert set(provider.asked) == {"/keys"}


@pytest.mark.parametrize("kid", ["../../etc/passwd", "one' or '1'='1", "one\x00", "", None, 1, "x" * 256, "/dev/null"])
async def test_strange_key_ids(id_tokens: IdTokens, provider: Provider, kid: Any) -> None:
    token = compact({"alg": "RS256", "kid": kid}, provider.claims(), b"x" * 256)
    assert "kid" in await refused(id_tokens, token) or kid


@pytest.mark.parametrize(
    "header", [{"crit": ["exp"]}, {"crit": []}, {"b64": False}, {"zip": "DEF"}, {"cty": "JWT"}, {"typ": "at+jwt"}]
)
async def test_headers_that_ask_for_something_else(id_tokens: IdTokens, provider: Provider, header: Json) -> None:
    await refused(id_tokens, provider.id_token(header=header))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": "https://id.example.org/"}, "issuer"),
        ({"iss": None}, "iss"),
        ({"iss": ["https://id.example.org"]}, "iss"),
        ({"aud": "others"}, "another application"),
        ({"aud": None}, "another application"),
        ({"aud": []}, "another application"),
        ({"aud": {"trellis-portal": True}}, "another application"),
        ({"aud": [AUDIENCE, "others"]}, "issued to another application"),
        ({"azp": "others"}, "issued to another application"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": 248289761001}, "sub"),
        ({"sub": "x" * 256}, "sub"),
        ({"exp": None}, "exp"),
        ({"exp": "4102444800"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": 4102444800.5}, "exp"),
        ({"exp": 10**40}, "exp"),
        ({"iat": None}, "iat"),
    ],
)
async def test_claims_that_are_missing_or_wrong(
    id_tokens: IdTokens, provider: Provider, changes: Json, why: str
) -> None:
    assert why in await refused(id_tokens, provider.id_token(**changes))


async def test_several_audiences_are_fine_when_one_of_ours_asked(id_tokens: IdTokens, provider: Provider) -> None:
    token = provider.id_token(aud=["others", AUDIENCE], azp=AUDIENCE)
    assert await accepted(id_tokens, token)


async def test_tokens_out_of_their_time(id_tokens: IdTokens, provider: Provider, clock: Clock) -> None:
    now = int(house_clock.now().timestamp())
    wrong: list[tuple[Json, str]] = [
        ({"exp": now}, "expired"),
        ({"exp": now - 1}, "expired"),
        ({"iat": now + 31}, "future"),
        ({"nbf": now + 31}, "yet"),
        ({"iat": now - 86_401}, "too old"),
    ]
    for changes, why in wrong:
        assert why in await refused(id_tokens, provider.id_token(**changes))
    token = provider.id_token(exp=now + 60)
    clock.advance(seconds=60)
    assert "expired" in await refused(id_tokens, token)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token + "=",
        lambda token: token.replace(".", "..", 1),
        lambda token: token + ".x",
        lambda token: token[:-4],
        lambda token: " " + token,
        lambda token: token[: token.rindex(".") + 1],
        lambda token: token + "x" * 16_384,
        lambda token: ".".join("e30" for _ in token.split(".")),
        lambda token: ".".join([encoded(b"[]"), *token.split(".")[1:]]),
        lambda token: ".".join([encoded(b'{"alg":"RS256","alg":"none","kid":"one"}'), *token.split(".")[1:]]),
        lambda token: ".".join([encoded(b'{"alg":"RS256","kid":NaN}'), *token.split(".")[1:]]),
        lambda token: ".".join([encoded(b"\xff\xfe"), *token.split(".")[1:]]),
        lambda token: ".".join([encoded(b"[" * 5000), *token.split(".")[1:]]),
    ],
)
async def test_tokens_that_can_be_read_in_two_ways_or_none(
    id_tokens: IdTokens, provider: Provider, spoil: Callable[[str], str]
) -> None:
    await refused(id_tokens, spoil(provider.id_token()))


async def test_claims_that_were_altered(id_tokens: IdTokens, provider: Provider) -> None:
    header, _, signature = provider.id_token().split(".")
    altered = encoded(json.dumps(provider.claims(sub="somebody else")).encode())
    assert "signature" in await refused(id_tokens, f"{header}.{altered}.{signature}")


async def test_a_curve_where_rsa_is_expected_and_the_reverse(provider: Provider, believe: Believe) -> None:
    id_tokens = believe(algorithms=["RS256", "ES256"])
    curve = ec_key("curve")
    provider.keys.append(curve)
    assert await accepted(id_tokens, provider.id_token(key=curve))
    swapped = compact({"alg": "ES256", "kid": "one"}, provider.claims(), b"x" * 64)
    assert "another kind" in await refused(id_tokens, swapped)
    swapped = compact({"alg": "RS256", "kid": "curve"}, provider.claims(), b"x" * 256)
    assert "another kind" in await refused(id_tokens, swapped)


@pytest.mark.parametrize(
    "spoil",
    [
        {"use": "enc"},
        {"alg": "RS512"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"n": "AQAB"},
        {"n": None},
        {"n": "!!!"},
        {"e": "!!!"},
    ],
)
async def test_keys_that_may_not_or_cannot_check(id_tokens: IdTokens, provider: Provider, spoil: Json) -> None:
    provider.answer = json.dumps({"keys": [provider.keys[0].jwk | spoil]}).encode()
    await refused(id_tokens, provider.id_token())


async def test_short_rsa_keys_are_not_believed(id_tokens: IdTokens, provider: Provider) -> None:
    short = rsa_key("short", bits=1024)
    provider.keys.append(short)
    assert "another kind" in await refused(id_tokens, provider.id_token(key=short))


async def test_a_new_key_is_fetched_and_strangers_do_not_make_us_ask_often(
    id_tokens: IdTokens, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await accepted(id_tokens, provider.id_token())
    for number in range(5):
        await refused(id_tokens, provider.id_token(key=replace(rsa_key("forger"), kid=f"stranger {number}")))
    assert len(provider.asked) == 1
    monkeypatch.setattr(provider_keys, "PAUSE_SECONDS", 0)
    fresh = replace(rsa_key("forger"), kid="fresh")
    provider.keys.append(replace(fresh, jwk=fresh.jwk | {"kid": "fresh"}))
    assert await accepted(id_tokens, provider.id_token(key=fresh))


@pytest.mark.parametrize(
    ("status", "answer", "location"),
    [
        (500, None, None),
        (302, None, "http://127.0.0.1:1/keys"),
        (200, b"not json", None),
        (200, b"[" * 5000, None),
        (200, b"{}", None),
        (200, b'{"keys": []}', None),
        (200, b" " * 300_000, None),
    ],
)
async def test_a_provider_that_answers_nonsense_is_unreachable(
    id_tokens: IdTokens, provider: Provider, status: int, answer: bytes | None, location: str | None
) -> None:
    provider.status, provider.answer, provider.location = status, answer, location
    with pytest.raises(ProviderUnreachable):
        await id_tokens.verify(provider.id_token(), house_clock.now())
    assert provider.asked == ["/keys"]


async def test_known_keys_are_believed_while_the_provider_is_away(id_tokens: IdTokens, provider: Provider) -> None:
    assert await accepted(id_tokens, provider.id_token())
    provider.status = 500
    assert await accepted(id_tokens, provider.id_token())


async def test_a_token_signed_twice_over_is_one_spelling_only(id_tokens: IdTokens, provider: Provider) -> None:
    token = provider.id_token()
    assert jws.get_unverified_header(token)["alg"] == "RS256"
    head, body, signature = token.split(".")
    # The last letter of a 256-byte signature holds unused bits.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = signature[:-1] + alphabet[alphabet.index(signature[-1]) ^ 1]
    assert base64.urlsafe_b64decode(signature + "==") == base64.urlsafe_b64decode(twin + "==")
    await refused(id_tokens, f"{head}.{body}.{twin}")
