"""What finished answers are kept under: a digest, so that a key takes the same room however long its request is."""

import hashlib
import secrets
from collections.abc import Iterable
from typing import Final

# Of this process alone: nobody outside can look for two requests with one digest.
_SECRET: Final = secrets.token_bytes(32)
KEY_BYTES: Final = 32


def request_key(parts: Iterable[bytes]) -> bytes:
    """The digest of these parts of a request; other parts, or the same ones cut elsewhere, give another."""
    digest = hashlib.blake2b(key=_SECRET, digest_size=KEY_BYTES)
    for part in parts:
        # Lengths keep the parts apart.
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.digest()
