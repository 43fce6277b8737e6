"""Makes tokens, right ones and every kind of wrong one."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from kit.identity.keys import StaticKeys
from kit.identity.tokens import Claims, verify
from tests.support.tokens import AUDIENCE, ISSUER, KEY_ID, PROSPERE, signing_key

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
KEY = signing_key()
KEYS = StaticKeys({"keys": [dict(KEY.public)]})


def encoded(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good token with some changed; `...` removes one."""
    now = int(NOW.timestamp())
    everything = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "client:wallboard",
        "jti": "0193e2f1",
        "iat": now,
        "exp": now + 600,
        "trust": str(PROSPERE),
        "scope": "ratings:read events:read",
        "roles": ["status-reader"],
        "academies": [100001, 100002],
        "leads": [],
        "client_id": "wallboard",
        **changes,
    }
    return {name: value for name, value in everything.items() if value is not ...}


def signed(header: dict[str, Any] | None = None, payload: bytes | None = None, **changes: Any) -> str:
    """A token with a right signature of our key, whatever its header and claims say; `...` removes a header."""
    whole = {"alg": "ES256", "typ": "JWT", "kid": KEY_ID, **(header or {})}
    whole = {name: value for name, value in whole.items() if value is not ...}
    body = payload if payload is not None else json.dumps(claims(**changes)).encode()
    signing_input = f"{encoded(json.dumps(whole).encode())}.{encoded(body)}"
    return f"{signing_input}.{encoded(signature_of(signing_input.encode()))}"


def signature_of(message: bytes, pem: str = KEY.pem) -> bytes:
    """Our key's signature as JWS writes it."""
    private = serialization.load_pem_private_key(pem.encode(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    r, s = decode_dss_signature(private.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


async def check(token: str, *, keys: StaticKeys = KEYS, now: datetime = NOW) -> Claims:
    """Verify as a service does."""
    return await verify(token, keys, issuer=ISSUER, audience=AUDIENCE, now=now)
