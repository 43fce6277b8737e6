"""What the identity app works with beside its database: hasher, seal, digests, signer. Made once per process."""

from dataclasses import dataclass
from typing import Final, Self

from gateway.identity.hashing import SecretHasher
from gateway.identity.keys.service import PURPOSE as SIGNING_KEYS
from gateway.identity.keys.service import Signer
from gateway.identity.settings import IdentitySettings
from kit.secrets.digests import Digests
from kit.secrets.sealing import Seal

DIGESTS: Final = "identity digests"
"""The purpose of the digests of accounts, addresses and failed attempts."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """The tools of one process."""

    settings: IdentitySettings
    hasher: SecretHasher
    digests: Digests
    key_seal: Seal
    signer: Signer

    @classmethod
    def of(cls, settings: IdentitySettings) -> Self:
        """The tools that these settings ask for."""
        key_seal = Seal(settings.key_ring, SIGNING_KEYS)
        return cls(
            settings=settings,
            hasher=SecretHasher(workers=settings.hash_workers, waiting=settings.hash_waiting),
            digests=Digests(settings.key_ring, DIGESTS),
            key_seal=key_seal,
            signer=Signer(key_seal),
        )
