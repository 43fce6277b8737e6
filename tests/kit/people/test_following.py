"""A person is erased at identity, and academy, which follows its feed, erases them too: with real apps and feeds."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from sqlalchemy import text

from academy.definition import ACADEMY
from gateway.identity.clients.rules import service_client_id
from gateway.main import create_app as create_identity
from kit.calls.client import Calls
from kit.database.sessions import Context, Database, Session
from kit.events.followers import Follower, SideEffects
from kit.events.holders import HolderEnded, ends_of_holders
from kit.events.locks import Locks
from kit.events.sources import RemoteSource
from kit.links.holders import on_holder_ended
from kit.links.tables import SharedLink
from kit.people.erasing import erasing, pseudonym_of
from kit.workers.following import followed_by
from tests.kit.links.test_holders import add_link
from tests.kit.people.test_erasing import RING, add_change
from tests.support.clients import create_app, settings_of
from tests.support.databases import Clone
from tests.support.following import SECRET, calls_to, identity_settings
from tests.support.tokens import ISSUER, PROSPERE, issue_token, trusted_keys


class Killed(Exception):
    """The process ends here."""


class House:
    """Identity with an administrator, and academy that follows it."""

    def __init__(self, identity: Any, academy_app: Any, database: Database, calls: Calls) -> None:
        self.identity = identity
        self.academy_app = academy_app
        self.academy = database
        self.calls = calls
        self.locks = Locks(database)

    async def ask(self, service: str, method: str, path: str, **more: Any) -> Any:
        """An administrator of the trust does something."""
        app = self.identity if service == "identity" else self.academy_app
        headers = {"Authorization": f"Bearer {issue_token('trust-admin', trust=PROSPERE)}"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=ISSUER, headers=headers) as client:
            answer = await client.request(method, f"/{service}/v1{path}", **more)
        assert answer.is_success, answer.text
        return answer.json()

    async def announced(self, service: str) -> list[Any]:
        """The events about erased data in a service's feed, as the administrator reads it."""
        page = await self.ask(service, "GET", "/events")
        return [one for one in page["items"] if one["type"] == f"org.trellis.{service}.person-data.erased.v1"]

    def follower(self, effects: SideEffects) -> Follower:
        source = RemoteSource(self.calls, effects.call, effects.types)
        return Follower(effects, source, self.academy, self.locks)

    async def written_by(self) -> list[str]:
        async with self.academy.session(Context(PROSPERE, None, "tests")) as session:
            return list((await session.execute(text("select by from state_change order by id"))).scalars())


@pytest_asyncio.fixture
async def house(committed_database: Clone) -> AsyncIterator[House]:
    """Both apps on one database. Services believe identity's keys; the administrator's token is the tests'."""
    settings = identity_settings(committed_database, service_clients={"academy": SECRET})
    identity = create_identity(settings)
    offices = create_identity(settings, keys=trusted_keys())
    url = committed_database.url("academy_follower")
    academy = create_app("academy", committed_database.url("academy_app"), follower_database_url=url)
    own = settings_of("academy", committed_database.url("academy_app")).model_copy(
        update={"service_client_id": service_client_id("academy"), "service_client_secret": SecretStr(SECRET)}
    )
    async with (
        identity.router.lifespan_context(identity),
        offices.router.lifespan_context(offices),
        academy.router.lifespan_context(academy),
    ):
        calls = calls_to({"identity": identity}, own)
        made = House(offices, academy, committed_database.of("academy"), calls)
        yield made
        await made.locks.aclose()
        await calls.aclose()


def ends() -> SideEffects:
    """What academy's worker does when rights end."""
    (found,) = (one for one in followed_by(ACADEMY, RING) if one.consumer == "ends-of-holders")
    assert isinstance(found, SideEffects)
    return found


async def invited(house: House) -> str:
    person = await house.ask("identity", "POST", "/people", json={"email": "a.nutt@example.org"})
    async with house.academy.session(Context(PROSPERE, None, "tests")) as session:
        for _ in range(2):
            await add_change(session, f"person:{person['id']}")
    return str(person["id"])


async def test_an_erased_person_is_erased_by_who_follows_and_each_says_so(house: House) -> None:
    person = await invited(house)
    follower = house.follower(ends())
    await follower.catch_up()
    assert await house.written_by() == [f"person:{person}"] * 2
    assert await house.announced("academy") == []
    async with house.academy.session(Context(PROSPERE, None, "tests")) as session:
        link = await add_link(session, created_by=f"person:{person}")
    erased = await house.ask("identity", "POST", f"/people/{person}/erase")
    assert erased["person_id"] == person
    (told,) = await house.announced("identity")
    assert told["subject"] == f"people/{person}"
    await follower.catch_up()
    pseudonym = pseudonym_of(RING, PROSPERE, UUID(person))
    assert await house.written_by() == [pseudonym] * 2
    # What hangs on their right ended before nobody could find it by its maker any more.
    async with house.academy.session(Context(PROSPERE, None, "tests")) as session:
        kept = await session.get_one(SharedLink, (link.trust_id, link.id))
        assert kept.ended_at is not None
        assert kept.created_by == kept.ended_by == pseudonym
    (told,) = await house.announced("academy")
    assert told["data"] == {"person_id": person, "tables": {"shared_link": 1, "state_change": 2}}
    assert pseudonym not in str(await house.ask("academy", "GET", "/events"))
    # Once more changes nothing, and announces nothing.
    await house.follower(ends()).catch_up()
    assert len(await house.announced("academy")) == 1


async def test_a_killed_follower_leaves_all_or_nothing_to_the_next(house: House) -> None:
    person = await invited(house)
    await house.ask("identity", "POST", f"/people/{person}/erase")
    erase = erasing("academy", ACADEMY.personal_tables, ACADEMY.person_data_erased, RING)

    async def die(_session: Session, _ended: HolderEnded) -> None:
        raise Killed

    with pytest.raises(Killed):
        await house.follower(ends_of_holders([on_holder_ended, erase, die])).catch_up()
    assert await house.written_by() == [f"person:{person}"] * 2
    assert await house.announced("academy") == []
    await house.follower(ends()).catch_up()
    assert await house.written_by() == [pseudonym_of(RING, PROSPERE, UUID(person))] * 2
    assert len(await house.announced("academy")) == 1
