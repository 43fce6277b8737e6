"""Which changes of a contract break its clients, case by case."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trellis.contracts.breaking import breaks

Contract = dict[str, Any]
Change = Callable[[Contract], None]


def contract() -> Contract:
    """A small contract with everything in it that can be broken."""
    answer = {
        "type": "object",
        "required": ["status", "children"],
        "properties": {
            "status": {"type": "string", "enum": ["red", "green"]},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "pupils": {"type": "integer"},
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Answer"}},
        },
    }
    sent = {
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "maxLength": 20},
            "phase": {"type": "string", "enum": ["primary", "secondary"]},
        },
    }
    problem = {
        "type": "object",
        "required": ["code", "status"],
        "properties": {"code": {"type": "string", "enum": ["not-found"]}, "status": {"type": "integer"}},
    }
    operation = {
        "operationId": "thing_create",
        "security": [{"trellis": ["things:write"]}],
        "parameters": [
            {"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 500}},
            {"in": "path", "name": "urn", "required": True, "schema": {"type": "integer"}},
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Sent"}}},
        },
        "responses": {
            "200": {
                "headers": {"ETag": {"schema": {"type": "string"}}},
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}},
            },
            "404": {"content": {"application/problem+json": {"schema": problem}}},
        },
    }
    return {
        "openapi": "3.1.0",
        "paths": {"/a/v1/things/{urn}": {"post": operation}},
        "components": {"schemas": {"Answer": answer, "Sent": sent}},
    }


def operation_of(one: Contract) -> dict[str, Any]:
    operation: dict[str, Any] = one["paths"]["/a/v1/things/{urn}"]["post"]
    return operation


def answer_of(one: Contract) -> dict[str, Any]:
    schema: dict[str, Any] = one["components"]["schemas"]["Answer"]
    return schema


def problem_of(one: Contract) -> dict[str, Any]:
    answer = operation_of(one)["responses"]["404"]
    schema: dict[str, Any] = answer["content"]["application/problem+json"]["schema"]
    return schema


def sent_of(one: Contract) -> dict[str, Any]:
    schema: dict[str, Any] = one["components"]["schemas"]["Sent"]
    return schema


def split(one: Contract, *, without: str | None = None) -> None:
    """From now on the answer is of one of two kinds, the second perhaps without a member."""
    second = copy.deepcopy(answer_of(contract()))
    if without is not None:
        del second["properties"][without]
    one["components"]["schemas"]["Second"] = second
    kinds = [{"$ref": f"#/components/schemas/{name}"} for name in ("Answer", "Second")]
    operation_of(one)["responses"]["200"]["content"]["application/json"]["schema"] = {"oneOf": kinds}


BREAKING: dict[str, Change] = {
    "operation removed": lambda one: one["paths"].clear(),
    "operation id thing_create became thing_make": lambda one: operation_of(one).update(operationId="thing_make"),
    "needs more scopes: things:delete": lambda one: operation_of(one).update(
        security=[{"trellis": ["things:write", "things:delete"]}]
    ),
    "query parameter limit removed": lambda one: operation_of(one)["parameters"].pop(0),
    "query parameter limit became required": lambda one: operation_of(one)["parameters"][0].update(required=True),
    "query parameter limit maximum became 100": lambda one: operation_of(one)["parameters"][0]["schema"].update(
        maximum=100
    ),
    "required query parameter trust added": lambda one: operation_of(one)["parameters"].append(
        {"in": "query", "name": "trust", "required": True, "schema": {"type": "string"}}
    ),
    "path parameter urn no longer takes integer": lambda one: operation_of(one)["parameters"][1].update(
        schema={"type": "string"}
    ),
    "body removed": lambda one: operation_of(one).pop("requestBody"),
    "body no longer application/json": lambda one: operation_of(one)["requestBody"].update(content={}),
    "body.phase removed": lambda one: sent_of(one)["properties"].pop("phase"),
    "body.phase became required": lambda one: sent_of(one)["required"].append("phase"),
    "body.phase no longer takes primary": lambda one: sent_of(one)["properties"]["phase"].update(enum=["secondary"]),
    "body.name maxLength became 10": lambda one: sent_of(one)["properties"]["name"].update(maxLength=10),
    "body.name pattern changed": lambda one: sent_of(one)["properties"]["name"].update(pattern="^a"),
    "required body.size added": lambda one: (
        sent_of(one)["properties"].update(size={"type": "integer"}),
        sent_of(one)["required"].append("size"),
    )[0],
    "answer 200 removed": lambda one: operation_of(one)["responses"].pop("200"),
    "answer 202 added": lambda one: operation_of(one)["responses"].update({"202": {}}),
    "answer 200 header ETag removed": lambda one: operation_of(one)["responses"]["200"]["headers"].clear(),
    "answer 200.note removed": lambda one: answer_of(one)["properties"].pop("note"),
    "answer 200.status may now be absent": lambda one: answer_of(one)["required"].remove("status"),
    "answer 200.status may now be amber": lambda one: answer_of(one)["properties"]["status"]["enum"].append("amber"),
    "answer 200.status may now be null": lambda one: answer_of(one)["properties"]["status"].update(
        type=["string", "null"]
    ),
    "answer 200.pupils removed": lambda one: split(one, without="pupils"),
    "answer 404.status may now be absent": lambda one: problem_of(one)["required"].remove("status"),
    "answer 200.pupils may now be number": lambda one: answer_of(one)["properties"]["pupils"].update(type="number"),
}

HARMLESS: dict[str, Change] = {
    "an operation more": lambda one: one["paths"].update({"/a/v1/others": {"get": {"operationId": "other_list"}}}),
    "an optional parameter more": lambda one: operation_of(one)["parameters"].append(
        {"in": "query", "name": "phase", "schema": {"type": "string"}}
    ),
    "a field more in the answer": lambda one: answer_of(one)["properties"].update(size={"type": "integer"}),
    "an optional field more in the body": lambda one: sent_of(one)["properties"].update(size={"type": "integer"}),
    "a word more in the body": lambda one: sent_of(one)["properties"]["phase"]["enum"].append("special"),
    "a word fewer in the answer": lambda one: answer_of(one)["properties"]["status"].update(enum=["red"]),
    "a longer bound": lambda one: sent_of(one)["properties"]["name"].update(maxLength=40),
    "no token needed": lambda one: operation_of(one).pop("security"),
    "a field always there": lambda one: answer_of(one)["required"].append("note"),
    "an error more": lambda one: operation_of(one)["responses"].update({"409": {}}),
    "an error of any code": lambda one: problem_of(one)["properties"].update(code={"type": "string"}),
    "one of several kinds with the same members": split,
    "never null": lambda one: answer_of(one)["properties"].update(note={"type": "string"}),
}


@pytest.mark.parametrize("what", BREAKING)
def test_what_a_client_may_rely_on_is_kept(what: str) -> None:
    changed = contract()
    BREAKING[what](changed)

    assert what in [one.what for one in breaks(contract(), changed)]


@pytest.mark.parametrize("what", HARMLESS)
def test_additions_break_nobody(what: str) -> None:
    changed = contract()
    HARMLESS[what](changed)

    assert breaks(contract(), changed) == []


@given(st.lists(st.sampled_from(sorted(HARMLESS)), unique=True))
def test_any_additions_together_break_nobody(changes: list[str]) -> None:
    changed = contract()
    for what in changes:
        HARMLESS[what](changed)

    assert breaks(contract(), copy.deepcopy(changed)) == []
