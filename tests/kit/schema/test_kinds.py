"""The kinds of row-level security, each on a table of its own: who sees which row, and who may write it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from kit.database.sessions import Connection, Context, set_context
from kit.schema.access import Access
from kit.schema.ddl import tenant_table_policies
from tests.support.databases import Clone
from tests.support.tokens import OTHER_TRUST, PROSPERE

WHOLE = Context(PROSPERE, None, "person:ceo")
OF_ONE = Context(PROSPERE, frozenset({1}), "person:head")
OF_TWO = Context(PROSPERE, frozenset({1, 2}), "person:executive")
OF_NONE = Context(PROSPERE, frozenset(), "person:nobody")
STRANGER = Context(OTHER_TRUST, None, "person:ceo")
PROJECT, OTHER_PROJECT = UUID(int=7), UUID(int=8)
MEMBER = replace(OF_NONE, projects=frozenset({PROJECT}))
NOBODY = Context(UUID(int=0), frozenset(), "")

KINDS: list[tuple[str, Access, list[tuple[Context, set[str]]]]] = [
    ("trust", Access(), [(WHOLE, {"a", "b", "c", "d"}), (OF_NONE, {"a", "b", "c", "d"})]),
    (
        "urn",
        Access(urn="urn"),
        [(WHOLE, {"a", "b", "c", "d"}), (OF_ONE, {"a"}), (OF_TWO, {"a", "b"}), (OF_NONE, set())],
    ),
    (
        "urn, or the whole trust's",
        Access(urn="urn", urn_optional=True),
        [(WHOLE, {"a", "b", "c", "d"}), (OF_ONE, {"a", "c", "d"}), (OF_NONE, {"c", "d"})],
    ),
    (
        "one of several academies",
        Access(academies="academies"),
        [(WHOLE, {"a", "b", "c", "d"}), (OF_ONE, {"a", "b"}), (OF_TWO, {"a", "b", "c"}), (OF_NONE, set())],
    ),
    (
        "all of several academies",
        Access(covered="academies"),
        [(WHOLE, {"a", "b", "c", "d"}), (OF_ONE, {"a"}), (OF_TWO, {"a", "b", "c"})],
    ),
    (
        "written by the whole trust",
        Access(whole_trust_writes=True),
        [(WHOLE, {"a", "b", "c", "d"}), (OF_TWO, {"a", "b", "c", "d"}), (MEMBER, {"a", "b", "c", "d"})],
    ),
    ("whole trust", Access(whole_trust=True), [(WHOLE, {"a", "b", "c", "d"}), (OF_TWO, set()), (MEMBER, set())]),
    (
        "subject",
        Access(subject="made_by"),
        [(WHOLE, {"a"}), (OF_ONE, {"b"}), (replace(WHOLE, subject="person:else"), set()), (OF_NONE, set())],
    ),
    (
        "project",
        Access(project="project_id"),
        [(WHOLE, {"a", "b", "c", "d"}), (MEMBER, {"a"}), (OF_TWO, set()), (OF_NONE, set())],
    ),
    (
        "pupils",
        Access(pupils=True, urn="urn"),
        [
            (WHOLE, set()),
            (replace(WHOLE, pupils=True), {"a", "b", "c", "d"}),
            (replace(OF_ONE, pupils=True), {"a"}),
            (OF_ONE, set()),
        ],
    ),
]

ROWS = (
    ("a", 1, "{1}", "person:ceo", PROJECT),
    ("b", 2, "{1,2}", "person:head", OTHER_PROJECT),
    ("c", None, "{2}", "person:third", None),
    ("d", None, None, "person:third", None),
)


@pytest_asyncio.fixture
async def app(committed_database: Clone) -> AsyncIterator[Connection]:
    """The service's own role, on a database of this test's own."""
    async with committed_database.admin() as admin:
        for place, (_, access, _) in enumerate(KINDS):
            await admin.execute(
                f"create table academy.kind_{place} (trust_id uuid not null, name text not null, urn integer,"
                " academies integer[], made_by text, project_id uuid, primary key (trust_id, name))"
            )
            await admin.executemany(
                f"insert into academy.kind_{place} values ('{PROSPERE}', $1, $2, $3::text::int[], $4, $5)", ROWS
            )
            for statement in tenant_table_policies("academy", f"kind_{place}", **access.arguments()):
                await admin.execute(statement)
    connection: Connection = await asyncpg.connect(committed_database.url("academy_app"))
    yield connection
    await connection.close()


async def seen(app: Connection, place: int, context: Context) -> set[str]:
    """The names of the rows that a context shows, to a statement without a condition."""
    async with app.transaction():
        await set_context(app, context)
        return {row["name"] for row in await app.fetch(f"select name from academy.kind_{place}")}


def written(access: Access, context: Context, names: set[str]) -> set[str]:
    """Of the rows that a context shows, those that it may write: what is of no academy is the whole trust's."""
    if not access.writes_need_whole_trust or context.academies is None:
        return names
    return {row[0] for row in ROWS if row[0] in names and access.urn is not None and row[1] is not None}


