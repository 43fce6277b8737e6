"""Public keys: fetched seldom, believed shortly, and never at the pace of an attacker."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio

from kit.identity import keys as house_keys
from kit.identity.keys import KeysUnavailable, RemoteKeys, StaticKeys, usable_keys
from tests.kit.sample import sample_client, sample_service
from tests.support.tokens import signing_key

URL = "http://identity/.well-known/jwks.json"


@dataclass
class Identity:
    """A key set served over a Unix socket, that counts who asks and can fail."""

    socket: Path
    keys: list[dict[str, Any]] = field(default_factory=lambda: [dict(signing_key("one").public)])
    asked: int = 0
    status: int = 200
    raw: bytes | None = None
    delay: float = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            # A caller that gave up before it asked.
            writer.close()
            return
        self.asked += 1
        await asyncio.sleep(self.delay)
        body = orjson.dumps({"keys": self.keys}) if self.raw is None else self.raw
        writer.write(
            b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
            % (self.status, len(body), body)
        )
        await writer.drain()
        writer.close()


@pytest_asyncio.fixture
async def identity(tmp_path: Path) -> AsyncIterator[Identity]:
    """Identity as far as keys go."""
    told = Identity(tmp_path / "identity.sock")
    async with await asyncio.start_unix_server(told.answer, told.socket):
        yield told


@pytest_asyncio.fixture
async def remote(identity: Identity) -> AsyncIterator[RemoteKeys]:
    """The keys as a service sees them."""
    remote = RemoteKeys(URL, socket=identity.socket)
    yield remote
    await remote.aclose()


async def settle(remote: RemoteKeys) -> None:
    """Wait for the fetch that runs behind the callers' backs."""
    assert remote._refreshing is not None
    await remote._refreshing


