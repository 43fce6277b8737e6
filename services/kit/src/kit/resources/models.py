"""What the models of answers and of patches share."""

from typing import Any, Self

from pydantic import BaseModel, PrivateAttr


class Tagged(BaseModel):
    """An answer about one thing that knows the entity tag of the version it shows."""

    _tag: str = PrivateAttr(default="")

    @property
    def tag(self) -> str:
        """The tag, quoted, as `ETag` carries it."""
        return self._tag

    def tagged(self, tag: str) -> Self:
        """This answer, with its tag."""
        self._tag = tag
        return self


def without_defaults(schema: dict[str, Any]) -> None:
    """Takes the defaults out of a PATCH body's schema: what is left out stays as it is."""
    for field in schema.get("properties", {}).values():
        field.pop("default", None)
