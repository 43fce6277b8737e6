"""Schemathesis on the running system, bounded; `make fuzz` tries longer."""

import json
import tomllib

import httpx
import pytest

from gateway.identity.matrix import operations
from gateway.identity.roles import ROLES
from tests.contracts.fuzz import CONFIG, Budget, Pass, passes, prepare, try_it
from tests.support.stack import HOUSE, Stack
from trellis.contracts.documents import APPS

# The same requests every time: whether a change breaks something isn't left to chance here.
BUDGET = Budget(examples=3, phases="examples,coverage,fuzzing", seed=1)

PASSES = list(passes())


def test_every_operation_is_tried_once_by_a_role_that_may_call_it() -> None:
    tried = [(one.service, operation_id) for one in PASSES for operation_id in one.operation_ids]
    offered = {
        (service, operation.operation_id): operation
        for service in APPS
        for operation in operations(json.loads((HOUSE / "openapi" / f"{service}.v1.json").read_text()))
    }

    assert sorted(tried) == sorted(offered)
    for one in PASSES:
        assert all(offered[one.service, name].allows(ROLES[one.role]) for name in one.operation_ids)


def test_no_check_is_turned_off() -> None:
    config = tomllib.loads(CONFIG.read_text())
    for checks in (config["checks"], *(operation.get("checks", {}) for operation in config["operations"])):
        assert all(set(check) == {"expected-statuses"} for check in checks.values())
    for operation in config["operations"]:
        assert operation.get("enabled", True)


@pytest.mark.journey
@pytest.mark.timeout(600)
@pytest.mark.parametrize("one", PASSES, ids=str)
def test_generated_requests_break_nothing_and_find_what_the_contract_says(stack: Stack, one: Pass) -> None:
    prepare(stack)

    outcome = try_it(stack, one, BUDGET)

    assert outcome.is_clean, outcome.said
    assert f"Tested: {len(one.operation_ids)}\n" in outcome.said


@pytest.mark.journey
@pytest.mark.timeout(300)
@pytest.mark.parametrize("method", ["QUERY", "PROPFIND", "TRACE"])
def test_a_method_is_refused_with_what_the_path_takes(stack: Stack, method: str) -> None:
    with stack.client("auditor") as client:
        known = client.request(method, "/academy/v1/measures", json={})
        untyped = client.request("QUERY", "/academy/v1/measures")
    nowhere = httpx.request(method, f"{stack.url}/nowhere", json={}, timeout=30)

    assert (known.status_code, known.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert (untyped.status_code, nowhere.status_code) == (400, 404)
    for answer in (known, untyped, nowhere):
        assert answer.headers["Content-Type"] == "application/problem+json"
