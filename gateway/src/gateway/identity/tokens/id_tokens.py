"""Is this ID token one that a configured identity provider made for us, and who is it about?

The algorithm comes from our settings and the kind of the provider's key, the key from the provider's key set; a
token says neither. As in `kit.identity.tokens`, every claim that is relied on is required here.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from jose import jwk, jws
from jose.exceptions import JOSEError

from gateway.identity.settings import OidcIssuer
from gateway.identity.tokens.provider_keys import Jwk, ProviderKeys
from kit.identity.compact import Compact, TokenRefused, read_compact
from kit.outbound.client import GuardedClient

CLOCK_SKEW_SECONDS: Final = 30
OLDEST_SECONDS: Final = 24 * 3600
LONGEST_TOKEN: Final = 16_384
_LEAST_RSA_BITS: Final = 2048
# A thumbprint of a certificate says nothing that we act on, and providers send it.
_HEADER_NAMES: Final = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
_CURVES: Final[Mapping[str, str]] = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_EMAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


@dataclass(frozen=True, slots=True)
class Account:
    """Who an ID token is about."""

    issuer: OidcIssuer
    subject: str
    verified_email: str | None


class IdTokens:
    """Checks the ID tokens of the configured identity providers."""

    def __init__(self, issuers: Sequence[OidcIssuer], outbound: GuardedClient) -> None:
        self._issuers = {issuer.issuer: issuer for issuer in issuers}
        self._keys = {issuer.issuer: ProviderKeys(issuer.jwks_url, outbound) for issuer in issuers}

    async def verify(self, token: str, now: datetime) -> Account:
        """Who a token is about that counts now. Raises TokenRefused and ProviderUnreachable."""
        compact = read_compact(token, longest=LONGEST_TOKEN)
        claims = compact.claims()
        issuer = self._issuers.get(_text(claims, "iss", longest=500))
        if issuer is None:
            raise TokenRefused("its issuer isn't configured")
        kid, algorithm = _check_header(compact.header, issuer)
        key = await self._keys[issuer.issuer].key(kid)
        if key is None:
            raise TokenRefused("its key is unknown")
        _check_signature(compact, key, algorithm)
        _check_audience(claims, issuer)
        _check_times(claims, now.timestamp())
        return Account(issuer, _text(claims, "sub"), _verified_email(claims, issuer))


def _check_header(header: Mapping[str, Any], issuer: OidcIssuer) -> tuple[str, str]:
    algorithm = next((allowed for allowed in issuer.algorithms if allowed == header.get("alg")), None)
    if algorithm is None:
        raise TokenRefused("its algorithm isn't the provider's")
    if unknown := set(header) - _HEADER_NAMES:
        raise TokenRefused(f"the header may not say {', '.join(sorted(unknown))[:100]!a}")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.upper() != "JWT":
        raise TokenRefused("this is no ID token")
    return _text(header, "kid"), algorithm


def _check_signature(compact: Compact, key: Jwk, algorithm: str) -> None:
    if not _fits(key, algorithm):
        raise TokenRefused("its key is of another kind")
    try:
        jws.verify(compact.token, jwk.construct(key, algorithm), algorithms=[algorithm])
    except JOSEError:
        raise TokenRefused("the signature is wrong") from None
    except (ValueError, TypeError):
        raise TokenRefused("its key can't be used") from None


def _fits(key: Jwk, algorithm: str) -> bool:
    """Whether a published key may check signatures of this algorithm, and is long enough."""
    if key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm:
        return False
    if algorithm in _CURVES:
        return key.get("kty") == "EC" and key.get("crv") == _CURVES[algorithm]
    return key.get("kty") == "RSA" and _bits(key.get("n")) >= _LEAST_RSA_BITS


def _bits(number: object) -> int:
    if not isinstance(number, str):
        return 0
    try:
        return int.from_bytes(base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))).bit_length()
    except (binascii.Error, ValueError):
        return 0


def _check_audience(claims: Mapping[str, Any], issuer: OidcIssuer) -> None:
    """OpenID Connect Core 1.0, 3.1.3.7: we are meant, and who asked for it is one of ours."""
    audiences = claims.get("aud")
    if isinstance(audiences, str):
        audiences = [audiences]
    if not isinstance(audiences, list) or not any(one in issuer.audiences for one in audiences):
        raise TokenRefused("it is meant for another application")
    party = claims.get("azp")
    if (len(audiences) > 1 or party is not None) and party not in issuer.audiences:
        raise TokenRefused("it was issued to another application")


def _check_times(claims: Mapping[str, Any], present: float) -> None:
    expires_at, issued_at = _instant(claims, "exp"), _instant(claims, "iat")
    if expires_at <= present:
        raise TokenRefused("it has expired")
    if issued_at > present + CLOCK_SKEW_SECONDS:
        raise TokenRefused("it was issued in the future")
    if issued_at < present - OLDEST_SECONDS:
        raise TokenRefused("it is too old; sign in again")
    if claims.get("nbf") is not None and _instant(claims, "nbf") > present + CLOCK_SKEW_SECONDS:
        raise TokenRefused("it doesn't count yet")


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


def _verified_email(claims: Mapping[str, Any], issuer: OidcIssuer) -> str | None:
    email = claims.get("email")
    if not isinstance(email, str) or len(email) > 254 or not _EMAIL.fullmatch(email):
        return None
    # Exactly true: a provider that says "false" must not count as one that says something.
    return email if claims.get("email_verified", issuer.emails_verified) is True else None
