"""The services behind the gateway: how they are reached, how it is noticed that one is down, how much it gets."""

from typing import Any, Final

from gateway.envoy.notation import seconds
from gateway.envoy.settings import EnvoySettings

# uvicorn closes a connection that was idle for 5 s. Letting go first means that no request meets a closing one.
IDLE_SECONDS: Final = 3
CONNECT_SECONDS: Final = 2

# Requests that wait for a connection to the service.
MOST_WAITING: Final = 1024
# Retries never make a struggling service's load much larger.
RETRY_BUDGET: Final = {"budget_percent": {"value": 20}, "min_retry_concurrency": 3}

# Three missed answers in a row, since one busy moment of a service is no outage; a single good one brings it back.
HEALTH_INTERVAL_SECONDS: Final = 2
HEALTH_AGAIN_SECONDS: Final = 0.5
HEALTH_TIMEOUT_SECONDS: Final = 5
HEALTH_MISSES: Final = 3

_HTTP_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def _address(upstream: str) -> dict[str, Any]:
    if upstream.startswith("/"):
        return {"pipe": {"path": upstream}}
    host, _, port = upstream.rpartition(":")
    return {"socket_address": {"address": host.strip("[]"), "port_value": int(port)}}


def _threshold(priority: str, most: int) -> dict[str, Any]:
    return {
        "priority": priority,
        "max_connections": most,
        "max_pending_requests": min(most, MOST_WAITING),
        "max_requests": most,
        "retry_budget": RETRY_BUDGET,
    }


def cluster(service: str, settings: EnvoySettings) -> dict[str, Any]:
    """One service in Envoy's terms."""
    upstream = settings.upstream(service)
    return {
        "name": service,
        # Sockets and addresses stand still; names are looked up again, so that replicas may come and go.
        "type": "STATIC" if upstream.startswith("/") else "STRICT_DNS",
        "connect_timeout": seconds(CONNECT_SECONDS),
        "load_assignment": {
            "cluster_name": service,
            "endpoints": [
                {
                    "lb_endpoints": [
                        {
                            "endpoint": {
                                "address": _address(upstream),
                                "hostname": service,
                                "health_check_config": {"hostname": service},
                            }
                        }
                    ]
                }
            ],
        },
        # A service of which no instance is well answers 503 at once; nobody waits for a process that hangs.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "health_checks": [
            {
                "http_health_check": {"path": "/healthz"},
                "timeout": seconds(HEALTH_TIMEOUT_SECONDS),
                "interval": seconds(HEALTH_INTERVAL_SECONDS),
                "no_traffic_interval": seconds(HEALTH_AGAIN_SECONDS),
                "no_traffic_healthy_interval": seconds(HEALTH_INTERVAL_SECONDS),
                "unhealthy_interval": seconds(HEALTH_AGAIN_SECONDS),
                "unhealthy_edge_interval": seconds(HEALTH_AGAIN_SECONDS),
                "unhealthy_threshold": HEALTH_MISSES,
                "healthy_threshold": 1,
                # A connection of its own each time would be one more thing that can be out; this one is kept.
                "reuse_connection": True,
            }
        ],
        # A service refuses by itself what it can't answer in time; this is the wall behind it. A reader of the feed
        # holds a request and a connection for as long as it listens: those have a share of their own.
        "circuit_breakers": {
            "thresholds": [
                _threshold("DEFAULT", settings.limit_requests_at_once),
                _threshold("HIGH", settings.limit_connections),
            ]
        },
        # Among several instances one that fails five times in a row is left alone for a while; never all of them.
        "outlier_detection": {
            "consecutive_5xx": 0,
            "enforcing_consecutive_5xx": 0,
            "consecutive_gateway_failure": 5,
            "enforcing_consecutive_gateway_failure": 100,
            "enforcing_success_rate": 0,
            "interval": "5s",
            "base_ejection_time": "5s",
            "max_ejection_time": "60s",
            "max_ejection_percent": 50,
            "always_eject_one_host": False,
        },
        "typed_extension_protocol_options": {
            _HTTP_OPTIONS: {
                "@type": f"type.googleapis.com/{_HTTP_OPTIONS}",
                "common_http_protocol_options": {"idle_timeout": seconds(IDLE_SECONDS)},
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
    }
