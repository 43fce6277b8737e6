"""The contract: what every operation says without its author having to."""

import json
import re
from typing import Any

import jsonschema_rs
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from kit.web.app import Service, create_service
from kit.web.contract import operations_of
from kit.web.idempotency import IdempotentRoute
from kit.web.operations import Operations
from tests.kit.sample import ThingOut, extras, router, sample_settings
from tests.support.clients import create_app
from tests.support.tokens import trusted_keys

Json = dict[str, Any]


@pytest.fixture(scope="session")
def contract(sample: Service) -> Json:
    """The sample's contract."""
    return sample.openapi()


def operation(contract: Json, operation_id: str) -> Json:
    """One operation."""
    return next(one for *_, one in operations_of(contract) if one["operationId"] == operation_id)


def codes(contract: Json, operation_id: str, status: int) -> list[str]:
    """The problem codes that an operation lists for a status."""
    answer = operation(contract, operation_id)["responses"][str(status)]
    if "$ref" in answer:
        answer = contract["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return list(answer["content"]["application/problem+json"]["examples"])


def service(*routers: APIRouter) -> Service:
    """A service of these routes."""
    return create_service(
        sample_settings(), title="Other", description="Another.", routers=list(routers), keys=trusted_keys()
    )


def test_head_of_the_contract(contract: Json) -> None:
    assert contract["openapi"] == "3.1.0"
    assert contract["info"]["version"] == "1"
    assert contract["info"]["license"] == {"name": "MIT", "identifier": "MIT"}
    assert contract["servers"][0]["url"] == "/"
    assert [tag["name"] for tag in contract["tags"]] == ["things", "extras"]


def test_operations_are_named_described_and_tagged(contract: Json) -> None:
    ids = [one["operationId"] for *_, one in operations_of(contract)]
    assert len(set(ids)) == len(ids)
    for *_, one in operations_of(contract):
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", one["operationId"])
        assert one["summary"]
        assert not one["summary"].endswith(".")
        assert one["description"]
        assert one["tags"]


def test_every_operation_shows_its_scopes(contract: Json) -> None:
    assert operation(contract, "thing_list")["security"] == [{"trellis": ["things:read"]}]
    assert operation(contract, "thing_create")["security"] == [{"trellis": ["things:read", "things:write"]}]
    assert operation(contract, "anybody_view")["security"] == [{"trellis": []}]
    assert "security" not in operation(contract, "open_view")
    flow = contract["components"]["securitySchemes"]["trellis"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == "/identity/v1/token"
    assert set(flow["scopes"]) == {"things:read", "things:write"}


def test_house_problems_are_on_every_operation(contract: Json) -> None:
    for *_, one in operations_of(contract):
        assert {"400", "422", "429", "503"} <= set(one["responses"])
        assert ("401" in one["responses"]) == ("security" in one)
        assert "default" not in one["responses"]
        assert "500" not in one["responses"]
    assert "403" not in operation(contract, "anybody_view")["responses"]
    assert codes(contract, "thing_list", 400) == ["invalid-cursor", "malformed-request"]
    assert codes(contract, "thing_view", 404) == ["not-found"]
    assert codes(contract, "thing_create", 409) == ["thing-taken"]
    assert codes(contract, "thing_create", 413) == ["payload-too-large"]
    assert codes(contract, "thing_create", 415) == ["unsupported-media-type"]
    assert codes(contract, "thing_change", 412) == ["precondition-failed"]
    assert codes(contract, "thing_change", 428) == ["precondition-required"]


def test_problems_are_problem_json_and_nothing_else(contract: Json) -> None:
    for *_, one in operations_of(contract):
        for status, answer in one["responses"].items():
            if status[0] in "45":
                assert "$ref" in answer or set(answer["content"]) == {"application/problem+json"}
    for answer in contract["components"]["responses"].values():
        assert set(answer["content"]) == {"application/problem+json"}


def test_headers_that_must_come_are_required(contract: Json) -> None:
    shared = contract["components"]["responses"]
    assert shared["Unauthorized"]["headers"]["WWW-Authenticate"]["required"]
    assert shared["TooManyRequests"]["headers"]["Retry-After"]["required"]
    assert {"RateLimit", "RateLimit-Policy"} <= set(shared["TooManyRequests"]["headers"])


def test_fluff_of_the_framework_is_gone(contract: Json) -> None:
    text = json.dumps(contract)
    for fluff in (
        "HTTPValidationError",
        "Successful Response",
        "x-streamed-body",
        "x-idempotent",
        "x-problems",
        "Body_",
    ):
        assert fluff not in text
    assert '"null"' not in json.dumps([one.get("parameters") for *_, one in operations_of(contract)])
    assert "title" not in contract["components"]["schemas"]["ThingOut"]
    # A member that is called so stays.
    assert "title" in contract["components"]["schemas"]["ProblemOut"]["properties"]
    assert "FormCreateForm" in contract["components"]["schemas"]


def test_conditional_reads_and_writes_are_told(contract: Json) -> None:
    view = operation(contract, "thing_view")
    assert view["responses"]["304"]["headers"]["ETag"]
    assert {one["name"] for one in view["parameters"]} == {"number", "If-None-Match"}
    change = operation(contract, "thing_change")
    if_match = next(one for one in change["parameters"] if one["name"] == "If-Match")
    assert if_match["required"]
    assert set(change["requestBody"]["content"]) == {"application/json", "application/merge-patch+json"}
    assert "304" not in operation(contract, "thing_list")["responses"]
    assert "Link" in operation(contract, "thing_list")["responses"]["200"]["headers"]


def test_members_of_answers_are_required(contract: Json) -> None:
    schemas = contract["components"]["schemas"]
    assert schemas["ThingPage"]["required"] == ["items", "next", "total"]
    assert set(schemas["ProblemOut"]["required"]) == {
        "type", "title", "status", "detail", "instance", "code", "trace_id", "errors",
    }  # fmt: skip
    assert set(schemas["FieldError"]["required"]) == {"pointer", "parameter", "code", "detail"}


def test_contract_is_the_same_each_time(sample: Service) -> None:
    again = service(router, extras).openapi()
    assert json.dumps(again["components"]) == json.dumps(sample.openapi()["components"])


def test_every_schema_is_one(contract: Json) -> None:
    for name in contract["components"]["schemas"]:
        root = {"$ref": f"#/components/schemas/{name}", "components": contract["components"]}
        jsonschema_rs.validator_for(root)


def test_every_reference_leads_somewhere(contract: Json) -> None:
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(contract))):
        node: Any = contract
        for step in reference.split("/"):
            node = node[step]


