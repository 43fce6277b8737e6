"""Changing schemas: roles and schemas first, then each service's chain of Alembic revisions, one process at a time.

Only `trellis migrate` does this, before services start; services merely check that they find the head they were built
for. Revisions run as `trellis_migrator`, which is exempt from row-level security: under FORCE a backfill by a table's
owner would update no row at all, without an error. What a revision creates is handed to the service's NOLOGIN owner
before the revision commits.
"""

import asyncio
import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from alembic import command, context
from alembic.autogenerate import compare_metadata, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations.ops import CreateTableOp, MigrateOperation, MigrationScript
from alembic.runtime.migration import MigrationInfo
from alembic.script import Script
from sqlalchemy import BigInteger, MetaData, Table, create_engine, text
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

from kit.schema.chains import Chain
from kit.schema.roles import MIGRATOR, create_roles

__all__ = [
    "Chain",
    "compare",
    "create_roles",
    "downgrade",
    "migrate",
    "migrate_sync",
    "run_env",
]

# So that reading a schema with events in it warns of nothing.
ischema_names["xid8"] = BigInteger

# Chosen once: whoever migrates a Trellis database holds this lock.
ADVISORY_LOCK = 7_465_686_973
# As long as Alembic's own column for it.
LONGEST_REVISION = 32
LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "15min"


def _config(chain: Chain, connection: SyncConnection | None = None) -> Config:
    """Alembic's configuration, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(chain.folder).replace("%", "%%"))
    config.set_main_option("version_locations", str(chain.versions).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("file_template", "%%(rev)s")
    config.attributes["connection"] = connection
    config.attributes["chain"] = chain
    return config


def run_env() -> None:
    """The whole of a service's `migrations/env.py`."""
    chain: Chain = context.config.attributes["chain"]
    connection: SyncConnection | None = context.config.attributes["connection"]
    if connection is None:
        raise RuntimeError("migrations run through `trellis migrate` or `make migration`, not through `alembic`")
    context.configure(
        connection=connection,
        target_metadata=metadata_of(chain),
        version_table="alembic_version",
        version_table_schema=chain.schema,
        include_schemas=True,
        include_name=_only_schema(chain.schema),
        include_object=_only_service_tables(chain.schema),
        compare_type=True,
        compare_server_default=False,
        transaction_per_migration=True,
        on_version_apply=_after_each(chain.schema),
        process_revision_directives=_add_access,
    )
    with context.begin_transaction():
        context.run_migrations()


def metadata_of(chain: Chain) -> MetaData:
    """The tables of the service, gathered from its slices' `tables.py`."""
    package = importlib.import_module(chain.package)
    for module in pkgutil.walk_packages(package.__path__, f"{chain.package}."):
        if module.name.endswith(".tables"):
            importlib.import_module(module.name)
    gathered = MetaData()
    for table in SQLModel.metadata.tables.values():
        if table.schema == chain.schema:
            table.to_metadata(gathered)
    return gathered


@dataclass(slots=True)
class AccessOp(MigrateOperation):
    """The row-level security of a new table, in a migration that is being written."""

    schema: str
    table: str
    arguments: Mapping[str, Any]


@renderers.dispatch_for(AccessOp)
def _render_access(autogenerate: AutogenContext, operation: AccessOp) -> list[str]:
    autogenerate.imports.add("from kit.schema.ddl import tenant_table_policies")
    named = "".join(f", {name}={value!r}" for name, value in operation.arguments.items())
    call = f'tenant_table_policies("{operation.schema}", "{operation.table}"{named})'
    return [f"for statement in {call}:", "    op.execute(statement)"]


def _add_access(_context: object, _revision: object, directives: list[MigrationScript]) -> None:
    """Let a new migration give each new table the row-level security that its class declares."""
    declared = {
        (mapper.local_table.schema, mapper.local_table.name): access
        for mapper in SQLModel._sa_registry.mappers  # noqa: SLF001 - SQLModel's one registry
        if isinstance(mapper.local_table, Table) and (access := getattr(mapper.class_, "__access__", None)) is not None
    }
    for directive in directives:
        upgrade = directive.upgrade_ops
        assert upgrade is not None
        made = [one for one in upgrade.ops if isinstance(one, CreateTableOp)]
        for one in made:
            access = declared.get((one.schema, one.table_name))
            if access is not None and one.schema is not None:
                upgrade.ops.append(AccessOp(one.schema, one.table_name, access.arguments()))


# The kit makes these by SQL and reads them by SQL; no service maps them.
KIT_TABLES = frozenset(
    {
        "alembic_version",
        "event",
        "feed_epoch",
        "follower",
        "idempotency_key",
        *(f"identity_{name}_{side}" for name in ("grant", "holder") for side in ("a", "b")),
        "procrastinate_events",
        "procrastinate_jobs",
        "procrastinate_periodic_defers",
        "procrastinate_workers",
        "schema_serves",
        "shared_link",
        "state_change",
        "stored_file",
    }
)


def _only_schema(schema: str) -> Any:
    def include_name(name: str | None, kind: str, _parents: object) -> bool:
        if kind == "schema":
            return name == schema
        return kind != "table" or name not in KIT_TABLES

    return include_name


