"""`python -m gateway.identity.keys`, and several processes at once, on a database where commits are commits."""

import asyncio
import os
import sys
from typing import Any

import asyncpg
import pytest

from gateway.identity.anonymous import NOBODY
from gateway.identity.keys import service
from gateway.identity.keys.commands import list_keys, revoke_all_keys, revoke_key, rotate_keys
from gateway.identity.keys.rules import KeyState
from gateway.identity.settings import IdentitySettings
from kit.key_ring import KeyRing
from kit.secrets.sealing import Seal
from tests.gateway.identity.conftest import identity_settings
from tests.support.clients import SECRET_KEY
from tests.support.databases import Clone


@pytest.fixture
def settings(committed_database: Clone) -> IdentitySettings:
    return identity_settings(committed_database.url("identity_app"))


async def test_processes_that_start_at_once_make_one_first_key(committed_database: Clone) -> None:
    seal = Seal(KeyRing.of([SECRET_KEY]), service.PURPOSE)

    async def start() -> None:
        database = committed_database.new("identity", pool_size=1)
        try:
            async with database.session(NOBODY) as session:
                await service.ensure_keys(session, seal, by="tests")
        finally:
            await database.dispose()

    await asyncio.gather(*(start() for _ in range(6)))
    async with committed_database.of("identity").session(NOBODY) as session:
        states = [state for _, state in await service.key_states(session)]
    assert sorted(states) == [KeyState.SIGNING, KeyState.STANDBY]


async def test_rotations_at_once_leave_one_signer_after_the_other(settings: IdentitySettings) -> None:
    await rotate_keys(settings)
    starts = await asyncio.gather(*(rotate_keys(settings) for _ in range(4)))
    assert len(set(starts)) == 4


async def test_an_operator_lists_rotates_and_revokes(settings: IdentitySettings) -> None:
    assert await list_keys(settings) == []
    await rotate_keys(settings)
    (pending,) = [key.kid for key, state in await list_keys(settings) if state is KeyState.PENDING]
    await revoke_key(pending, settings)
    states = {key.kid: state for key, state in await list_keys(settings)}
    assert states[pending] is KeyState.REVOKED
    await revoke_all_keys(settings)
    after = [state for key, state in await list_keys(settings) if key.kid not in states]
    assert sorted(after) == [KeyState.SIGNING, KeyState.STANDBY]


async def _command(clone: Clone, *arguments: str) -> tuple[int, str]:
    environment = {
        "PATH": os.environ["PATH"],
        "TRELLIS_ENV": "production",
        "TRELLIS_IDENTITY_DATABASE_URL": clone.url("identity_app"),
        "TRELLIS_SECRET_KEY": SECRET_KEY,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway.identity.keys",
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_the_command_says_what_it_did(committed_database: Clone) -> None:
    assert (await _command(committed_database, "list"))[1].startswith("There are no keys yet")
    code, said = await _command(committed_database, "rotate")
    assert (code, said.startswith("The next key signs from ")) == (0, True)
    code, said = await _command(committed_database, "list")
    kids = [line.split()[0] for line in said.splitlines()]
    assert [line.split()[1] for line in said.splitlines()] == ["pending", "standby"]
    code, said = await _command(committed_database, "revoke", kids[0])
    assert (code, "60 seconds" in said) == (0, True)
    code, said = await _command(committed_database, "revoke", "nothing")
    assert (code, "No key has the id nothing" in said) == (1, True)


async def test_every_change_of_keys_is_on_record(committed_database: Clone, settings: IdentitySettings) -> None:
    await rotate_keys(settings)
    await revoke_all_keys(settings)
    async with committed_database.admin() as connection:
        rows: list[asyncpg.Record] = await connection.fetch(
            "select type, data->>'by' as by, data::text as data from identity.event order by xid, seq"
        )
    told: list[Any] = [row["type"].split(".")[3:5] for row in rows]
    assert {tuple(kind) for kind in told} == {("key", "created"), ("key", "rotated"), ("key", "revoked")}
    assert {row["by"] for row in rows} == {"command:trellis-keys"}
    assert not any("PRIVATE" in row["data"] for row in rows)
