"""Asking the gateway: tokens renewed, busy answers waited for, refusals told in its own words."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.support.answers import Served, told
from trellis import tokens
from trellis.api import Api, Refused, Token, Unreachable


def fixed(_http: httpx.Client) -> Token:
    return Token("tick", float("inf"))


def test_a_list_is_read_to_its_end(serve: Callable[..., tuple[str, Served]]) -> None:
    url, served = serve(told(200, {"items": [{"n": 1}], "next": "c1"}), told(200, {"items": [{"n": 2}], "next": None}))
    with Api(url, fixed) as api:
        assert [item["n"] for item in api.items("/list", limit=1, q=None)] == [1, 2]
    assert [request[1] for request in served.requests] == ["/list?limit=1", "/list?cursor=c1&limit=1"]
    assert served.requests[0][2]["Authorization"] == "Bearer tick"


def test_a_busy_gateway_is_asked_again(serve: Callable[..., tuple[str, Served]]) -> None:
    url, served = serve(told(503, {}, Retry_After="0"), told(429, {}, Retry_After="0"), told(200, {"ok": True}))
    with Api(url, fixed) as api:
        assert api.get("/x") == {"ok": True}
    assert len(served.requests) == 3


def test_a_change_is_sent_again_only_under_a_key(serve: Callable[..., tuple[str, Served]]) -> None:
    url, served = serve(told(503, {"detail": "later"}, Retry_After="0"))
    with Api(url, fixed) as api, pytest.raises(Refused, match="later"):
        api.ask("POST", "/x", json={})
    assert len(served.requests) == 1


def test_a_stream_is_made_anew_for_each_try(serve: Callable[..., tuple[str, Served]]) -> None:
    url, served = serve(told(503, {}, Retry_After="0"), told(202, {"id": "1"}))
    with Api(url, fixed) as api:
        api.ask("POST", "/x", content=lambda: iter([b"a", b"b"]), headers={"Idempotency-Key": "k"})
    assert [request[3] for request in served.requests] == [b"ab", b"ab"]


def test_a_refusal_is_told_with_every_error(serve: Callable[..., tuple[str, Served]]) -> None:
    problem = {
        "status": 422,
        "title": "Invalid request",
        "code": "invalid-request",
        "detail": "Two things are wrong.",
        "errors": [{"pointer": "/a", "detail": "no"}, {"parameter": "b", "detail": "neither"}],
    }
    url, _ = serve(told(422, problem))
    with Api(url, fixed) as api, pytest.raises(Refused) as refused:
        api.get("/x")
    assert str(refused.value) == "Two things are wrong.\n  /a: no\n  b: neither"
    assert (refused.value.status, refused.value.code) == (422, "invalid-request")


@pytest.mark.parametrize(
    ("body", "words"),
    [(b"<html>", "502 Bad Gateway"), (b"[]", "502 Bad Gateway"), (b'{"title": "Broken"}', "Broken")],
)
def test_a_refusal_in_other_words_is_told_too(
    serve: Callable[..., tuple[str, Served]], body: bytes, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trellis.api.TRIES", 1)
    url, _ = serve((502, {}, body))
    with Api(url, fixed) as api, pytest.raises(Refused, match=words):
        api.get("/x")


def test_silence_is_told_with_what_to_do() -> None:
    with Api("http://127.0.0.1:9", fixed) as api, pytest.raises(Unreachable, match="trellis status"):
        api.get("/x")
    with Api("http://127.0.0.1:9", tokens.demo_person("trustee")) as api, pytest.raises(Unreachable):
        api.token()


def test_a_token_is_asked_for_once_and_renewed_before_it_runs_out(
    serve: Callable[..., tuple[str, Served]],
) -> None:
    long, short = {"access_token": "t", "expires_in": 600}, {"access_token": "t", "expires_in": 30}
    url, served = serve(told(200, long))
    with Api(url, tokens.demo_person("headteacher", trust="16846", academies=[139148])) as api:
        assert [api.token(), api.token()] == ["t", "t"]
    assert len(served.requests) == 1
    assert served.requests[0][:2] == ("POST", "/identity/v1/demo-token")
    assert json.loads(served.requests[0][3]) == {"role": "headteacher", "trust": "16846", "academies": [139148]}
    url, served = serve(told(200, short))
    with Api(url, tokens.demo_person("trustee")) as api:
        api.token()
        api.token()
    assert len(served.requests) == 2


def test_a_client_gives_its_secret_by_http_basic(serve: Callable[..., tuple[str, Served]]) -> None:
    url, served = serve(told(200, {"access_token": "t", "expires_in": 600}))
    with Api(url, tokens.client("me", "secret")) as api:
        assert api.token() == "t"
    _, path, headers, body = served.requests[0]
    assert (path, body) == ("/identity/v1/token", b"grant_type=client_credentials")
    assert headers["Authorization"].startswith("Basic ")


def test_a_wrong_secret_is_told_in_the_words_of_the_token_endpoint(
    serve: Callable[..., tuple[str, Served]],
) -> None:
    url, _ = serve(told(401, {"error": "invalid_client", "error_description": "Wrong secret."}))
    with Api(url, tokens.client("me", "wrong")) as api, pytest.raises(Refused, match=r"Wrong secret\."):
        api.token()


def self_signed(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for a name that isn't this machine's, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


def test_the_gateways_own_certificate_counts_at_any_address_and_no_other(
    serve: Callable[..., tuple[str, Served]], tmp_path: Path
) -> None:
    ours, other = self_signed(tmp_path, "trellis.example"), self_signed(tmp_path, "other.example")
    url, _ = serve(told(200, {"ok": True}), tls=ours)
    with Api(url, fixed, certificate=ours[0]) as api:
        assert api.get("/x") == {"ok": True}
    with Api(url, fixed, certificate=other[0]) as api, pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
        api.get("/x")
    with Api(url, fixed) as api, pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
        api.get("/x")
