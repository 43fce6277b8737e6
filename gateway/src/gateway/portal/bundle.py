"""All contracts in one document, for clients that want one file."""

import copy
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

Contract = dict[str, Any]

FIELD_CODES = "x-error-codes"
_SECTIONS = ("schemas", "responses", "parameters", "headers", "requestBodies", "examples", "links", "pathItems")


def bundle(contracts: Mapping[str, Contract]) -> Contract:
    """One document with the paths of all services.

    A component that two services define alike is kept once; where they differ, each gets its service's name in
    front, and so do operations with the same id.
    Raises ValueError when two services claim the same path, or a component can't get a name of its own.
    """
    merged: Contract = {
        "openapi": "3.1.0",
        "info": {
            "title": "Trellis",
            "version": "1",
            "summary": "Every service of Trellis in one contract.",
            "description": "The open backend of a school trust's improvement work: the contracts of "
            f"{', '.join(sorted(contracts))} together. Each is also served alone.",
        },
        "paths": {},
        "components": {},
        "tags": [],
    }
    shared = _shared_operation_ids(contracts)
    for service, original in sorted(contracts.items()):
        contract = _renamed(copy.deepcopy(original), _clashes(service, contracts))
        merged["openapi"] = contract.get("openapi", merged["openapi"])
        for key in ("license", "contact"):
            if key in contract.get("info", {}):
                merged["info"].setdefault(key, contract["info"][key])
        merged.setdefault("servers", contract.get("servers", []))
        for path, item in contract.get("paths", {}).items():
            if path in merged["paths"]:
                raise ValueError(f"two services claim {path}")
            merged["paths"][path] = item
            for operation in _operations(item):
                if operation.get("operationId") in shared:
                    operation["operationId"] = f"{service}_{operation['operationId']}"
        for section, entries in contract.get("components", {}).items():
            merged["components"].setdefault(section, {}).update(entries)
        merged.setdefault(FIELD_CODES, {}).update(contract.get(FIELD_CODES, {}))
        known = {tag["name"] for tag in merged["tags"]}
        merged["tags"] += [tag for tag in contract.get("tags", []) if tag["name"] not in known]
    merged[FIELD_CODES] = dict(sorted(merged.get(FIELD_CODES, {}).items()))
    merged["components"]["securitySchemes"] = _schemes(contracts)
    return merged


def _operations(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [operation for operation in item.values() if isinstance(operation, dict) and "responses" in operation]


def _shared_operation_ids(contracts: Mapping[str, Contract]) -> set[str]:
    """The ids that several services use (each has a change feed); in one document an id stands for one operation."""
    times = Counter(
        operation["operationId"]
        for contract in contracts.values()
        for item in contract.get("paths", {}).values()
        for operation in _operations(item)
        if "operationId" in operation
    )
    return {name for name, count in times.items() if count > 1}


def _schemes(contracts: Mapping[str, Contract]) -> dict[str, Any]:
    """The ways to prove who one is, with the scopes of all services."""
    schemes: dict[str, Any] = {}
    for contract in contracts.values():
        for name, scheme in copy.deepcopy(contract.get("components", {}).get("securitySchemes", {})).items():
            kept = schemes.setdefault(name, scheme)
            for flow, members in scheme.get("flows", {}).items():
                kept["flows"][flow].setdefault("scopes", {}).update(members.get("scopes", {}))
    return schemes


def _clashes(service: str, contracts: Mapping[str, Contract]) -> dict[str, str]:
    """References of this service whose name another service gives to something else, with their new names.

    What refers to something that differs differs too, even if it is written alike. A new name is one that no service
    uses: the academy service has an `AcademyTrustOut` of its own beside its `TrustOut`.
    """
    mine = _spelled_out(contracts[service])
    others = [_spelled_out(contract) for other, contract in contracts.items() if other != service]
    taken = set(mine).union(*others)
    renamed: dict[str, str] = {}
    for reference, members in mine.items():
        if any(other.get(reference, members) != members for other in others):
            kind, name = reference.rsplit("/", 1)
            fresh = f"{kind}/{service.capitalize()}{name}"
            if fresh in taken:
                fresh = f"{kind}/{service.capitalize()}Service{name}"
            if fresh in taken:
                raise ValueError(f"no free name for {reference} of {service}")
            taken.add(fresh)
            renamed[reference] = fresh
    return renamed


def _spelled_out(contract: Contract) -> dict[str, str]:
    """Each component by its reference, as text together with all that it refers to."""
    components = contract.get("components", {})
    entries = {
        f"#/components/{section}/{name}": entry
        for section in _SECTIONS
        for name, entry in components.get(section, {}).items()
    }
    texts = {reference: json.dumps(entry, sort_keys=True) for reference, entry in entries.items()}
    found: dict[str, str] = {}
    for reference, entry in entries.items():
        reached = {reference}
        waiting = [entry]
        while waiting:
            new = {other for other in _references(waiting.pop()) if other in entries} - reached
            reached |= new
            waiting += [entries[other] for other in sorted(new)]
        found[reference] = "\n".join(f"{other}={texts[other]}" for other in sorted(reached))
    return found


def _references(node: Any) -> Iterator[str]:
    """Every reference in a part of a contract; a discriminator's mapping holds some too."""
    if isinstance(node, str):
        if node.startswith("#/components/"):
            yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def _renamed(contract: Contract, names: Mapping[str, str]) -> Contract:
    for old, new in names.items():
        _, _, section, name = old.split("/")
        entries = contract["components"][section]
        entries[new.rpartition("/")[2]] = entries.pop(name)
    result: Contract = _follow(contract, names)
    return result


def _follow(node: Any, names: Mapping[str, str]) -> Any:
    if isinstance(node, str):
        return names.get(node, node)
    if isinstance(node, dict):
        return {key: _follow(value, names) for key, value in node.items()}
    return [_follow(item, names) for item in node] if isinstance(node, list) else node
