"""The contract names the data of every type of event; the answers of all tests are held against it."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.support.contracts import all_made, made
from trellis.contracts import asyncapi
from trellis.contracts.documents import APPS
from trellis.docs import definition_of

SCHEMAS = "#/components/schemas/"
ERASED: dict[str, Any] = {
    "specversion": "1.0",
    "id": "0193e2f1-8a39-7a7e-8b2e-5c7e0d8f9a10",
    "source": "/academy/v1",
    "type": "org.trellis.academy.person-data.erased.v1",
    "subject": "people/1",
    "time": "2026-11-25T09:00:00Z",
    "datacontenttype": "application/json",
    "trust": "9ef4e9a4-8b2c-53e6-a5c5-0f0a4c1a2b3c",
    "urn": None,
    "data": {"person_id": "0193e2f1-8a39-7a7e-8b2e-5c7e0d8f9a11", "tables": {"moderation": 3}},
}


def mapping_of(schemas: dict[str, Any], name: str = "CloudEvent") -> dict[str, str]:
    """The names of the schemas of events, by type."""
    mapping = schemas[name]["discriminator"]["mapping"]
    return {kind: reference.removeprefix(SCHEMAS) for kind, reference in mapping.items()}


@pytest.mark.parametrize("service", APPS)
def test_every_type_of_event_has_a_schema_with_its_members(service: str) -> None:
    schemas: dict[str, Any] = made(service)["components"]["schemas"]
    named = mapping_of(schemas)
    assert set(named) == {one.type for one in definition_of(service).event_types}
    for one in definition_of(service).event_types:
        event = schemas[named[one.type]]
        assert event["properties"]["type"]["const"] == one.type
        data = schemas[event["properties"]["data"]["$ref"].removeprefix(SCHEMAS)]
        assert set(data["properties"]) == set(one.data.model_fields), one.type
    choices = [choice["$ref"].removeprefix(SCHEMAS) for choice in schemas["CloudEvent"]["oneOf"]]
    # Generators that try one after another take the open one last.
    assert choices == [*named.values(), "OtherEvent"]


def test_the_bundle_points_to_schemas_that_it_has() -> None:
    schemas: dict[str, Any] = all_made()["trellis"]["components"]["schemas"]
    events = [name for name in schemas if name.endswith("CloudEvent")]
    assert len(events) > 1
    for name in events:
        assert set(mapping_of(schemas, name).values()) < set(schemas)


def test_an_event_is_one_of_the_types_or_of_one_that_came_later() -> None:
    contract = made("academy")
    validator = jsonschema_rs.validator_for(
        {"$ref": f"{SCHEMAS}CloudEvent", "components": contract["components"]}, validate_formats=False
    )
    assert validator.is_valid(ERASED)
    assert not validator.is_valid({**ERASED, "data": {}})
    assert not validator.is_valid({**ERASED, "type": "org.trellis.academy.rating.computed.v1"})
    later = {**ERASED, "type": "org.trellis.academy.tour.held.v1", "data": {"tour_id": 1}}
    assert validator.is_valid(later)
    assert not validator.is_valid({**later, "data": None})


def test_the_asyncapi_document_has_a_message_for_every_type() -> None:
    document = asyncapi.asyncapi(all_made()["trellis"])
    messages = document["components"]["messages"]
    types = {one.type for service in APPS for one in definition_of(service).event_types}
    assert {message["name"] for message in messages.values()} == types
    assert len(messages) == len(types)
    assert set(document["channels"]) == set(APPS)
    for channel in document["channels"].values():
        for message in channel["messages"].values():
            assert message["$ref"].removeprefix("#/components/messages/") in messages


def test_a_message_takes_its_own_event_and_no_other() -> None:
    document = asyncapi.asyncapi(all_made()["trellis"])
    payload = document["components"]["messages"]["AcademyPersonDataErased"]["payload"]
    validator = jsonschema_rs.validator_for({**payload, "components": document["components"]})
    assert validator.is_valid(ERASED)
    assert not validator.is_valid({**ERASED, "type": "org.trellis.academy.rating.computed.v1"})
    assert not validator.is_valid({**ERASED, "data": {}})


def test_a_stale_asyncapi_document_is_noticed(tmp_path: Path) -> None:
    bundle = all_made()["trellis"]
    assert asyncapi.is_stale(tmp_path, bundle)
    asyncapi.write(tmp_path, bundle)
    assert not asyncapi.is_stale(tmp_path, bundle)
