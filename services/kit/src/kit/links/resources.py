"""What a link can show, as a slice declares it in its `links.py`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from kit.database.sessions import Session
from kit.field_codes import FieldCode
from kit.identity.callers import Caller


@dataclass(frozen=True, slots=True)
class Shown:
    """What a link shows now. `tag` is its entity tag, quoted."""

    body: bytes
    tag: str


@dataclass(frozen=True, slots=True)
class Viewing:
    """Somebody looks: the caller that the link stands for, its parameters, and when it was made."""

    caller: Caller
    parameters: Any
    made_at: datetime


@dataclass(frozen=True)
class LinkResource:
    """Something that can be linked to.

    `scopes` are what its maker must have. `check` says in words which parameter would never show its maker anything,
    as (field, code, detail); None when all may. `render` gets a session that sees what the maker may see.
    `parameters` is a model with `extra="forbid"` and a default for every field.
    """

    name: str
    summary: str
    scopes: tuple[str, ...]
    media_type: str
    parameters: type[BaseModel]
    render: Callable[[Session, Viewing], Awaitable[Shown]]
    check: Callable[[Session, Caller, Any], Awaitable[tuple[str, FieldCode, str] | None]]
