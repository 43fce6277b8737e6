"""Erasing a person from a service's tables, and what the database refuses beside it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from academy.definition import ACADEMY
from kit.database.sessions import Context, Session
from kit.events.holders import HolderEnded
from kit.key_ring import KeyRing
from kit.people.erasing import erase_person_data, erasing, pseudonym_of, task_name
from tests.conftest import Clock
from tests.support.clients import SECRET_KEY
from tests.support.databases import Sandbox
from tests.support.tokens import OTHER_TRUST, PROSPERE

RING = KeyRing.of([SECRET_KEY])
PERSON, OTHER = uuid4(), uuid4()
CONTEXT = Context(PROSPERE, None, "tests")


async def add_change(session: Session, by: str, trust: UUID = PROSPERE) -> UUID:
    """A change of state."""
    id_ = uuid4()
    await session.execute(
        text(
            "insert into academy.state_change (trust_id, id, thing, thing_id, verb, after, at, by)"
            " values (:trust, :id, 'thing', :id, 'close', 'closed', now(), :by)"
        ),
        {"trust": trust, "id": id_, "by": by},
    )
    return id_


async def add_event(session: Session, data: Mapping[str, Any], subject: str = "things/1") -> UUID:
    """An event of the feed."""
    id_ = uuid4()
    await session.execute(
        text(
            "insert into academy.event (trust_id, epoch, xid, id, type, subject, occurred_at, data)"
            " values (:trust, 1, pg_current_xact_id(), :id, 'a', :subject, now(), cast(:data as jsonb))"
        ),
        {"trust": PROSPERE, "id": id_, "subject": subject, "data": orjson.dumps(data).decode()},
    )
    return id_


async def add_request(session: Session, subject: str) -> None:
    """A request that is kept so that its repetition has no second effect."""
    await session.execute(
        text(
            "insert into academy.idempotency_key (trust_id, client, route, key, fingerprint, expires_at)"
            " values (:trust, :client, 'r', 'k', '', now() + interval '1 hour')"
        ),
        {"trust": PROSPERE, "client": f"portal|{subject}"},
    )


async def erase(session: Session, *, is_first: bool = True) -> int:
    return await erase_person_data(
        session,
        ACADEMY.personal_tables,
        ACADEMY.person_data_erased,
        RING,
        trust_id=PROSPERE,
        person_id=PERSON,
        is_first=is_first,
    )


async def announced(session: Session) -> list[Any]:
    found = await session.execute(
        text("select data from academy.event where type = :type order by seq"),
        {"type": ACADEMY.person_data_erased.type},
    )
    return list(found.scalars())


def test_a_pseudonym_is_the_same_for_one_person_and_says_nothing_of_them() -> None:
    mine = pseudonym_of(RING, PROSPERE, PERSON)
    assert mine == pseudonym_of(RING, PROSPERE, PERSON)
    others = {
        pseudonym_of(RING, PROSPERE, OTHER),
        pseudonym_of(RING, OTHER_TRUST, PERSON),
        pseudonym_of(KeyRing.of(["another-key-that-nobody-else-knows"]), PROSPERE, PERSON),
    }
    assert len(others | {mine}) == 4
    assert str(PERSON) not in mine


async def test_history_says_that_it_was_one_person_and_not_who(database: Sandbox) -> None:
    subject, pseudonym = f"person:{PERSON}", pseudonym_of(RING, PROSPERE, PERSON)
    async with database.admin() as admin:
        mine = [await add_change(admin, subject) for _ in range(2)]
        theirs = await add_change(admin, f"person:{OTHER}")
        elsewhere = await add_change(admin, subject, OTHER_TRUST)
        event = await add_event(admin, {"before": None, "after": {"made_by": subject, "urn": 1}, "by": subject})
        await add_request(admin, subject)
        await add_request(admin, f"person:{OTHER}")
    async with database.of("academy").session(CONTEXT) as session:
        assert await erase(session) == 4
        assert await erase(session, is_first=False) == 0
    async with database.admin() as admin:
        found = await admin.execute(text("select id, by from academy.state_change"))
        rows = {row.id: row.by for row in found}
        assert [rows[id_] for id_ in mine] == [pseudonym] * 2
        assert (rows[theirs], rows[elsewhere]) == (f"person:{OTHER}", subject)
        data = (await admin.execute(text("select data from academy.event where id = :id"), {"id": event})).scalar()
        assert data == {"before": None, "after": {"made_by": pseudonym, "urn": 1}, "by": pseudonym}
        clients = list((await admin.execute(text("select client from academy.idempotency_key"))).scalars())
        assert clients == [f"portal|person:{OTHER}"]
        counts = {"state_change": 2, "event": 1, "idempotency_key": 1}
        assert await announced(admin) == [{"person_id": str(PERSON), "tables": counts}]


async def test_no_pseudonym_stands_beside_the_id_that_it_hides(database: Sandbox) -> None:
    subject = f"person:{PERSON}"
    about = {"after": {"person_id": str(PERSON)}, "by": subject}
    async with database.admin() as admin:
        ids = [
            await add_event(admin, about),
            await add_event(admin, {"by": subject}, subject=f"people/{PERSON}"),
        ]
    async with database.of("academy").session(CONTEXT) as session:
        await erase(session)
    async with database.admin() as admin:
        found = await admin.execute(text("select data->>'by' from academy.event where id = any(:ids)"), {"ids": ids})
        assert list(found.scalars()) == [subject, subject]


async def test_what_a_late_token_wrote_is_erased_and_announced_again(database: Sandbox) -> None:
    async with database.of("academy").session(CONTEXT) as session:
        assert await erase(session) == 0
        await add_change(session, f"person:{PERSON}")
        assert await erase(session, is_first=False) == 1
        assert await erase(session, is_first=False) == 0
        told = await announced(session)
    assert [one["tables"] for one in told] == [{}, {"state_change": 1}]


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("state_change", "by = 'person:somebody-else'"),
        ("state_change", "by = 'erased:nobody'"),
        ("event", 'data = data || \'{"status": "green"}\''),
        ("event", "data = jsonb_set(data, '{by}', '\"person:somebody-else\"')"),
    ],
)
async def test_histories_change_in_no_other_way(database: Sandbox, table: str, change: str) -> None:
    async with database.admin() as admin:
        await add_change(admin, f"person:{PERSON}")
        await add_event(admin, {"by": f"person:{PERSON}", "status": "red"})
    with pytest.raises(DBAPIError, match="a history changes only where a person is erased"):
        async with database.of("academy").session(CONTEXT) as session:
            await session.execute(text(f"update academy.{table} set {change}"))


@pytest.mark.parametrize("change", ["after = 'open'", "reason = 'x'", "at = now()"])
async def test_the_service_may_change_no_other_column(database: Sandbox, change: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with database.of("academy").session(CONTEXT) as session:
            await session.execute(text(f"update academy.state_change set {change}"))


async def test_only_the_end_of_a_person_erases_and_it_is_looked_at_again(database: Sandbox, clock: Clock) -> None:
    hook = erasing("academy", ACADEMY.personal_tables, ACADEMY.person_data_erased, RING)
    jobs = text("select task_name, args from academy.procrastinate_jobs")
    async with database.of("academy").session(CONTEXT) as session:
        await hook(session, HolderEnded(PROSPERE, f"person:{PERSON}", uuid4(), clock.now))
        await hook(session, HolderEnded(PROSPERE, f"client:{PERSON}", None, clock.now))
        assert await announced(session) == []
        await hook(session, HolderEnded(PROSPERE, f"person:{PERSON}", None, clock.now))
        assert len(await announced(session)) == 1
        queued = [(task, args) for task, args in await session.execute(jobs)]
    assert queued == [(task_name("academy"), {"trust_id": str(PROSPERE), "person_id": str(PERSON)})]
    assert ACADEMY.queue_of(task_name("academy")) == "default"
