"""One document out of all contracts: nothing lost, nothing mixed up."""

from typing import Any

import pytest

from gateway.portal.bundle import bundle


def contract(
    path: str, schema: dict[str, Any], *, operation: str = "thing_list", scope: str = "a:read"
) -> dict[str, Any]:
    """A small contract whose one answer refers to one schema."""
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}
    flows = {"clientCredentials": {"tokenUrl": "/token", "scopes": {scope: scope}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": {path: {"get": {"operationId": operation, "responses": {"200": answer}}}},
        "components": {
            "schemas": {"Thing": schema},
            "securitySchemes": {"trellis": {"type": "oauth2", "flows": flows}},
        },
        "tags": [{"name": "things"}],
    }


def reference_of(document: dict[str, Any], path: str) -> str:
    schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    return str(schema["$ref"])


def test_schemas_that_differ_get_the_name_of_their_service() -> None:
    document = bundle({"a": contract("/a", {"type": "string"}), "b": contract("/b", {"type": "integer"})})

    assert reference_of(document, "/a") == "#/components/schemas/AThing"
    assert document["components"]["schemas"] == {"AThing": {"type": "string"}, "BThing": {"type": "integer"}}


def test_a_new_name_replaces_nothing() -> None:
    one = contract("/a", {"type": "string"})
    one["components"]["schemas"]["AThing"] = {"type": "boolean"}

    document = bundle({"a": one, "b": contract("/b", {"type": "integer"})})

    assert reference_of(document, "/a") == "#/components/schemas/AServiceThing"
    assert document["components"]["schemas"] == {
        "AServiceThing": {"type": "string"},
        "AThing": {"type": "boolean"},
        "BThing": {"type": "integer"},
    }


def test_names_that_run_out_are_refused() -> None:
    one = contract("/a", {"type": "string"})
    one["components"]["schemas"] |= {"AThing": {}, "AServiceThing": {}}

    with pytest.raises(ValueError, match="no free name for #/components/schemas/Thing of a"):
        bundle({"a": one, "b": contract("/b", {"type": "integer"})})


def test_schemas_that_are_alike_are_kept_once() -> None:
    document = bundle({"a": contract("/a", {"type": "string"}), "b": contract("/b", {"type": "string"})})

    assert document["components"]["schemas"] == {"Thing": {"type": "string"}}
    assert document["tags"] == [{"name": "things"}]


def test_operations_with_one_id_are_told_apart() -> None:
    document = bundle({"a": contract("/a", {}), "b": contract("/b", {}), "c": contract("/c", {}, operation="own")})

    assert [document["paths"][path]["get"]["operationId"] for path in ("/a", "/b", "/c")] == [
        "a_thing_list",
        "b_thing_list",
        "own",
    ]


def test_scopes_of_all_services_are_offered() -> None:
    document = bundle({"a": contract("/a", {}, scope="a:read"), "b": contract("/b", {}, scope="b:read")})

    flow = document["components"]["securitySchemes"]["trellis"]["flows"]["clientCredentials"]
    assert set(flow["scopes"]) == {"a:read", "b:read"}


def test_contracts_that_go_in_stay_as_they_are() -> None:
    one = contract("/a", {"type": "string"})
    bundle({"a": one, "b": contract("/b", {"type": "integer"})})

    assert one == contract("/a", {"type": "string"})


def test_two_services_never_share_a_path() -> None:
    with pytest.raises(ValueError, match="claim /a"):
        bundle({"a": contract("/a", {}), "b": contract("/a", {})})


def test_what_refers_to_something_that_differs_differs_too() -> None:
    one, two = (contract(path, {"$ref": "#/components/schemas/Inner"}) for path in ("/a", "/b"))
    one["components"]["schemas"]["Inner"] = {"type": "string"}
    two["components"]["schemas"]["Inner"] = {"type": "integer"}

    schemas = bundle({"a": one, "b": two})["components"]["schemas"]

    assert schemas["AThing"] == {"$ref": "#/components/schemas/AInner"}
    assert schemas["BThing"] == {"$ref": "#/components/schemas/BInner"}
    assert schemas["BInner"] == {"type": "integer"}


def test_things_that_refer_to_themselves_are_kept_once() -> None:
    schema = {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}

    document = bundle({"a": contract("/a", schema), "b": contract("/b", schema)})

    assert document["components"]["schemas"] == {"Thing": schema}


def test_mapping_of_a_discriminator_follows_the_new_name() -> None:
    schema = {"discriminator": {"propertyName": "kind", "mapping": {"x": "#/components/schemas/Thing"}}}

    document = bundle({"a": contract("/a", schema), "b": contract("/b", {})})

    mapping = document["components"]["schemas"]["AThing"]["discriminator"]["mapping"]
    assert mapping == {"x": "#/components/schemas/AThing"}
