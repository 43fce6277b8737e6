"""Merge patches (RFC 7396): what a PATCH leaves out stays, what it sets to null goes."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from kit.resources.models import without_defaults


class MergePatch(BaseModel):
    """A PATCH body. Give every field a default; a field that may not be removed has no `None` in its type."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=without_defaults)

    def changes(self) -> dict[str, Any]:
        """What the caller said, and nothing else: absent fields are absent, null is None."""
        return {name: getattr(self, name) for name in self.model_fields_set}

    def changes_of(self, current: Mapping[str, Any]) -> dict[str, Any]:
        """What the caller said that differs from what is stored."""
        return {name: value for name, value in self.changes().items() if current.get(name) != value}
