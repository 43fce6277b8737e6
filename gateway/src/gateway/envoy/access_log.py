"""The gateway's log: one JSON object per request, with nothing in it that names a person or opens anything."""

from typing import Any, Final

from gateway.envoy.admission import CLAIMS, JWT
from gateway.envoy.notation import typed
from gateway.envoy.routes import SHARED
from gateway.envoy.settings import EnvoySettings

MASKED: Final = f"/{SHARED}[token]"
"""What stands for the path of a shared link, whose last part is a secret."""

SECRET_PATHS: Final[tuple[dict[str, Any], ...]] = (
    {"contains": f"/{SHARED}", "ignore_case": True},
    # Some letter of it could be escaped; no path of ours needs that.
    {"safe_regex": {"regex": "[^?]*%.*"}},
)
"""How the path of a shared link can look. Envoy allows no expression that would look for the secret itself."""


def access_logs(settings: EnvoySettings) -> list[dict[str, Any]]:
    """Two loggers to one place: every request goes to one of them, by whether its path holds a secret."""
    return [
        _access_log(settings, "%PATH(NQ:PATH):512%", has_secret=False),
        _access_log(settings, MASKED, has_secret=True),
    ]


def _access_log(settings: EnvoySettings, path: str, *, has_secret: bool) -> dict[str, Any]:
    """No query, no token, and no address unless the operator wants it."""
    line: dict[str, Any] = {
        "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
        "logger": "gateway.access",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "traceparent": "%REQ(TRACEPARENT):64%",
        "method": "%REQ(:METHOD):16%",
        "path": path,
        "protocol": "%PROTOCOL%",
        "status": "%RESPONSE_CODE%",
        "status_details": "%RESPONSE_CODE_DETAILS%",
        "flags": "%RESPONSE_FLAGS%",
        "route": "%ROUTE_NAME%",
        "service": "%UPSTREAM_CLUSTER%",
        "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
        "subject": f"%DYNAMIC_METADATA({JWT}:{CLAIMS}:sub)%",
        "trust": f"%DYNAMIC_METADATA({JWT}:{CLAIMS}:trust)%",
        "bytes_in": "%BYTES_RECEIVED%",
        "bytes_out": "%BYTES_SENT%",
        "duration_ms": "%DURATION%",
        "user_agent": "%REQ(USER-AGENT):120%",
    }
    if settings.log_client_address:
        line["client"] = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"
    log_format = {"json_format": line, "json_format_options": {"sort_properties": False}}
    looks = [
        {
            "header_filter": {
                "header": {
                    "name": ":path",
                    "string_match": look,
                    "invert_match": not has_secret,
                    # What isn't HTTP has no path, and is logged all the same.
                    "treat_missing_header_as_empty": True,
                }
            }
        }
        for look in SECRET_PATHS
    ]
    only = {"or_filter" if has_secret else "and_filter": {"filters": looks}}
    if settings.access_log is None:
        return {
            "filter": only,
            "name": "envoy.access_loggers.stdout",
            "typed_config": typed("envoy.extensions.access_loggers.stream.v3.StdoutAccessLog", log_format=log_format),
        }
    return {
        "filter": only,
        "name": "envoy.access_loggers.file",
        "typed_config": typed(
            "envoy.extensions.access_loggers.file.v3.FileAccessLog",
            path=str(settings.access_log.absolute()),
            log_format=log_format,
        ),
    }
