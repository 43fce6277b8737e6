"""An ordinary slice stays short: routes hold one call, list use cases are the kit's."""

import ast
from collections.abc import Iterator

import pytest

from trellis.contracts.documents import repository

MOST_IN_A_ROUTE = 10
MOST_IN_A_LIST = 6
FOLDERS = ("services/*/src/*/*", "gateway/src/gateway/identity/*")

# Hot paths and streams: docs/adr says which and why.
LONGER_ROUTES = {
    "gateway/src/gateway/identity/keys/routes.py:server_metadata_view": "A document of constants.",
    "services/academy/src/academy/imports/routes.py:import_create": "Streams a file into the database.",
}
LONGER_LISTS = {
    "services/academy/src/academy/observations/service.py:list_observations": "A hot path with a watermark.",
    "services/academy/src/academy/rag_statuses/service.py:list_statuses": "A hot path of prepared bytes.",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(file: str) -> Iterator[tuple[str, Function]]:
    """Every function of the slices' files of this name."""
    root = repository()
    for folder in FOLDERS:
        for path in sorted(root.glob(f"{folder}/{file}")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, Function):
                    yield f"{path.relative_to(root)}:{node.name}", node


def length(function: Function) -> int:
    """The lines of its body, without the docstring."""
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    return body[-1].end_lineno - body[0].lineno + 1 if body and body[-1].end_lineno is not None else 0


def is_route(function: Function) -> bool:
    """Does a router serve it?"""
    return any("router" in ast.unparse(decorator) for decorator in function.decorator_list)


@pytest.mark.parametrize(
    ("file", "most", "listed"),
    [("routes.py", MOST_IN_A_ROUTE, LONGER_ROUTES), ("service.py", MOST_IN_A_LIST, LONGER_LISTS)],
)
def test_it_stays_short(file: str, most: int, listed: dict[str, str]) -> None:
    found = {
        name: length(function)
        for name, function in functions(file)
        if (is_route(function) if file == "routes.py" else function.name.startswith("list_"))
    }
    assert found
    longer = {name: lines for name, lines in found.items() if lines > most}
    assert {name: lines for name, lines in longer.items() if name not in listed} == {}
    assert set(listed) - longer.keys() == set()


def test_problems_of_one_status_are_declared_together() -> None:
    """Two declarations joined by `|` would lose the first one's problems of a status that both have."""
    wrong = []
    for name, function in functions("routes.py"):
        for decorator in function.decorator_list:
            for keyword in getattr(decorator, "keywords", []):
                if keyword.arg == "responses":
                    names = [node.id for node in ast.walk(keyword.value) if isinstance(node, ast.Name)]
                    joined = [one for one in names if one == "responses"]
                    wrong += (
                        [name] if len(joined) > 1 or "MOVES" in ast.unparse(keyword.value).replace("*MOVES", "") else []
                    )
    assert wrong == []
