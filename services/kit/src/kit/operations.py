"""The operations of a service as its contract tells them, to check requests against before they are routed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi.routing import APIRoute

from kit.bodies import STREAMED
from kit.caller import SCHEME_NAME

# What a path answers beside its own methods.
_ALWAYS = ("OPTIONS",)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    `scopes` are what a token must carry; None when no token is needed. `query` says of each parameter
    whether it may be repeated.
    """

    method: str
    path: str
    route: APIRoute
    scopes: tuple[str, ...] | None
    query: Mapping[str, bool]
    media_types: frozenset[str]
    is_streamed: bool


@dataclass(slots=True)
class PathOperations:
    """What one path template offers."""

    template: str
    by_method: dict[str, Operation] = field(default_factory=dict)

    def find(self, method: str) -> Operation | None:
        """The operation of a method; HEAD is answered as GET without a body."""
        return self.by_method.get("GET" if method == "HEAD" else method)

    @property
    def allow(self) -> str:
        """Every method of the path, for `Allow`."""
        methods = {*self.by_method, *_ALWAYS}
        if "GET" in methods:
            methods.add("HEAD")
        return ", ".join(sorted(methods))


class Operations:
    """All paths of a service. A fixed path goes before a template that fits as well, as in the contract."""

    def __init__(self, routes: Iterable[APIRoute], contract: Mapping[str, Any]) -> None:
        self._fixed: dict[str, PathOperations] = {}
        self._templates: dict[int, list[PathOperations]] = {}
        by_template: dict[str, PathOperations] = {}
        for route in routes:
            path = by_template.get(route.path_format)
            if path is None:
                path = by_template[route.path_format] = PathOperations(route.path_format)
                if route.param_convertors:
                    self._templates.setdefault(route.path_format.count("/"), []).append(path)
                else:
                    self._fixed[route.path_format] = path
            for method in sorted(route.methods or ()):
                told = contract.get("paths", {}).get(route.path_format, {}).get(method.lower(), {})
                path.by_method.setdefault(method, _operation(route, method, told))

    def find(self, path: str) -> PathOperations | None:
        """What a path offers; None when there is nothing."""
        fixed = self._fixed.get(path)
        if fixed is not None:
            return fixed
        for candidate in self._templates.get(path.count("/"), ()):
            route = next(iter(candidate.by_method.values())).route
            if route.path_regex.match(path):
                return candidate
        return None

    def __iter__(self) -> Iterator[Operation]:
        """Every operation."""
        for path in [*self._fixed.values(), *(one for some in self._templates.values() for one in some)]:
            yield from path.by_method.values()


def _operation(route: APIRoute, method: str, told: Mapping[str, Any]) -> Operation:
    scopes: tuple[str, ...] | None = None
    for requirement in told.get("security", ()):
        if SCHEME_NAME in requirement:
            scopes = (*(scopes or ()), *requirement[SCHEME_NAME])
    query = {
        parameter["name"]: _repeats(parameter.get("schema", {}))
        for parameter in told.get("parameters", ())
        if parameter.get("in") == "query"
    }
    return Operation(
        method=method,
        path=route.path_format,
        route=route,
        scopes=scopes,
        query=query,
        media_types=frozenset(told.get("requestBody", {}).get("content", {})),
        is_streamed=bool((route.openapi_extra or {}).get(STREAMED)),
    )


def _repeats(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") == "array" or any(_repeats(one) for one in schema.get("anyOf", ()))
