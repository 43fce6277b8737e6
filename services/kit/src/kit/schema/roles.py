"""The database's roles: who owns, who serves, who follows, who loads, who migrates, and what each may not do."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote, urlsplit

import asyncpg

from kit.database.urls import asyncpg_dsn

MIGRATOR = "trellis_migrator"
LOADING_SCHEMAS = frozenset({"academy"})

# Defaults of the login roles. A write transaction that stays open holds the change feed back for everybody.
APP_SETTINGS: Mapping[str, str] = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
    "transaction_timeout": "60s",
}


def quoted(name: str) -> str:
    """An SQL identifier; Raises ValueError unless it is a plain lower-case name."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise ValueError(f"not a plain lower-case SQL name: {name!r}")
    return name


def _literal(value: str) -> str:
    if "\x00" in value:
        raise ValueError("a password can't hold a NUL")
    # E'' so that the server's escape setting doesn't matter.
    return "E'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def passwords(login_urls: Sequence[str]) -> dict[str, str | None]:
    """The user of each URL and its password, if the URL has one."""
    found: dict[str, str | None] = {}
    for url in login_urls:
        authority = urlsplit(url).netloc.rpartition("@")[0]
        user, _, password = authority.partition(":")
        if user:
            found[unquote(user)] = unquote(password) or None
    return found


def roles_of(schema: str) -> dict[str, str]:
    """The roles of one service and the attributes of each."""
    plain = "nosuperuser nocreatedb nocreaterole noreplication nobypassrls"
    roles = {
        f"{schema}_owner": f"nologin inherit {plain}",
        f"{schema}_app": f"login inherit {plain}",
        f"{schema}_follower": f"login inherit {plain}",
        f"{schema}_janitor": f"nologin inherit {plain}",
    }
    if schema in LOADING_SCHEMAS:
        roles[f"{schema}_loader"] = f"login inherit {plain}"
    return roles


async def create_roles(admin_url: str, schemas: Sequence[str], login_urls: Sequence[str] = ()) -> None:
    """Make the roles and schemas of these services, or bring existing ones back to what they should be.

    Passwords are those of the services' own URLs, so that there is one place to change them. Safe to run again.
    """
    connection = await asyncpg.connect(asyncpg_dsn(admin_url), timeout=10)
    try:
        # One at a time; the lock ends with the connection.
        await connection.execute("select pg_advisory_lock(7465686974)")
        known = passwords(login_urls)
        await _role(connection, MIGRATOR, "login inherit nosuperuser nocreatedb nocreaterole bypassrls", known)
        await connection.execute(f"grant {MIGRATOR} to current_user with set true, inherit true")
        database = await connection.fetchval("select quote_ident(current_database())")
        await connection.execute(f"grant connect on database {database} to {MIGRATOR}")
        # A restore that was killed may have left it this right.
        await connection.execute(f"revoke create on database {database} from {MIGRATOR}")
        for schema in schemas:
            await _service(connection, quoted(schema), known)
    finally:
        await connection.close()


async def _role(
    connection: "asyncpg.Connection[asyncpg.Record]", name: str, attributes: str, known: Mapping[str, str | None]
) -> None:
    exists = await connection.fetchval("select true from pg_roles where rolname = $1", quoted(name))
    password = known.get(name)
    secret = f" password {_literal(password)}" if password else ""
    await connection.execute(f"{'alter' if exists else 'create'} role {name} {attributes}{secret}")


async def _service(
    connection: "asyncpg.Connection[asyncpg.Record]", schema: str, known: Mapping[str, str | None]
) -> None:
    owner, app, janitor = f"{schema}_owner", f"{schema}_app", f"{schema}_janitor"
    database = await connection.fetchval("select quote_ident(current_database())")
    for name, attributes in roles_of(schema).items():
        await _role(connection, name, attributes, known)
        await connection.execute(f"alter role {name} set search_path = {schema}, public, pg_temp")
        if " login" in f" {attributes}":
            await connection.execute(f"grant connect on database {database} to {name}")
            for setting, value in APP_SETTINGS.items():
                await connection.execute(f"alter role {name} set {setting} = '{value}'")
    await connection.execute(f"grant {owner} to {MIGRATOR} with inherit true, set true")
    # Only by an explicit `set local role`: the app never has the janitor's rights by itself.
    await connection.execute(f"grant {janitor} to {app} with inherit false, set true")
    await connection.execute(f"grant {owner} to current_user with set true")
    await connection.execute(f"create schema if not exists {schema} authorization {owner}")
    await connection.execute(f"alter schema {schema} owner to {owner}")
    users = ", ".join(name for name in roles_of(schema) if name != owner)
    await connection.execute(f"revoke all on schema {schema} from public")
    await connection.execute(f"grant usage on schema {schema} to {users}")
