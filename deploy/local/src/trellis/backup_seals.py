"""Whether a backup is as an installation with our secret key has made it.

The seal is an HMAC of the manifest, with a key that follows from the newest secret key of the ring. The manifest holds
the hash of the dump and of the names of all files, so the seal stands for everything in the archive. A hash alone
doesn't: who changes the dump renews the hash.
"""

import hashlib
import hmac
import json
from typing import Any

from kit.key_ring import KeyRing

FIRST_SEALED_FORMAT = 3
_PURPOSE = "backup seal"


class NotAuthentic(Exception):
    """Somebody may have changed the backup; the message is the end of a sentence about it."""


class Altered(NotAuthentic):
    """Somebody has changed it: no reason to restore it counts."""


class Unknown(NotAuthentic):
    """Nobody can know whether somebody has changed it."""


def seal_of(ring: KeyRing, manifest: bytes) -> bytes:
    """What goes into the archive beside the manifest."""
    key = ring.derive(_PURPOSE)[0]
    return json.dumps({"key": key.id.hex(), "hmac": _hmac(key.key, manifest)}).encode() + b"\n"


def check(ring: KeyRing, made_in_format: int, manifest: bytes, seal: bytes | None) -> None:
    """Raises Altered or Unknown unless the seal is one of ours and fits the manifest."""
    if made_in_format < FIRST_SEALED_FORMAT:
        raise Unknown("was made by an older release, which didn't seal backups")
    if seal is None:
        raise Altered("has lost its seal")
    try:
        content: dict[str, Any] = json.loads(seal)
        named, found = bytes.fromhex(content["key"]), str(content["hmac"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Altered("has a seal that says nothing") from None
    key = next((one.key for one in ring.derive(_PURPOSE) if one.id == named), None)
    if key is None:
        raise Unknown("was made under a TRELLIS_SECRET_KEY that isn't known here")
    if not hmac.compare_digest(_hmac(key, manifest).encode(), found.encode()):
        raise Altered("was changed after it was made")


def _hmac(key: bytes, manifest: bytes) -> str:
    return hmac.new(key, manifest, hashlib.sha256).hexdigest()
