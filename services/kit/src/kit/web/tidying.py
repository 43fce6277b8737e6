"""What FastAPI and pydantic write into a contract that no reader needs, tidied away."""

import json
from typing import Any

Json = dict[str, Any]
_SCHEMA_WORDS = frozenset({"type", "$ref", "anyOf", "allOf", "oneOf", "enum", "const", "items"})
# Below these stand names of our own, or values.
_NAMES = frozenset({"properties", "schemas", "$defs"})
_VALUES = frozenset({"default", "const", "enum", "example", "examples"})


def rename_bodies(contract: Json) -> None:
    """FastAPI names form bodies after the whole path; ours are named after the operation."""
    names: dict[str, str] = {}
    for item in contract["paths"].values():
        for operation in item.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                name = str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2]
                if name.startswith("Body_"):
                    words = operation["operationId"].split("_")
                    names[name] = "".join(word.capitalize() for word in words) + "Form"
    if not names:
        return

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: renamed(member) for name, member in value.items()}
        if isinstance(value, list):
            return [renamed(member) for member in value]
        if isinstance(value, str) and value.startswith("#/components/schemas/"):
            return "#/components/schemas/" + names.get(value.rpartition("/")[2], value.rpartition("/")[2])
        return value

    schemas = contract["components"]["schemas"]
    for old, new in names.items():
        schemas[new] = schemas.pop(old)
    contract.update(renamed(contract))


def without_titles(value: Any, *, names: bool = False) -> Any:
    """Without the titles that pydantic makes out of names; `names` says that the keys are names of members."""
    if isinstance(value, list):
        return [without_titles(member) for member in value]
    if not isinstance(value, dict):
        return value
    is_schema = not names and (set(value) == {"title"} or bool(_SCHEMA_WORDS & set(value)))
    kept: Json = {}
    for name, member in value.items():
        if is_schema and name == "title" and isinstance(member, str):
            continue
        if not names and name in _VALUES:
            kept[name] = member
        else:
            kept[name] = without_titles(member, names=name in _NAMES and not names)
    return kept


def plain_parameter(parameter: Json) -> None:
    """A parameter can be left out but never be null, and is described once."""
    schema: Json = parameter.get("schema", {})
    others = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(others) == 1:
        del schema["anyOf"]
        parameter["schema"] = schema = {**others[0], **schema}
    if schema.get("description") == parameter.get("description"):
        schema.pop("description", None)
    if "default" in schema and schema["default"] in (None, []):
        del schema["default"]
    if parameter["in"] == "path" and "examples" in schema:
        # What a viewer fills in, so that the first try of an operation works.
        parameter["example"] = schema["examples"][0]


def without_defaults(schema: Json) -> None:
    """Say defaults of members in words.

    Generators of TypeScript make a member with a `default` required, also in a body that may leave it out.
    """
    for member in schema.get("properties", {}).values():
        if isinstance(member, dict) and "default" in member:
            default = member.pop("default")
            if default is not None and default != []:
                words = f"Default: `{json.dumps(default, ensure_ascii=False)}`."
                member["description"] = f"{member.get('description', '')} {words}".strip()
