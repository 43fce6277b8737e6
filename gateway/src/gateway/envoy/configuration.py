"""Envoy's whole configuration out of the settings and the table of routes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.envoy import filters, headers
from gateway.envoy.access_log import access_logs
from gateway.envoy.admission import JWT, RATE_LIMIT, limit_metadata
from gateway.envoy.clusters import cluster
from gateway.envoy.notation import FILTERS, disabled, header, seconds, typed
from gateway.envoy.problems import local_replies
from gateway.envoy.routes import ROUTES, SERVICES, Match, Route
from gateway.envoy.settings import EnvoySettings

SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
# Which of them a path takes is the service's to say, with 405 and `Allow`. Its parser reads no other words.
# In parts that each fit into one pattern of Envoy's.
KNOWN_METHODS: Final = (
    (*headers.ALLOWED_METHODS, "TRACE", "QUERY"),
    ("ACL", "BIND", "CHECKOUT", "COPY", "LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MOVE"),
    ("PROPFIND", "PROPPATCH", "REBIND", "REPORT", "SEARCH", "UNBIND", "UNLINK", "UNLOCK"),
)

# Headers must come quickly; a body may take as long as the largest import needs on a slow line.
HEADERS_SECONDS: Final = 10
REQUEST_SECONDS: Final = 1800
# Nothing may move for so long: the feed sends a comment every 15 s, and a poll waits at most 30 s.
QUIET_SECONDS: Final = 30
QUIET_STREAM_SECONDS: Final = 120
KEEP_ALIVE_SECONDS: Final = 75
DRAIN_SECONDS: Final = 10


def render(settings: EnvoySettings, routes: Sequence[Route] = ROUTES) -> dict[str, Any]:
    """The configuration, ready to be written as JSON."""
    return {
        "admin": {"address": {"pipe": {"path": str(settings.admin_socket), "mode": 0o600}}},
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": typed(
                        "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                        max_active_downstream_connections=settings.limit_connections,
                    ),
                }
            ]
        },
        "static_resources": {
            "listeners": [_listener(settings, routes)],
            "clusters": [cluster(service, settings) for service in SERVICES],
        },
    }


def _listener(settings: EnvoySettings, routes: Sequence[Route]) -> dict[str, Any]:
    chain: dict[str, Any] = {
        "filters": [
            {
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": _connection_manager(settings, routes),
            }
        ]
    }
    if settings.tls_certificate is not None and settings.tls_key is not None:
        chain["transport_socket"] = _tls(str(settings.tls_certificate.absolute()), str(settings.tls_key.absolute()))
    return {
        "name": "door",
        "address": {"socket_address": {"address": settings.listen_address, "port_value": settings.listen_port}},
        "per_connection_buffer_limit_bytes": 256 * 1024,
        # Clients that vanish without a word are noticed.
        "tcp_keepalive": {"keepalive_time": 60, "keepalive_interval": 15, "keepalive_probes": 4},
        "filter_chains": [chain],
    }


def _tls(certificate: str, key: str) -> dict[str, Any]:
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": typed(
            "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            common_tls_context={
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                "tls_certificates": [
                    {"certificate_chain": {"filename": certificate}, "private_key": {"filename": key}}
                ],
            },
        ),
    }


def _connection_manager(settings: EnvoySettings, routes: Sequence[Route]) -> dict[str, Any]:
    return typed(
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="door",
        codec_type="AUTO",
        server_header_transformation="PASS_THROUGH",
        # The client's address is the connection's, or what our own proxies in front say, never what a client says.
        use_remote_address=True,
        xff_num_trusted_hops=settings.trusted_proxy_hops,
        # Nobody who comes in here is one of us, not even from this machine: x-envoy-... headers aren't obeyed.
        internal_address_config={
            "unix_sockets": False,
            "cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": 32}],
        },
        early_header_mutation_extensions=[headers.early_header_mutation(settings)],
        generate_request_id=True,
        preserve_external_request_id=True,
        always_set_request_id_in_response=True,
        request_id_extension={
            "typed_config": typed(
                "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig",
                # Ids stay to the letter; there is no sampling to be written into them.
                pack_trace_reason=False,
            )
        },
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action="REJECT_REQUEST",
        max_request_headers_kb=settings.limit_header_kilobytes,
        common_http_protocol_options={
            "idle_timeout": seconds(KEEP_ALIVE_SECONDS),
            "max_headers_count": 100,
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        http2_protocol_options={
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 256 * 1024,
            "initial_connection_window_size": 1024 * 1024,
        },
        request_headers_timeout=seconds(HEADERS_SECONDS),
        request_timeout=seconds(REQUEST_SECONDS),
        stream_idle_timeout=seconds(QUIET_SECONDS),
        drain_timeout=seconds(DRAIN_SECONDS),
        local_reply_config=local_replies(),
        access_log=access_logs(settings),
        http_filters=filters.http_filters(settings),
        route_config={
            "name": "routes",
            "virtual_hosts": [
                {
                    "name": "trellis",
                    "domains": ["*"],
                    # One address, the client's as we know it: services need not guess which of a list to believe.
                    "request_headers_to_add": [header("x-forwarded-for", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%")],
                    "typed_per_filter_config": {headers.CORS: headers.cors_policy(settings)},
                    "routes": [
                        # Without a route of its own a tunnel would be waited for until it ended.
                        _refused("no-tunnels", {"connect_matcher": {}}, 405),
                        # Envoy joins several Host headers with a comma, and takes an empty one.
                        _refused("malformed-hosts", {"prefix": "/", "headers": [dict(_MALFORMED_HOST)]}, 400),
                        _unknown_methods(),
                        *(_route(row, settings) for row in routes),
                        *(_other_methods(row) for row in routes if row.upstream is None and row.methods),
                        _refused("nothing-here", {"prefix": "/"}, 404),
                    ],
                }
            ],
        },
    )


# One name or address, with a port or without (RFC 9112, 3.2: anything else is answered with 400).
_HOST: Final = r"([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
_MALFORMED_HOST: Final[Mapping[str, Any]] = {
    "name": ":authority",
    "string_match": {"safe_regex": {"regex": _HOST}},
    "invert_match": True,
}
_UNKNOWN_METHOD: Final[Sequence[Mapping[str, Any]]] = [
    {"name": ":method", "string_match": {"safe_regex": {"regex": "|".join(some)}}, "invert_match": True}
    for some in KNOWN_METHODS
]


def _match(row: Route) -> dict[str, Any]:
    match: dict[str, Any] = (
        {"safe_regex": {"regex": row.path}}
        if row.match is Match.PATTERN
        else {"path" if row.match is Match.EXACT else "prefix": row.path}
    )
    if row.methods is not None:
        match["headers"] = [{"name": ":method", "string_match": {"safe_regex": {"regex": "|".join(row.methods)}}}]
    return match


def _route(row: Route, settings: EnvoySettings) -> dict[str, Any]:
    route: dict[str, Any] = {
        "name": row.name,
        "match": _match(row),
        "metadata": limit_metadata(row.limit),
        "typed_per_filter_config": filters.of_route(row, settings),
    }
    if row.upstream is None:
        route["direct_response"] = {"status": 200, "body": {"inline_string": '{"status":"ok"}'}}
        route["response_headers_to_add"] = [
            {
                "header": {"key": "content-type", "value": "application/json"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        ]
        return route
    action: dict[str, Any] = {
        "cluster": row.upstream,
        "priority": "HIGH" if row.is_reserved else "DEFAULT",
        "timeout": seconds(row.timeout_seconds or 0),
        "idle_timeout": seconds(QUIET_STREAM_SECONDS if row.is_streamed else QUIET_SECONDS),
        "retry_policy": _retries(),
    }
    if row.timeout_seconds is not None:
        action["idle_timeout"] = seconds(max(QUIET_SECONDS, row.timeout_seconds))
    route["route"] = action
    return route


def _retries() -> dict[str, Any]:
    """Once more, twice at most, and only what may be said twice."""
    return {
        "retry_on": "connect-failure,refused-stream,reset",
        "num_retries": 2,
        "retry_back_off": {"base_interval": "0.05s", "max_interval": "0.5s"},
        "retriable_request_headers": [
            {"name": ":method", "string_match": {"safe_regex": {"regex": "|".join(SAFE_METHODS)}}}
        ],
    }


def _refused(name: str, match: dict[str, Any], status: int) -> dict[str, Any]:
    """A route that leads nowhere. It waits for no body and asks for no token."""
    return {
        "name": name,
        "match": match,
        "direct_response": {"status": status},
        "typed_per_filter_config": {
            JWT: typed(f"{FILTERS}.jwt_authn.v3.PerRouteConfig", disabled=True),
            RATE_LIMIT: disabled(),
            filters.BUFFER: disabled(),
        },
    }


def _unknown_methods() -> dict[str, Any]:
    """Words that are no methods, which HTTP/2 lets through: no path takes them, and `Allow` names those of the API."""
    return _refused("unknown-methods", {"prefix": "/", "headers": [dict(one) for one in _UNKNOWN_METHOD]}, 405) | {
        "response_headers_to_add": [_allow(headers.ALLOWED_METHODS)]
    }


def _other_methods(row: Route) -> dict[str, Any]:
    """What the gateway itself answers has no service to say which methods there are."""
    refused = _refused(f"{row.name}-methods", {"path": row.path}, 405)
    refused["response_headers_to_add"] = [_allow(row.methods or ())]
    return refused


def _allow(methods: Sequence[str]) -> dict[str, Any]:
    return {
        "header": {"key": "allow", "value": ", ".join(methods)},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
