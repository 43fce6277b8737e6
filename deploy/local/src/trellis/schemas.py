"""Whether the schemas are where this release needs them, told without loading what migrations need.

`trellis up` asks this each time; only when something differs it runs the migrations, which look again and in earnest.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from trellis import places, settings
from trellis.installation import Installation
from trellis.pg_tools import rows

PACKAGES: Mapping[str, str] = {
    "identity": "gateway.identity",
    "academy": "academy",
    "research": "research",
    "reporting": "reporting",
}
"""The schemas in the order in which they are brought up, each with the package that holds its migrations."""


def are_current(installation: Installation) -> bool:
    """Whether nothing has changed since the last migration, neither here nor in the database."""
    try:
        told = json.loads(installation.state.schemas.read_text())
    except (OSError, ValueError):
        return False
    if not isinstance(told, dict) or told.get("digest") != digest(installation):
        return False
    return bool(told.get("revisions")) and told["revisions"] == _revisions(installation)


def remember(installation: Installation) -> None:
    """Note down that the schemas are current."""
    told = {"digest": digest(installation), "revisions": _revisions(installation)}
    places.write_private(installation.state.schemas, json.dumps(told) + "\n")


def digest(installation: Installation) -> str:
    """Of every migration, of the kit's rules about roles, and of the passwords that the roles should have."""
    found = hashlib.sha256()
    for path in _sources():
        found.update(path.name.encode())
        found.update(path.read_bytes())
    found.update("\n".join(settings.login_urls(installation.program_settings)).encode())
    return found.hexdigest()


def _sources() -> Iterator[Path]:
    kit = places.package_folder("kit")
    yield from sorted((kit / "schema").glob("*.py"))
    for package in PACKAGES.values():
        yield from sorted((places.package_folder(package) / "migrations" / "versions").glob("*.py"))


def _revisions(installation: Installation) -> dict[str, str]:
    """Where each schema is; empty when the database can't say."""
    query = " union all ".join(f"select '{schema}', version_num from {schema}.alembic_version" for schema in PACKAGES)  # noqa: S608
    return dict(rows(installation.admin_url, query) or ())
