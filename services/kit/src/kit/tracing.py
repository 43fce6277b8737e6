"""Traces by OpenTelemetry: off unless an exporter is configured by the standard variables.

Spans carry the route template, method and status; no paths with ids, no query strings, no values.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode


def exporter_configured() -> bool:
    """Do the standard variables name a place to send traces to?"""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if os.environ.get("OTEL_TRACES_EXPORTER", "otlp").lower() == "none":
        return False
    return bool(os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))


class Tracing:
    """The spans of one service."""

    def __init__(self, service: str, exporter: SpanExporter | None = None) -> None:
        self._provider: TracerProvider | None = None
        if exporter is None and exporter_configured():
            exporter = OTLPSpanExporter()
        if exporter is not None:
            self._provider = TracerProvider(
                resource=Resource.create({"service.name": f"trellis-{service}", "service.namespace": "trellis"})
            )
            self._provider.add_span_processor(BatchSpanProcessor(exporter))
            self._tracer = self._provider.get_tracer("kit")
            self._database: BaseInstrumentor = AsyncPGInstrumentor()  # type: ignore[no-untyped-call]
            self._database.instrument(tracer_provider=self._provider)

    @property
    def on(self) -> bool:
        """Is anything traced?"""
        return self._provider is not None

    @contextmanager
    def request(self, method: str, route: str, headers: Mapping[str, str]) -> Iterator[Span]:
        """The span of one request, part of the caller's trace when there is one."""
        with self._tracer.start_as_current_span(
            f"{method} {route}",
            context=extract(headers),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "http.route": route},
            # The message of an error may repeat what was sent.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield span

    def shutdown(self) -> None:
        """Send what is left."""
        if self._provider is not None:
            self._database.uninstrument()
            self._provider.shutdown()


def answered(span: Span, status: int) -> None:
    """Note the answer on the span of its request."""
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))


def trace_headers() -> dict[str, str]:
    """Headers that carry the present trace to another service."""
    headers: dict[str, str] = {}
    inject(headers)
    return headers


def trace_id() -> str | None:
    """The present trace's id; None when nothing is traced."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None