async def write(app: Connection, place: int, context: Context, row: tuple[object, ...]) -> None:
    """Write a row under a context."""
    async with app.transaction():
        await set_context(app, context)
        await app.execute(
            f"insert into academy.kind_{place} values ('{PROSPERE}', $1, $2, $3::text::int[], $4, $5)", *row
        )


async def test_each_kind_shows_its_rows_and_no_others(app: Connection) -> None:
    for place, (name, _, cases) in enumerate(KINDS):
        for context, names in cases:
            assert await seen(app, place, context) == names, (name, context)
        assert await seen(app, place, STRANGER) == set(), name
        assert await seen(app, place, NOBODY) == set(), name


async def test_what_a_context_does_not_show_it_can_neither_change_nor_write(app: Connection) -> None:
    for place, (name, access, cases) in enumerate(KINDS):
        for context, shown in cases:
            names = written(access, context, shown)
            for row in ROWS:
                copy = f"'{PROSPERE}', name || '-copy', urn, academies, made_by, project_id"
                async with app.transaction():
                    await set_context(app, context)
                    changed = await app.execute(
                        f"update academy.kind_{place} set made_by = made_by where name = $1", row[0]
                    )
                    assert changed == f"UPDATE {int(row[0] in names)}", (name, context, row[0])
                    held = await app.fetch(f"select from academy.kind_{place} where name = $1 for update", row[0])
                    assert len(held) == int(row[0] in names), (name, context, row[0])
                    if row[0] in shown - names:
                        continue
                    copied = await app.execute(
                        f"insert into academy.kind_{place} select {copy} from academy.kind_{place} where name = $1",
                        row[0],
                    )
                    assert copied == f"INSERT 0 {int(row[0] in names)}", (name, context, row[0])
                    await app.execute(f"delete from academy.kind_{place} where name like '%-copy'")
            hidden = [row for row in ROWS if row[0] not in names]
            for row in hidden:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await write(app, place, context, (f"{row[0]}-new", *row[1:]))


async def test_a_row_of_an_academy_does_not_become_the_trusts_under_its_grant_nor_the_reverse(app: Connection) -> None:
    place = next(place for place, (_, access, _) in enumerate(KINDS) if access.urn_optional)
    async with app.transaction():
        await set_context(app, OF_ONE)
        assert await app.execute(f"update academy.kind_{place} set urn = 1 where name = 'c'") == "UPDATE 0"
        assert await app.execute(f"delete from academy.kind_{place} where name = 'c'") == "DELETE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(f"update academy.kind_{place} set urn = null where name = 'a'")


async def test_a_transaction_without_a_context_sees_nothing(app: Connection) -> None:
    """Also on a connection that carried one before."""
    for place in range(len(KINDS)):
        await seen(app, place, replace(WHOLE, pupils=True, projects=frozenset({PROJECT})))
        assert await app.fetch(f"select name from academy.kind_{place}") == []


async def test_a_context_that_follows_another_keeps_nothing_of_it(app: Connection) -> None:
    async with app.transaction():
        await set_context(app, replace(WHOLE, pupils=True))
        await set_context(app, OF_NONE)
        for place, (name, access, _) in enumerate(KINDS):
            if (access.urn and not access.urn_optional) or access.pupils or access.whole_trust or access.project:
                assert await app.fetch(f"select name from academy.kind_{place}") == [], name
