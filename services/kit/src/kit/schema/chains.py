"""Which migrations a service's code was written for, and whether a database that is further on still serves it.

Running them is in `kit.schema.migrations`: a service that only compares doesn't load the tools that migrate.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

CURRENT = "select version_num from {schema}.alembic_version"
HAS_SERVED_CODE = "select to_regclass('{schema}.schema_serves') is not null"
SERVED_CODE = "select revision, oldest_code from {schema}.schema_serves where revision > $1"


class Reader(Protocol):
    """The part of a database connection that is needed here."""

    async def fetchval(self, query: str) -> Any:
        """The first value of the first row."""
        ...

    async def fetch(self, query: str, *arguments: object) -> Any:
        """All rows."""
        ...


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


def unexpected(chain: Chain, found: str | None, newer: Mapping[str, str] | None = None) -> str | None:
    """Why a database at revision `found` can't serve this code; None when it can.

    `newer` holds the migrations that the database has and this code doesn't: the revision of each, and the oldest
    code that still works after it. A newer database serves this code when every one of them says so.
    """
    wanted = head(chain)
    if found == wanted:
        return None
    if found is not None and newer and found in newer:
        refusing = sorted(revision for revision, oldest in newer.items() if oldest > wanted)
        if not refusing:
            return None
        return (
            f"the schema {chain.schema} is at {found}; since {refusing[0]} it serves no code older than"
            f" {newer[refusing[0]]}, and this code is of {wanted}"
        )
    return f"the schema {chain.schema} is at {found or 'no revision'}, this code needs {wanted}"


async def problem_of(chain: Chain, connection: Reader) -> str | None:
    """Why this database can't serve this code; None when it can."""
    schema = chain.schema
    found = await connection.fetchval(CURRENT.format(schema=schema))
    newer: Mapping[str, str] = {}
    if found != head(chain) and await connection.fetchval(HAS_SERVED_CODE.format(schema=schema)):
        newer = dict(await connection.fetch(SERVED_CODE.format(schema=schema), head(chain)))
    return unexpected(chain, found, newer)
