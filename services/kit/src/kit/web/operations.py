"""The operations of a service, to check requests against before they are routed.

Read from the routes and not from the contract, which takes long to write; a test holds the two
against each other.
"""

import types
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Union, get_args, get_origin

from fastapi import params
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params, get_validation_alias
from fastapi.routing import APIRoute

from kit.identity.reach import ActsOn
from kit.web.bodies import MERGE_PATCH, STREAMED, largest_body
from kit.web.kept import MARK
from kit.web.operation import Operation
from kit.web.security import READS, CallerWith, current_caller

# What a path answers beside its own methods.
_ALWAYS = ("OPTIONS",)


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

    def __init__(self, routes: Iterable[APIRoute]) -> None:
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
                path.by_method.setdefault(method, _operation(route, method))

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


def _operation(route: APIRoute, method: str) -> Operation:
    scopes: tuple[str, ...] | None = None
    query: dict[str, bool] = {}
    headers: set[bytes] = set()
    for dependant, needed in _with_dependencies(route.dependant, ()):
        for one in get_flat_params(Dependant(query_params=dependant.query_params)):
            query[get_validation_alias(one)] = _repeats(one.field_info.annotation)
        headers |= {get_validation_alias(one).lower().encode() for one in dependant.header_params}
        if dependant.call is current_caller or isinstance(dependant.call, CallerWith):
            scopes = tuple(dict.fromkeys([*(scopes or ()), *needed]))
    extra = route.openapi_extra or {}
    media_types = frozenset(_media_types(route, method) | set(extra.get("requestBody", {}).get("content", {})))
    return Operation(
        method=method,
        path=route.path_format,
        route=route,
        scopes=scopes,
        acts_on=reach_of(route, method),
        query=query,
        headers=frozenset(headers),
        media_types=media_types,
        is_streamed=bool(extra.get(STREAMED)),
        is_kept=bool(extra.get(MARK)) and scopes is not None and method == "GET",
        largest_body_bytes=largest_body(media_types, needs_token=scopes is not None),
    )


def reach_of(route: APIRoute, method: str) -> ActsOn | None:
    """What an operation that writes acts on: the whole trust unless its route declares it; None for all others."""
    needs_token, declared = False, None
    for dependant, _ in _with_dependencies(route.dependant, ()):
        if isinstance(dependant.call, CallerWith):
            declared = dependant.call.acts_on
        needs_token = needs_token or declared is not None or dependant.call is current_caller
    if not needs_token or method.upper() in READS:
        return None
    return declared or ActsOn.WHOLE_TRUST


def _with_dependencies(dependant: Dependant, needed: tuple[str, ...]) -> Iterator[tuple[Dependant, tuple[str, ...]]]:
    """A route and what it depends on, each with the scopes that the way there needs."""
    needed = (*needed, *(dependant.own_oauth_scopes or ()))
    yield dependant, needed
    for below in dependant.dependencies:
        yield from _with_dependencies(below, needed)


def _media_types(route: APIRoute, method: str) -> set[str]:
    if route.body_field is None or not isinstance(route.body_field.field_info, params.Body):
        return set()
    media_type = route.body_field.field_info.media_type
    if method == "PATCH" and media_type == "application/json":
        return {media_type, MERGE_PATCH}
    return {media_type}


def _repeats(annotation: Any) -> bool:
    """Is it a list, or a list or nothing?"""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _repeats(get_args(annotation)[0])
    if origin is Union or origin is types.UnionType:
        return any(_repeats(one) for one in get_args(annotation))
    kind = origin or annotation
    return isinstance(kind, type) and issubclass(kind, Collection) and not issubclass(kind, str | bytes | Mapping)
