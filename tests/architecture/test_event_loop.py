"""Nothing of a request runs in a thread of FastAPI's pool: the way there and back costs more than most answers."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from tests.support.clients import FACTORIES, create_app


def _called(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    """A route's function and everything that it depends on."""
    if dependant.call is not None:
        yield dependant.call
    for one in dependant.dependencies:
        yield from _called(one)


def _is_awaited(call: Callable[..., Any]) -> bool:
    ways = (call, type(call).__call__)
    return any(inspect.iscoroutinefunction(way) or inspect.isasyncgenfunction(way) for way in ways)


@pytest.mark.parametrize("service", FACTORIES)
def test_what_a_request_calls_is_awaited_and_not_run_in_a_thread(service: str) -> None:
    app = create_app(service, "postgresql://nobody@127.0.0.1:1/nothing")
    routes = [route for route in app.router.routes if isinstance(route, APIRoute)]
    assert routes
    plain = {
        f"{call.__module__}.{call.__qualname__}"
        for route in routes
        for call in _called(route.dependant)
        if not _is_awaited(call)
    }
    assert plain == set()
