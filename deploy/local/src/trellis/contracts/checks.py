"""The checks of the committed contracts: fresh, unbroken, and with calls that exist."""

import tomllib
from pathlib import Path

from trellis.contracts import asyncapi
from trellis.contracts.breaking import breaks
from trellis.contracts.calls import flaws_of_calls
from trellis.contracts.documents import APPS, Contract, contract_file, read, written


def stale(folder: Path, made: dict[str, Contract]) -> list[str]:
    """Which committed contracts are not what the apps say now."""
    flaws = []
    for service, contract in made.items():
        file = contract_file(folder, service)
        if not file.is_file() or file.read_text(encoding="utf-8") != written(contract):
            flaws.append(f"{file.name} isn't what the app says: run `make contract` and commit it")
    if "trellis" in made and asyncapi.is_stale(folder, made["trellis"]):
        flaws.append(f"{asyncapi.FILE} isn't what the contracts say: run `make contract` and commit it")
    return flaws


def broken(folder: Path, made: dict[str, Contract]) -> list[str]:
    """Breaks of released contracts that nobody accepted, and accepted ones that don't exist."""
    accepted_file = folder / "accepted-breaks.toml"
    entries = tomllib.loads(accepted_file.read_text(encoding="utf-8")).get("break", [])
    flaws = [f"accepted break without a reason: {entry.get('id')}" for entry in entries if not entry.get("reason")]
    accepted = {f"{entry.get('service')} {entry.get('id')}" for entry in entries}
    found = set()
    for service in APPS:
        released = read(folder / "released", service)
        if released is not None:
            found |= {f"{service} {one.id}" for one in breaks(released, made[service])}
    flaws += [f"breaks a released contract: {one}" for one in sorted(found - accepted)]
    flaws += [f"accepted break that doesn't exist: {one}" for one in sorted(accepted - found)]
    return flaws


def all_flaws(folder: Path, made: dict[str, Contract]) -> list[str]:
    """Everything that keeps the committed contracts from being right."""
    return [*stale(folder, made), *broken(folder, made), *flaws_of_calls(folder / "calls.toml", made)]
