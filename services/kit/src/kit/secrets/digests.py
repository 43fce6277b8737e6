"""Keyed digests, by which something is found without being stored."""

import hashlib
import hmac

from kit.key_ring import KeyRing


class Digests:
    """Digests that are equal for equal values, and mean nothing to anybody without the key."""

    def __init__(self, ring: KeyRing, purpose: str) -> None:
        self._keys = [derived.key for derived in ring.derive(purpose)]

    def of(self, kind: str, *values: str) -> bytes:
        """The digest of these values as one kind of thing, under the newest key; 32 bytes. This one is stored."""
        return self.every(kind, *values)[0]

    def every(self, kind: str, *values: str) -> list[bytes]:
        """The digests under each key of the ring, newest first: look up by all of them."""
        # Lengths keep ("ab", "c") and ("a", "bc") apart.
        message = b"".join(len(part).to_bytes(4) + part for part in (value.encode() for value in (kind, *values)))
        return [hmac.digest(key, message, hashlib.sha256) for key in self._keys]
