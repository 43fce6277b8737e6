"""Who is asking, and what may they do? Read from the token, checked on every request."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit import clock
from kit.identity.keys import Jwk, KeySource
from kit.identity.tokens import Claims, KeysUnavailable, TokenRefused, verify
from kit.ids import PLATFORM
from kit.problems import InsufficientScope, ServiceUnavailable, Unauthorized

REALM = "trellis"
# Rows about single pupils are visible with this scope alone.
PUPILS_READ = "pupils:read"
# More callers than this at once push out the one that came first.
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or client whose token counts.

    `academies` are the URNs that the grant covers, None for all of the trust's; `leads` those
    that the caller leads and therefore doesn't judge. `projects` are the research projects that the
    grant covers; empty unless it covers nothing else.
    """

    subject: str
    client_id: str | None
    trust_id: UUID | None
    scopes: frozenset[str]
    roles: frozenset[str]
    academies: frozenset[int] | None
    leads: frozenset[int]
    expires_at: datetime
    token_id: str
    projects: frozenset[UUID] = frozenset()

    @property
    def tenant_id(self) -> UUID:
        """The tenant that the caller's rows belong to; the platform's for a caller without a trust."""
        return self.trust_id or PLATFORM

    @property
    def sees_pupils(self) -> bool:
        """Are rows of pupils visible to it?"""
        return PUPILS_READ in self.scopes

    def may(self, scope: str) -> bool:
        """Does the token carry this scope?"""
        return scope in self.scopes

    def sees_academy(self, urn: int) -> bool:
        """Does the grant cover this academy?"""
        return self.academies is None or urn in self.academies


def caller_of(claims: Claims) -> Caller:
    """The caller that a token speaks for."""
    return Caller(
        subject=claims.subject,
        client_id=claims.client_id,
        trust_id=claims.trust,
        scopes=claims.scopes,
        roles=claims.roles,
        academies=claims.academies,
        leads=claims.leads,
        expires_at=claims.expires_at,
        token_id=claims.token_id,
        projects=claims.projects,
    )


@dataclass(frozen=True, slots=True)
class _Remembered:
    caller: Caller
    expires_at: float
    key_id: str
    key: Jwk


class Authenticator:
    """Turns an `Authorization` header into a caller.

    A token that was found good is remembered by its hash until it expires, and forgotten as
    soon as its key is gone.
    """

    def __init__(self, keys: KeySource, *, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._remembered: dict[bytes, _Remembered] = {}

    async def authenticate(self, authorization: Sequence[bytes]) -> Caller:
        """The caller of a request with these `Authorization` headers.

        Raises Unauthorized, or ServiceUnavailable when no key is known.
        """
        token = _bearer(authorization)
        digest = hashlib.sha256(token.encode()).digest()
        try:
            if (caller := await self._remembered_caller(digest)) is not None:
                return caller
            claims = await verify(
                token, self._keys, issuer=self._issuer, audience=self._audience, now=clock.machine_now()
            )
            key = await self._keys.key(claims.key_id)
        except TokenRefused as refused:
            raise Unauthorized(f"The token isn't accepted: {refused}.", headers=_challenge(str(refused))) from None
        except KeysUnavailable:
            raise ServiceUnavailable("Tokens can't be checked at the moment.", retry_after_seconds=2) from None
        caller = caller_of(claims)
        if key is not None:
            self._remember(digest, _Remembered(caller, claims.expires_at.timestamp(), claims.key_id, key))
        return caller

    async def _remembered_caller(self, digest: bytes) -> Caller | None:
        known = self._remembered.get(digest)
        if known is None:
            return None
        if clock.machine_now().timestamp() < known.expires_at and await self._keys.key(known.key_id) is known.key:
            return known.caller
        self._remembered.pop(digest, None)
        return None

    def _remember(self, digest: bytes, entry: _Remembered) -> None:
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.pop(next(iter(self._remembered)), None)
        self._remembered[digest] = entry


def _bearer(authorization: Sequence[bytes]) -> str:
    if not authorization:
        raise Unauthorized("Send an access token as a bearer token.", headers=_challenge(None))
    if len(authorization) > 1:
        raise Unauthorized("Send one Authorization header.", headers=_challenge("several Authorization headers"))
    scheme, _, token = authorization[0].partition(b" ")
    token = token.strip(b" ")
    if scheme.lower() != b"bearer" or not token or not token.isascii():
        raise Unauthorized("Send an access token as a bearer token.", headers=_challenge("no bearer token"))
    return token.decode()


def _challenge(reason: str | None) -> dict[str, str]:
    """What a 401 must say (RFC 6750, 3); no error code when no token was sent."""
    challenge = f'Bearer realm="{REALM}"'
    if reason is not None:
        said = reason.replace("\\", "").replace('"', "'")
        challenge += f', error="invalid_token", error_description="{said}"'
    return {"WWW-Authenticate": challenge}


def check_scopes(caller: Caller, needed: Sequence[str]) -> None:
    """Raises InsufficientScope unless the caller has all of these scopes."""
    missing = [scope for scope in needed if scope not in caller.scopes]
    if missing:
        said = " ".join(needed)
        raise InsufficientScope(
            f"Your token lacks {' and '.join(missing)}.",
            headers={"WWW-Authenticate": f'Bearer realm="{REALM}", error="insufficient_scope", scope="{said}"'},
        )
