"""A service asks identity for a token of one trust, and uses it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from pydantic import BaseModel, SecretStr

from gateway.identity.clients.rules import service_client_id
from gateway.identity.hashing import new_secret
from kit.calls.client import Calls
from kit.calls.declared import Call
from kit.calls.errors import CalleeForbids, CalleeRefused, CalleeUnauthorized
from kit.ids import tenant_id
from tests.gateway.identity.desk import SECOND_TRUST, Desk
from tests.support.clients import settings_of
from tests.support.databases import Clone
from tests.support.tokens import PROSPERE

Start = Callable[..., AbstractAsyncContextManager[Desk]]


class TrustSeen(BaseModel):
    """A trust."""

    group_uid: str


class Me(BaseModel):
    """What a token says."""

    trust: TrustSeen | None
    roles: list[str]


class Page(BaseModel):
    """A page of anything."""

    items: list[dict[str, object]]


ME = Call("identity", "me_view", Me, "/identity/v1/me")
CLIENTS = Call("identity", "client_list", Page, "/identity/v1/clients")
EVENTS = Call("identity", "event_list", Page, "/identity/v1/events")


def calls_of(desk: Desk, secret: str) -> Calls:
    """What reporting calls identity with."""
    settings = settings_of("reporting", "postgresql://nobody@/nothing").model_copy(
        update={
            "service_client_id": service_client_id("reporting"),
            "service_client_secret": SecretStr(secret),
        }
    )
    return Calls(settings, transports=lambda _: httpx.ASGITransport(desk.app))


async def test_a_job_reads_in_one_trust_at_a_time(committed_database: Clone, identity_on: Start) -> None:
    secret = new_secret()[0]
    async with identity_on(committed_database, service_clients={"reporting": secret}) as desk:
        calls = calls_of(desk, secret)
        for trust, group_uid in ((PROSPERE, "16846"), (SECOND_TRUST, "3010"), (PROSPERE, "16846")):
            seen = await calls.of_service(trust).send(ME)
            assert seen.trust is not None
            assert (seen.trust.group_uid, seen.roles) == (group_uid, ["service-reader"])
        with pytest.raises(CalleeForbids):
            await calls.of_service(PROSPERE).send(CLIENTS)
        with pytest.raises(CalleeRefused, match="identity: There is no active trust"):
            await calls.of_service(tenant_id("gias-group:1")).send(ME)
        await calls.aclose()


async def test_following_is_another_token(committed_database: Clone, identity_on: Start) -> None:
    secret = new_secret()[0]
    async with identity_on(committed_database, service_clients={"reporting": secret}) as desk:
        calls = calls_of(desk, secret)
        assert (await calls.following().send(ME)).roles == ["follower"]
        assert (await calls.following().send(EVENTS)).items
        await calls.aclose()


async def test_a_wrong_secret_says_whose(committed_database: Clone, identity_on: Start) -> None:
    async with identity_on(committed_database, service_clients={"reporting": new_secret()[0]}) as desk:
        with pytest.raises(CalleeUnauthorized, match="identity: No such client, or a wrong secret"):
            await calls_of(desk, new_secret()[0]).of_service(PROSPERE).send(ME)
