"""What reporting knows of trusts and academies, from the feeds of identity and academy."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from uuid import UUID

import pytest_asyncio

from academy.trusts.events import (
    ACADEMY_CHANGED,
    ACADEMY_JOINED,
    ACADEMY_LEFT,
    MEMBERSHIP_CHANGED,
    AcademyChanged,
    AcademyFacts,
    AcademyJoined,
    AcademyMoved,
    MembershipChanged,
    MembershipDays,
)
from kit.calls.client import Calls
from kit.database.sessions import Context, Database
from kit.events.followers import Follower, SideEffects
from kit.events.locks import Locks
from kit.events.read_models import ReadModel, digest
from kit.events.recording import EventType, record_event
from kit.events.sources import RemoteSource
from kit.ids import uuid7
from kit.key_ring import KeyRing
from kit.workers.following import followed_by, read_models_of
from kit.workers.rebuilding import rebuild
from reporting.definition import REPORTING
from reporting.sources.followers import ACADEMIES, TRUSTS
from tests.support.clients import SECRET_KEY
from tests.support.databases import Clone
from tests.support.following import QUICK, calls_to, feeds, reporting_settings
from tests.support.tokens import OTHER_TRUST, PROSPERE

FIRST = date(2018, 9, 1)


class Feeds:
    """Identity and academy, and reporting that follows both."""

    def __init__(self, clone: Clone, calls: Calls) -> None:
        self.academy: Database = clone.of("academy")
        self.reporting: Database = clone.of("reporting")
        self.calls = calls
        self.locks = Locks(self.reporting)

    async def follow(self, model: ReadModel) -> None:
        """Reporting catches up."""
        source = RemoteSource(self.calls, model.call, model.types)
        await Follower(model, source, self.reporting, self.locks, timings=QUICK).catch_up()

    async def moved(self, kind: EventType, urn: int, *, left_on: date | None = None, trust: UUID = PROSPERE) -> None:
        """An academy joined or left."""
        moved = AcademyMoved(urn=urn, joined_on=FIRST, left_on=left_on, import_id=uuid7())
        more = {"phase": "primary", "local_authority": "Hampshire", "local_authority_code": "850"}
        joined = AcademyJoined.model_validate({**moved.model_dump(), "name": f"School {urn}", **more})
        data = joined if kind is ACADEMY_JOINED else moved
        async with self.academy.session(Context(trust, None, "x")) as session:
            await record_event(session, kind, subject=f"academies/{urn}", urn=urn, data=data)

    async def renamed(self, urn: int, before: AcademyFacts | None, after: AcademyFacts) -> None:
        """The register says another name or phase."""
        more = {"joined_on": FIRST, "local_authority": "Hampshire", "local_authority_code": "850"}
        data = AcademyChanged.model_validate({"urn": urn, "before": before, "after": after, **more})
        async with self.academy.session(Context(PROSPERE, None, "x")) as session:
            await record_event(session, ACADEMY_CHANGED, subject=f"academies/{urn}", urn=urn, data=data)

    async def days(self, urn: int, after: MembershipDays | None) -> None:
        """The register says other days."""
        data = MembershipChanged(urn=urn, before=None, after=after, import_id=uuid7())
        async with self.academy.session(Context(PROSPERE, None, "x")) as session:
            await record_event(session, MEMBERSHIP_CHANGED, subject=f"academies/{urn}", urn=urn, data=data)

    async def read(
        self, table: str, trust: UUID = PROSPERE, academies: frozenset[int] | None = None
    ) -> list[dict[str, Any]]:
        """What a caller would see."""
        async with self.reporting.connection(Context(trust, academies, "reader")) as connection:
            return [dict(row) for row in await connection.fetch(f"select * from {table} order by 1, 2")]


@pytest_asyncio.fixture
async def world(committed_database: Clone) -> AsyncIterator[Feeds]:
    """Both feeds."""
    async with feeds(committed_database) as apps:
        calls = calls_to(apps, reporting_settings(committed_database))
        made = Feeds(committed_database, calls)
        yield made
        await made.locks.aclose()
        await calls.aclose()


async def test_a_tenant_becomes_a_trust_that_its_own_callers_see(world: Feeds) -> None:
    await world.follow(TRUSTS)
    (trust,) = await world.read("known_trust")
    assert (trust["trust_id"], trust["group_uid"], trust["is_active"]) == (PROSPERE, "16846", True)
    assert await world.read("known_trust", OTHER_TRUST) == []


async def test_academies_join_and_leave(world: Feeds) -> None:
    await world.moved(ACADEMY_JOINED, 100001)
    await world.moved(ACADEMY_JOINED, 100002)
    await world.moved(ACADEMY_LEFT, 100002, left_on=date(2025, 8, 31))
    await world.moved(ACADEMY_JOINED, 100003, trust=OTHER_TRUST)
    for name, before in (("New name", AcademyFacts(name="School 100001", phase="primary")), ("Begins", None)):
        urn = 100001 if before else 100004
        await world.renamed(urn, before, AcademyFacts(name=name, phase="secondary"))
    await world.follow(ACADEMIES)
    members = {row["urn"]: (row["is_member"], row["left_on"]) for row in await world.read("known_academy")}
    assert members == {100001: (True, None), 100002: (False, date(2025, 8, 31)), 100004: (True, None)}
    facts = {
        row["urn"]: (row["name"], row["phase"], row["local_authority"]) for row in await world.read("known_academy")
    }
    assert facts == {
        100001: ("New name", "secondary", "Hampshire"),
        100002: ("School 100002", "primary", "Hampshire"),
        100004: ("Begins", "secondary", "Hampshire"),
    }
    assert [row["urn"] for row in await world.read("known_academy", academies=frozenset({100002}))] == [100002]


async def test_days_that_the_register_corrects(world: Feeds) -> None:
    await world.moved(ACADEMY_JOINED, 100001)
    await world.days(100001, MembershipDays(joined_on=date(2019, 9, 1), left_on=date(2030, 8, 31)))
    await world.days(100002, MembershipDays(joined_on=date(2030, 9, 1), left_on=None))
    await world.moved(ACADEMY_JOINED, 100003)
    await world.days(100003, None)
    await world.follow(ACADEMIES)
    rows = await world.read("known_academy")
    assert [(row["urn"], row["is_member"], row["joined_on"], row["left_on"]) for row in rows] == [
        (100001, True, date(2019, 9, 1), date(2030, 8, 31)),
        (100002, False, date(2030, 9, 1), None),
    ]


async def test_a_rebuild_from_nothing_but_the_feeds_gives_the_same(world: Feeds) -> None:
    for number in range(7):
        await world.moved(ACADEMY_JOINED, 100001 + number, trust=(PROSPERE, OTHER_TRUST)[number % 2])
    await world.moved(ACADEMY_LEFT, 100001, left_on=date(2025, 8, 31))
    for model in (TRUSTS, ACADEMIES):
        await world.follow(model)
        before = await digest(world.reporting, model)
        rebuilt = await rebuild(world.reporting, world.calls, model)
        assert rebuilt.before == rebuilt.after == before
        assert rebuilt.is_equal
    assert len(await world.read("known_academy")) == 4


def test_reporting_follows_what_its_slices_say_and_what_every_service_follows() -> None:
    places = [str(followed.place) for followed in followed_by(REPORTING, KeyRing.of([SECRET_KEY]))]
    assert places == ["identity grants", "identity ends-of-holders", "identity trusts", "academy academies"]
    assert [model.consumer for model in read_models_of(REPORTING)] == ["grants", "trusts", "academies"]
    assert [type(followed) for followed in followed_by(REPORTING, KeyRing.of([SECRET_KEY]))].count(SideEffects) == 1
