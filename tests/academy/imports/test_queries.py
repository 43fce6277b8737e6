"""Which imports a caller must not see: their errors quote cells of the file."""

import asyncpg
import pytest

from kit.database.sessions import Context
from tests.academy.imports.conftest import IMPORTS, Workbench, csv
from tests.support.tokens import PROSPERE

GOOD = csv([(139148, "ks4.attainment_8", "2024/25", 47.5)])


async def test_a_grant_for_some_academies_shows_no_import_of_more(bench: Workbench) -> None:
    whole = await bench.client(subject="person:whole")
    some = await bench.client(subject="person:some", academies=[139148])
    other = await bench.client(subject="person:other", academies=[135874])
    of_all = (await bench.send(whole, "observations", GOOD)).headers["Location"]
    of_some = (await bench.send(some, "observations", GOOD)).headers["Location"]

    assert of_all != of_some
    assert [(await client.get(of_all)).status_code for client in (whole, some, other)] == [200, 404, 404]
    assert [(await client.get(of_some)).status_code for client in (whole, some, other)] == [200, 200, 404]
    seen = {name: (await client.get(IMPORTS)).json()["items"] for name, client in (("some", some), ("other", other))}
    assert [item["id"] for item in seen["some"]] == [of_some.rpartition("/")[2]]
    assert seen["other"] == []


async def test_a_grant_for_more_academies_covers_an_import_of_fewer(bench: Workbench) -> None:
    few = await bench.client(academies=[139148])
    more = await bench.client(academies=[135874, 139148])
    location = (await bench.send(few, "observations", GOOD)).headers["Location"]

    assert (await more.get(location)).status_code == 200


async def test_a_grant_for_some_academies_reaches_no_part_of_the_file_of_an_import_of_more(bench: Workbench) -> None:
    whole, some = await bench.client(), await bench.client(academies=[139148])
    of_all = (await bench.send(whole, "observations", GOOD)).json()["id"]
    of_some = (await bench.send(some, "observations", GOOD)).json()["id"]
    context = Context(PROSPERE, frozenset({139148}), "person:some")
    add = "insert into academy.import_chunk (trust_id, import_id, number, content) values ($1, $2, 9, 'more')"
    async with bench.database.of("academy").connection(context) as connection:
        seen = await connection.fetch("select import_id from academy.import_chunk")
        assert {str(row["import_id"]) for row in seen} == {of_some}
        await connection.execute(add, PROSPERE, of_some)
    async with bench.database.of("academy").connection(context) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(add, PROSPERE, of_all)
