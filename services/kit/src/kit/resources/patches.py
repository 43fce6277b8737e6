"""Merge patches (RFC 7396): what a PATCH leaves out stays, what it sets to null goes."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from kit.problems import FieldError, InvalidRequest

JSON = Any
Model = TypeVar("Model", bound=BaseModel)


class MergePatch(BaseModel):
    """A PATCH body. Give every field a default; a field that may not be removed has no `None` in its type."""

    model_config = ConfigDict(extra="forbid")

    def changes(self) -> dict[str, Any]:
        """What the caller said, and nothing else: absent fields are absent, null is None."""
        return {name: getattr(self, name) for name in self.model_fields_set}

    def changes_of(self, current: Mapping[str, Any]) -> dict[str, Any]:
        """What the caller said that differs from what is stored."""
        return {name: value for name, value in self.changes().items() if current.get(name) != value}


def merged(target: JSON, patch: JSON) -> JSON:
    """The target after the patch; neither is altered (RFC 7396, 2)."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def validated(model: type[Model], document: JSON) -> Model:
    """A merged document as its model. Raises InvalidRequest with a pointer for every breach."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        errors = [
            FieldError.in_body(list(one["loc"]), one["type"], one["msg"])
            for one in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise InvalidRequest("The result of the patch isn't valid.", errors=errors) from None
