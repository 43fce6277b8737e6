"""Lists that only a new release changes can be read on condition."""

from typing import get_args

from fastapi.routing import APIRoute

from kit.resources.pages import Page
from kit.web.operations import Operations
from kit.web.sessions import SessionDep
from tests.support.clients import create_app
from tests.support.contracts import made
from trellis.contracts.documents import APPS

NOTHING = "postgresql://nobody@127.0.0.1:1/nothing"


def catalogues() -> dict[str, APIRoute]:
    """Lists that are read without the database, by operation id."""
    opens = get_args(SessionDep)[1].dependency
    found = {}
    for service in APPS:
        app = create_app(service, NOTHING)
        routes = [route for route in app.routes if isinstance(route, APIRoute)]
        for operation in Operations(routes):
            route = operation.route
            is_page = isinstance(route.response_model, type) and issubclass(route.response_model, Page)
            calls = {below.call for below in route.dependant.dependencies}
            if is_page and operation.method == "GET" and opens not in calls:
                found[route.operation_id or ""] = route
    return found


def test_every_list_that_only_a_release_changes_has_a_tag() -> None:
    found = catalogues()
    assert {"measure_list", "import_kind_list"} <= found.keys()
    operations = {
        operation["operationId"]: operation
        for service in APPS
        for item in made(service)["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict)
    }
    for name in found:
        assert "ETag" in operations[name]["responses"]["200"]["headers"], name
        assert "304" in operations[name]["responses"], name