def test_idempotent_posts_tell_what_can_go_wrong_with_a_key() -> None:
    others = APIRouter(prefix="/others", route_class=IdempotentRoute)

    @others.post("")
    async def other_create() -> ThingOut:
        """Make another."""
        raise NotImplementedError

    @others.post("/lookup", openapi_extra={"x-idempotent": False})
    async def other_lookup() -> ThingOut:
        """Look others up."""
        raise NotImplementedError

    contract = service(others).openapi()
    assert codes(contract, "other_create", 422) == [
        "idempotency-key-invalid",
        "idempotency-key-reused",
        "invalid-request",
    ]
    names = [one["name"] for one in operation(contract, "other_create")["parameters"]]
    assert names == ["Idempotency-Key"]
    assert codes(contract, "other_lookup", 422) == ["invalid-request"]
    # The router's own routes are as they were: other apps of the process use them as well.
    again = service(others).openapi()
    assert again == contract


def test_route_without_words_is_refused() -> None:
    others = APIRouter()

    @others.get("/other")
    async def other_view() -> ThingOut:
        raise NotImplementedError

    with pytest.raises(ValueError, match="doesn't say what it does"):
        service(others)


def test_route_with_a_bare_name_is_refused() -> None:
    others = APIRouter()

    @others.get("/other")
    async def view() -> ThingOut:
        """An operation without a resource in its name."""
        raise NotImplementedError

    with pytest.raises(ValueError, match="operation id"):
        service(others)


def test_route_that_answers_anything_is_refused() -> None:
    others = APIRouter()

    @others.get("/other")
    async def other_view() -> Any:
        """Something."""
        raise NotImplementedError

    with pytest.raises(ValueError, match="doesn't say what it answers"):
        service(others).openapi()


def test_same_operation_id_twice_is_refused() -> None:
    others = APIRouter()
    for path in ("/one", "/two"):

        @others.get(path, operation_id="other_view")
        async def other_view() -> ThingOut:
            """Something."""
            raise NotImplementedError

    with pytest.raises(ValueError, match="there is an operation other_view already"):
        service(others)


def test_nested_routers_keep_what_the_outer_ones_say() -> None:
    inner = APIRouter(prefix="/inner")

    @inner.get("/{number}")
    async def inner_view(number: int) -> ThingOut:
        """Something inside."""
        return ThingOut(id=number, name="inner", note=None)

    outer = APIRouter(prefix="/outer", tags=["outer"])
    outer.include_router(inner)
    contract = service(outer).openapi()
    assert list(contract["paths"]) == ["/sample/v1/outer/inner/{number}"]
    assert operation(contract, "inner_view")["tags"] == ["outer"]


def of_parameter(schema: Json) -> bool:
    """May a parameter of this schema be repeated?"""
    return schema.get("type") == "array"


@pytest.mark.parametrize("name", ["sample", "academy", "research", "reporting", "identity"])
def test_requests_are_checked_against_what_the_contract_says(sample: Service, name: str) -> None:
    app = sample if name == "sample" else create_app(name, "postgresql://nobody@/nothing")
    contract = app.openapi()
    checked = {
        (operation.path, operation.method.lower()): operation
        for operation in Operations(route for route in app.router.routes if isinstance(route, APIRoute))
        if operation.route.include_in_schema
    }
    assert set(checked) == {(path, method) for path, method, _ in operations_of(contract)}
    for path, method, told in operations_of(contract):
        operation = checked[path, method]
        security = [requirement["trellis"] for requirement in told.get("security", []) if "trellis" in requirement]
        assert operation.scopes == (tuple(security[0]) if security else None)
        assert operation.media_types == set(told.get("requestBody", {}).get("content", {}))
        parameters = [one for one in told.get("parameters", []) if one["in"] == "query"]
        assert operation.query == {one["name"]: of_parameter(one["schema"]) for one in parameters}
