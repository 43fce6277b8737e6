"""The spans of a traced service. Loaded only when traces are exported (`kit.telemetry.tracing`)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode


def outgoing() -> dict[str, str]:
    """The headers of the present span; none outside of one."""
    headers: dict[str, str] = {}
    inject(headers)
    return headers


class _RequestSpan:
    """The span of one request."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def answered(self, status: int) -> None:
        """Note the answer; only our own faults are errors."""
        self._span.set_attribute("http.response.status_code", status)
        if status >= 500:
            self._span.set_status(Status(StatusCode.ERROR))


class Spans:
    """Spans of requests and of the statements within them."""

    def __init__(self, service: str, exporter: SpanExporter | None = None) -> None:
        resource = Resource.create({"service.name": f"trellis-{service}", "service.namespace": "trellis"})
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("kit")
        self._database = AsyncPGInstrumentor()  # type: ignore[no-untyped-call]
        self._database.instrument(tracer_provider=self._provider)

    @contextmanager
    def request(self, method: str, route: str, headers: Mapping[str, str]) -> Iterator[_RequestSpan]:
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
            yield _RequestSpan(span)

    def shutdown(self) -> None:
        """Send what is left."""
        self._database.uninstrument()
        self._provider.shutdown()
