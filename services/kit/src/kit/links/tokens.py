"""The secret of a link: the trust's id and 256 random bits, as 64 characters that a URL takes as they are.

Only its SHA-256 is stored. That is enough here, where a password would need a slow hash: nobody can try 2^256 values.
The trust's id is no secret; with it the row is found under that trust's row-level security.
"""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from uuid import UUID

from kit.ids import PLATFORM

RANDOM_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{64}")


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a link is looked for: the trust, and the hash of the token."""

    trust_id: UUID
    sha256: bytes


def new_token(trust_id: UUID) -> str:
    """A new token of a trust."""
    return base64.urlsafe_b64encode(trust_id.bytes + secrets.token_bytes(RANDOM_BYTES)).decode()


def secret_of(token: str) -> Secret:
    """Where to look for a token. What is no token leads to a place where nothing is, and costs the same."""
    trust_id = PLATFORM
    if _TOKEN.fullmatch(token):
        trust_id = UUID(bytes=base64.urlsafe_b64decode(token)[:16])
    return Secret(trust_id, hashlib.sha256(token.encode()).digest())
