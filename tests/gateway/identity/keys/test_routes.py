"""The key set, over rotation and revocation, and who believes which token when."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from jose import jwt
from sqlalchemy import text

from gateway.identity.anonymous import NOBODY
from gateway.identity.keys import service
from gateway.identity.keys.errors import UnknownKey
from gateway.identity.keys.rules import KeyState
from kit import clock as house_clock
from kit.identity.keys import StaticKeys
from kit.identity.tokens import TokenRefused, verify
from kit.secrets.sealing import SealBroken
from tests.conftest import Clock
from tests.gateway.identity.desk import Desk, Json
from tests.support.databases import Sandbox
from tests.support.tokens import AUDIENCE, ISSUER

BY = "command:tests"


class Keys:
    """The keys of an app, as an operator and a verifier see them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._seal = desk.app.state.equipment.key_seal

    async def states(self) -> dict[str, KeyState]:
        """Every remembered key."""
        async with self._desk.database.session(NOBODY) as session:
            return {key.kid: state for key, state in await service.key_states(session)}

    async def in_state(self, state: KeyState) -> list[str]:
        """The keys in one state."""
        return [kid for kid, found in (await self.states()).items() if found is state]

    async def published(self) -> set[str]:
        """What the key set names."""
        answer = await self._desk.anybody.get("/.well-known/jwks.json")
        return {key["kid"] for key in answer.json()["keys"]}

    async def rotate(self) -> None:
        """Let the next key take over."""
        async with self._desk.database.session(NOBODY) as session:
            await service.rotate(session, self._seal, by=BY)

    async def revoke(self, kid: str) -> None:
        """Refuse a key."""
        async with self._desk.database.session(NOBODY) as session:
            await service.revoke(session, self._seal, kid, by=BY)
        self._desk.forget_keys()

    async def token(self, client: Json) -> str:
        """A fresh token."""
        token: str = (await self._desk.ask_as(client)).json()["access_token"]
        return token

    async def counts(self, token: str) -> bool:
        """Does a verifier who has just read the key set believe the token?"""
        key_set = (await self._desk.anybody.get("/.well-known/jwks.json")).json()
        try:
            await verify(token, StaticKeys(key_set), issuer=ISSUER, audience=AUDIENCE, now=house_clock.now())
        except TokenRefused:
            return False
        return True


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


@pytest_asyncio.fixture
async def keys(desk: Desk, clock: Clock, database: Sandbox) -> AsyncIterator[Keys]:
    """An app that has no keys yet."""
    async with database.admin() as session:
        await session.execute(text("delete from identity.signing_key"))
    yield Keys(desk)


async def test_a_key_set_holds_public_halves_only_and_may_be_kept_for_half_a_minute(desk: Desk, keys: Keys) -> None:
    await keys.token(await desk.machine())
    response = await desk.anybody.get("/.well-known/jwks.json")
    assert response.headers["cache-control"] == "public, max-age=30"
    for key in response.json()["keys"]:
        assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", key["kid"])


async def test_the_first_token_makes_a_key_and_its_standby(desk: Desk, keys: Keys) -> None:
    assert await keys.published() == set()
    token = await keys.token(await desk.machine())
    assert sorted((await keys.states()).values()) == [KeyState.SIGNING, KeyState.STANDBY]
    assert await keys.in_state(KeyState.SIGNING) == [kid_of(token)]
    assert await keys.published() == set(await keys.states())
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": kid_of(token), "typ": "at+jwt"}


async def test_rotation_overlaps(desk: Desk, keys: Keys, clock: Clock) -> None:
    client = await desk.machine()
    old = kid_of(await keys.token(client))
    await keys.rotate()
    (new,) = await keys.in_state(KeyState.PENDING)
    clock.advance(seconds=119)
    last = await keys.token(client)
    assert kid_of(last) == old
    clock.advance(seconds=1)
    first = await keys.token(client)
    assert kid_of(first) == new
    assert await keys.counts(last)
    clock.advance(seconds=598)
    assert await keys.counts(last)
    assert await keys.counts(first)
    clock.advance(seconds=1)
    assert old in await keys.published()
    assert not await keys.counts(last)
    clock.advance(minutes=1, seconds=1)
    assert old not in await keys.published()