def _only_service_tables(schema: str) -> Any:
    def include_object(item: Any, _name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
        return kind != "table" or bool(item.schema == schema)

    return include_object


def _note_served_code(connection: SyncConnection, schema: str, step: MigrationInfo) -> None:
    """Write down the oldest code that works after a migration, for running code that doesn't have its file."""
    assert isinstance(step.up_revision, Script)
    revision = step.up_revision.revision
    table = f"{schema}.schema_serves"
    columns = "revision text primary key, oldest_code text not null check (oldest_code <= revision)"
    connection.execute(text(f"create table if not exists {table} ({columns})"))
    connection.execute(text(f"grant select on {table} to {schema}_app"))
    # The schema's name is the code's own.
    connection.execute(text(f"delete from {table} where revision = :revision"), {"revision": revision})  # noqa: S608
    if step.is_upgrade:
        oldest = getattr(step.up_revision.module, "oldest_code", revision)
        connection.execute(
            text(f"insert into {table} (revision, oldest_code) values (:revision, :oldest)"),  # noqa: S608
            {"revision": revision, "oldest": oldest},
        )


def _after_each(schema: str) -> Any:
    def on_version_apply(*, ctx: MigrationContext, step: MigrationInfo, **_: Any) -> None:
        assert ctx.connection is not None
        _note_served_code(ctx.connection, schema, step)
        ctx.connection.execute(text(f"reassign owned by {MIGRATOR} to {schema}_owner"))
        # Services look at it to know whether they can serve.
        ctx.connection.execute(text(f"grant select on {schema}.alembic_version to {schema}_app"))

    return on_version_apply


@contextmanager
def migrator_connection(admin_url: str) -> Iterator[SyncConnection]:
    """A connection that acts as `trellis_migrator`, with lock and statement timeouts, alone among migrators."""

    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(admin_url, application_name="trellis-migrate")

    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.execute(text(f"set role {MIGRATOR}"))
            connection.execute(text(f"set lock_timeout = '{LOCK_TIMEOUT}'"))
            connection.execute(text(f"set statement_timeout = '{STATEMENT_TIMEOUT}'"))
            connection.execute(text("set search_path = public, pg_temp"))
            # Waiting for another migrator is no reason to give up.
            connection.execute(text("set lock_timeout = 0"))
            connection.execute(text("select pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
            connection.execute(text(f"set lock_timeout = '{LOCK_TIMEOUT}'"))
            connection.commit()
            yield connection
    finally:
        engine.dispose()


def migrate_sync(admin_url: str, chains: Sequence[Chain], *, revision: str = "head") -> None:
    """Bring the schemas of `chains` up to `revision`; roles and schemas must exist (`create_roles`)."""
    with migrator_connection(admin_url) as connection:
        for chain in chains:
            command.upgrade(_config(chain, connection), revision)
            connection.commit()


async def migrate(
    admin_url: str, chains: Sequence[Chain], *, login_urls: Sequence[str] = (), migrator_url: str = ""
) -> None:
    """Make roles and schemas, then bring every chain to its head. Safe to run again and by several at once.

    `login_urls` are the services' own database URLs: their users get the passwords that stand in them. With
    `migrator_url`, revisions run in a session of `trellis_migrator` itself: code in the database that they set off
    (a trigger, say) can't go back to the administrator's rights.
    """
    logins = [*login_urls, *([migrator_url] if migrator_url else [])]
    await create_roles(admin_url, [chain.schema for chain in chains], logins)
    await asyncio.to_thread(migrate_sync, migrator_url or admin_url, chains)


def downgrade(admin_url: str, chain: Chain, revision: str = "base") -> None:
    """Take one chain back to `revision`."""
    with migrator_connection(admin_url) as connection:
        command.downgrade(_config(chain, connection), revision)
        connection.commit()


def compare(admin_url: str, chain: Chain) -> list[Any]:
    """What differs between the migrated schema and the service's tables; empty when the chain is complete."""
    with migrator_connection(admin_url) as connection:
        options = {
            "include_schemas": True,
            "include_name": _only_schema(chain.schema),
            "include_object": _only_service_tables(chain.schema),
            "compare_type": True,
            "version_table_schema": chain.schema,
        }
        ctx = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(ctx, metadata_of(chain)))


def write_revision(admin_url: str, chain: Chain, message: str) -> Path:
    """A new numbered migration with what autogenerate finds, for its author to read and make safe."""
    versions = chain.versions
    numbers = [int(path.name[:4]) for path in versions.glob("[0-9][0-9][0-9][0-9]_*.py")]
    number = max(numbers, default=0) + 1
    slug = "_".join(message.lower().replace("-", " ").split())
    with migrator_connection(admin_url) as connection:
        script = command.revision(
            _config(chain, connection),
            message=message,
            autogenerate=True,
            rev_id=f"{number:04d}_{slug}"[:LONGEST_REVISION].rstrip("_"),
        )
    assert script is not None and not isinstance(script, list)
    written = Path(script.path)
    lines = [line for line in written.read_text().rstrip().splitlines() if not line.strip().startswith("# ### ")]
    written.write_text("\n".join(lines) + "\n")
    return written
