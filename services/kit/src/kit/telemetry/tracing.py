"""Traces by OpenTelemetry: off unless an exporter is configured by the standard variables.

Spans carry the route template, method and status; no paths with ids, no query strings, no values.
"""

import importlib
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol


class RequestSpan(Protocol):
    """The span of one request."""

    def answered(self, status: int) -> None:
        """Note the answer."""
        ...


class Tracing(Protocol):
    """The spans of one service."""

    def request(self, method: str, route: str, headers: Mapping[str, str]) -> AbstractContextManager[RequestSpan]:
        """The span of one request, part of the caller's trace when there is one."""
        ...

    def shutdown(self) -> None:
        """Send what is left."""
        ...


def trace_headers() -> dict[str, str]:
    """The headers that make a request to another service part of the present trace; none where nothing is traced."""
    spans = sys.modules.get("kit.telemetry.spans")
    headers: dict[str, str] = {} if spans is None else spans.outgoing()
    return headers


def exporter_configured() -> bool:
    """Do the standard variables name a place to send traces to?"""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if os.environ.get("OTEL_TRACES_EXPORTER", "otlp").lower() == "none":
        return False
    return bool(os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))


def start_tracing(service: str) -> Tracing | None:
    """Traces of this service, sent to the configured exporter; None when there is none."""
    if not exporter_configured():
        return None
    # Loading OpenTelemetry takes longer than loading the rest of the kit: only when it is wanted.
    tracing: Tracing = importlib.import_module("kit.telemetry.spans").Spans(service)
    return tracing
