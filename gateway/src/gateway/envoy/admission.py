"""Who gets in: whoever has a valid token, as long as they don't ask too often."""

from typing import Any, Final

from gateway.envoy.headers import LINK_HEADER
from gateway.envoy.notation import FILTERS, seconds, typed
from gateway.envoy.routes import IDENTITY, Limit
from gateway.envoy.settings import EnvoySettings

RATE_LIMIT: Final = "envoy.filters.http.local_ratelimit"
JWT: Final = "envoy.filters.http.jwt_authn"

TOKEN_REQUIREMENT: Final = "access-token"  # noqa: S105 - a name in the configuration
CLAIMS: Final = "claims"


def jwt_filter(settings: EnvoySettings) -> dict[str, Any]:
    """Every request needs a token unless its route says otherwise; the keys come from identity."""
    return {
        "name": JWT,
        "typed_config": typed(
            f"{FILTERS}.jwt_authn.v3.JwtAuthentication",
            providers={
                IDENTITY: {
                    "issuer": settings.token_issuer,
                    "audiences": [settings.audience],
                    "require_expiration": True,
                    # The services give none: what passes here a moment too long is refused there.
                    "clock_skew_seconds": 30,
                    "remote_jwks": {
                        "http_uri": {
                            "uri": f"http://{IDENTITY}/.well-known/jwks.json",
                            "cluster": IDENTITY,
                            "timeout": "3s",
                        },
                        "cache_duration": seconds(settings.jwks_cache_seconds),
                        "async_fetch": {"fast_listener": False, "failed_refetch_duration": "1s"},
                        "retry_policy": {"num_retries": 2},
                    },
                    # Verifying costs more than all the rest; a token is verified once and then known.
                    "jwt_cache_config": {"jwt_cache_size": 5000, "jwt_max_token_size": 8192},
                    # Services check it again, so they must see it.
                    "forward": True,
                    # Only there: Envoy would also take a token out of the query, where logs and histories keep it.
                    "from_headers": [
                        {"name": "Authorization", "value_prefix": "Bearer "},
                        {"name": "Authorization", "value_prefix": "bearer "},
                        {"name": "Authorization", "value_prefix": "BEARER "},
                    ],
                    "payload_in_metadata": CLAIMS,
                }
            },
            requirement_map={TOKEN_REQUIREMENT: {"provider_name": IDENTITY}},
            # What a route forgets to say is that it needs a token.
            rules=[{"match": {"prefix": "/"}, "requirement_name": TOKEN_REQUIREMENT}],
            bypass_cors_preflight=True,
            # problems.py says it; Envoy's own would repeat the address with its query.
            strip_failure_response=True,
        ),
    }


def _bucket(per_minute: int) -> dict[str, Any]:
    """A minute's worth to spend at once, refilled evenly."""
    return {"max_tokens": per_minute, "tokens_per_fill": per_minute, "fill_interval": "60s"}


def _limits(settings: EnvoySettings) -> dict[Limit, int]:
    return {
        Limit.PER_TOKEN: settings.limit_requests_per_minute,
        Limit.SIGN_IN: settings.limit_token_requests_per_minute,
        Limit.PUBLIC: settings.limit_public_requests_per_minute,
        Limit.SHARED: settings.limit_shared_requests_per_minute,
    }


def limit_metadata(limit: Limit) -> dict[str, Any]:
    """What a route says of itself, so that the filter knows by what its requests are counted."""
    return {"filter_metadata": {RATE_LIMIT: {"limit": limit.value}}}


def _rate_limits() -> list[dict[str, Any]]:
    """Each request is counted by its token's id, its address and its link; which has a limit depends on the route."""
    of_route = {
        "metadata": {
            "descriptor_key": "limit",
            "source": "ROUTE_ENTRY",
            "metadata_key": {"key": RATE_LIMIT, "path": [{"key": "limit"}]},
        }
    }
    # The token's id rather than its text, of which one token has many (signatures can be altered).
    token = {
        "metadata": {
            "descriptor_key": "token",
            "source": "DYNAMIC",
            "metadata_key": {"key": JWT, "path": [{"key": CLAIMS}, {"key": "jti"}]},
        }
    }
    link = {"request_headers": {"header_name": LINK_HEADER, "descriptor_key": "link"}}
    return [
        {"actions": [of_route, token]},
        {"actions": [of_route, {"remote_address": {}}]},
        {"actions": [of_route, link]},
    ]


def rate_limit_filter(settings: EnvoySettings) -> dict[str, Any]:
    """Counts requests and refuses those over the limit, for this gateway alone: several of them don't add up."""
    limits = _limits(settings)
    return {
        "name": RATE_LIMIT,
        "typed_config": typed(
            f"{FILTERS}.local_ratelimit.v3.LocalRateLimit",
            stat_prefix="rate_limit",
            status={"code": 429},
            # For what no descriptor counts; so large that it never decides.
            token_bucket={"max_tokens": 2**31 - 1, "tokens_per_fill": 2**31 - 1, "fill_interval": "1s"},
            always_consume_default_token_bucket=False,
            filter_enabled={"default_value": {"numerator": 100}},
            filter_enforced={"default_value": {"numerator": 100}},
            rate_limits=_rate_limits(),
            max_dynamic_descriptors=settings.limit_callers,
            descriptors=[
                {
                    "entries": [
                        {"key": "limit", "value": limit.value},
                        # Without a value: one bucket for each value that comes.
                        {"key": "token" if limit is Limit.PER_TOKEN else "remote_address"},
                    ],
                    "token_bucket": _bucket(per_minute),
                }
                for limit, per_minute in limits.items()
            ]
            + [
                {
                    "entries": [{"key": "limit", "value": Limit.SHARED.value}, {"key": "link"}],
                    "token_bucket": _bucket(settings.limit_link_requests_per_minute),
                }
            ],
            enable_x_ratelimit_headers="DRAFT_VERSION_03",
            enable_retry_after_header=True,
        ),
    }
