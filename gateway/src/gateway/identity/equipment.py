"""What the identity app works with beside its database: hasher, seals, digests, signer. Made once per process."""

from dataclasses import dataclass
from typing import Self

from gateway.identity.hashing import SecretHasher
from gateway.identity.keys.service import PURPOSE as SIGNING_KEYS
from gateway.identity.keys.service import Signer
from gateway.identity.sealing import Digests, Seal
from gateway.identity.settings import IdentitySettings


@dataclass(frozen=True, slots=True)
class Equipment:
    """The tools of one process."""

    settings: IdentitySettings
    hasher: SecretHasher
    digests: Digests
    key_seal: Seal
    answer_seal: Seal
    signer: Signer

    @classmethod
    def of(cls, settings: IdentitySettings) -> Self:
        """The tools that these settings ask for."""
        secret_key = settings.secret_key.get_secret_value()
        key_seal = Seal(secret_key, SIGNING_KEYS)
        return cls(
            settings=settings,
            hasher=SecretHasher(workers=settings.hash_workers, waiting=settings.hash_waiting),
            digests=Digests(secret_key),
            key_seal=key_seal,
            answer_seal=Seal(secret_key, "answers"),
            signer=Signer(key_seal),
        )
