"""The first credentials, once."""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any

from gateway.identity.bootstrap import bootstrap
from gateway.identity.keys.commands import revoke_all_keys
from gateway.identity.tenants.schemas import TenantCreate
from kit.ids import tenant_id
from tests.gateway.identity.conftest import identity_settings
from tests.gateway.identity.desk import said
from tests.support.clients import SECRET_KEY
from tests.support.databases import Clone

TRUST = TenantCreate(group_uid="2046", group_id="TR00002", name="Abbey Multi Academy Trust")


async def test_the_first_credentials_work_and_are_made_once(
    committed_database: Clone, identity_on: Callable[..., Any]
) -> None:
    settings = identity_settings(committed_database.url("identity_app"), env="production")
    made = await bootstrap(settings, trust=TRUST)
    services = [one.service for one in made if one.service]
    made = [one for one in made if not one.service]
    assert [one.role for one in made] == ["platform-operator", "trust-admin"]
    assert services == ["academy", "research", "reporting"]
    assert await bootstrap(settings, trust=TRUST) == []
    async with identity_on(committed_database, env="production") as desk:
        operator, administrator = [
            said(
                (await desk.ask_as({"client_id": one.client_id, "client_secret": one.client_secret})).json()[
                    "access_token"
                ]
            )
            for one in made
        ]
    assert (operator["roles"], operator.get("trust")) == (["platform-operator"], None)
    assert (administrator["roles"], administrator["trust"]) == (["trust-admin"], str(tenant_id("gias-group:2046")))


async def test_two_at_once_make_one_operator(committed_database: Clone) -> None:
    settings = identity_settings(committed_database.url("identity_app"))
    made = await asyncio.gather(*(bootstrap(settings) for _ in range(4)))
    assert sorted(len(one) for one in made) == [0, 0, 0, 4]


async def test_a_further_trust_gets_its_administrator_later(committed_database: Clone) -> None:
    settings = identity_settings(committed_database.url("identity_app"))
    assert (await bootstrap(settings))[0].role == "platform-operator"
    assert [one.role for one in await bootstrap(settings, trust=TRUST)] == ["trust-admin"]


async def test_the_command_prints_what_trellis_reads(committed_database: Clone) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "TRELLIS_IDENTITY_DATABASE_URL": committed_database.url("identity_app"),
        "TRELLIS_SECRET_KEY": SECRET_KEY,
    }

    async def run() -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway.identity.bootstrap", env=environment, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        assert process.returncode == 0
        return output.decode()

    first = await run()
    assert "TRELLIS_CLIENT_ID=" in first
    assert "TRELLIS_CLIENT_SECRET=trellis_" in first
    assert "TRELLIS_REPORTING_SERVICE_CLIENT_ID=" in first
    assert "TRELLIS_REPORTING_SERVICE_CLIENT_SECRET=trellis_" in first
    assert "nothing was made" in await run()


async def test_another_secret_key_is_said_and_mended_by_new_keys(
    committed_database: Clone, identity_on: Callable[..., Any]
) -> None:
    before = identity_settings(committed_database.url("identity_app"))
    operator, *_ = await bootstrap(before)
    credentials = {"client_id": operator.client_id, "client_secret": operator.client_secret}
    async with identity_on(committed_database) as desk:
        assert (await desk.ask_as(credentials)).status_code == 200
    other = "another-secret-key-that-only-the-tests-know"
    async with identity_on(committed_database, secret_key=other) as desk:
        refused = await desk.ask_as(credentials)
        assert (refused.status_code, refused.json()["code"]) == (503, "no-signing-key")
        await revoke_all_keys(identity_settings(committed_database.url("identity_app"), secret_key=other))
        assert (await desk.ask_as(credentials)).status_code == 200
