"""JSON bodies as the contract means them: a number is no text, a text is no number, and 0 is no date.

FastAPI reads bodies kindly (`"5"` as 5, `1` as true, `0` as 1 January 1970); a client would then rely on
what no contract says.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError

# A number with a point or an exponent, or text that looks like one.
_FLOAT = re.compile(rb"\d(?:\.\d|[eE][+-]?\d)")
# Naming each takes longer than finding it, and pydantic names all or none.
MOST_LISTED = 500
Errors = Sequence[dict[str, Any]]


class StrictBody:
    """The body of one route."""

    def __init__(self, route: APIRoute) -> None:
        field = route.body_field
        assert field is not None
        annotation: Any = Annotated[field.field_info.annotation, field.field_info]
        self._adapter: TypeAdapter[Any] = TypeAdapter(annotation)

    def errors(self, body: bytes) -> Errors:
        """What is wrong with a body that is JSON; empty when nothing is."""
        try:
            self._adapter.validate_json(_with_whole_numbers(body), strict=True)
        except ValidationError as error:
            if (count := error.error_count()) > MOST_LISTED:
                detail = f"The body has {count:,} faults, too many to name them."
                return [{"type": "too_many_faults", "loc": ("body",), "msg": detail}]
            found = error.errors(include_url=False, include_context=False, include_input=False)
            return [{**one, "loc": ("body", *one["loc"])} for one in found]
        return []


def strict_body(route: APIRoute) -> StrictBody | None:
    """How a route's JSON body is checked; None for a route with none, or with a form."""
    field = route.body_field
    if field is None or len(route.dependant.body_params) != 1:
        return None
    media_type = getattr(field.field_info, "media_type", None)
    return StrictBody(route) if media_type == "application/json" else None


def _with_whole_numbers(body: bytes) -> bytes:
    """`6.0` is an integer in JSON Schema, though not to pydantic."""
    if _FLOAT.search(body) is None:
        return body
    document = orjson.loads(body)
    whole, altered = _whole(document)
    return orjson.dumps(whole) if altered else body


def _whole(value: Any) -> tuple[Any, bool]:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return int(value), True
    if isinstance(value, list):
        members = [_whole(member) for member in value]
        return [member for member, _ in members], any(altered for _, altered in members)
    if isinstance(value, dict):
        named = {name: _whole(member) for name, member in value.items()}
        return {name: member for name, (member, _) in named.items()}, any(altered for _, altered in named.values())
    return value, False
