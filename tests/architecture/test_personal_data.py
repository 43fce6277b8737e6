"""Every column that can name a person is declared in some `personal.py`, and everything declared exists."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from kit.database.sessions import Connection
from kit.people.declared import OnErasure, PersonalTable
from tests.support.catalogue import SCHEMAS, Exceptions, tables
from tests.support.databases import Clone
from trellis.docs import definition_of

NAMES_A_PERSON = re.compile(r"^(by|.*_by|subject|person.*|.*_person(_id)?|email|.*_email|holder)$")
# The sides of a read model are declared by the name of its view.
SIDE = re.compile(r"_[ab]$")


@pytest_asyncio.fixture
async def admin(worker_database: Clone) -> AsyncIterator[Connection]:
    """Reads the catalogue."""
    async with worker_database.admin() as connection:
        yield connection


def declared(schema: str) -> dict[str, PersonalTable]:
    found = definition_of(schema).personal_tables
    names = [table.name for table in found]
    assert len(names) == len(set(names)), f"{schema} declares a table twice"
    return dict(zip(names, found, strict=True))


async def test_every_column_that_can_name_a_person_is_declared(admin: Connection) -> None:
    exceptions = Exceptions()
    missing = []
    for table in await tables(admin):
        known = declared(table.schema)
        own = known.get(table.name) or known.get(SIDE.sub("", table.name))
        missing += [
            f"{table.full_name}.{column}"
            for column in table.columns
            if NAMES_A_PERSON.match(column)
            and column not in (own.columns if own else ())
            and not exceptions.allow("nobody", f"{table.full_name}.{column}")
        ]
    assert missing == []
    assert [name for kind, name in exceptions.unused if kind == "nobody"] == []


@pytest.mark.parametrize("schema", SCHEMAS)
async def test_every_declared_column_exists_and_can_be_erased(admin: Connection, schema: str) -> None:
    app = f"{schema}_app"
    for table in declared(schema).values():
        name = f'{schema}."{table.name}"'
        columns = await admin.fetch(
            "select attname, atttypid::regtype::text as type from pg_attribute"
            " where attrelid = to_regclass($1) and attnum > 0 and not attisdropped",
            name,
        )
        types = {row["attname"]: row["type"] for row in columns}
        assert types.keys() >= {*table.columns, *table.hidden}, name
        assert all(types[column] == "text" for column in (*table.subjects, *table.mentions)), name
        assert all(types[column] == "uuid" for column in table.ids), name
        assert all(types[column] == "jsonb" for column in table.documents), name
        assert ("trust_id" in types) is not table.of_platform, name
        match table.on_erasure:
            case OnErasure.REPLACED:
                assert table.subjects or table.documents, name
                for column in (*table.subjects, *table.documents):
                    assert await admin.fetchval("select has_column_privilege($1, $2, $3, 'update')", app, name, column)
            case OnErasure.DELETED:
                assert await admin.fetchval("select has_table_privilege($1, $2, 'delete')", app, name)
            case OnErasure.KEPT:
                assert "no name" in table.kept, name


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_service_declares_its_feed_and_its_kept_requests(schema: str) -> None:
    assert {"event", "idempotency_key"} <= declared(schema).keys()
    for table in declared(schema).values():
        for words in (table.holds, table.purpose, table.kept):
            assert len(words) > 5
            assert words.endswith(".")
