"""Sealing as it was before keys had ids."""

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kit.key_ring import KeyRing


def sealed_before(secret: str, purpose: str, name: str, plain: bytes) -> bytes:
    """Bytes that a release of before has sealed."""
    (derived,) = KeyRing.of([secret]).derive(purpose)
    nonce = b"n" * 12
    return b"\x01" + nonce + AESGCM(derived.key).encrypt(nonce, plain, name.encode())
