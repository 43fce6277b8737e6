"""The secrets of one installation: made once, kept in one file that only its owner reads."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gateway.identity.hashing import new_secret
from kit.schema.roles import MIGRATOR
from trellis import places

SCHEMAS = ("identity", "academy", "research", "reporting")
LOADING = ("academy",)
CALLING = ("academy", "research", "reporting")
"""The services that call others in jobs, each with a client of its own."""

LOGINS: tuple[str, ...] = (
    *(f"{schema}_app" for schema in SCHEMAS),
    *(f"{schema}_follower" for schema in SCHEMAS),
    *(f"{schema}_loader" for schema in LOADING),
)
"""The database roles that log in, each with a password of its own."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The key that signs cursors and encrypts the token keys, passwords of database roles, secrets of services."""

    secret_key: str = field(repr=False)
    passwords: Mapping[str, str] = field(repr=False)
    service_secrets: Mapping[str, str] = field(repr=False)
    """The secret of each service's own client at identity."""

    @classmethod
    def kept_in(cls, path: Path) -> "Credentials":
        """Those of the file; what is missing in it is made and added. Raises OSError and ValueError."""
        stored: dict[str, object] = json.loads(path.read_text()) if path.exists() else {}
        key = stored.get("secret_key")
        known = stored.get("passwords")
        passwords = dict(known) if isinstance(known, dict) else {}
        clients = stored.get("service_secrets")
        of_services = dict(clients) if isinstance(clients, dict) else {}
        found = cls(
            secret_key=key if isinstance(key, str) else secrets.token_urlsafe(48),
            passwords={name: passwords.get(name) or secrets.token_urlsafe(24) for name in (*LOGINS, MIGRATOR)},
            service_secrets={name: of_services.get(name) or new_secret()[0] for name in CALLING},
        )
        if asdict(found) != stored:
            places.write_private(path, json.dumps(asdict(found), indent=2) + "\n")
        return found