class Time:
    """A monotonic clock that passes when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """What time.monotonic would say."""
        return self.now


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> Time:
    """Time for the key sources only."""
    time = Time()
    monkeypatch.setattr(house_keys, "time", time)
    return time


async def test_key_set_is_fetched_once_for_many(identity: Identity, remote: RemoteKeys) -> None:
    identity.delay = 0.01
    found = await asyncio.gather(*(remote.key("one") for _ in range(50)))
    assert identity.asked == 1
    assert found[0] is not None
    assert all(key is found[0] for key in found)


async def test_key_is_the_same_object_while_it_is_unchanged(
    identity: Identity, remote: RemoteKeys, passing: Time
) -> None:
    before = await remote.key("one")
    passing.now += 31
    assert await remote.key("one") is before
    await settle(remote)
    assert await remote.key("one") is before
    assert identity.asked == 2
    passing.now += 31
    identity.keys = [{**signing_key("two").public, "kid": "one"}]
    await remote.key("one")
    await settle(remote)
    assert await remote.key("one") is not before


async def test_revoked_key_is_unknown_within_a_minute(identity: Identity, remote: RemoteKeys, passing: Time) -> None:
    assert await remote.key("one") is not None
    identity.keys = [dict(signing_key("two").public)]
    passing.now += 29
    assert await remote.key("one") is not None
    passing.now += 2
    assert await remote.key("one") is not None
    await settle(remote)
    assert await remote.key("one") is None
    assert await remote.key("two") is not None
    assert identity.asked == 2


async def test_new_key_is_found_without_waiting_for_the_old_set_to_age(
    identity: Identity, remote: RemoteKeys, passing: Time
) -> None:
    await remote.key("one")
    identity.keys.append(dict(signing_key("two").public))
    passing.now += 6
    assert await remote.key("two") is not None


async def test_random_keys_cannot_hammer_identity(identity: Identity, remote: RemoteKeys, passing: Time) -> None:
    await remote.key("one")
    for number in range(1000):
        assert await remote.key(f"random-{number}") is None
    assert identity.asked == 1
    passing.now += 6
    await asyncio.gather(*(remote.key(f"again-{number}") for number in range(100)))
    assert identity.asked == 2
    # Nothing is kept of them.
    assert len(remote._keys) == 1


async def test_short_outage_of_identity_is_not_noticed(identity: Identity, remote: RemoteKeys, passing: Time) -> None:
    await remote.key("one")
    identity.status = 503
    passing.now += 45
    assert await remote.key("one") is not None


async def test_nobody_waits_for_a_hanging_identity_while_the_keys_are_known(
    identity: Identity, remote: RemoteKeys, passing: Time
) -> None:
    await remote.key("one")
    identity.delay = 3600
    passing.now += 31
    async with asyncio.timeout(1):
        found = await asyncio.gather(*(remote.key("one") for _ in range(500)))
    assert all(found)
    assert remote._refreshing is not None
    assert not remote._refreshing.done()


async def test_those_who_wait_for_a_hanging_identity_wait_together(
    identity: Identity, remote: RemoteKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house_keys, "FETCH_TIMEOUT_SECONDS", 0.1)
    identity.delay = 3600
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*(remote.key("one") for _ in range(500)), return_exceptions=True)
    assert all(isinstance(answer, KeysUnavailable) for answer in answers)
    assert identity.asked == 1


async def test_after_a_minute_of_a_hanging_identity_nobody_waits(
    identity: Identity, remote: RemoteKeys, passing: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    await remote.key("one")
    identity.delay = 3600
    monkeypatch.setattr(house_keys, "FETCH_TIMEOUT_SECONDS", 0.05)
    passing.now += 31
    await remote.key("one")
    await settle(remote)
    monkeypatch.setattr(house_keys, "FETCH_TIMEOUT_SECONDS", 3600)
    passing.now += 31
    # Each attempt hangs for an hour, and no caller sees the end of one.
    for attempt in range(3):
        answers = await asyncio.gather(*(remote.key("one") for _ in range(100)), return_exceptions=True)
        assert all(isinstance(answer, KeysUnavailable) for answer in answers)
        assert remote._refreshing is not None
        assert not remote._refreshing.done()
        remote._refreshing.cancel()
        await asyncio.wait({remote._refreshing})
        passing.now += 2
        assert identity.asked <= 2 + attempt + 1


async def test_unknown_keys_wait_once_for_a_hanging_identity_and_never_again(
    identity: Identity, remote: RemoteKeys, passing: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    await remote.key("one")
    monkeypatch.setattr(house_keys, "LONGEST_WAIT_SECONDS", 0.05)
    identity.delay = 3600
    passing.now += 6
    assert await asyncio.gather(*(remote.key(f"random-{number}") for number in range(500))) == [None] * 500
    refreshing = remote._refreshing
    assert refreshing is not None
    assert not refreshing.done()
    monkeypatch.setattr(house_keys, "LONGEST_WAIT_SECONDS", 3600)
    assert await asyncio.gather(*(remote.key(f"again-{number}") for number in range(500))) == [None] * 500
    assert not refreshing.done()
    assert await remote.key("one") is not None


async def test_callers_wait_again_once_identity_has_answered(
    identity: Identity, remote: RemoteKeys, passing: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    await remote.key("one")
    monkeypatch.setattr(house_keys, "FETCH_TIMEOUT_SECONDS", 0.05)
    identity.delay = 3600
    passing.now += 31
    await remote.key("one")
    await settle(remote)
    monkeypatch.setattr(house_keys, "FETCH_TIMEOUT_SECONDS", 5)
    identity.delay = 0
    identity.keys.append(dict(signing_key("two").public))
    passing.now += 2
    assert await remote.key("two") is None
    await settle(remote)
    assert await remote.key("two") is not None
    identity.keys.append({**signing_key("two").public, "kid": "three"})
    passing.now += 6
    assert await remote.key("three") is not None


async def test_api_answers_at_full_rate_while_identity_hangs(
    identity: Identity, remote: RemoteKeys, passing: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house_keys, "FETCH_TIMEOUT_SECONDS", 3600)
    identity.keys = [dict(signing_key().public)]
    app = sample_service(keys=remote)
    async with sample_client(app, checked=False) as client:
        assert (await client.get("/sample/v1/things")).status_code == 200
        identity.delay = 3600
        passing.now += 31
        known = [(await client.get("/sample/v1/things")).status_code for _ in range(50)]
        # An hour is left to the fetch that began with the first of them: nobody waited for it.
        hanging = remote._refreshing
        assert known == [200] * 50
        assert hanging is not None
        # The first whose keys are too old to be believed waits shortly, and those after it fail at once.
        monkeypatch.setattr(house_keys, "LONGEST_WAIT_SECONDS", 0.05)
        passing.now += 30
        refused = [await client.get("/sample/v1/things") for _ in range(50)]
        assert not hanging.done()
    assert {answer.status_code for answer in refused} == {503}
    assert all("retry-after" in answer.headers for answer in refused)


async def test_after_a_minute_without_keys_nothing_is_believed(
    identity: Identity, remote: RemoteKeys, passing: Time
) -> None:
    await remote.key("one")
    identity.status = 500
    passing.now += 61
    with pytest.raises(KeysUnavailable):
        await remote.key("one")
    identity.status = 200
    passing.now += 2
    assert await remote.key("one") is not None


async def test_outage_is_not_made_worse(identity: Identity, remote: RemoteKeys, passing: Time) -> None:
    identity.status = 500
    for _ in range(100):
        with pytest.raises(KeysUnavailable):
            await remote.key("one")
    assert identity.asked == 1
    passing.now += 1.1
    with pytest.raises(KeysUnavailable):
        await remote.key("one")
    assert identity.asked == 2


async def test_nobody_there_is_an_outage(tmp_path: Path) -> None:
    remote = RemoteKeys(URL, socket=tmp_path / "nobody.sock")
    with pytest.raises(KeysUnavailable):
        await remote.key("one")
    await remote.aclose()


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b'{"keys": {}}', b'{"keys": []}', b"\xff", b'{"keys": [1]}', b" " * 70_000 + b"{}"],
)
async def test_nonsense_does_not_replace_known_keys(
    identity: Identity, remote: RemoteKeys, passing: Time, raw: bytes
) -> None:
    await remote.key("one")
    identity.raw = raw
    passing.now += 31
    assert await remote.key("one") is not None
    await settle(remote)
    assert await remote.key("one") is not None
    assert identity.asked == 2


async def test_redirect_is_not_followed(identity: Identity, remote: RemoteKeys) -> None:
    identity.status = 302
    with pytest.raises(KeysUnavailable):
        await remote.key("one")


async def test_slow_identity_is_given_up(
    identity: Identity, remote: RemoteKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house_keys, "FETCH_TIMEOUT_SECONDS", 0.05)
    identity.delay = 0.3
    with pytest.raises(KeysUnavailable):
        await remote.key("one")
    await asyncio.sleep(0.3)


def test_only_keys_that_sign_with_p256_are_usable() -> None:
    good = dict(signing_key("one").public)
    others = [{**good, "kid": f"bad-{name}", name: "other"} for name in ("kty", "crv", "use", "alg")]
    nameless = {name: value for name, value in good.items() if name != "kid"}
    assert usable_keys({"keys": [good, *others, nameless, "text", None]}) == {"one": good}


def test_endless_key_set_is_cut() -> None:
    good = dict(signing_key("one").public)
    assert len(usable_keys({"keys": [{**good, "kid": str(number)} for number in range(1000)]})) == 50


async def test_static_keys_keep_the_object_of_an_unchanged_key() -> None:
    keys = StaticKeys({"keys": [dict(signing_key("one").public)]})
    before = await keys.key("one")
    keys.replace({"keys": [dict(signing_key("one").public), dict(signing_key("two").public)]})
    assert await keys.key("one") is before
    assert await keys.key("two") is not None
