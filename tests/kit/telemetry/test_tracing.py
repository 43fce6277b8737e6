"""Traces: off unless somebody wants them, part of the caller's, and without what was asked for."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from kit.telemetry.spans import Spans
from kit.telemetry.tracing import exporter_configured, start_tracing
from kit.web.app import Service
from tests.kit.sample import sample_client, sample_service


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No exporter, whatever this machine says."""
    for name in ("ENDPOINT", "TRACES_ENDPOINT"):
        monkeypatch.delenv(f"OTEL_EXPORTER_OTLP_{name}", raising=False)
    for name in ("OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER"):
        monkeypatch.delenv(name, raising=False)


def test_traces_are_off_without_an_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    assert start_tracing("academy") is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    assert exporter_configured()
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    assert not exporter_configured()
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert not exporter_configured()


def test_traces_are_on_with_an_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1/v1/traces")
    tracing = start_tracing("academy")
    assert isinstance(tracing, Spans)
    tracing.shutdown()


def test_whoever_traces_nothing_loads_nothing() -> None:
    code = "import sys, kit.web.app; sys.exit('opentelemetry.sdk.trace' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Traced:
    """A service whose spans are kept."""

    def __init__(self, app: Service, exporter: InMemorySpanExporter, spans: Spans) -> None:
        self.app = app
        self._exporter = exporter
        self._spans = spans

    def spans(self) -> list[ReadableSpan]:
        """The spans so far."""
        self._spans._provider.force_flush()
        return list(self._exporter.get_finished_spans())


@pytest.fixture
def traced() -> Iterator[Traced]:
    """A service that is traced."""
    app, exporter = sample_service(), InMemorySpanExporter()
    spans = Spans("sample", exporter)
    assert app.edge is not None
    app.edge.tracing = spans
    yield Traced(app, exporter, spans)
    spans.shutdown()


async def test_request_is_one_span_of_the_callers_trace(traced: Traced) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with sample_client(traced.app) as client:
        await client.get("/sample/v1/things/3?secret=1", headers={"traceparent": parent})
        await client.get("/sample/v1/things/3")
        await client.get("/sample/v1/nope")
    first, second, third = traced.spans()
    assert first.context is not None
    assert second.context is not None
    assert f"{first.context.trace_id:x}" == "af7651916cd43dd8448eb211c80319c"
    assert second.context.trace_id != first.context.trace_id
    assert first.name == "GET /sample/v1/things/{number}"
    assert dict(first.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/sample/v1/things/{number}",
        "http.response.status_code": 422,
    }
    assert third.name == "GET (none)"
    assert first.resource.attributes["service.name"] == "trellis-sample"


async def test_only_faults_of_ours_are_errors(traced: Traced) -> None:
    async with sample_client(traced.app, checked=False) as client:
        await client.get("/sample/v1/things/999")
        await client.get("/sample/v1/fail", params={"how": "gone"})
    refused, failed = traced.spans()
    assert refused.status.status_code == StatusCode.UNSET
    assert failed.status.status_code == StatusCode.ERROR


async def test_fault_is_told_without_its_message(traced: Traced) -> None:
    async with sample_client(traced.app, checked=False) as client:
        await client.get("/sample/v1/fail", params={"how": "fault"})
    (span,) = traced.spans()
    assert "Somebody" not in span.to_json()
    assert span.status.status_code == StatusCode.ERROR
