"""Is this token one of ours, and what does it say?

One algorithm (ES256), named here and never taken from the token; every claim that we rely on is
required here, since python-jose takes a token without `exp` and, with a wider list of algorithms,
a public key as an HMAC secret (CVE-2026-85394). Nothing else in the house reads our tokens.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from jose import jwk, jws
from jose.exceptions import JOSEError

from kit.identity.compact import TokenRefused, read_compact
from kit.identity.keys import Jwk, KeySource, KeysUnavailable, RemoteKeys, StaticKeys

__all__ = [
    "ALGORITHM",
    "Claims",
    "KeySource",
    "KeysUnavailable",
    "RemoteKeys",
    "StaticKeys",
    "TokenRefused",
    "verify",
]

ALGORITHM = "ES256"
LONGEST_TOKEN = 8192
LONGEST_LIFE_SECONDS = 24 * 3600
# How far the issuer's clock may be ahead of ours. Expiry gets no such grace.
CLOCK_SKEW_SECONDS = 30
_SIGNATURE_BYTES = 64
_KID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Whatever else a header says (jku, jwk, x5u, crit, b64, zip, cty, ...) asks for what we don't do.
_HEADER_NAMES = frozenset({"alg", "kid", "typ"})
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token of ours says."""

    issuer: str
    subject: str
    token_id: str
    key_id: str
    issued_at: datetime
    expires_at: datetime
    client_id: str | None
    trust: UUID | None
    scopes: frozenset[str]
    roles: frozenset[str]
    academies: frozenset[int] | None
    leads: frozenset[int]
    projects: frozenset[UUID]


async def verify(token: str, keys: KeySource, *, issuer: str, audience: str, now: datetime) -> Claims:
    """The claims of a token that counts now.

    Raises TokenRefused for every other one, and KeysUnavailable when that can't be found out.
    """
    compact = read_compact(token, longest=LONGEST_TOKEN)
    if len(compact.signature) != _SIGNATURE_BYTES:
        raise TokenRefused("the signature is of another kind")
    kid = _check_header(compact.header)
    key = await keys.key(kid)
    if key is None:
        raise TokenRefused("the key is unknown or was revoked")
    _check_signature(token, key)
    return _check_claims(compact.claims(), kid, issuer=issuer, audience=audience, now=now)


def _check_header(header: Mapping[str, Any]) -> str:
    if header.get("alg") != ALGORITHM:
        raise TokenRefused(f"only {ALGORITHM} is taken")
    if unknown := set(header) - _HEADER_NAMES:
        raise TokenRefused(f"the header may not say {', '.join(sorted(unknown))[:100]!a}")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenRefused("this is no access token")
    kid = header.get("kid")
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise TokenRefused("the header names no key")
    return kid


def _check_signature(token: str, key: Jwk) -> None:
    try:
        jws.verify(token, jwk.construct(key, ALGORITHM), algorithms=[ALGORITHM])
    except JOSEError:
        raise TokenRefused("the signature is wrong") from None
    except (ValueError, TypeError):
        # A published key that isn't on the curve: no signature can be right under it.
        raise TokenRefused("the key can't be used") from None


def _check_claims(claims: Mapping[str, Any], kid: str, *, issuer: str, audience: str, now: datetime) -> Claims:
    if claims.get("iss") != issuer:
        raise TokenRefused("it comes from another issuer")
    audiences = claims.get("aud")
    if isinstance(audiences, str):
        audiences = [audiences]
    if not isinstance(audiences, list) or not all(isinstance(one, str) for one in audiences):
        raise TokenRefused("aud is missing or wrong")
    if audience not in audiences:
        raise TokenRefused("it is meant for another audience")
    issued_at, expires_at = _check_times(claims, now)
    return Claims(
        issuer=issuer,
        subject=_text(claims, "sub"),
        token_id=_text(claims, "jti"),
        key_id=kid,
        issued_at=issued_at,
        expires_at=expires_at,
        client_id=_text(claims, "client_id") if claims.get("client_id") is not None else None,
        trust=_uuid(claims, "trust"),
        scopes=frozenset(_text(claims, "scope", longest=4096).split()) if claims.get("scope") else frozenset(),
        roles=_texts(claims, "roles"),
        academies=None if claims.get("academies") is None else _numbers(claims, "academies"),
        leads=_numbers(claims, "leads"),
        projects=_uuids(claims, "projects"),
    )


def _check_times(claims: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime]:
    present = now.timestamp()
    issued_at, expires_at = _instant(claims, "iat"), _instant(claims, "exp")
    if expires_at <= present:
        raise TokenRefused("the token has expired")
    if issued_at > present + CLOCK_SKEW_SECONDS:
        raise TokenRefused("the token was issued in the future")
    if claims.get("nbf") is not None and _instant(claims, "nbf") > present + CLOCK_SKEW_SECONDS:
        raise TokenRefused("the token doesn't count yet")
    if not 0 < expires_at - issued_at <= LONGEST_LIFE_SECONDS:
        raise TokenRefused("the token lives too long")
    return datetime.fromtimestamp(issued_at, UTC), datetime.fromtimestamp(expires_at, UTC)


def _instant(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1 << 35:
        raise TokenRefused(f"{name} is missing or wrong")
    return value


def _text(claims: Mapping[str, Any], name: str, *, longest: int = 255) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise TokenRefused(f"{name} is missing or wrong")
    return value


def _texts(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    value = claims.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TokenRefused(f"{name} is wrong")
    return frozenset(value)


def _numbers(claims: Mapping[str, Any], name: str) -> frozenset[int]:
    value = [] if claims.get(name) is None else claims[name]
    if not isinstance(value, list) or not all(isinstance(one, int) and not isinstance(one, bool) for one in value):
        raise TokenRefused(f"{name} is wrong")
    return frozenset(value)


def _uuid(claims: Mapping[str, Any], name: str) -> UUID | None:
    value = claims.get(name)
    return None if value is None else _as_uuid(value, name)


def _uuids(claims: Mapping[str, Any], name: str) -> frozenset[UUID]:
    value = [] if claims.get(name) is None else claims[name]
    if not isinstance(value, list):
        raise TokenRefused(f"{name} is wrong")
    return frozenset(_as_uuid(one, name) for one in value)


def _as_uuid(value: object, name: str) -> UUID:
    if not isinstance(value, str):
        raise TokenRefused(f"{name} is wrong")
    try:
        return UUID(value)
    except ValueError:
        raise TokenRefused(f"{name} is wrong") from None
