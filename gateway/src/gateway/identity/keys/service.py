"""Making, rotating and revoking signing keys, and signing with them."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jose import jwk, jwt
from jose.backends.base import Key

from gateway.identity import events
from gateway.identity.events import KeyChange, KeyFacts
from gateway.identity.keys import queries, rules
from gateway.identity.keys.errors import NoSigningKey, UnknownKey
from gateway.identity.keys.rules import KeyLife, KeyState
from gateway.identity.tables import SigningKey
from kit import clock
from kit.database.sessions import Session
from kit.events.recording import EventType, record_event
from kit.identity.tokens import ALGORITHM
from kit.ids import PLATFORM
from kit.secrets.answers import Moved
from kit.secrets.sealing import Seal, SealBroken
from kit.telemetry.logs import logger

log = logger(__name__)

PURPOSE: Final = "identity signing keys"
_COORDINATE_BYTES: Final = 32
# What is left of a private key that will never sign again.
_ERASED: Final = b""


class Signer:
    """Signs tokens with the key whose turn it is."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._opened: dict[str, Key] = {}

    async def sign(self, session: Session, claims: Mapping[str, Any]) -> str:
        """The token. Raises NoSigningKey."""
        keys = await queries.all_keys(session)
        life = rules.signing(_lives(keys), clock.now())
        if life is None:
            raise NoSigningKey("Tokens can't be signed at the moment.")
        chosen = next(key for key in keys if key.kid == life.kid)
        headers = {"kid": chosen.kid, "typ": "at+jwt"}
        return jwt.encode(dict(claims), self._key(chosen), algorithm=ALGORITHM, headers=headers)

    def _key(self, chosen: SigningKey) -> Key:
        if chosen.kid not in self._opened:
            try:
                pem = self._seal.open(chosen.kid, chosen.private_key)
            except SealBroken:
                log.exception(
                    "the signing key was sealed with a secret key that isn't in the ring; see `trellis keys revoke-all`"
                )
                raise NoSigningKey("Tokens can't be signed at the moment.") from None
            # One is enough: only the newest key signs.
            self._opened = {chosen.kid: jwk.construct(pem.decode(), ALGORITHM)}
        return self._opened[chosen.kid]


async def ensure_keys(session: Session, seal: Seal, *, by: str) -> None:
    """Make the first signing key and its standby, unless there are keys already. Safe at once by several."""
    if rules.signing(_lives(await queries.all_keys(session)), clock.now()) is not None:
        return
    await queries.lock_keys(session)
    keys = await queries.all_keys(session)
    now = clock.now()
    if rules.signing(_lives(keys), now) is not None:
        return
    first = rules.successor(_lives(keys), now)
    if first is None:
        # Nobody has a token of ours yet, so nobody can be surprised by a key that signs at once.
        await _add(session, seal, now, signs_from=now, by=by)
    else:
        await _start(session, keys, first.kid, now, by=by)
    await _ensure_standby(session, seal, by=by)


async def rotate(session: Session, seal: Seal, *, by: str) -> datetime:
    """Let the standby sign and make the next one. Gives the instant from which the new key signs."""
    await queries.lock_keys(session)
    await _ensure_standby(session, seal, by=by)
    keys = await queries.all_keys(session)
    now = clock.now()
    standby = rules.in_state(_lives(keys), now, KeyState.STANDBY)[0]
    start = rules.rotation_start(standby, _lives(keys), now)
    await _start(session, keys, standby.kid, start, by=by)
    await _ensure_standby(session, seal, by=by)
    await _clean_up(session)
    return start


async def revoke(session: Session, seal: Seal, kid: str, *, by: str) -> None:
    """Take a key out of use and out of the key set at once; when it was signing, the standby takes over.

    Revoking a revoked key changes nothing. Raises UnknownKey.
    """
    await queries.lock_keys(session)
    keys = await queries.all_keys(session)
    chosen = next((key for key in keys if key.kid == kid), None)
    if chosen is None:
        raise UnknownKey(kid)
    if chosen.revoked_at is not None:
        return
    now = clock.now()
    before = _facts(chosen, keys, now)
    chosen.revoked_at, chosen.revoked_by, chosen.private_key = now, by, _ERASED
    await _record(session, events.KEY_REVOKED, chosen, before=before, after=_facts(chosen, keys, now), by=by)
    await _ensure_standby(session, seal, by=by)
    keys = await queries.all_keys(session)
    if rules.signing(_lives(keys), now) is None and (next_one := rules.successor(_lives(keys), now)) is not None:
        await _start(session, keys, next_one.kid, now, by=by)
        await _ensure_standby(session, seal, by=by)
    await _clean_up(session)


