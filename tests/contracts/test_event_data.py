"""The contract names the data of every type of event; the answers of all tests are held against it."""

from typing import Any

import pytest

from trellis.contracts.documents import APPS, all_made, made
from trellis.docs import definition_of

SCHEMAS = "#/components/schemas/"


@pytest.mark.parametrize("service", APPS)
def test_every_type_of_event_has_a_schema_with_its_members(service: str) -> None:
    schemas: dict[str, Any] = made(service)["components"]["schemas"]
    named = schemas["CloudEvent"]["x-event-data"]
    assert set(named) == {one.type for one in definition_of(service).event_types}
    for one in definition_of(service).event_types:
        schema = schemas[named[one.type]["$ref"].removeprefix(SCHEMAS)]
        assert set(schema["properties"]) == set(one.data.model_fields), one.type
    data = schemas["CloudEvent"]["properties"]["data"]
    choices = data.get("anyOf", [data])
    assert {choice["$ref"] for choice in choices} == {one["$ref"] for one in named.values()}


def test_the_bundle_points_to_schemas_that_it_has() -> None:
    schemas: dict[str, Any] = all_made()["trellis"]["components"]["schemas"]
    events = [schema for name, schema in schemas.items() if name.endswith("CloudEvent")]
    assert len(events) > 1
    for schema in events:
        for one in schema["x-event-data"].values():
            assert one["$ref"].removeprefix(SCHEMAS) in schemas
