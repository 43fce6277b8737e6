"""The events of all services as an AsyncAPI document: what each type carries, for tools that read such documents.

It is made from the contract of all services, so that both say the same.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kit.web.contract import event_name
from trellis.contracts.documents import Contract, written

FILE = "events.asyncapi.json"
_SCHEMAS = "#/components/schemas/"
_FEED = re.compile(r"/([a-z]+)/v1/events")


def asyncapi(bundle: Contract) -> Contract:
    """The feeds of a contract, each with a message for every type of its events."""
    channels: Contract = {}
    operations: Contract = {}
    messages: Contract = {}
    for path, service, event in _feeds(bundle):
        schemas = event["discriminator"]["mapping"]
        names = {kind: _name(kind) for kind in schemas}
        for kind, name in names.items():
            messages[name] = _message(
                kind, bundle["components"]["schemas"][schemas[kind].removeprefix(_SCHEMAS)], bundle
            )
        channels[service] = {
            "address": path,
            "title": f"Events of {service}",
            "description": f"GET {path}: pages of JSON, or a stream with `Accept: text/event-stream`.",
            "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names.values()},
        }
        operations[f"{service}_event_list"] = {
            "action": "receive",
            "summary": f"Read the events of {service}",
            "channel": {"$ref": f"#/channels/{service}"},
            "messages": [{"$ref": f"#/channels/{service}/messages/{name}"} for name in names.values()],
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Trellis events",
            "version": bundle["info"]["version"],
            "description": "The change feeds of all services. How they are read stands in the guide to events, at "
            "`/guides/events` of the gateway, and in the contracts.",
            "license": {"name": "MIT", "url": "https://spdx.org/licenses/MIT.html"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "gateway": {
                "host": "{host}",
                "protocol": "https",
                "description": "The gateway that gave you this document",
                "variables": {"host": {"description": "Its name and port."}},
                "security": [{"$ref": "#/components/securitySchemes/trellis"}],
            }
        },
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": _reached(messages, bundle["components"]["schemas"]),
            "securitySchemes": {
                "trellis": {"type": "http", "scheme": "bearer", "description": "An access token with `events:read`."}
            },
        },
    }


def write(folder: Path, bundle: Contract) -> None:
    """Write the document beside the contracts."""
    (folder / FILE).write_text(written(asyncapi(bundle)), encoding="utf-8")


def is_stale(folder: Path, bundle: Contract) -> bool:
    """Is the committed document another than the contract's?"""
    file = folder / FILE
    return not file.is_file() or file.read_text(encoding="utf-8") != written(asyncapi(bundle))


def _feeds(bundle: Contract) -> Iterator[tuple[str, str, Contract]]:
    """Path, service and schema of the events of every feed."""
    schemas = bundle["components"]["schemas"]
    for path, item in sorted(bundle["paths"].items()):
        if (feed := _FEED.fullmatch(path)) is not None:
            page = item["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
            items = schemas[page.removeprefix(_SCHEMAS)]["properties"]["items"]["items"]["$ref"]
            yield path, feed[1], schemas[items.removeprefix(_SCHEMAS)]


def _name(kind: str) -> str:
    """`org.trellis.academy.rating.computed.v1` as `AcademyRatingComputed`."""
    return event_name(kind).removesuffix("Event")


def _message(kind: str, event: Contract, bundle: Contract) -> Contract:
    data = event["properties"]["data"]
    means = bundle["components"]["schemas"][data["$ref"].removeprefix(_SCHEMAS)].get("description", kind)
    return {
        "name": kind,
        "title": kind,
        "summary": means.partition("\n")[0],
        "contentType": "application/json",
        "payload": {name: event[name] for name in ("type", "required", "properties")},
    }


def _reached(messages: Contract, schemas: Contract) -> Contract:
    """The schemas that messages refer to, and those that these refer to."""
    found: dict[str, Any] = {}
    waiting = _references(messages)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = schemas[name]
            waiting |= _references(schemas[name])
    return {name: _alone(found[name]) for name in sorted(found)}


def _alone(node: Any) -> Any:
    """A schema whose references stand alone: in AsyncAPI nothing beside a reference counts."""
    if isinstance(node, list):
        return [_alone(one) for one in node]
    if not isinstance(node, dict):
        return node
    members = {name: _alone(one) for name, one in node.items()}
    if "$ref" in members and len(members) > 1:
        return {"allOf": [{"$ref": members.pop("$ref")}], **members}
    return members


def _references(node: Any) -> set[str]:
    return set(re.findall(rf'"{_SCHEMAS}([^"]+)"', json.dumps(node)))
