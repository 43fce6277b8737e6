"""What tests stand on holds: nothing leaves this machine, nothing stays behind, time stands still."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from kit import clock as house_clock
from kit.database.sessions import Context
from tests.support.cluster import Cluster
from tests.support.databases import Sandbox, Sandboxes, clone
from tests.support.order import long_first
from tests.support.sockets import NetworkRefused
from tests.support.tokens import OTHER_TRUST, PROSPERE

ALL = Context(PROSPERE, None, "person:ceo")
ADD = text(
    "insert into idempotency_key (trust_id, client, route, key, fingerprint, expires_at)"
    " values (:trust, 'c', 'r', 'k', '', now())"
)
KEYS = text("select count(*) from idempotency_key")


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.org", 443), ("10.0.0.1", 5432)])
def test_nothing_leaves_this_machine(address: tuple[str, int]) -> None:
    with pytest.raises(NetworkRefused):
        socket.create_connection(address, timeout=1)


def test_nothing_leaves_this_machine_by_a_bare_socket_either() -> None:
    with pytest.raises(NetworkRefused), socket.socket() as one:
        one.connect(("192.0.2.1", 80))


async def test_nothing_leaves_this_machine_by_asyncio_either() -> None:
    with pytest.raises(NetworkRefused):
        await asyncio.open_connection("192.0.2.1", 80)


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()


@pytest.mark.parametrize("_time", ["first", "second"])
async def test_each_test_begins_with_an_empty_database(database: Sandbox, _time: str) -> None:
    academy = database.of("academy")
    async with academy.session(ALL) as session:
        assert (await session.execute(KEYS)).scalar_one() == 0
        await session.execute(ADD, {"trust": PROSPERE})
    async with academy.session(ALL) as session:
        assert (await session.execute(KEYS)).scalar_one() == 1


@pytest.mark.parametrize("left", ["table", "lock", "setting", "failure", "commit"])
async def test_nothing_of_a_sandbox_reaches_the_next(cluster: Cluster, left: str) -> None:
    statements = {
        "table": "create table academy.left_behind (id int)",
        "lock": "select pg_advisory_lock(7)",
        "setting": "set search_path = academy",
        "failure": "select 1 / 0",
        "commit": "insert into academy.rated_trust values (gen_random_uuid(), now())",
    }
    async with clone(cluster) as copy:
        sandboxes = Sandboxes(copy.admin_url)
        async with sandboxes.sandbox() as box:
            if left == "failure":
                with pytest.raises(DBAPIError):
                    await box.connection.execute(text(statements[left]))
            else:
                async with box.admin() as session:
                    await session.execute(text(statements[left]))
        async with sandboxes.sandbox() as box, box.admin() as session:
            found = await session.execute(
                text(
                    "select to_regclass('academy.left_behind') is null, current_setting('search_path'),"
                    " (select count(*) from pg_locks where locktype = 'advisory'),"
                    " (select count(*) from academy.rated_trust)"
                )
            )
            assert tuple(found.one()) == (True, '"$user", public', 0, 0)
        await sandboxes.dispose()


def test_long_tests_begin_first_and_those_of_a_module_on_one_worker() -> None:
    names = ["a:1", "b:long 1", "b:2", "b:long 2", "c:3", "d:long 3", "d:4", "e:long 4", "f:5"]
    ordered = long_first(names, 2, is_long=lambda name: "long" in name, module=lambda name: name[0])
    assert ordered == ["b:long 1", "b:long 2", "e:long 4", "a:1", "d:long 3", "b:2", "c:3", "d:4", "f:5"]


async def test_a_rolled_back_database_is_under_row_level_security(database: Sandbox) -> None:
    academy = database.of("academy")
    async with academy.session(ALL) as session:
        await session.execute(ADD, {"trust": PROSPERE})
    async with academy.session(Context(OTHER_TRUST, None, "x")) as session:
        assert (await session.execute(KEYS)).scalar_one() == 0
    async with academy.connection(Context(OTHER_TRUST, None, "x")) as connection:
        assert await connection.fetchval("select current_user") == "academy_app"
        assert await connection.fetchval(KEYS.text) == 0
    async with database.admin() as admin:
        assert (await admin.execute(text("select current_user"))).scalar_one() == "postgres"
        assert (await admin.execute(text("select count(*) from academy.idempotency_key"))).scalar_one() == 1


async def test_what_fails_in_a_rolled_back_database_is_undone_alone(database: Sandbox) -> None:
    academy = database.of("academy")
    async with academy.session(ALL) as session:
        await session.execute(ADD, {"trust": PROSPERE})
    with pytest.raises(Exception, match="duplicate key"):
        async with academy.session(ALL) as session:
            await session.execute(ADD, {"trust": PROSPERE})
    async with academy.session(ALL) as session:
        assert (await session.execute(KEYS)).scalar_one() == 1


async def test_queries_are_counted_without_what_frames_them(
    database: Sandbox, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    academy = database.of("academy")
    with count_queries() as queries:
        async with academy.session(ALL) as session:
            await session.execute(KEYS)
        async with academy.connection(ALL) as connection:
            await connection.fetch(KEYS.text)
            await connection.execute("select 1")
    assert queries == [KEYS.text, KEYS.text, "select 1"]


async def test_time_stands_still_until_it_is_told_otherwise(clock: Any) -> None:
    began = house_clock.now()
    assert began == datetime(2025, 10, 1, 12, tzinfo=UTC)
    assert await asyncio.create_task(_now()) == began
    clock.advance(days=1)
    assert house_clock.now() - began == timedelta(days=1)
    clock.set(datetime(2026, 9, 1, tzinfo=UTC))
    assert house_clock.now().year == 2026


async def _now() -> datetime:
    return house_clock.now()
