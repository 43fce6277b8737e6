"""One operation of a service, as requests are checked against it."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi.routing import APIRoute

from kit.identity.reach import ActsOn


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    `scopes` are what a token must carry; None when no token is needed. `acts_on` is how far an operation that writes
    reaches; None for one that reads or needs no token. `query` says of each parameter whether it may be repeated.
    `is_kept`: its answers may be given again while nothing changes. `headers` are those that it reads, in lower case.
    """

    method: str
    path: str
    route: APIRoute
    scopes: tuple[str, ...] | None
    acts_on: ActsOn | None
    query: Mapping[str, bool]
    media_types: frozenset[str]
    is_streamed: bool
    largest_body_bytes: int
    is_kept: bool = False
    headers: frozenset[bytes] = frozenset()
