"""What is encrypted at rest: private keys, and answers that hold secrets or what a person wrote.

Sealed bytes name the key that they were sealed with, so that a ring can open them and `trellis keys reseal` can move
them to the newest key:

    01 nonce(12) ciphertext                before keys had ids; any key of the ring may open it
    02 key id(8) nonce(12) ciphertext      since then

AES-256-GCM. The name of what is sealed, and since version 2 the bytes before the nonce, are authenticated with it.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kit.key_ring import KEY_ID_BYTES, KeyRing

_OLD, _NEW = b"\x01", b"\x02"
_NONCE_BYTES = 12
_HEADER_BYTES = len(_NEW) + KEY_ID_BYTES


class SealBroken(Exception):
    """The bytes were sealed with a key outside the ring, for another purpose or name, or were altered."""


class Seal:
    """Encrypts for one purpose; what is sealed under one name can't be opened under another."""

    def __init__(self, ring: KeyRing, purpose: str) -> None:
        self._ciphers = {derived.id: AESGCM(derived.key) for derived in ring.derive(purpose)}
        self._newest = ring.ids[0]

    def close(self, name: str, plain: bytes) -> bytes:
        """The bytes, sealed with the newest key."""
        header, nonce = _NEW + self._newest, secrets.token_bytes(_NONCE_BYTES)
        return header + nonce + self._ciphers[self._newest].encrypt(nonce, plain, header + name.encode())

    def open(self, name: str, sealed: bytes) -> bytes:
        """The plain bytes. Raises SealBroken."""
        version = sealed[:1]
        if version == _NEW:
            header, rest = sealed[:_HEADER_BYTES], sealed[_HEADER_BYTES:]
            cipher = self._ciphers.get(header[1:])
            candidates = [cipher] if cipher is not None else []
            bound = header + name.encode()
        else:
            candidates = list(self._ciphers.values()) if version == _OLD else []
            rest, bound = sealed[1:], name.encode()
        for candidate in candidates:
            try:
                return candidate.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], bound)
            except (InvalidTag, ValueError):
                continue
        raise SealBroken(name)

    def is_newest(self, sealed: bytes) -> bool:
        """Whether the bytes name the newest key."""
        return sealed[:_HEADER_BYTES] == _NEW + self._newest


def is_sealed(kept: bytes) -> bool:
    """Whether these bytes are sealed; JSON and other text never look so."""
    return kept[:1] in (_OLD, _NEW)


def is_of_before(sealed: bytes) -> bool:
    """Whether these bytes were sealed before keys had ids."""
    return sealed[:1] == _OLD
