"""What every request passes on its way in, and every answer on its way out, in order."""

from typing import Any, Final

from gateway.envoy.admission import JWT, RATE_LIMIT, jwt_filter, rate_limit_filter
from gateway.envoy.headers import (
    CORS,
    HEADERS,
    header_filter,
    limit_filter,
    link_header,
    own_answers_filters,
    request_id_filter,
)
from gateway.envoy.notation import FILTERS, disabled, typed
from gateway.envoy.routes import NO_BODY_BYTES, READY_PATH, SERVICES, Access, Body, Limit, Route
from gateway.envoy.settings import EnvoySettings

Filter = dict[str, Any]

BUFFER: Final = "envoy.filters.http.buffer"
BODY_LIMIT: Final = "envoy.filters.http.body_size_limit"

COMPRESSED_TYPES: Final = (
    "application/atom+xml",
    "application/json",
    "application/problem+json",
    "application/x-ndjson",
    "application/javascript",
    "image/svg+xml",
    "text/css",
    "text/csv",
    "text/html",
    "text/javascript",
    "text/plain",
)
COMPRESSED_FROM_BYTES: Final = 860


def _compressor(name: str, library: str, **options: Any) -> Filter:
    """Compression of answers. Our tags name versions, not bytes, so they stay, marked as weak."""
    return {
        "name": f"envoy.filters.http.compressor.{name}",
        "typed_config": typed(
            f"{FILTERS}.compressor.v3.Compressor",
            compressor_library={"name": name, "typed_config": typed(library, **options)},
            choose_first=name == "brotli",
            response_direction_config={
                "common_config": {
                    "min_content_length": COMPRESSED_FROM_BYTES,
                    "content_type_matcher": [{"prefix": kind} for kind in COMPRESSED_TYPES],
                },
                "weaken_etag_on_compress": True,
            },
        ),
    }


def _readiness() -> Filter:
    """`/readyz`: 200 when Envoy has an instance of each service that is well, else 503.

    A service that is ready says nothing about whether Envoy knows it yet: it looks every half second.
    """
    return {
        "name": "envoy.filters.http.health_check",
        "typed_config": typed(
            f"{FILTERS}.health_check.v3.HealthCheck",
            pass_through_mode=False,
            headers=[
                {"name": ":path", "string_match": {"exact": READY_PATH}},
                {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}},
            ],
            cluster_min_healthy_percentages={service: {"value": 1} for service in SERVICES},
        ),
    }


def http_filters(settings: EnvoySettings) -> list[Filter]:
    """The whole chain; answers pass it in reverse."""
    return [
        header_filter(settings),
        request_id_filter(),
        limit_filter(),
        *own_answers_filters(settings),
        {"name": CORS, "typed_config": typed(f"{FILTERS}.cors.v3.Cors")},
        _compressor(
            "gzip", "envoy.extensions.compression.gzip.compressor.v3.Gzip", compression_level="COMPRESSION_LEVEL_1"
        ),
        _compressor("brotli", "envoy.extensions.compression.brotli.compressor.v3.Brotli", quality=3),
        _readiness(),
        jwt_filter(settings),
        rate_limit_filter(settings),
        # A body that is passed on as it comes is counted on the way; it has no setting per route, so this is the most
        # that any route takes.
        {
            "name": BODY_LIMIT,
            "typed_config": typed(
                f"{FILTERS}.body_size_limit.v3.BodySizeLimit",
                max_request_bytes=max(settings.limit_import_sent_bytes, settings.max_body_bytes),
            ),
        },
        # All others are complete before a service hears of them: slow senders cost it nothing. What is held for them
        # meanwhile has its limit on each route.
        {
            "name": BUFFER,
            "typed_config": typed(f"{FILTERS}.buffer.v3.Buffer", max_request_bytes=NO_BODY_BYTES),
        },
        {
            "name": "envoy.filters.http.router",
            "typed_config": typed(f"{FILTERS}.router.v3.Router", suppress_envoy_headers=True),
        },
    ]


def of_route(route: Route, settings: EnvoySettings) -> dict[str, Any]:
    """What differs for one route."""
    differing: dict[str, Any] = {}
    if route.access is Access.PUBLIC:
        differing[JWT] = typed(f"{FILTERS}.jwt_authn.v3.PerRouteConfig", disabled=True)
    if route.limit is Limit.NONE:
        differing[RATE_LIMIT] = disabled()
    if route.body in {Body.IMPORT, Body.FILE}:
        differing[BUFFER] = disabled()
    else:
        most = {"max_request_bytes": route.max_body_bytes(settings)}
        differing[BUFFER] = typed(f"{FILTERS}.buffer.v3.BufferPerRoute", buffer=most)
    if route.limit is Limit.SHARED:
        differing[HEADERS] = link_header()
    return differing
