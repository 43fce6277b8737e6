"""Where the committed contracts lie, and their bytes."""

import json
import os
from pathlib import Path

from gateway.portal.bundle import bundle

SERVICES = ("academy", "identity", "reporting", "research")


def folder() -> Path | None:
    """The folder of contracts: TRELLIS_CONTRACTS_DIR, else that of the working copy; None when there is none."""
    if told := os.environ.get("TRELLIS_CONTRACTS_DIR"):
        return Path(told)
    for parent in Path(__file__).resolve().parents:
        if (parent / "openapi" / "calls.toml").is_file():
            return parent / "openapi"
    return None


def documents(source: Path | None) -> dict[str, bytes]:
    """Every contract that is there, by name, and the bundle of them as `trellis`."""
    found: dict[str, bytes] = {}
    for service in SERVICES:
        if source is not None and (file := source / f"{service}.v1.json").is_file():
            found[service] = file.read_bytes()
    if found:
        bundled = bundle({service: json.loads(content) for service, content in found.items()})
        found["trellis"] = json.dumps(bundled, ensure_ascii=False, sort_keys=True).encode()
    return found
