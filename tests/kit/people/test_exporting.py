"""The copy of what a service holds of a person."""

from uuid import UUID, uuid4

import orjson

from academy.definition import ACADEMY
from kit.database.sessions import Database
from kit.people.declared import PersonalTable
from kit.people.exporting import rows_of
from tests.kit.people.test_erasing import add_change, add_event, add_request
from tests.support.databases import Sandbox
from tests.support.tokens import OTHER_TRUST, PROSPERE

PERSON = uuid4()
TABLES = {table.name: table for table in ACADEMY.personal_tables}


async def copy_of(database: Database, table: PersonalTable, trust: UUID = PROSPERE) -> list[dict[str, object]]:
    return [orjson.loads(row) async for row in rows_of(database, table, trust, PERSON)]


async def test_a_copy_has_the_persons_rows_of_one_trust_alone(database: Sandbox) -> None:
    async with database.admin() as admin:
        mine = await add_change(admin, f"person:{PERSON}")
        other = await add_change(admin, f"person:{uuid4()}")
        elsewhere = await add_change(admin, f"person:{PERSON}", OTHER_TRUST)
    academy = database.of("academy")
    assert [row["id"] for row in await copy_of(academy, TABLES["state_change"])] == [str(mine)]
    assert [row["id"] for row in await copy_of(academy, TABLES["state_change"], OTHER_TRUST)] == [str(elsewhere)]
    assert other not in {mine, elsewhere}


async def test_a_copy_has_events_by_and_about_the_person(database: Sandbox) -> None:
    async with database.admin() as admin:
        mine = [
            await add_event(admin, {"by": f"person:{PERSON}"}),
            await add_event(admin, {"after": {"person_id": str(PERSON)}, "by": "client:1"}),
            await add_event(admin, {"by": "client:1"}, subject=f"people/{PERSON}"),
        ]
        await add_event(admin, {"by": f"person:{uuid4()}"})
    found = await copy_of(database.of("academy"), TABLES["event"])
    assert {row["id"] for row in found} == {str(id_) for id_ in mine}


async def test_a_copy_has_no_hashes_and_nothing_sealed(database: Sandbox) -> None:
    async with database.admin() as admin:
        await add_request(admin, f"person:{PERSON}")
    (row,) = await copy_of(database.of("academy"), TABLES["idempotency_key"])
    assert row["client"] == f"portal|person:{PERSON}"
    assert not row.keys() & {"fingerprint", "headers", "body"}


async def test_every_declared_table_can_be_asked(database: Sandbox) -> None:
    for table in TABLES.values():
        assert await copy_of(database.of("academy"), table) == []
