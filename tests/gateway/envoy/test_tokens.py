"""Who is let in, with the attacks that a token can carry."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwt

from tests.gateway.envoy.doorway import Door, opened, token, wait_until
from tests.support.tokens import KEY_ID, signing_key

ECHO = "/academy/v1/echo"


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims() -> dict[str, Any]:
    found: dict[str, Any] = jwt.get_unverified_claims(token())
    return found


def unsigned(alg: str) -> str:
    return f"{part({'alg': alg, 'typ': 'JWT', 'kid': KEY_ID})}.{part(claims())}."


def signed_with_public_key(kind: str) -> str:
    """The public key, which everybody has, used as if it were an HMAC secret."""
    public = serialization.load_pem_private_key(signing_key().pem.encode(), None).public_key()
    secret = {
        "pem": public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        "der": public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(dict(signing_key().public)).encode(),
        "x": signing_key().public["x"].encode(),
    }[kind]
    text = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': KEY_ID})}.{part(claims())}"
    return f"{text}.{part(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def signed_by_stranger(**header: Any) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    forged: str = jwt.encode(claims(), pem, algorithm="ES256", headers={"kid": KEY_ID, **header})
    return forged


def without(claim: str) -> str:
    left = {name: value for name, value in claims().items() if name != claim}
    made: str = jwt.encode(left, signing_key().pem, algorithm="ES256", headers={"kid": KEY_ID})
    return made


def altered() -> str:
    header, payload, signature = token().split(".")
    told = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return f"{header}.{part({**told, 'roles': ['trust-admin']})}.{signature}"


KINDS = ("pem", "der", "jwk", "x")
ATTACKS: dict[str, Callable[[], str]] = {
    **{f"alg {alg}": partial(unsigned, alg) for alg in ("none", "None", "NONE", "nOnE", "")},
    **{f"HS256 with the public key as {kind}": partial(signed_with_public_key, kind) for kind in KINDS},
    "another key under our id": signed_by_stranger,
    "a key of its own in the header": lambda: signed_by_stranger(jwk=dict(signing_key("evil").public)),
    "keys at an address in the header": lambda: signed_by_stranger(jku="http://127.0.0.1:1/keys"),
    "kid that climbs": lambda: signed_by_stranger(kid="../../../../dev/null"),
    "kid of nobody": lambda: signed_by_stranger(kid="unknown"),
    "altered claims": altered,
    "expired": lambda: token(lifetime=timedelta(seconds=-40)),
    "not yet valid": lambda: token(nbf=int(time.time()) + 600),
    "another issuer": lambda: token(iss="http://evil.example.org"),
    "another audience": lambda: token(aud="somebody-else"),
    "no expiry": lambda: without("exp"),
    "no issuer": lambda: without("iss"),
    "no audience": lambda: without("aud"),
    "no signature": lambda: token().rpartition(".")[0] + ".",
    "two parts": lambda: token().rpartition(".")[0],
    "nonsense": lambda: "nonsense",
    "empty": lambda: "",
}


def test_token_that_counts_is_let_in_and_passed_on(door: Door, caller: httpx.Client) -> None:
    answer = caller.get(ECHO)
    assert answer.status_code == 200
    assert dict(answer.json()["headers"])["authorization"] == caller.headers["authorization"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_forged_token_is_refused(door: Door, stranger: httpx.Client, attack: str) -> None:
    before = door.behind.seen[f"GET {ECHO}"]
    answer = stranger.get(ECHO, headers={"authorization": f"Bearer {ATTACKS[attack]()}".strip()})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith('Bearer realm="trellis"')
    assert answer.json()["code"] == "unauthorized"
    assert door.behind.seen[f"GET {ECHO}"] == before


def test_no_token_is_told_how_to_get_one(stranger: httpx.Client) -> None:
    answer = stranger.get(ECHO)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="trellis"'
    assert "page at /" in answer.json()["detail"]


def test_expired_token_is_told_so(stranger: httpx.Client) -> None:
    answer = stranger.get(ECHO, headers={"authorization": f"Bearer {token(lifetime=timedelta(seconds=-60))}"})
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert answer.json()["detail"] == "The access token has expired."


@pytest.mark.parametrize("scheme", ["Basic", "Token", "", "Bearer:"])
def test_token_under_another_scheme_is_refused(stranger: httpx.Client, scheme: str) -> None:
    assert stranger.get(ECHO, headers={"authorization": f"{scheme} {token()}".strip()}).status_code == 401


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_scheme_is_read_in_one_case_or_the_other(stranger: httpx.Client, scheme: str) -> None:
    assert stranger.get(ECHO, headers={"authorization": f"{scheme} {token()}"}).status_code == 200


def test_token_in_the_address_is_refused(stranger: httpx.Client) -> None:
    assert stranger.get(ECHO, params={"access_token": token()}).status_code == 401


def test_realm_does_not_repeat_the_address(stranger: httpx.Client) -> None:
    answer = stranger.get(ECHO, params={"secret": "hush"})
    assert "hush" not in answer.text + str(answer.headers)


def test_every_service_needs_a_token(stranger: httpx.Client) -> None:
    for service in ("academy", "research", "reporting", "identity"):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            assert stranger.request(method, f"/{service}/v1/anything").status_code == 401, (service, method)


def test_public_paths_need_none(stranger: httpx.Client) -> None:
    for path in ("/", "/portal/style.css", "/openapi/academy.v1.json", "/.well-known/jwks.json", "/healthz"):
        assert stranger.get(path).status_code == 200, path
    assert stranger.post("/identity/v1/token").status_code == 200
    assert stranger.post("/identity/v1/demo-token").status_code == 200


def test_key_that_was_taken_back_is_forgotten() -> None:
    """A token that Envoy has seen before is refused by the services, which ask for the key each time."""
    with opened(jwks_cache_seconds=1) as door, door.client() as client:

        def status() -> int:
            return client.get(ECHO, headers={"authorization": f"Bearer {token()}"}).status_code

        assert status() == 200
        door.behind.keys = [dict(signing_key("newer").public)]
        wait_until(lambda: status() == 401)
