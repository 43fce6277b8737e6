"""What the environment says, what is made of it, and what each program is told."""

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError

from kit.key_ring import KeyRing, answers_of
from kit.schema.roles import MIGRATOR
from trellis import settings
from trellis.credentials import LOGINS, Credentials
from trellis.installation import Installation
from trellis.settings import LocalSettings
from trellis.stack import only_for, programs_of

ADMIN = "postgresql://postgres:pw@/trellis?host=/srv/run"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of ours from outside; a state folder of this test's own."""
    for name in list(os.environ):
        if name.startswith("TRELLIS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TRELLIS_STATE_DIR", str(tmp_path / "state"))


def credentials(tmp_path: Path) -> Credentials:
    return Credentials.kept_in(tmp_path / "credentials.json")


@pytest.mark.parametrize(
    ("told", "public", "local"),
    [
        ({}, "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ({"LISTEN_PORT": "9000"}, "http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ({"LISTEN_ADDRESS": "0.0.0.0"}, "http://127.0.0.1:8080", "http://127.0.0.1:8080"),  # noqa: S104
        ({"LISTEN_ADDRESS": "::"}, "http://[::1]:8080", "http://[::1]:8080"),
        ({"PUBLIC_URL": "https://trellis.example.org/"}, "https://trellis.example.org", "http://127.0.0.1:8080"),
        ({"TLS_CERTIFICATE": "/etc/cert.pem"}, "https://127.0.0.1:8080", "https://127.0.0.1:8080"),
    ],
)
def test_addresses(monkeypatch: pytest.MonkeyPatch, told: dict[str, str], public: str, local: str) -> None:
    for name, value in told.items():
        monkeypatch.setenv(f"TRELLIS_{name}", value)
    found = LocalSettings.load()
    assert (found.public_url, found.gateway_url) == (public, local)


@pytest.mark.parametrize(("name", "value"), [("LISTEN_PORT", "0"), ("ENV", "live"), ("WORKERS", "many")])
def test_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"TRELLIS_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        LocalSettings.load()


def test_the_clock_of_an_installation_moves_in_the_environment_of_tests_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRELLIS_CLOCK_OFFSET_SECONDS", "86400")
    with pytest.raises(ValidationError, match="moves the clock only where TRELLIS_ENV=test"):
        LocalSettings.load()
    monkeypatch.setenv("TRELLIS_ENV", "test")
    told = settings.environment_of(LocalSettings.load(), credentials(tmp_path), ADMIN)
    assert told["TRELLIS_CLOCK_OFFSET_SECONDS"] == "86400"


def test_secrets_are_made_once_and_are_their_owners_alone(tmp_path: Path) -> None:
    made = credentials(tmp_path)
    assert credentials(tmp_path) == made
    assert stat.S_IMODE((tmp_path / "credentials.json").stat().st_mode) == 0o600
    assert len(made.secret_key) >= 32
    assert set(made.passwords) == {*LOGINS, MIGRATOR}
    assert len(set(made.passwords.values())) == len(LOGINS) + 1
    assert made.secret_key not in repr(made)
    assert set(made.service_secrets) == {"academy", "research", "reporting"}
    assert not any(secret in repr(made) for secret in made.service_secrets.values())


def test_a_secret_that_is_missing_is_added_and_the_others_stay(tmp_path: Path) -> None:
    made = credentials(tmp_path)
    path = tmp_path / "credentials.json"
    stored = json.loads(path.read_text())
    del stored["passwords"]["academy_loader"]
    path.write_text(json.dumps(stored))
    again = credentials(tmp_path)
    assert again.secret_key == made.secret_key
    assert again.passwords["academy_app"] == made.passwords["academy_app"]
    assert again.passwords["academy_loader"] not in {"", made.passwords["academy_loader"]}


def test_each_role_gets_a_connection_of_its_own(tmp_path: Path) -> None:
    made = credentials(tmp_path)
    found = settings.environment_of(LocalSettings.load(), made, ADMIN)
    parts = urlsplit(found["TRELLIS_ACADEMY_DATABASE_URL"])
    assert (parts.username, parts.password) == ("academy_app", made.passwords["academy_app"])
    assert (parts.path, parts.query) == ("/trellis", "host=/srv/run")
    assert "academy_loader" in found["TRELLIS_ACADEMY_LOADER_DATABASE_URL"]
    assert "reporting_follower" in found["TRELLIS_REPORTING_FOLLOWER_DATABASE_URL"]


def test_several_servers_and_their_options_are_kept() -> None:
    admin = "postgresql://boss:x@one:5432,two:5433/trust?target_session_attrs=read-write&user=boss&password=x"
    found = settings.url_of(admin, "academy_app", "p/w")
    assert found == "postgresql://academy_app:p%2Fw@one:5432,two:5433/trust?target_session_attrs=read-write"


def test_what_the_operator_says_wins_over_what_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_ACADEMY_DATABASE_URL", "postgresql://mine@elsewhere/trust")
    monkeypatch.setenv("TRELLIS_SECRET_KEY", "k" * 40)
    found = settings.environment_of(LocalSettings.load(), credentials(tmp_path), ADMIN)
    assert found["TRELLIS_ACADEMY_DATABASE_URL"] == "postgresql://mine@elsewhere/trust"
    assert found["TRELLIS_SECRET_KEY"] == "k" * 40


def test_a_ring_of_secret_keys_stands_alone_and_identity_alone_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRELLIS_SECRET_KEYS", "n" * 40 + "," + "o" * 40)
    found = settings.environment_of(LocalSettings.load(), credentials(tmp_path), ADMIN)
    assert "TRELLIS_SECRET_KEY" not in found
    assert only_for("identity", found)["TRELLIS_SECRET_KEYS"] == "n" * 40 + "," + "o" * 40
    ring = KeyRing.of(["n" * 40, "o" * 40])
    for service in ("academy", "research", "reporting"):
        share = KeyRing.of_shares(only_for(service, found)["TRELLIS_DERIVED_KEYS"])
        assert share.derive(answers_of(service)) == ring.derive(answers_of(service))


def test_no_program_gets_the_administrators_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_DATABASE_URL", ADMIN)
    monkeypatch.setenv("TRELLIS_CLIENT_SECRET", "of-the-operator")
    monkeypatch.setenv("PGPASSWORD", "of-somebody")
    found = Installation(LocalSettings.load()).environment()
    assert "TRELLIS_DATABASE_URL" not in found
    assert "TRELLIS_CLIENT_SECRET" not in found
    assert "PGPASSWORD" not in found


def test_each_program_is_told_its_own_secrets_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every variable of every program that holds a secret, by name: a new one is given to who needs it."""
    monkeypatch.setenv("TRELLIS_DATABASE_URL", ADMIN)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-store")
    installation = Installation(LocalSettings.load())
    programs = {one.name: one.environment for one in programs_of(installation)}
    kept = installation.credentials
    secrets = [kept.secret_key, *kept.passwords.values(), *kept.service_secrets.values(), "of-the-store"]

    def holds(environment: Mapping[str, str]) -> set[str]:
        named = {"TRELLIS_DERIVED_KEYS"} & set(environment)
        return named | {name for name, value in environment.items() if any(secret in value for secret in secrets)}

    def own(service: str) -> set[str]:
        names = ("DATABASE_URL", "FOLLOWER_DATABASE_URL", "SERVICE_CLIENT_SECRET")
        return {f"TRELLIS_{service.upper()}_{name}" for name in names} | {
            "TRELLIS_DERIVED_KEYS",
            "AWS_SECRET_ACCESS_KEY",
        }

    assert {name: holds(environment) for name, environment in programs.items()} == {
        "identity": {
            "TRELLIS_IDENTITY_DATABASE_URL",
            "TRELLIS_IDENTITY_FOLLOWER_DATABASE_URL",
            "TRELLIS_SECRET_KEY",
            # It registers the clients of all.
            "TRELLIS_SERVICE_CLIENTS",
        },
        "academy": own("academy"),
        "academy-worker": own("academy") | {"TRELLIS_ACADEMY_LOADER_DATABASE_URL"},
        "research": own("research"),
        "research-worker": own("research"),
        "reporting": own("reporting"),
        "reporting-worker": own("reporting"),
        "envoy": set(),
    }
    assert not {name for name in programs["envoy"] if name.startswith("TRELLIS_")} - {"TRELLIS_STATE_DIR"}


def test_the_digest_changes_with_the_settings_and_not_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digest() -> str:
        return settings.digest(settings.environment_of(LocalSettings.load(), credentials(tmp_path), ADMIN))

    first = digest()
    assert digest() == first
    # What was a default and is said now is the same.
    monkeypatch.setenv("TRELLIS_LISTEN_PORT", "8080")
    assert digest() == first
    monkeypatch.setenv("TRELLIS_LISTEN_PORT", "8081")
    assert digest() != first
    monkeypatch.delenv("TRELLIS_LISTEN_PORT")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    assert digest() != first


def test_who_wants_no_files_beside_the_modules_gets_none_and_no_slow_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRELLIS_DATABASE_URL", ADMIN)
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    found = Installation(LocalSettings.load()).environment()
    assert "PYTHONDONTWRITEBYTECODE" not in found
    assert found["PYTHONPYCACHEPREFIX"] == str(tmp_path / "state" / "bytecode")
