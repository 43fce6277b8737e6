"""The secrets of one installation: made once, kept in one file that only its owner reads."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from trellis import places

SCHEMAS = ("identity", "academy", "research", "reporting")
LOADING = ("academy",)

LOGINS: tuple[str, ...] = (
    *(f"{schema}_app" for schema in SCHEMAS),
    *(f"{schema}_follower" for schema in SCHEMAS),
    *(f"{schema}_loader" for schema in LOADING),
)
"""The database roles that log in, each with a password of its own."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The key that signs cursors and encrypts the token keys, and the passwords of the database roles."""

    secret_key: str = field(repr=False)
    passwords: Mapping[str, str] = field(repr=False)

    @classmethod
    def kept_in(cls, path: Path) -> "Credentials":
        """Those of the file; what is missing in it is made and added. Raises OSError and ValueError."""
        stored: dict[str, object] = json.loads(path.read_text()) if path.exists() else {}
        key = stored.get("secret_key")
        known = stored.get("passwords")
        passwords = dict(known) if isinstance(known, dict) else {}
        found = cls(
            secret_key=key if isinstance(key, str) else secrets.token_urlsafe(48),
            passwords={name: passwords.get(name) or secrets.token_urlsafe(24) for name in LOGINS},
        )
        if asdict(found) != stored:
            places.write_private(path, json.dumps(asdict(found), indent=2) + "\n")
        return found
