"""The contract of a service (OpenAPI 3.1), written from its routes, with the conventions of every service added."""

import copy
import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from kit.etags import LONGEST_HEADER, TAG_LIST
from kit.events.recording import EventType
from kit.web.bodies import MERGE_PATCH, STREAMED
from kit.web.contract_problems import (
    ACTS_ON,
    add_problem,
    finish_problems,
    house_problems,
    problem_schemas,
    share_responses,
)
from kit.web.kept import MARK
from kit.web.operations import reach_of
from kit.web.security import SCHEME_NAME
from kit.web.tidying import plain_parameter, rename_bodies, without_defaults, without_titles

Json = dict[str, Any]
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
FIELD_CODES = "x-error-codes"
"""At the root of a contract: every code of a single fault (`errors[].code`), and what it means."""
_INTERNAL = (STREAMED, MARK, "x-idempotent")
_FLUFF = ("HTTPValidationError", "ValidationError")

_ETAG: Json = {
    "ETag": {
        "description": "The version that was read; send it as `If-None-Match` or `If-Match`.",
        "schema": {"type": "string"},
    }
}
_IF_NONE_MATCH: Json = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of your copy. The answer is 304 when nothing has changed.",
    "schema": {"type": "string"},
}
_REQUEST_ID: Json = {
    "name": "X-Request-Id",
    "in": "header",
    "required": False,
    "description": "An id of your choice for this request, which the logs name and the response repeats.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{8,128}$"},
}
_SCHEMAS = "#/components/schemas/"
_OTHER = "OtherEvent"
_LINK: Json = {"Link": {"description": 'The next page, as `rel="next"` (RFC 8288).', "schema": {"type": "string"}}}


def write_contract(
    routes: Sequence[BaseRoute],
    *,
    title: str,
    description: str,
    tags: Mapping[str, str],
    event_types: Sequence[EventType] = (),
    field_codes: Mapping[str, str] = MappingProxyType({}),
) -> Json:
    """The contract of these routes, with the data of these events and the codes of faults.

    Raises ValueError when a route breaks the house's rules for it.
    """
    contract = get_openapi(
        title=title,
        version="1",
        openapi_version="3.1.0",
        description=inspect.cleandoc(description),
        license_info={"name": "MIT", "identifier": "MIT"},
        servers=[{"url": "/", "description": "The gateway that gave you this contract"}],
        routes=routes,
    )
    rename_bodies(contract)
    schemas = contract.setdefault("components", {}).setdefault("schemas", {})
    for name in _FLUFF:
        schemas.pop(name, None)
    schemas |= problem_schemas()
    _add_event_data(schemas, event_types)
    described = {
        "events": "The change feed: every change, in order and without gaps.",
        "links": "Links: URLs that show one resource without an account.",
        **tags,
    }
    for path, method, operation in operations_of(contract):
        _tag(operation, path, method, routes, described)
        _add_reach(operation, path, method, routes)
        _complete(operation, method)
    _describe_scopes(contract)
    finish_problems(contract)
    share_responses(contract)
    contract["tags"] = [
        {"name": name, "description": described.get(name, name)}
        for name in dict.fromkeys(tag for *_, operation in operations_of(contract) for tag in operation["tags"])
    ]
    for schema in schemas.values():
        without_defaults(schema)
    contract["components"]["schemas"] = {name: schemas[name] for name in sorted(schemas)}
    tidy: Json = without_titles(contract)
    tidy[FIELD_CODES] = dict(field_codes)
    return tidy


def _add_event_data(schemas: Json, event_types: Sequence[EventType]) -> None:
    """A schema for each type of event and its data. `CloudEvent` is one of them, found by its `type`."""
    if not event_types:
        return
    models = {one.data.__name__: one.data for one in event_types}
    _, written = models_json_schema(
        [(model, "serialization") for model in models.values()], ref_template=f"{_SCHEMAS}{{model}}"
    )
    found: Json = written["$defs"]
    # What a route shows under the same name in another form keeps its name.
    names = {name: f"{name}Data" for name, schema in found.items() if schemas.get(name, schema) != schema}
    for name, schema in found.items():
        schemas[names.get(name, name)] = _renamed(schema, names)
    event = schemas["CloudEvent"]
    mapping = {}
    for one in event_types:
        data = {"$ref": f"{_SCHEMAS}{names.get(one.data.__name__, one.data.__name__)}"}
        own = {"type": {"type": "string", "const": one.type, "description": f"{one.title}."}, "data": data}
        name = event_name(one.type)
        schemas[name] = {**event, "description": one.title, "properties": {**event["properties"], **own}}
        mapping[one.type] = f"{_SCHEMAS}{name}"
    schemas[_OTHER] = _other_event(event, list(mapping))
    schemas["CloudEvent"] = {
        "description": f"{event['description']} `type` says which one it is. Types are added: handle one that you "
        "don't know as `OtherEvent`, or request only those that you know with `types`.",
        "oneOf": [{"$ref": ref} for ref in (*mapping.values(), f"{_SCHEMAS}{_OTHER}")],
        "discriminator": {"propertyName": "type", "mapping": mapping},
    }


def event_name(kind: str) -> str:
    """The schema of a type of event: `org.trellis.academy.rating.computed.v1` is `AcademyRatingComputedEvent`."""
    words = re.split(r"[.-]", kind.removeprefix("org.trellis.").removesuffix(".v1"))
    return "".join(word.capitalize() for word in words) + "Event"


