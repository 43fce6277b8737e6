"""Who holds a right still, as a service learns it from identity's feed."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest_asyncio

from gateway.main import create_app as create_identity
from kit.calls.client import Calls
from kit.database.sessions import Context, Database, Session, context_of_session
from kit.events.followers import Follower
from kit.events.holders import GRANTS, HolderEnded, ends_of_holders, is_current
from kit.events.locks import Locks
from kit.events.read_models import digest
from kit.events.sources import RemoteSource
from kit.workers.rebuilding import rebuild
from tests.support.databases import Clone
from tests.support.following import calls_to, identity_settings, reporting_settings
from tests.support.tokens import ISSUER, OTHER_TRUST, PROSPERE, issue_token, trusted_keys

TODAY = date.today()  # noqa: DTZ011 - identity's own clock decides, in London
ADMINISTRATOR = "/identity/v1"


class Office:
    """Identity with an administrator of a trust, and reporting that follows it."""

    def __init__(self, identity: Any, reporting: Database, calls: Calls) -> None:
        self.identity = identity
        self.reporting = reporting
        self.calls = calls
        self.locks = Locks(reporting)
        self.ended: list[HolderEnded] = []
        self.seen_under: list[UUID] = []
        self.grants = Follower(GRANTS, RemoteSource(calls, GRANTS.call, GRANTS.types), reporting, self.locks)
        effects = ends_of_holders([self.note, self.look])
        self.ends = Follower(effects, RemoteSource(calls, effects.call, effects.types), reporting, self.locks)

    async def note(self, _session: Session, ended: HolderEnded) -> None:
        """A hook."""
        self.ended.append(ended)

    async def look(self, session: Session, _ended: HolderEnded) -> None:
        """Another, which sees the trust's rows."""
        self.seen_under.append(context_of_session(session).tenant_id)

    async def ask(self, method: str, path: str, trust: UUID = PROSPERE, subject: str | None = None, **more: Any) -> Any:
        """An administrator does something at identity."""
        headers = {"Authorization": f"Bearer {issue_token('trust-admin', trust=trust, subject=subject)}"}
        transport = httpx.ASGITransport(self.identity)
        async with httpx.AsyncClient(transport=transport, base_url=ISSUER, headers=headers) as client:
            if method in {"DELETE", "PATCH"} or path.endswith("/end"):
                current = await client.get(path.removesuffix("/end"))
                more["headers"] = {"If-Match": current.headers["etag"]}
            answer = await client.request(method, ADMINISTRATOR + path.removeprefix(ADMINISTRATOR), **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def client(self, name: str = "Wallboard", trust: UUID = PROSPERE) -> str:
        """A new client."""
        body = {"name": name, "kind": "confidential"}
        made = await self.ask("POST", "/clients", trust, "person:registrar", json=body)
        return str(made["id"])

    async def grant(self, client: str, trust: UUID = PROSPERE, **more: Any) -> str:
        """A new grant."""
        body = {"role": "status-reader", "client_id": client, **more}
        return str((await self.ask("POST", "/grants", trust, json=body))["id"])

    async def follow(self) -> None:
        """Reporting catches up."""
        await self.grants.catch_up()
        await self.ends.catch_up()

    async def holds(
        self, holder: str, on: date = TODAY, *, trust: UUID = PROSPERE, grant_id: str | None = None
    ) -> bool:
        """Whether a use of the right would be let through."""
        async with self.reporting.session(Context(trust, None, "x")) as session:
            return await is_current(session, holder, on, grant_id=UUID(grant_id) if grant_id else None)


@pytest_asyncio.fixture
async def office(committed_database: Clone) -> AsyncIterator[Office]:
    """Identity, which believes its own keys and the tests'."""
    identity = create_identity(identity_settings(committed_database))
    async with identity.router.lifespan_context(identity):
        own = identity.state.tools.keys
        administrators = create_identity(identity_settings(committed_database), keys=trusted_keys())
        async with administrators.router.lifespan_context(administrators):
            settings = reporting_settings(committed_database)
            calls = calls_to({"identity": identity}, settings)
            made = Office(administrators, committed_database.of("reporting"), calls)
            assert own is not administrators.state.tools.keys
            yield made
            await made.locks.aclose()
            await calls.aclose()


async def test_a_right_counts_between_its_days_and_until_it_is_ended(office: Office) -> None:
    client = await office.client()
    grant = await office.grant(client, ends_on=(TODAY + timedelta(days=30)).isoformat())
    holder = f"client:{client}"
    assert not await office.holds(holder)
    await office.follow()
    assert await office.holds(holder)
    assert await office.holds(holder, grant_id=grant)
    # A last day that passes announces nothing: the date is looked at.
    assert await office.holds(holder, TODAY + timedelta(days=30))
    assert not await office.holds(holder, TODAY + timedelta(days=31))
    assert not await office.holds(holder, TODAY - timedelta(days=2))
    assert not await office.holds(holder, trust=OTHER_TRUST)
    assert not await office.holds("client:01900000-0000-7000-8000-000000000000")
    await office.ask("POST", f"/identity/v1/grants/{grant}/end")
    await office.follow()
    assert not await office.holds(holder)
    assert [(one.holder, one.grant_id, one.trust_id) for one in office.ended] == [(holder, UUID(grant), PROSPERE)]
    assert [one.role for one in office.ended] == ["status-reader"]
    assert office.seen_under == [PROSPERE]


async def test_a_disabled_holder_has_no_right_and_gets_it_back(office: Office) -> None:
    client = await office.client()
    await office.grant(client)
    holder = f"client:{client}"
    for is_active in (False, True):
        await office.ask("PATCH", f"/identity/v1/clients/{client}", json={"is_active": is_active})
        await office.follow()
        assert await office.holds(holder) is is_active
    # Nothing is taken for good from who may come back.
    assert office.ended == []


async def test_a_deleted_client_ends_with_every_grant(office: Office) -> None:
    client = await office.client()
    grants = {await office.grant(client), await office.grant(client, academies=[100001])}
    await office.ask("DELETE", f"/identity/v1/clients/{client}")
    await office.follow()
    assert not await office.holds(f"client:{client}")
    assert {str(one.grant_id) for one in office.ended if one.grant_id} == grants
    assert [one.holder for one in office.ended if one.grant_id is None] == [f"client:{client}"]


async def test_an_erased_person_ends(office: Office) -> None:
    person = (await office.ask("POST", "/people", json={"email": "someone@example.org"}))["id"]
    body = {"role": "trustee", "person_id": person}
    await office.ask("POST", "/grants", json=body)
    await office.follow()
    assert await office.holds(f"person:{person}")
    await office.ask("DELETE", f"/identity/v1/people/{person}")
    await office.follow()
    assert not await office.holds(f"person:{person}")
    assert office.ended[-1].holder == f"person:{person}"


async def test_a_rebuild_of_the_grants_calls_no_hook_again(office: Office) -> None:
    client = await office.client()
    grant = await office.grant(client)
    await office.grant(await office.client("Bot"))
    await office.ask("POST", f"/identity/v1/grants/{grant}/end")
    await office.follow()
    before = await digest(office.reporting, GRANTS)
    rebuilt = await rebuild(office.reporting, office.calls, GRANTS)
    assert rebuilt.before == rebuilt.after == before
    await office.follow()
    assert len(office.ended) == 1
    # The services' own clients are the platform's, and known as well.
    assert not await office.holds(f"client:{client}")
