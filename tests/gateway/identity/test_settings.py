"""What identity is told about identity providers and gateways."""

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.identity.settings import IdentitySettings, OidcIssuer
from gateway.identity.tokens.request_tools import address_of
from kit.ids import tenant_id

ISSUER = {"issuer": "https://id.example.org", "audiences": ["app"], "jwks_url": "https://id.example.org/keys"}


def settings(**more: Any) -> IdentitySettings:
    values: dict[str, Any] = {
        "service": "identity",
        "env": "test",
        "database_url": "postgresql:///x",
        "secret_key": "s" * 32,
    }
    return IdentitySettings(**values, **more)


@pytest.mark.parametrize(
    "wrong",
    [
        {"jwks_url": "http://id.example.org/keys"},
        {"jwks_url": "file:///etc/passwd"},
        {"jwks_url": "http://169.254.169.254/keys"},
        {"algorithms": ["HS256"]},
        {"algorithms": ["none"]},
        {"algorithms": []},
        {"audiences": []},
        {"secret": "x"},
    ],
)
def test_an_issuer_is_asked_over_https_and_signs_with_a_key_pair(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OidcIssuer.model_validate(ISSUER | wrong)


def test_an_issuer_speaks_for_the_trusts_that_it_is_listed_for() -> None:
    assert OidcIssuer.model_validate(ISSUER).tenants() is None
    some = OidcIssuer.model_validate(ISSUER | {"trusts": ["16846"]})
    assert some.tenants() == frozenset({tenant_id("gias-group:16846")})


def test_an_issuer_is_listed_once() -> None:
    with pytest.raises(ValidationError, match="twice"):
        settings(oidc_issuers=[ISSUER, ISSUER])


def test_issuers_come_from_the_environment_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_IDENTITY_DATABASE_URL", "postgresql:///x")
    monkeypatch.setenv("TRELLIS_SECRET_KEY", "s" * 32)
    monkeypatch.setenv("TRELLIS_OIDC_ISSUERS", '[{"issuer": "i", "audiences": ["a"], "jwks_url": "https://k"}]')
    assert IdentitySettings.for_service("identity").oidc_issuers[0].algorithms == ["RS256"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        (None, ["198.51.100.1"], "198.51.100.1"),
        (None, ["10.9.9.9, 198.51.100.1"], "198.51.100.1"),
        (None, ["10.9.9.9", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.5", ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
        (None, [], "unknown"),
    ],
)
def test_only_what_our_gateway_wrote_last_is_believed(peer: str | None, forwarded: list[str], address: str) -> None:
    told = settings(trusted_proxies=["10.0.0.0/24"])
    assert address_of(peer, forwarded, told) == address


def test_the_secret_of_a_service_must_be_too_long_to_be_guessed() -> None:
    with pytest.raises(ValueError, match="at least 43 random characters"):
        settings(service_clients={"academy": "trellis_0123456789ab_short"})
