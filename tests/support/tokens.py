"""Access tokens for tests, signed by a key that only tests know."""

import base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwt

from gateway.identity.roles import ROLES
from kit import clock
from kit.identity.keys import StaticKeys
from kit.ids import tenant_id

ISSUER = "http://127.0.0.1:8080"
AUDIENCE = "trellis"
KEY_ID = "tests"

PROSPERE = tenant_id("gias-group:16846")
OTHER_TRUST = tenant_id("gias-group:2044")


@dataclass(frozen=True)
class SigningKey:
    """A private key and how it is published."""

    pem: str
    public: Mapping[str, str]


@cache
def signing_key(kid: str = KEY_ID) -> SigningKey:
    """The key with this id; the same one all through the run of this process."""
    private = ec.generate_private_key(ec.SECP256R1())
    numbers = private.public_key().public_numbers()

    def coordinate(value: int) -> str:
        return base64.urlsafe_b64encode(value.to_bytes(32)).rstrip(b"=").decode()

    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SigningKey(
        pem.decode(),
        {
            "kty": "EC",
            "crv": "P-256",
            "alg": "ES256",
            "use": "sig",
            "kid": kid,
            "x": coordinate(numbers.x),
            "y": coordinate(numbers.y),
        },
    )


@cache
def trusted_keys() -> StaticKeys:
    """Where services find the tests' public key."""
    return StaticKeys({"keys": [dict(signing_key().public)]})


def issue_token(
    role: str | None = "trust-admin",
    *,
    trust: UUID | None = PROSPERE,
    academies: Collection[int] | None = None,
    leads: Collection[int] = (),
    scopes: Collection[str] | None = None,
    subject: str | None = None,
    client_id: str | None = None,
    lifetime: timedelta = timedelta(minutes=10),
    **claims: Any,
) -> str:
    """A token of a role (its scopes unless `scopes` says otherwise); a platform role has no trust."""
    granted = scopes if scopes is not None else (ROLES[role].scopes if role else ())
    if role is not None and ROLES[role].level == "platform":
        trust = None
    now = clock.now()
    payload: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject or f"person:{role or 'nobody'}",
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
        "jti": str(uuid4()),
        "scope": " ".join(sorted(granted)),
        "roles": [role] if role else [],
        "academies": sorted(academies) if academies is not None else None,
        "leads": sorted(leads),
        "client_id": client_id or "tests",
        **({"trust": str(trust)} if trust is not None else {}),
        **claims,
    }
    key = signing_key()
    token: str = jwt.encode(payload, key.pem, algorithm="ES256", headers={"kid": KEY_ID})
    return token
