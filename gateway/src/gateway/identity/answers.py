"""What answers carry beside their body, for the contract."""

from typing import Any

from kit.web.tags import tagged

Responses = dict[int | str, dict[str, Any]]


def created() -> Responses:
    """201 with the version of what was made, and where it is."""
    responses = tagged(201)
    responses[201]["headers"]["Location"] = {"description": "Where it is.", "schema": {"type": "string"}}
    return responses
