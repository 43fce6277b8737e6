"""How Envoy wants things to be written."""

from typing import Any, Final

FILTERS: Final = "envoy.extensions.filters.http"
"""Where the messages of its filters are."""


def typed(message: str, **fields: Any) -> dict[str, Any]:
    """A part of the configuration that names its own type."""
    return {"@type": f"type.googleapis.com/{message}", **fields}


def seconds(number: float) -> str:
    """A duration."""
    return f"{number:g}s"


def disabled() -> dict[str, Any]:
    """Leaves a filter out on one route."""
    return typed("envoy.config.route.v3.FilterConfig", disabled=True)


def header(name: str, value: str, action: str = "OVERWRITE_IF_EXISTS_OR_ADD") -> dict[str, Any]:
    """A header to write; in place of what is there unless `action` says otherwise."""
    return {"header": {"key": name, "value": value}, "append_action": action}
