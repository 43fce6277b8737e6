"""Failed attempts are answered with pauses."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from gateway.identity.anonymous import NOBODY
from gateway.identity.tokens import throttle
from gateway.identity.tokens.errors import TooManyAttempts
from gateway.identity.tokens.rules import FAILURE_LIMITS, FORGOTTEN_AFTER, AttemptKind
from gateway.identity.tokens.throttle import FORGOTTEN_AT_ONCE
from kit.key_ring import KeyRing
from kit.secrets.digests import Digests
from tests.conftest import Clock
from tests.gateway.identity.desk import Desk, Json
from tests.gateway.identity.provider import ISSUER, Provider
from tests.support.databases import Clone, Sandbox

# Pauses are measured by the clock, however slow the machine is.
pytestmark = pytest.mark.usefixtures("clock")

FREE = FAILURE_LIMITS[AttemptKind.CLIENT_AT_ADDRESS].free


def wrong(client: Json) -> Json:
    return {**client, "client_secret": "trellis_000000000000_guess"}


def come_from(address: str) -> Json:
    """The header that our gateway writes. In these tests the connection itself comes from loopback."""
    return {"X-Forwarded-For": address}


async def fail(desk: Desk, client: Json, times: int, **form: object) -> list[int]:
    return [(await desk.ask_as(wrong(client), **form)).status_code for _ in range(times)]


async def test_after_a_few_failures_a_client_must_wait_ever_longer(desk: Desk, clock: Clock) -> None:
    client = await desk.machine()
    assert await fail(desk, client, FREE) == [401] * FREE
    blocked = await desk.ask_as(wrong(client))
    assert (blocked.status_code, blocked.json()["error"]) == (429, "slow_down")
    assert blocked.headers["retry-after"] == "1"
    clock.advance(seconds=1)
    assert await fail(desk, client, 2) == [401, 429]
    clock.advance(seconds=1)
    assert (await desk.ask_as(wrong(client))).headers["retry-after"] == "1"
    clock.advance(seconds=1)
    assert await fail(desk, client, 2) == [401, 429]
    # The right secret doesn't wait for the end of a pause.
    assert (await desk.ask_as(client)).status_code == 200
    assert await fail(desk, client, FREE) == [401] * FREE


async def test_wrong_secrets_from_many_addresses_keep_nobody_out(desk: Desk, behind_gateway: Desk) -> None:
    client = await desk.machine()
    addresses = [f"203.0.113.{number}" for number in range(12)]
    answers = [
        (await behind_gateway.ask_as(wrong(client), headers=come_from(address))).status_code
        for _ in range(FREE + 1)
        for address in addresses
    ]
    assert answers == [401] * FREE * 12 + [429] * 12
    for address in ("198.51.100.1", *addresses):
        assert (await behind_gateway.ask_as(client, headers=come_from(address))).status_code == 200


async def test_failures_of_others_behind_one_address_keep_nobody_out(desk: Desk, behind_gateway: Desk) -> None:
    client, egress = await desk.machine(), come_from("203.0.113.7")
    answers = [
        (await behind_gateway.ask(grant_type="client_credentials", client_id=f"nobody-{n}", headers=egress)).status_code
        for n in range(60)
    ]
    assert set(answers[-20:]) == {429}
    assert (await behind_gateway.ask_as(client, headers=egress)).status_code == 200
    # Its own failures are answered like everybody's there, and don't lock it out either.
    assert await fail(behind_gateway, client, 2, headers=egress) == [429, 429]
    assert (await behind_gateway.ask_as(client, headers=egress)).status_code == 200


async def test_a_pause_says_nothing_about_a_secret(desk: Desk) -> None:
    client = await desk.machine()
    await fail(desk, client, FREE + 1)
    almost = {**client, "client_secret": client["client_secret"][:-1]}
    answers = [await desk.ask_as(one) for one in (wrong(client), almost, {**client, "client_secret": "guess"})]
    assert len({(answer.status_code, answer.text, answer.headers["retry-after"]) for answer in answers}) == 1
    assert answers[0].status_code == 429


async def test_a_paused_failure_writes_nothing(desk: Desk, database: Sandbox) -> None:
    client = await desk.machine()
    await fail(desk, client, FREE)
    counts = text("select kind, failures, last_failed_at, blocked_until from identity.failed_attempt order by kind")
    async with database.admin() as session:
        before = (await session.execute(counts)).all()
    assert await fail(desk, client, 3) == [429] * 3
    async with database.admin() as session:
        assert (await session.execute(counts)).all() == before


async def test_success_forgives_the_client_at_this_address(desk: Desk) -> None:
    client = await desk.machine()
    for _ in range(3):
        assert await fail(desk, client, FREE - 1) == [401] * (FREE - 1)
        assert (await desk.ask_as(client)).status_code == 200


async def test_a_quiet_hour_forgets(desk: Desk, clock: Clock, database: Sandbox) -> None:
    client = await desk.machine()
    await fail(desk, client, FREE - 1)
    clock.advance(hours=1, seconds=1)
    assert await fail(desk, client, FREE) == [401] * FREE
    other = await desk.machine("auditor")
    clock.advance(hours=1, seconds=1)
    await fail(desk, other, 1)
    async with database.admin() as session:
        counts = (await session.execute(text("select failures from identity.failed_attempt"))).scalars().all()
    assert sorted(counts) == [1, 1]


async def test_a_failure_forgets_old_counts_a_few_at_a_time(desk: Desk, clock: Clock, database: Sandbox) -> None:
    old = clock.now - FORGOTTEN_AFTER - timedelta(seconds=1)
    async with database.admin() as session:
        await session.execute(
            text(
                "insert into identity.failed_attempt (kind, digest, failures, last_failed_at, blocked_until)"
                " select 'client', int4send(n), 1, :old, :old from generate_series(1, 250) n"
            ),
            {"old": old},
        )
    left = []
    for _ in range(3):
        await fail(desk, {"client_id": "nobody"}, 1)
        async with database.admin() as session:
            count = text("select count(*) from identity.failed_attempt where last_failed_at = :old")
            left.append((await session.execute(count, {"old": old})).scalar_one())
    assert left == [250 - FORGOTTEN_AT_ONCE, 250 - 2 * FORGOTTEN_AT_ONCE, 0]


async def test_unknown_clients_are_paused_like_known_ones(desk: Desk) -> None:
    client = await desk.machine()
    nobody = {"client_id": "nobody", "client_secret": "guess"}
    known = await fail(desk, client, FREE + 1)
    assert [(await desk.ask_as(nobody)).status_code for _ in range(FREE + 1)] == known


async def test_an_address_that_tries_many_clients_must_wait(desk: Desk) -> None:
    free = FAILURE_LIMITS[AttemptKind.ADDRESS].free
    answers = [
        (await desk.ask_as({"client_id": f"nobody-{number}", "client_secret": "guess"})).status_code
        for number in range(free + 1)
    ]
    assert answers == [401] * free + [429]


async def test_a_stranger_elsewhere_cannot_lock_a_client_out(desk: Desk, behind_gateway: Desk) -> None:
    client = await desk.machine()
    there = await fail(behind_gateway, client, FREE + 1, headers=come_from("203.0.113.7"))
    assert there[-1] == 429
    assert (await behind_gateway.ask_as(client, headers=come_from("198.51.100.1"))).status_code == 200
    # What a client writes itself stands before what our gateway adds.
    spoofed = await fail(behind_gateway, client, 1, headers=come_from("198.51.100.1, 203.0.113.7"))
    assert spoofed == [429]


async def test_no_address_and_no_client_is_kept(desk: Desk, database: Sandbox) -> None:
    client = await desk.machine()
    await fail(desk, client, 1)
    async with database.admin() as session:
        rows = (await session.execute(text("select f::text from identity.failed_attempt f"))).scalars().all()
    assert len(rows) == 2
    assert not any("127.0.0.1" in row or client["oauth_client_id"] in row for row in rows)


async def test_forged_id_tokens_are_paused_and_keep_no_person_out(desk: Desk, provider: Provider) -> None:
    portal, other = await desk.register("Portal", "public"), await desk.register("Other portal", "public")
    person = await desk.invite(display_name="A head", issuer=ISSUER, subject="head-1")
    await desk.grant("chief-executive", person_id=person["id"])
    free = FAILURE_LIMITS[AttemptKind.EXCHANGE_AT_ADDRESS].free
    forged = provider.id_token(aud="others")
    answers = [(await desk.exchange(portal, forged)).status_code for _ in range(free + 1)]
    assert answers == [400] * free + [429]
    assert (await desk.exchange(other, forged)).status_code == 400
    signed_in = await desk.exchange(portal, provider.id_token(sub="head-1"))
    assert (signed_in.status_code, signed_in.json()["token_type"]) == (200, "Bearer")
    assert (await desk.exchange(portal, forged)).status_code == 429


async def test_counts_outlive_a_restart(
    committed_database: Clone, identity_on: Callable[..., Any], clock: Clock
) -> None:
    nobody = {"client_id": "nobody", "client_secret": "guess"}
    async with identity_on(committed_database) as first:
        assert [(await first.ask_as(nobody)).status_code for _ in range(FREE + 1)][-1] == 429
    async with identity_on(committed_database) as second:
        assert (await second.ask_as(nobody)).status_code == 429


async def test_counts_go_on_when_the_secret_key_is_replaced(database: Sandbox, clock: Clock) -> None:
    old, new = "a" * 32, "b" * 32
    before, rotated = (
        throttle.exchange_counters(Digests(KeyRing.of(keys), "digests"), "portal", "203.0.113.7")
        for keys in ([old], [new, old])
    )
    free = FAILURE_LIMITS[AttemptKind.EXCHANGE_AT_ADDRESS].free
    async with database.of("identity").session(NOBODY) as session:
        for _ in range(free):
            await throttle.note_failure(session, before, await throttle.standing(session, before))
        with pytest.raises(TooManyAttempts):
            await throttle.note_failure(session, rotated, await throttle.standing(session, rotated))
        clock.advance(seconds=1)
        await throttle.note_failure(session, rotated, await throttle.standing(session, rotated))
        rows = (await session.execute(text("select digest, failures from failed_attempt"))).all()
    assert [(row.digest, row.failures) for row in rows] == [(rotated[0].digests[0], free + 1)]
