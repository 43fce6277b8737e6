"""Making the contracts from the apps, and reading and writing them as files."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kit.settings import ServiceSettings

Contract = dict[str, Any]

APPS = {
    "academy": "academy.main",
    "identity": "gateway.main",
    "reporting": "reporting.main",
    "research": "research.main",
}
"""Whose contract comes from which app: reached by name, since the command imports no service."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def repository() -> Path:
    """The root of the working copy that this command was installed from."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "openapi").is_dir() and (folder / "requirements.lock").is_file():
            return folder
    raise FileNotFoundError("the contracts live in a working copy of the project, and this isn't one")


def contract_file(folder: Path, service: str) -> Path:
    """Where the contract of a service lies in a folder of contracts."""
    return folder / f"{service}.v1.json"


def made(service: str) -> Contract:
    """The contract as the app states it now."""
    app = importlib.import_module(APPS[service]).create_app(ServiceSettings.for_contract(service))
    contract: Contract = app.openapi()
    return contract


def bundled(contracts: dict[str, Contract]) -> Contract:
    """All services in one document."""
    bundle: Contract = importlib.import_module("gateway.portal.bundle").bundle(contracts)
    return bundle


def all_made() -> dict[str, Contract]:
    """Every contract by name, the bundle (`trellis`) among them."""
    contracts = {service: made(service) for service in APPS}
    return {**contracts, "trellis": bundled(contracts)}


def read(folder: Path, service: str) -> Contract | None:
    """The contract in a folder; None when there is none."""
    file = contract_file(folder, service)
    if not file.is_file():
        return None
    contract: Contract = json.loads(file.read_text(encoding="utf-8"))
    return contract


def written(contract: Contract) -> str:
    """The text of a contract file; the same for the same contract."""
    return json.dumps(contract, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def operations(contract: Contract) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation as (method, path, operation), in the order of the paths."""
    for path, item in sorted(contract.get("paths", {}).items()):
        for method in METHODS:
            if method in item:
                yield method, path, item[method]