def _other_event(event: Json, known: Sequence[str]) -> Json:
    """An event of a type that isn't there yet: what readers who know only this contract take it for."""
    own = {
        "type": {
            "type": "string",
            "not": {"enum": list(known)},
            "description": "A type that was added after this contract.",
        },
        "data": {"type": "object", "additionalProperties": True, "description": "What this type carries."},
    }
    return {
        **event,
        "description": "An event of a type that this contract doesn't have yet. Skip it, or keep it as it is.",
        "properties": {**event["properties"], **own},
    }


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """A schema whose references follow the new names."""
    if isinstance(value, list):
        return [_renamed(one, names) for one in value]
    if not isinstance(value, dict):
        return value
    renamed = {name: _renamed(one, names) for name, one in value.items()}
    if isinstance(ref := renamed.get("$ref"), str):
        name = ref.removeprefix(_SCHEMAS)
        renamed["$ref"] = _SCHEMAS + names.get(name, name)
    return renamed


def operations_of(contract: Mapping[str, Any]) -> Iterator[tuple[str, str, Json]]:
    """Every operation with its path and method."""
    for path, item in contract["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _tag(operation: Json, path: str, method: str, routes: Sequence[BaseRoute], described: dict[str, str]) -> None:
    """Give the operation a tag; what a slice says of itself describes the tag of its name."""
    tag = operation.setdefault("tags", [path.split("/")[3] if path.count("/") > 2 else "service"])[0]
    for route in routes:
        if isinstance(route, APIRoute) and route.path_format == path and method.upper() in (route.methods or ()):
            slice_name = route.endpoint.__module__.rpartition(".")[0]
            package = sys.modules.get(slice_name)
            paragraph = inspect.cleandoc((package and package.__doc__) or "").partition("\n\n")[0]
            if paragraph and slice_name.rpartition(".")[2].replace("_", "-") == tag:
                described.setdefault(tag, " ".join(paragraph.split()))


def _add_reach(operation: Json, path: str, method: str, routes: Sequence[BaseRoute]) -> None:
    for route in routes:
        if isinstance(route, APIRoute) and route.path_format == path and method.upper() in (route.methods or ()):
            acts_on = reach_of(route, method)
            if acts_on is not None:
                operation[ACTS_ON] = acts_on.value


def _complete(operation: Json, method: str) -> None:
    """Add what holds for every operation of the house."""
    parameters: list[Json] = operation.setdefault("parameters", [])
    names = {(parameter["in"], parameter["name"]) for parameter in parameters}
    answers: Json = operation["responses"]
    for status, answer in answers.items():
        _complete_answer(operation, answer, status)
    if method == "get":
        _complete_read(operation, names)
    if _is_fluff(operation):
        summary, _, rest = operation["description"].partition("\n")
        operation["summary"] = summary.rstrip(".")
        operation["description"] = rest.strip() or summary
    for parameter in parameters:
        plain_parameter(parameter)
        if (parameter["in"], parameter["name"]) == ("header", "If-Match"):
            # The kit answers 428 when it is missing, so that FastAPI sees it as optional.
            parameter["required"] = True
            parameter["schema"] = {"type": "string", "maxLength": LONGEST_HEADER, "pattern": TAG_LIST}
    content = operation.get("requestBody", {}).get("content", {})
    if method == "patch" and "application/json" in content:
        content.setdefault(MERGE_PATCH, copy.deepcopy(content["application/json"]))
        # With two types of body and nothing optional openapi-python-client writes a module that can't be imported.
        parameters.append(copy.deepcopy(_REQUEST_ID))
    for problem in house_problems(operation, method, names):
        add_problem(answers, problem)
    operation["responses"] = {status: answers[status] for status in sorted(answers)}
    for name in _INTERNAL:
        operation.pop(name, None)
    if not parameters:
        del operation["parameters"]


def _is_fluff(operation: Json) -> bool:
    """Is the summary FastAPI's, the operation id in other words?"""
    words: str = operation["operationId"].replace("_", " ").title()
    return bool(operation["summary"] == words)


def _complete_answer(operation: Json, answer: Json, status: str) -> None:
    if answer.get("description") == "Successful Response" and status.isdigit():
        answer["description"] = HTTPStatus(int(status)).phrase
    if "ETag" in answer.get("headers", {}):
        answer["headers"].update(copy.deepcopy(_ETAG))
    for media_type, content in answer.get("content", {}).items():
        is_bare = not set(content.get("schema", {})) - {"title"}
        if status.startswith("2") and media_type.endswith("json") and is_bare:
            raise ValueError(f"{operation['operationId']} doesn't say what it answers (response_model=...)")


def _complete_read(operation: Json, names: set[tuple[str, str]]) -> None:
    """A list has a `Link` to its next page; what has an `ETag` can be read on condition."""
    good = operation["responses"].get("200")
    if good is None:
        return
    if ("query", "cursor") in names:
        good.setdefault("headers", {}).update(copy.deepcopy(_LINK))
    if "ETag" in good.get("headers", {}):
        answer = {"description": "Nothing has changed since the `ETag` that you sent.", "headers": copy.deepcopy(_ETAG)}
        operation["responses"]["304"] = answer
        if ("header", "If-None-Match") not in names:
            operation["parameters"].append(copy.deepcopy(_IF_NONE_MATCH))


def _describe_scopes(contract: Json) -> None:
    scheme = contract["components"].get("securitySchemes", {}).get(SCHEME_NAME)
    if scheme is None:
        return
    scopes = {
        scope
        for *_, operation in operations_of(contract)
        for requirement in operation.get("security", ())
        for scope in requirement.get(SCHEME_NAME, ())
    }
    scheme["flows"]["clientCredentials"]["scopes"] = {scope: _scope_words(scope) for scope in sorted(scopes)}


def _scope_words(scope: str) -> str:
    thing, _, verb = scope.partition(":")
    return f"{verb.capitalize()} {thing.replace('-', ' ')}"
