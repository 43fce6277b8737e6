"""What the portal fills in for a body is a body that is taken: nobody's first call fails on an example."""

import importlib
from typing import Any

import jsonschema_rs
import pytest
from fastapi.routing import APIRoute

from kit import clock
from kit.settings import ServiceSettings
from tests.support.clients import Clients
from tests.support.contracts import made
from trellis.contracts.documents import APPS, Contract, operations

SCHEMAS = "#/components/schemas/"


def sample(schema: dict[str, Any], contract: Contract) -> Any:  # noqa: PLR0911 - a case for each kind of schema
    """What the portal's viewer shows for a schema: its example, else one made of those of its members.

    Raises AssertionError where the viewer would make something up.
    """
    if "$ref" in schema:
        target = contract["components"]["schemas"][schema["$ref"].removeprefix(SCHEMAS)]
        return sample({**target, **{name: one for name, one in schema.items() if name != "$ref"}}, contract)
    if examples := schema.get("examples"):
        return examples[0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if branches := schema.get("anyOf") or schema.get("oneOf"):
        return sample(branches[0], contract)
    if schema.get("type") == "object" and "properties" in schema:
        return {name: sample(member, contract) for name, member in schema["properties"].items()}
    if schema.get("type") == "array":
        return [sample(schema["items"], contract)]
    if schema.get("type") == "boolean":
        return True
    if schema.get("type") in {"integer", "number"}:
        return schema.get("maximum", schema.get("minimum", 0))
    raise AssertionError(f"no example for {schema}")


def bodies(service: str) -> list[tuple[str, Any, dict[str, Any], Contract]]:
    """Operation id, sample, schema and contract of every JSON body."""
    contract = made(service)
    found = []
    for *_, operation in operations(contract):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        if content.get("schema"):
            found.append((operation["operationId"], sample(content["schema"], contract), content["schema"], contract))
    return found


@pytest.mark.parametrize("service", APPS)
def test_every_body_that_the_portal_fills_in_satisfies_its_schema(service: str) -> None:
    unsound = [
        (operation, shown)
        for operation, shown, schema, contract in bodies(service)
        if not jsonschema_rs.validator_for({**schema, "components": contract["components"]}).is_valid(shown)
    ]

    assert unsound == []


@pytest.mark.parametrize("service", APPS)
def test_every_body_that_the_portal_fills_in_is_read(service: str) -> None:
    app = importlib.import_module(APPS[service]).create_app(ServiceSettings.for_contract(service))
    fields = {
        route.operation_id or route.name: route.body_field
        for route in app.router.routes
        if isinstance(route, APIRoute) and route.body_field is not None
    }
    shown = {operation: value for operation, value, *_ in bodies(service)}
    faults = {
        operation: fields[operation].validate(value, {}, loc=("body",))[1]
        for operation, value in shown.items()
        if operation in fields
    }

    assert {operation: found for operation, found in faults.items() if found} == {}
    assert service not in {"academy", "identity"} or len(faults) > 5


async def test_the_example_of_criteria_is_a_sound_set(client: Clients) -> None:
    author = await client("academy", "data-manager")
    shown = {operation: value for operation, value, *_ in bodies("academy")}

    assert (await author.post("/academy/v1/criteria-sets", json=shown["criteria_set_create"])).status_code == 201
    assert (await author.post("/academy/v1/academies/lookup", json=shown["academy_lookup"])).status_code == 200


async def test_the_example_of_a_link_makes_one(client: Clients) -> None:
    maker = await client("academy", "chief-executive")
    shown = {operation: value for operation, value, *_ in bodies("academy")}["link_create"]
    # The day in the contract is one of next year's; the clock of the tests stands still.
    body = {**shown, "expires_on": str(clock.now().date())}

    assert (await maker.post("/academy/v1/links", json=body)).status_code == 201


@pytest.mark.parametrize("service", APPS)
def test_every_parameter_in_a_path_that_is_no_id_has_an_example(service: str) -> None:
    silent = {
        f"{operation['operationId']}: {parameter['name']}"
        for *_, operation in operations(made(service))
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "path" and parameter["schema"].get("format") != "uuid" and "example" not in parameter
    }

    assert silent <= {"shared_view: token"}
