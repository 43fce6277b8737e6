"""Where an object lies: `{service}/{trust}/{first two digits}/{SHA-256}`.

The trust is part of the place, so that the same bytes sent by two trusts are two objects, and nobody finds out by
sending a file whether another trust has it.
"""

import re
from dataclasses import dataclass
from typing import Self
from uuid import UUID

_SERVICE = re.compile(r"[a-z][a-z0-9_]{0,40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """One object: whose it is, and the SHA-256 of its content in hexadecimal."""

    service: str
    trust_id: UUID
    sha256: str

    def __post_init__(self) -> None:
        """Raises ValueError for what can't be a key: a key becomes a path."""
        if not _SERVICE.fullmatch(self.service) or not _SHA256.fullmatch(self.sha256):
            raise ValueError(f"not the key of an object: {self.service!r}, {self.sha256!r}")

    @property
    def path(self) -> str:
        """Its place below the root of the store."""
        return f"{self.service}/{self.trust_id}/{self.sha256[:2]}/{self.sha256}"

    @classmethod
    def of_path(cls, path: str) -> Self | None:
        """The key whose place this is; None for everything that isn't exactly such a place."""
        parts = path.split("/")
        if len(parts) != 4:
            return None
        try:
            key = cls(parts[0], UUID(parts[1]), parts[3])
        except ValueError:
            return None
        return key if key.path == path else None


def is_uuid(name: str) -> bool:
    """Whether this is the name of a trust's folder: a UUID as we write it."""
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
