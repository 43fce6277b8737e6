"""Who calls whom: `openapi/calls.toml` lists every call between parts of the house, and each must exist."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from trellis.contracts.documents import Contract, operations

PARTS = ("academy", "command", "gateway", "identity", "reporting", "research")


def flaws_of_calls(file: Path, contracts: Mapping[str, Contract]) -> list[str]:
    """What is wrong with the list of calls; empty when each names a caller, a real operation and a reason."""
    flaws: list[str] = []
    known = {
        service: {operation.get("operationId") for _, _, operation in operations(contract)}
        for service, contract in contracts.items()
    }
    listed: set[tuple[str, str, str]] = set()
    for call in tomllib.loads(file.read_text(encoding="utf-8")).get("call", []):
        caller, callee, operation = call.get("caller"), call.get("callee"), call.get("operation")
        name = f"{caller} -> {callee} {operation}"
        if caller not in PARTS:
            flaws.append(f"{name}: {caller} is no part of the house")
        if callee not in known:
            flaws.append(f"{name}: there is no contract of {callee}")
        elif operation not in known[callee]:
            flaws.append(f"{name}: the contract of {callee} has no such operation")
        if not call.get("why"):
            flaws.append(f"{name}: say why")
        if (caller, callee, operation) in listed:
            flaws.append(f"{name}: listed twice")
        listed.add((caller, callee, operation))
    return flaws
