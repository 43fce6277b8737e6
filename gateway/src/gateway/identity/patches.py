"""PATCH bodies whose contract names no defaults: what is left out stays as it is."""

from typing import Any

from pydantic import ConfigDict

from kit.resources.patches import MergePatch


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class Patch(MergePatch):
    """A merge patch (RFC 7396)."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_without_defaults)