async def test_a_standby_that_is_known_for_long_signs_at_once(desk: Desk, keys: Keys, clock: Clock) -> None:
    client = await desk.machine()
    await keys.token(client)
    (standby,) = await keys.in_state(KeyState.STANDBY)
    clock.advance(minutes=2)
    await keys.rotate()
    assert kid_of(await keys.token(client)) == standby


async def test_two_rotations_in_a_row_leave_one_signer(desk: Desk, keys: Keys, clock: Clock) -> None:
    client = await desk.machine()
    await keys.token(client)
    await keys.rotate()
    await keys.rotate()
    assert len(await keys.in_state(KeyState.PENDING)) == 2
    clock.advance(minutes=3)
    assert len(await keys.in_state(KeyState.SIGNING)) == 1
    assert await keys.counts(await keys.token(client))


async def test_a_revoked_key_is_refused_and_the_standby_signs_at_once(desk: Desk, keys: Keys, clock: Clock) -> None:
    client = await desk.machine("auditor")
    token = await keys.token(client)
    verifier = StaticKeys((await desk.anybody.get("/.well-known/jwks.json")).json())
    clock.advance(minutes=1)
    async with await desk.holder(token) as holder:
        assert (await holder.get("/identity/v1/me")).status_code == 200
        await keys.revoke(kid_of(token))
        assert kid_of(token) not in await keys.published()
        refused = await holder.get("/identity/v1/me")
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    assert not await keys.counts(token)
    # Who read the key set before the revocation knows the new signer already.
    fresh = await keys.token(client)
    await verify(fresh, verifier, issuer=ISSUER, audience=AUDIENCE, now=house_clock.now())


async def test_revoking_all_begins_with_new_keys(desk: Desk, keys: Keys) -> None:
    client = await desk.machine()
    await keys.token(client)
    before = set(await keys.states())
    for kid in before:
        await keys.revoke(kid)
    token = await keys.token(client)
    assert kid_of(token) not in before
    assert not before & await keys.published()
    assert len(await keys.in_state(KeyState.STANDBY)) == 1


async def test_revoking_is_done_once_and_only_for_keys_that_exist(desk: Desk, keys: Keys) -> None:
    kid = kid_of(await keys.token(await desk.machine()))
    await keys.revoke(kid)
    states = await keys.states()
    await keys.revoke(kid)
    assert await keys.states() == states
    with pytest.raises(UnknownKey):
        await keys.revoke("nothing")


async def test_private_halves_lie_encrypted_and_are_erased_when_they_are_done(
    desk: Desk, keys: Keys, database: Sandbox, clock: Clock
) -> None:
    async def stored() -> dict[str, bytes]:
        async with database.admin() as session:
            rows = await session.execute(text("select kid, private_key from identity.signing_key"))
            return {row.kid: bytes(row.private_key) for row in rows}

    old = kid_of(await keys.token(await desk.machine()))
    seal = desk.app.state.equipment.key_seal
    for kid, sealed in (await stored()).items():
        assert b"PRIVATE" not in sealed
        assert b"PRIVATE KEY" in seal.open(kid, sealed)
        with pytest.raises(SealBroken):
            seal.open("another", sealed)
    clock.advance(minutes=5)
    await keys.rotate()
    clock.advance(minutes=1)
    await keys.rotate()
    assert (await stored())[old] == b""
    await keys.revoke((await keys.in_state(KeyState.SIGNING))[0])
    revoked = await keys.in_state(KeyState.REVOKED)
    left = await stored()
    assert {left[kid] for kid in revoked} == {b""}


async def test_keys_of_long_ago_are_forgotten(desk: Desk, keys: Keys, clock: Clock) -> None:
    first = kid_of(await keys.token(await desk.machine()))
    clock.advance(days=1)
    await keys.rotate()
    clock.advance(days=90)
    await keys.rotate()
    assert first not in await keys.states()


async def test_the_metadata_says_how_to_get_a_token(desk: Desk) -> None:
    answer: dict[str, Any] = (await desk.anybody.get("/.well-known/oauth-authorization-server")).json()
    assert answer["issuer"] == ISSUER
    assert answer["token_endpoint"] == f"{ISSUER}/identity/v1/token"
    assert answer["jwks_uri"] == f"{ISSUER}/.well-known/jwks.json"
    assert answer["response_types_supported"] == []
    assert "none" in answer["token_endpoint_auth_methods_supported"]
    assert "rag-statuses:read" in answer["scopes_supported"]
