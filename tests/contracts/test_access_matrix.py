"""Who may call what: the printed matrix is fresh, and every cell of it is tried for real."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from gateway.identity.matrix import Operation, operations
from gateway.identity.roles import ROLES, SCOPES
from tests.support.clients import Clients
from trellis.contracts.documents import APPS, read, repository
from trellis.docs import stale


def every_operation() -> Iterator[tuple[str, Operation]]:
    for service in APPS:
        # Another test holds it against the apps; to make them all while tests are collected takes long.
        contract = read(repository() / "openapi", service)
        assert contract is not None
        for operation in operations(contract):
            yield service, operation


EVERY = list(every_operation())
GUARDED = [(service, operation) for service, operation in EVERY if operation.alternatives]

SAMPLES: dict[str, str] = {
    "urn": "139148",
    "trust": "TR03794",
    "kind": "observations",
    "code": "ks4.progress_8",
    "measure": "ks4.progress_8",
}


def path_of(operation: Operation) -> str:
    """The path with something plausible for each parameter."""
    parts = []
    for part in operation.path.split("/"):
        name = part.strip("{}")
        parts.append(SAMPLES.get(name, "01900000-0000-7000-8000-000000000000") if part.startswith("{") else part)
    return "/".join(parts)


def test_generated_pages_are_fresh() -> None:
    assert stale(repository() / "docs") == []


def test_every_operation_says_who_may_call_it() -> None:
    """An operation without a scope is either public by name, or for anybody with a token by name."""
    public = {operation.operation_id for _, operation in EVERY if not operation.alternatives}
    any_token = {
        operation.operation_id for _, operation in GUARDED if any(not scopes for scopes in operation.alternatives)
    }

    assert public == {"demo_token_issue", "key_set_view", "server_metadata_view", "shared_view", "token_issue"}
    assert any_token == {"me_view"}


def test_every_scope_of_a_contract_is_a_scope_of_the_house() -> None:
    used = {scope for _, operation in EVERY for scopes in operation.alternatives for scope in scopes}

    assert used <= set(SCOPES)


def test_every_role_has_only_scopes_of_the_house() -> None:
    assert all(role.scopes <= set(SCOPES) for role in ROLES.values())


def test_no_operation_that_writes_takes_a_service_reader() -> None:
    """By the contract: whatever isn't read with GET needs a scope that the role hasn't, or answers a look-up."""
    role = ROLES["service-reader"]
    open_to_it = {
        operation.operation_id for _, operation in GUARDED if operation.method != "GET" and operation.allows(role)
    }

    # They answer and store nothing.
    assert open_to_it <= {"academy_lookup"}


async def ask(client: httpx.AsyncClient, operation: Operation, **more: Any) -> httpx.Response:
    body: dict[str, Any] = {"json": {}} if operation.method in {"POST", "PUT", "PATCH"} else {}
    return await client.request(operation.method, path_of(operation), **{**body, **more})


def named(values: list[tuple[str, Operation]]) -> list[str]:
    return [f"{operation.method} {operation.path}" for _, operation in values]


@pytest.mark.parametrize(("service", "operation"), GUARDED, ids=named(GUARDED))
async def test_nobody_gets_in_without_a_token(client: Clients, service: str, operation: Operation) -> None:
    anonymous = await client(service)

    answer = await ask(anonymous, operation)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("service", "operation"), GUARDED, ids=named(GUARDED))
async def test_each_role_gets_in_exactly_where_the_matrix_says(
    client: Clients, service: str, operation: Operation
) -> None:
    """A role that may not is refused for its scopes before anything else; one that may is never refused for them."""
    for role in ROLES.values():
        asker = await client(service, role.code)

        answer = await ask(asker, operation)

        refused = answer.status_code == 403 and answer.json()["code"] == "insufficient-scope"
        assert refused is not operation.allows(role), f"{role.code}: {answer.status_code} {answer.text[:200]}"
