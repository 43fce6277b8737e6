"""Settings are judged before anything is stopped: each flaw in a sentence, with an example that would do."""

import os
import re
from pathlib import Path

import pytest

from tests.support.stack import free_port
from trellis import judging, launching
from trellis.installation import find
from trellis.settings import example_of, variable_name

GUIDE = Path(__file__).resolve().parents[2] / "docs/guides/operating.md"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of ours from outside; a state folder of this test's own."""
    for name in list(os.environ):
        if name.startswith("TRELLIS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TRELLIS_STATE_DIR", str(tmp_path / "state"))


def environment_of_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the programs get, in place of this process's own."""
    for name, value in find().environment_to_judge().items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CORS_ORIGINS", "http://a.b", "this is no JSON list. For example: TRELLIS_CORS_ORIGINS='[\"https://"),
        ("CORS_ORIGINS", '["http://a.b/x"]', "is not an origin: say https://board.example.org"),
        ("CORS_ORIGINS", '{"a": 1}', "valid list"),
        ("UPSTREAMS", "academy=8081", "this is no JSON object"),
        ("OIDC_ISSUERS", "[{}]", "0.issuer: field required."),
        ("DATABASE_POOL_SIZE", "many", "For example: TRELLIS_DATABASE_POOL_SIZE=8"),
        ("LIMIT_CALLERS", "3", "greater than or equal to 100. For example: TRELLIS_LIMIT_CALLERS=20000"),
        ("LIMIT_IMPORT_RATIO", "0", "For example: TRELLIS_LIMIT_IMPORT_RATIO=100"),
        ("LOG_LEVEL", "loud", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("LISTEN_ADDRESS", "localhost", "'localhost' is no IP address. For example: TRELLIS_LISTEN_ADDRESS=127.0.0.1"),
        ("PUBLIC_URL", "trellis.example.org", "no URL that begins with http:// or https://"),
        ("ACADEMY_DATABASE_URL", "db.example.org", "no URL that begins with postgresql://"),
        ("OBJECT_STORE_URL", "/srv/files", "no URL that begins with file:// or s3://"),
        ("SECRET_KEY", "short", "at least 32 characters"),
        ("TLS_KEY", "/etc/key.pem", "TRELLIS_TLS_CERTIFICATE and TRELLIS_TLS_KEY go together"),
        ("LISEN_PORT", "8081", "there is no such setting. Did you mean TRELLIS_LISTEN_PORT?"),
    ],
)
def test_mistyped_setting_is_named_with_an_example(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(f"TRELLIS_{name}", value)
    environment_of_programs(monkeypatch)
    assert words in "\n".join(judging.flaws())


def test_certificate_that_is_not_there_is_a_flaw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_TLS_CERTIFICATE", "/nowhere/chain.pem")
    monkeypatch.setenv("TRELLIS_TLS_KEY", "/nowhere/key.pem")
    environment_of_programs(monkeypatch)
    (flaw,) = judging.flaws()
    assert "No such file" in flaw


def test_every_flaw_is_named_at_once_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_CORS_ORIGINS", "http://a.b")
    monkeypatch.setenv("TRELLIS_LIMIT_CALLERS", "3")
    monkeypatch.setenv("TRELLIS_SERVICE_CLIENTS", '{"academy": "hush-hush"')
    environment_of_programs(monkeypatch)
    found = "\n".join(judging.flaws())
    assert all(name in found for name in ("CORS_ORIGINS", "LIMIT_CALLERS", "SERVICE_CLIENTS"))
    assert "hush" not in found


def test_settings_that_suit_a_laptop_are_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_SOMETHING_OF_ANOTHER_PROGRAM", "1")
    environment_of_programs(monkeypatch)
    assert judging.flaws() == []


def test_up_stops_nothing_for_a_setting_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_CORS_ORIGINS", "http://a.b")
    said: list[str] = []
    with pytest.raises(launching.SettingsRefused, match="TRELLIS_CORS_ORIGINS: this is no JSON list"):
        launching.up(find(), said.append)
    assert said == []
    assert not list(find().state.run.glob("*.pid"))


def test_every_setting_has_an_example() -> None:
    said = {"TRELLIS_SERVICE", "TRELLIS_ENV"}
    for kind in judging.KINDS:
        for name, field in kind.model_fields.items():
            variable = variable_name(kind, name)
            assert variable in said or example_of(variable, field), variable


def test_examples_of_lists_and_objects_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("CORS_ORIGINS", "UPSTREAMS", "OUTBOUND_ALLOW", "OIDC_ISSUERS", "TRUSTED_PROXIES", "SERVICE_CLIENTS")
    for name in names:
        monkeypatch.setenv(f"TRELLIS_{name}", example_of(f"TRELLIS_{name}", None))
    environment_of_programs(monkeypatch)
    assert judging.flaws() == []


def test_the_guide_lists_settings_that_exist() -> None:
    named = set(re.findall(r"^\| `(TRELLIS_[A-Z_]+)`", GUIDE.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(named) > 20
    assert named <= judging.known_variables()


def test_what_was_started_in_production_is_no_demo_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_ENV", "production")
    monkeypatch.setenv("TRELLIS_LISTEN_PORT", str(free_port()))
    monkeypatch.setenv("TRELLIS_DATABASE_URL", f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    production = find()
    with pytest.raises(launching.LaunchFailed, match="migrate"):
        launching.up(production, print)
    launching.judge(production)
    for env in ("demo", "test"):
        monkeypatch.setenv("TRELLIS_ENV", env)
        with pytest.raises(launching.SettingsRefused, match="has run in production"):
            launching.up(find(), print)
