"""Brings every schema to where the code needs it. The only thing that changes schemas: `trellis migrate` runs it.

Run as a module of its own (`python -m trellis.migrating`): the other commands needn't wait until all that
migrations need is loaded.
"""

import asyncio
import sys

import asyncpg
import psycopg

from kit.schema import migrations
from kit.schema.chains import Chain
from trellis import schemas, settings
from trellis.installation import Installation, find

CHAINS = tuple(Chain(schema, package) for schema, package in schemas.PACKAGES.items())


def create_database(installation: Installation) -> None:
    """Make the embedded database, unless it is there."""
    if installation.postgres is None:
        return
    with psycopg.connect(installation.postgres.admin_url(), autocommit=True) as connection:
        name = settings.DATABASE
        if connection.execute("select true from pg_database where datname = %s", [name]).fetchone() is None:
            connection.execute(f"create database {name}".encode())


def migrate(installation: Installation) -> None:
    """Roles, schemas, and every chain to its head; nothing happens when all is there."""
    create_database(installation)
    urls = settings.login_urls(installation.program_settings)
    asyncio.run(
        migrations.migrate(installation.admin_url, CHAINS, login_urls=urls, migrator_url=installation.migrator_url)
    )
    schemas.remember(installation)


def main() -> int:
    """The exit code: 1 when the database refused something."""
    try:
        migrate(find())
    except (psycopg.Error, asyncpg.PostgresError, OSError) as problem:
        print(f"The schemas could not be changed: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
