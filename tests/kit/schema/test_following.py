"""Statements of migrations for followers and read models."""

from typing import Any

import pytest

from kit.schema.following import drop_read_model, follower_table, read_model
from tests.support.databases import Clone


@pytest.mark.parametrize(
    "arguments",
    [
        ("Reporting", "academy", "notes", [("note", "x text")]),
        ("reporting", "academy'", "notes", [("note", "x text")]),
        ("reporting", "academy", "no tes", [("note", "x text")]),
        ("reporting", "academy", "notes", [("no;te", "x text")]),
    ],
)
def test_names_in_statements_are_plain(arguments: Any) -> None:
    with pytest.raises(ValueError, match="plain"):
        read_model(*arguments)


async def test_what_a_migration_makes_it_can_undo(committed_database: Clone) -> None:
    async with committed_database.admin() as admin:
        for statement in read_model("reporting", "academy", "notes", [("seen_note", "subject text")]):
            await admin.execute(statement)
        for statement in drop_read_model("reporting", "academy", "notes", ["seen_note"]):
            await admin.execute(statement)
        found = await admin.fetchval("select count(*) from pg_class where relname like 'seen_note%'")
    assert found == 0

    assert all("reporting." in statement for statement in follower_table("reporting"))
