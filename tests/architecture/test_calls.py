"""Every call from one service to another is declared, listed, and fits the callee's contract."""

import ast
import importlib
import pkgutil
import tomllib
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from kit.calls.declared import KEY_SET, TOKEN, Call, TokenAnswer
from tests.architecture.test_house import HOUSE, texts
from tests.support.contracts import made
from trellis.contracts.documents import APPS, operations

SERVICES = ("academy", "research", "reporting")
EVERY = ("kit", *SERVICES, "gateway")
OWN_HTTP = (
    "services/kit/src/kit/calls/",
    "services/kit/src/kit/identity/keys.py",
    # To addresses that a user typed; never to a service of ours.
    "services/kit/src/kit/outbound/",
)
Listed = set[tuple[str, str, str]]


def modules(package: str) -> Iterator[ModuleType]:
    """Every module of a package, its migrations left out."""
    top = importlib.import_module(package)
    yield top
    for found in pkgutil.walk_packages(top.__path__, f"{package}."):
        if ".migrations" not in found.name and not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def declared() -> dict[tuple[str, str, str], Call[Any]]:
    """Every call by caller, callee and operation. What the kit declares, each service does."""
    found: dict[tuple[str, str, str], Call[Any]] = {}
    for package in EVERY:
        callers = SERVICES if package == "kit" else ("identity",) if package == "gateway" else (package,)
        for module in modules(package):
            for value in vars(module).values():
                if isinstance(value, Call):
                    found |= {(caller, value.callee, value.operation): value for caller in callers}
    return found


def listed() -> Listed:
    """The calls of services in the list."""
    text = (HOUSE / "openapi" / "calls.toml").read_text()
    calls = {(call["caller"], call["callee"], call["operation"]) for call in tomllib.loads(text)["call"]}
    return {call for call in calls if call[0] in {*SERVICES, "identity"}}


def test_every_declared_call_is_listed_and_every_listed_one_declared() -> None:
    found = set(declared())
    assert found - listed() == set(), "add them to openapi/calls.toml, each with a reason"
    assert listed() - found == set(), "nobody makes these calls any more"
    assert len(found) >= 2 * len(SERVICES)


def flaws_of(call: Call[Any], contract: dict[str, Any]) -> list[str]:
    """What of a call isn't in the callee's contract."""
    named = [found for found in operations(contract) if found[2].get("operationId") == call.operation]
    if not named:
        return [f"no operation {call.operation}"]
    ((method, path, operation),) = named
    flaws = [] if (method.upper(), path) == (call.method, call.path) else [f"it is {method.upper()} {path}"]
    answer = next(operation["responses"][status] for status in ("200", "201") if status in operation["responses"])
    schema = answer["content"]["application/json"]["schema"]
    return flaws + list(_missing(call.answer.model_json_schema(), schema, contract, "answer"))


def _resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        found: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema


def _missing(
    read: Mapping[str, Any], told: Mapping[str, Any], contract: Mapping[str, Any], where: str
) -> Iterator[str]:
    """Fields that are read and not promised."""
    document = read

    def walk(wanted: Mapping[str, Any], offered: Mapping[str, Any], place: str) -> Iterator[str]:
        wanted, offered = _resolved(wanted, document), _resolved(offered, contract)
        for one in offered.get("oneOf", ()):
            yield from walk(wanted, one, place)
        if "oneOf" in offered:
            return
        if "items" in wanted:
            yield from walk(wanted["items"], offered.get("items", {}), f"{place}[]")
        for name, part in wanted.get("properties", {}).items():
            if name not in offered.get("properties", {}):
                yield f"{place} has no {name}"
            else:
                if name in wanted.get("required", ()) and name not in offered.get("required", ()):
                    yield f"{place} may lack {name}"
                yield from walk(part, offered["properties"][name], f"{place}.{name}")

    return walk(read, told, where)


def test_every_call_fits_the_callees_contract() -> None:
    flaws = {
        f"{caller} -> {callee} {operation}": flaws_of(call, made(callee))
        for (caller, callee, operation), call in declared().items()
    }
    assert {name: found for name, found in flaws.items() if found} == {}


class Unpromised(BaseModel):
    """Reads what the contract doesn't name."""

    access_token: str
    refresh_token: str


@pytest.mark.parametrize(
    ("call", "flaw"),
    [
        (Call("identity", "token_issue", Unpromised, TOKEN.path, "POST"), "answer has no refresh_token"),
        (Call("identity", "token_issue", TokenAnswer, TOKEN.path), "it is POST /identity/v1/token"),
        (Call("identity", "token_issue", TokenAnswer, "/token", "POST"), "it is POST /identity/v1/token"),
        (Call("identity", "token_make", TokenAnswer, TOKEN.path, "POST"), "no operation token_make"),
    ],
)
def test_a_call_that_doesnt_fit_is_found(call: Call[Any], flaw: str) -> None:
    assert flaws_of(call, made("identity")) == [flaw]
    assert flaws_of(TOKEN, made("identity")) == []
    assert flaws_of(KEY_SET, made("identity")) == []


def test_calls_are_declared_where_they_can_be_found() -> None:
    """At module level, by name: not made up while the program runs."""
    hidden = []
    for name, text in texts().items():
        if not name.startswith("services/") or not name.endswith(".py"):
            continue
        tree = ast.parse(text)
        open_ones = {
            node for statement in tree.body if isinstance(statement, ast.Assign) for node in ast.walk(statement)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Call":
                hidden += [] if node in open_ones else [f"{name}:{node.lineno}"]
    assert hidden == []


def test_no_service_speaks_http_by_itself() -> None:
    speaking = {
        name
        for name, text in texts().items()
        if name.startswith("services/") and name.endswith(".py")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        and {"httpx", "aiohttp", "urllib.request", "requests"}
        & {getattr(node, "module", None), *(alias.name for alias in node.names)}
    }
    assert {name for name in speaking if not name.startswith(OWN_HTTP)} == set()
    assert "services/kit/src/kit/calls/client.py" in speaking
    assert set(APPS) == {*SERVICES, "identity"}
