"""Which migrations a service's code was written for.

Running them is in `kit.schema.migrations`: a service that only compares doesn't load the tools that migrate.
"""

import importlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CURRENT = "select version_num from {schema}.alembic_version"


@dataclass(frozen=True, slots=True)
class Chain:
    """The migrations of one service: its schema and the package that holds `migrations/` and the tables."""

    schema: str
    package: str

    @property
    def folder(self) -> Path:
        """Where `env.py` and `versions/` are."""
        module = importlib.import_module(self.package)
        assert module.__file__ is not None
        return Path(module.__file__).parent / "migrations"

    @property
    def versions(self) -> Path:
        """Where the revisions are: one file each, named like the revision, in the order of their numbers."""
        return self.folder / "versions"


@cache
def head(chain: Chain) -> str:
    """The newest revision that the code knows: what a database must be at for this code to serve."""
    found = max((file.stem for file in chain.versions.glob("[0-9]*.py")), default=None)
    if found is None:
        raise LookupError(f"{chain.package} has no migrations")
    return found


def unexpected(chain: Chain, found: str | None) -> str | None:
    """Why a database at revision `found` can't serve this code; None when it can."""
    wanted = head(chain)
    if found == wanted:
        return None
    return f"the schema {chain.schema} is at {found or 'no revision'}, this code needs {wanted}"
