"""What a service is told by its environment."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from kit import clock
from kit.key_ring import CURSORS, KeyRing, purposes_of
from kit.settings import ServiceSettings

SECRET = "s" * 32
URL = "postgresql://academy_app:pw@/trellis?host=/run"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment with what must be there."""
    monkeypatch.setenv("TRELLIS_ACADEMY_DATABASE_URL", URL)
    monkeypatch.setenv("TRELLIS_SECRET_KEY", SECRET)


def test_least_that_a_service_needs() -> None:
    settings = ServiceSettings.for_service("academy")
    assert settings.database_url == URL
    assert settings.env == "production"
    assert settings.issuer == settings.public_url == "http://127.0.0.1:8080"
    assert settings.jwks_url == "http://127.0.0.1:8080/.well-known/jwks.json"
    assert settings.audience == "trellis"


def test_everything_hangs_on_the_public_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_PUBLIC_URL", "https://api.example.org/")
    settings = ServiceSettings.for_service("academy")
    assert settings.public_url == settings.issuer == "https://api.example.org"
    assert settings.jwks_url == "https://api.example.org/.well-known/jwks.json"
    monkeypatch.setenv("TRELLIS_ISSUER", "https://login.example.org")
    monkeypatch.setenv("TRELLIS_JWKS_URL", "http://identity/keys")
    monkeypatch.setenv("TRELLIS_JWKS_SOCKET", "/run/identity.sock")
    settings = ServiceSettings.for_service("academy")
    assert settings.issuer == "https://login.example.org"
    assert settings.jwks_url == "http://identity/keys"
    assert settings.jwks_socket == Path("/run/identity.sock")


def test_administrators_connection_is_never_a_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row-level security doesn't apply to it."""
    monkeypatch.setenv("TRELLIS_DATABASE_URL", "postgresql://postgres@/trellis")
    assert ServiceSettings.for_service("academy").database_url == URL
    monkeypatch.delenv("TRELLIS_ACADEMY_DATABASE_URL")
    with pytest.raises(ValidationError, match="database_url"):
        ServiceSettings.for_service("academy")
    monkeypatch.setenv("TRELLIS_ACADEMY_DATABASE_URL", URL)
    monkeypatch.setenv("TRELLIS_LOADER_DATABASE_URL", "postgresql://postgres@/trellis")
    assert ServiceSettings.for_service("academy").loader_database_url is None


def test_services_have_connections_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_ACADEMY_LOADER_DATABASE_URL", "postgresql://academy_loader@/trellis")
    monkeypatch.setenv("TRELLIS_RESEARCH_DATABASE_URL", "postgresql://research_app@/trellis")
    assert ServiceSettings.for_service("academy").loader_database_url == "postgresql://academy_loader@/trellis"
    research = ServiceSettings.for_service("research")
    assert research.database_url == "postgresql://research_app@/trellis"
    assert research.loader_database_url is None


@pytest.mark.parametrize("secret", ["", "short", "s" * 31])
def test_weak_secret_is_refused(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("TRELLIS_SECRET_KEY", secret)
    with pytest.raises(ValidationError):
        ServiceSettings.for_service("academy")


def test_one_secret_is_a_ring_of_one() -> None:
    assert ServiceSettings.for_service("academy").key_ring == KeyRing.of([SECRET])


@pytest.mark.parametrize("ring", ["{new},{old}", " {new} , {old} ", '["{new}", "{old}"]'])
def test_a_ring_is_a_list_newest_first(monkeypatch: pytest.MonkeyPatch, ring: str) -> None:
    monkeypatch.delenv("TRELLIS_SECRET_KEY")
    new = "n" * 40
    monkeypatch.setenv("TRELLIS_SECRET_KEYS", ring.replace("{new}", new).replace("{old}", SECRET))
    found = ServiceSettings.for_service("academy")
    assert found.key_ring == KeyRing.of([new, SECRET])
    assert new not in repr(found)


@pytest.mark.parametrize("ring", ["short", "n" * 40 + ",short", "n" * 40 + "," + "n" * 40, "n" * 40, "[not json"])
def test_a_ring_that_is_weak_or_lacks_the_single_secret_is_refused(monkeypatch: pytest.MonkeyPatch, ring: str) -> None:
    monkeypatch.setenv("TRELLIS_SECRET_KEYS", ring)
    with pytest.raises(ValidationError, match=r"(?i)secret") as refused:
        ServiceSettings.for_service("academy")
    assert "n" * 40 not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("TRELLIS_ENV", "staging"), ("TRELLIS_LOG_LEVEL", "loud"), ("TRELLIS_MAX_BODY_BYTES", "many")],
)
def test_nonsense_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name.removeprefix("TRELLIS_").lower()):
        ServiceSettings.for_service("academy")


def test_empty_means_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_LOG_LEVEL", "")
    monkeypatch.setenv("TRELLIS_ISSUER", "")
    assert ServiceSettings.for_service("academy").log_level == "INFO"


def test_lists_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_CORS_ORIGINS", '["https://portal.example.org"]')
    assert ServiceSettings.for_service("academy").cors_origins == ["https://portal.example.org"]


def test_secrets_are_not_shown() -> None:
    shown = repr(ServiceSettings.for_service("academy"))
    assert SECRET not in shown
    assert "pw" not in shown


def test_settings_do_not_change() -> None:
    settings = ServiceSettings.for_service("academy")
    with pytest.raises(ValidationError, match="frozen"):
        settings.env = "demo"  # type: ignore[misc]


def test_contract_needs_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRELLIS_SECRET_KEY")
    monkeypatch.delenv("TRELLIS_ACADEMY_DATABASE_URL")
    assert ServiceSettings.for_contract("academy").env == "test"


def test_the_clock_moves_in_the_environment_of_tests_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_CLOCK_OFFSET_SECONDS", "86400")
    for env in ("demo", "production"):
        monkeypatch.setenv("TRELLIS_ENV", env)
        with pytest.raises(ValidationError, match="moves the clock only where TRELLIS_ENV=test"):
            ServiceSettings.for_service("academy")
        assert clock.offset() == timedelta(0)
    monkeypatch.setenv("TRELLIS_ENV", "test")
    try:
        assert ServiceSettings.for_service("academy").clock_offset_seconds == 86400
        assert clock.offset() == timedelta(days=1)
    finally:
        clock.move(timedelta(0))


def test_a_service_works_with_derived_keys_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRELLIS_SECRET_KEY")
    ring = KeyRing.of([SECRET])
    monkeypatch.setenv("TRELLIS_DERIVED_KEYS", ring.shares(purposes_of("academy")))
    found = ServiceSettings.for_service("academy")
    assert [found.key_ring.derive(one) for one in purposes_of("academy")] == [
        ring.derive(one) for one in purposes_of("academy")
    ]
    assert ring.derive(CURSORS)[0].key.hex() not in repr(found)


@pytest.mark.parametrize(
    "text", ["[]", "{}", "[1]", '[{"id": "00", "keys": {}}]', "no json", KeyRing.of(["o" * 32]).shares([CURSORS])]
)
def test_derived_keys_that_are_none_of_the_service_are_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.delenv("TRELLIS_SECRET_KEY")
    monkeypatch.setenv("TRELLIS_DERIVED_KEYS", text)
    with pytest.raises(ValidationError):
        ServiceSettings.for_service("academy")


def test_derived_keys_stand_in_place_of_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_DERIVED_KEYS", KeyRing.of([SECRET]).shares(purposes_of("academy")))
    with pytest.raises(ValidationError, match="in place of"):
        ServiceSettings.for_service("academy")
