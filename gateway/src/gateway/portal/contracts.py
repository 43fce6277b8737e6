"""Where the committed contracts lie, and their bytes."""

import json
import os
from pathlib import Path
from typing import Final

from gateway.portal.bundle import Contract, bundle

SUFFIX: Final = ".v1.json"
BUNDLE: Final = "trellis"
EVENTS: Final = "events.asyncapi.json"


def folder() -> Path | None:
    """The folder of contracts: TRELLIS_CONTRACTS_DIR, else that of the working copy; None when there is none."""
    if told := os.environ.get("TRELLIS_CONTRACTS_DIR"):
        return Path(told)
    for parent in Path(__file__).resolve().parents:
        if (parent / "openapi" / "calls.toml").is_file():
            return parent / "openapi"
    return None


def documents(source: Path | None) -> dict[str, bytes]:
    """Every contract in a folder, by service, and all of them together as `trellis`; empty when there is none."""
    if source is None:
        return {}
    found = {file.name.removesuffix(SUFFIX): file.read_bytes() for file in sorted(source.glob(f"*{SUFFIX}"))}
    if not found.keys() - {BUNDLE}:
        return {}
    if BUNDLE not in found:
        contracts: dict[str, Contract] = {service: json.loads(content) for service, content in found.items()}
        found[BUNDLE] = json.dumps(bundle(contracts), ensure_ascii=False, sort_keys=True).encode()
    return found


def event_document(source: Path | None) -> bytes | None:
    """The events of all services as an AsyncAPI document; None when a folder has none."""
    file = source / EVENTS if source is not None else None
    return file.read_bytes() if file is not None and file.is_file() else None
