"""Names in JSON that stand twice in one object: readers differ in which of the two they take, so none is taken."""

import json
from typing import Any


class _Repeated(ValueError):
    """A name that stands twice in one object."""


def repeated_name(text: bytes) -> str | None:
    """The first name that an object in this JSON gives twice, or None.

    Raises ValueError for what is no JSON, or nested deeper than some hundred levels.
    """
    try:
        json.loads(text, object_pairs_hook=_unique, parse_int=_nothing, parse_float=_nothing)
    except _Repeated as repeated:
        return str(repeated)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None
    return None


def _unique(pairs: list[tuple[str, Any]]) -> None:
    names = set()
    for name, _ in pairs:
        if name in names:
            raise _Repeated(name)
        names.add(name)


def _nothing(_: str) -> None:
    """Numbers don't matter here, and long ones are slow to read."""
