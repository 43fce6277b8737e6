"""`make migration`: a new numbered migration, with what the tables say and the migrations don't make yet.

It is written against a database of its own, made and dropped for it: whatever state the installation is in, only
the code counts.
"""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

import psycopg

from kit.schema.migrations import create_roles, migrate_sync, write_revision
from trellis.migrating import CHAINS
from trellis.postgres import EmbeddedPostgres
from trellis.scaffold.writing import lay_out

DATABASE = "scratch"


def new_migration(service: str, name: str) -> Path:
    """The file that was written, for its author to read and make safe. Raises LookupError for no service."""
    chains = {chain.schema: chain for chain in CHAINS}
    if service not in chains:
        raise LookupError(f"There is no service {service!r}; there are {', '.join(sorted(chains))}.")
    folder = Path(tempfile.mkdtemp(prefix="trellis-migration-"))
    # As root, Postgres runs as somebody else, who must get in.
    folder.chmod(0o755)
    postgres = EmbeddedPostgres(folder / "data", folder / "run", settings={"fsync": "off"})
    try:
        postgres.start()
        with psycopg.connect(postgres.admin_url(), autocommit=True) as connection:
            connection.execute(f"create database {DATABASE}")
        url = postgres.admin_url(DATABASE)
        asyncio.run(create_roles(url, [service]))
        migrate_sync(url, [chains[service]])
        return write_revision(url, chains[service], name)
    finally:
        postgres.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """The exit code."""
    if len(sys.argv) != 3:
        print('Say: make migration service=academy name="create visits"', file=sys.stderr)
        return 2
    try:
        written = new_migration(sys.argv[1], sys.argv[2])
    except LookupError as problem:
        print(problem, file=sys.stderr)
        return 2
    lay_out(written.parent, [written])
    print(f"Written: {written}. Read it, and the notes at its head, before you commit it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
