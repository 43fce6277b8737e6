"""The configuration: does Envoy take it, and does it say what the table says?"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.envoy import EnvoySettings, InvalidConfiguration, binary, command, render, validate, write
from gateway.envoy.problems import REPLIES, local_replies
from gateway.envoy.routes import ROUTES, SERVICES, Access, Limit
from kit.problems import COME_BACK, ProblemOut

VARIANTS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "tcp": {"upstreams": dict.fromkeys(SERVICES, "service.internal:8000"), "listen_address": "0.0.0.0"},  # noqa: S104
    "addresses": {"upstreams": {"identity": "127.0.0.1:9000", "academy": "[::1]:9001"}, "listen_address": "::1"},
    "behind a proxy": {"trusted_proxy_hops": 2, "cors_origins": ["*"], "log_client_address": True},
    "small": {"limit_requests_per_minute": 1, "max_body_bytes": 1024, "limit_import_sent_bytes": 1024},
    "large": {"limit_requests_per_minute": 10_000_000, "limit_import_sent_bytes": 2**40, "limit_callers": 1_000_000},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_envoy_takes_the_configuration(variant: str, tmp_path: Path) -> None:
    validate(render(EnvoySettings(state_dir=tmp_path, access_log=tmp_path / "access.log", **VARIANTS[variant])))


def test_envoys_refusal_is_told() -> None:
    configuration = render(EnvoySettings())
    configuration["static_resources"]["clusters"] = []
    with pytest.raises(InvalidConfiguration, match="cluster"):
        validate(configuration)


def test_program_says_whether_envoy_takes_it(tmp_path: Path) -> None:
    environment = {**os.environ, "TRELLIS_STATE_DIR": str(tmp_path)}
    program = [sys.executable, "-m", "gateway.envoy"]
    ended = subprocess.run([*program, "--validate"], env=environment, capture_output=True, text=True, check=True)
    assert "takes" in ended.stdout
    printed = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(printed.stdout)["static_resources"]


def test_command_runs_the_envoy_of_the_wheel(tmp_path: Path) -> None:
    settings = EnvoySettings(state_dir=tmp_path)
    path = write(render(settings), tmp_path / "run" / "envoy.json")
    assert json.loads(path.read_text()) == render(settings)
    assert path.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in path.parent.iterdir()] == ["envoy.json"]
    assert command(path, settings)[0] == str(binary())
    assert os.access(binary(), os.X_OK)


def test_configuration_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_SECRET_KEY", "hush-hush-hush-hush-hush-hush-hush")
    assert "hush" not in json.dumps(render(EnvoySettings()))


def test_every_route_that_is_not_listed_as_public_needs_a_token() -> None:
    public = {row.path for row in ROUTES if row.access is Access.PUBLIC}
    assert public == {
        "/",
        "/healthz",
        "/readyz",
        "/portal/",
        "/openapi/",
        "/guides/",
        "/.well-known/jwks.json",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/",
        "/identity/v1/token",
        "/identity/v1/demo-token",
        *(f"/{service}/v1/shared/" for service in SERVICES),
    }
    for row in ROUTES:
        if row.access is Access.TOKEN:
            assert row.limit is Limit.PER_TOKEN, row.name


def test_every_service_has_a_feed_and_a_cluster() -> None:
    clusters = {cluster["name"] for cluster in render(EnvoySettings())["static_resources"]["clusters"]}
    assert clusters == set(SERVICES)
    assert {row.path for row in ROUTES if row.is_streamed} == {f"/{service}/v1/events" for service in SERVICES}


def test_every_problem_of_the_gateway_has_a_code_of_its_own_status() -> None:
    codes = {(reply.problem.status, reply.problem.code) for reply in REPLIES}
    assert len({status for status, _ in codes}) == len(codes)
    assert {status for status, _ in codes} >= {400, 401, 403, 404, 408, 413, 414, 429, 431, 502, 503, 504}
    assert {"type", "title", "status", "detail", "instance", "code", "trace_id", "errors"} == set(
        ProblemOut.model_fields
    )


def test_every_answer_of_the_gateway_that_passes_says_when_to_come_back() -> None:
    passing = [one for one in local_replies()["mappers"] if one["status_code"] in COME_BACK - {429}]
    assert {one["status_code"] for one in passing} == {502, 503, 504}
    for one in passing:
        (later,) = [added["header"] for added in one["headers_to_add"] if added["header"]["key"] == "retry-after"]
        assert int(later["value"]) > 0, one


@pytest.mark.parametrize(
    "told",
    [
        {"tls_certificate": Path("chain.pem")},
        {"tls_key": Path("key.pem")},
        {"cors_origins": ["https://board.example.org/"]},
        {"cors_origins": ["board.example.org"]},
        {"cors_origins": ["https://*.example.org/x"]},
        {"listen_port": 70_000},
    ],
)
def test_settings_that_make_no_sense_are_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EnvoySettings(**told)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_CORS_ORIGINS", '["https://board.example.org"]')
    monkeypatch.setenv("TRELLIS_UPSTREAMS", '{"academy": "academy:8000"}')
    monkeypatch.setenv("TRELLIS_PUBLIC_URL", "https://trellis.example.org/")
    settings = EnvoySettings()
    assert settings.cors_origins == ["https://board.example.org"]
    assert settings.upstream("academy") == "academy:8000"
    assert settings.upstream("research").endswith("/run/research.sock")
    assert settings.token_issuer == "https://trellis.example.org"