async def reseal(session: Session, seal: Seal) -> Moved:
    """Move every private half to the newest secret key."""
    await queries.lock_keys(session)
    done = Moved()
    for key in await queries.all_keys(session):
        if key.private_key == _ERASED or seal.is_newest(key.private_key):
            continue
        try:
            key.private_key = seal.close(key.kid, seal.open(key.kid, key.private_key))
        except SealBroken:
            done += Moved(unreadable=1)
        else:
            done += Moved(moved=1)
    await session.flush()
    return done


async def key_states(session: Session) -> list[tuple[SigningKey, KeyState]]:
    """Every key that is remembered with its state now."""
    keys = await queries.all_keys(session)
    lives, now = _lives(keys), clock.now()
    return [(key, rules.state_of(_life(key), lives, now)) for key in keys]


async def key_set(session: Session) -> dict[str, list[dict[str, str]]]:
    """The JWK set (RFC 7517) that verifiers may believe now."""
    keys = await queries.all_keys(session)
    wanted = {life.kid for life in rules.published(_lives(keys), clock.now())}
    return {"keys": [key.public_key for key in keys if key.kid in wanted]}


def _life(key: SigningKey) -> KeyLife:
    return KeyLife(key.kid, key.published_at, key.signs_from, key.revoked_at)


def _lives(keys: list[SigningKey]) -> list[KeyLife]:
    return [_life(key) for key in keys]


def _facts(key: SigningKey, keys: list[SigningKey], now: datetime) -> KeyFacts:
    return KeyFacts(kid=key.kid, state=rules.state_of(_life(key), _lives(keys), now))


async def _add(session: Session, seal: Seal, now: datetime, *, signs_from: datetime | None, by: str) -> SigningKey:
    private = ec.generate_private_key(ec.SECP256R1())
    numbers = private.public_key().public_numbers()
    members = {"crv": "P-256", "kty": "EC", "x": _base64(numbers.x), "y": _base64(numbers.y)}
    kid = _thumbprint(members)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key = SigningKey(
        kid=kid,
        public_key={**members, "kid": kid, "use": "sig", "alg": ALGORITHM},
        private_key=seal.close(kid, pem),
        published_at=now,
        signs_from=signs_from,
        revoked_at=None,
        revoked_by=None,
    )
    session.add(key)
    await session.flush()
    await _record(
        session, events.KEY_CREATED, key, before=None, after=_facts(key, await queries.all_keys(session), now), by=by
    )
    return key


async def _ensure_standby(session: Session, seal: Seal, *, by: str) -> None:
    now = clock.now()
    keys = await queries.all_keys(session)
    if not rules.in_state(_lives(keys), now, KeyState.STANDBY):
        await _add(session, seal, now, signs_from=None, by=by)


async def _start(session: Session, keys: list[SigningKey], kid: str, start: datetime, *, by: str) -> None:
    key = next(key for key in keys if key.kid == kid)
    now = clock.now()
    before = _facts(key, keys, now)
    key.signs_from = start
    await session.flush()
    await _record(session, events.KEY_ROTATED, key, before=before, after=_facts(key, keys, now), by=by)


async def _clean_up(session: Session) -> None:
    """Erase private halves that will never sign again, and forget keys of long ago."""
    keys = await queries.all_keys(session)
    now = clock.now()
    over = rules.in_state(_lives(keys), now, KeyState.VERIFYING, KeyState.RETIRED, KeyState.REVOKED)
    kids = {life.kid for life in over}
    for key in keys:
        if key.kid in kids:
            key.private_key = _ERASED
    gone = rules.in_state(_lives(keys), now, KeyState.RETIRED, KeyState.REVOKED)
    await session.flush()
    await queries.forget_keys(session, [life.kid for life in gone], now - rules.FORGOTTEN_AFTER)


async def _record(
    session: Session,
    kind: EventType,
    key: SigningKey,
    *,
    before: KeyFacts | None,
    after: KeyFacts,
    by: str,
) -> None:
    data = KeyChange(before=before, after=after, by=by)
    await record_event(session, kind, subject=f"keys/{key.kid}", urn=None, data=data, tenant_id=PLATFORM)


def _base64(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes(_COORDINATE_BYTES)).rstrip(b"=").decode()


def _thumbprint(members: dict[str, str]) -> str:
    """The name of a key that follows from the key itself (RFC 7638)."""
    canonical = orjson.dumps(members, option=orjson.OPT_SORT_KEYS)
    return urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()
