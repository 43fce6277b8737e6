"""The document of all services says of every operation what the service's own contract says."""

from typing import Any

from tests.support.contracts import all_made
from trellis.contracts.documents import APPS, Contract, operations


def followed(node: Any, contract: Contract, above: tuple[str, ...] = ()) -> Any:
    """A part of a contract with every reference replaced by what it names; a cycle by how far up it goes."""
    if isinstance(node, list):
        return [followed(one, contract, above) for one in node]
    if not isinstance(node, dict):
        return node
    if not isinstance(reference := node.get("$ref"), str):
        return {name: followed(one, contract, above) for name, one in node.items() if name != "mapping"}
    beside = {name: followed(one, contract, above) for name, one in node.items() if name != "$ref"}
    if reference in above:
        return {**beside, "$ref": len(above) - above.index(reference)}
    target: Any = contract
    for step in reference.removeprefix("#/").split("/"):
        target = target[step]
    return {**beside, "$ref": followed(target, contract, (*above, reference))}


def test_every_operation_is_the_same_alone_and_in_the_bundle() -> None:
    made = all_made()
    bundle = {(method, path): operation for method, path, operation in operations(made["trellis"])}
    seen = set()
    different = []
    for service in APPS:
        for method, path, operation in operations(made[service]):
            seen.add((method, path))
            alone = {**followed(operation, made[service]), "operationId": None}
            together = {**followed(bundle[method, path], made["trellis"]), "operationId": None}
            if alone != together:
                different.append(f"{service}: {method} {path}")

    assert different == []
    assert seen == set(bundle)
