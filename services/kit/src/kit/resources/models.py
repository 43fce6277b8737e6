"""What the models of answers and of patches share."""

import hashlib
from typing import Any, Self

from pydantic import BaseModel, PrivateAttr

from kit.etags import etag


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

    def tagged_by_content(self) -> Self:
        """This answer, with a tag that names what it says: for what is put together from several rows."""
        return self.tagged(etag(hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:32]))


def without_defaults(schema: dict[str, Any]) -> None:
    """Takes the defaults out of a PATCH body's schema: what is left out stays as it is."""
    for field in schema.get("properties", {}).values():
        field.pop("default", None)
