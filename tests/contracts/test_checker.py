"""The checker that holds every answer against its contract finds what it should."""

from typing import Any

import httpx
import pytest

from tests.contracts.test_breaking import contract
from tests.support.contracts import ContractBroken, ContractChecker

GOOD: dict[str, Any] = {"status": "red", "children": [], "note": None, "pupils": 3}
PROBLEM = "application/problem+json"
TAG = {"ETag": '"1"'}


def answered(status: int, body: object, *, path: str = "/a/v1/things/100001", **headers: str) -> None:
    one = contract()
    one["paths"]["/a/v1/things/{urn}"]["post"]["responses"]["200"]["headers"]["ETag"]["required"] = True
    request = httpx.Request("POST", f"http://127.0.0.1{path}")
    ContractChecker(one).check(request, httpx.Response(status, json=body, headers=headers))


def test_a_declared_answer_passes() -> None:
    answered(200, GOOD, **TAG)


@pytest.mark.parametrize(
    "body",
    [{}, {**GOOD, "status": "amber"}, {**GOOD, "pupils": "3"}, {**GOOD, "children": [{"status": "red"}]}, []],
)
def test_a_body_against_its_schema_is_found(body: object) -> None:
    with pytest.raises(ContractBroken, match="against its schema"):
        answered(200, body, **TAG)


def test_an_undeclared_status_is_found() -> None:
    with pytest.raises(ContractBroken, match="doesn't declare"):
        answered(409, {})


def test_a_missing_header_is_found() -> None:
    with pytest.raises(ContractBroken, match="without the header ETag"):
        answered(200, GOOD)


def test_an_undeclared_media_type_is_found() -> None:
    with pytest.raises(ContractBroken, match="declared are"):
        answered(404, {})


@pytest.mark.parametrize(
    ("errors", "flaw"),
    [
        ([], "names no fault"),
        ([{"pointer": "#", "parameter": None, "code": "made_up", "detail": "?"}], "aren't listed: {'made_up'}"),
    ],
)
def test_faults_without_a_listed_code_are_found(errors: list[object], flaw: str) -> None:
    problem = {"errors": errors, "code": "invalid-request"}
    one = {
        "paths": {
            "/a": {"get": {"responses": {"422": {"content": {PROBLEM: {"examples": {"invalid-request": {}}}}}}}},
        },
        "x-error-codes": {"missing": "It isn't there."},
    }
    response = httpx.Response(422, json=problem, headers={"Content-Type": PROBLEM})
    with pytest.raises(ContractBroken, match=flaw):
        ContractChecker(one).check(httpx.Request("GET", "http://127.0.0.1/a"), response)


def test_an_unknown_path_may_only_be_not_found() -> None:
    answered(404, {}, path="/a/v1/nothing")
    with pytest.raises(ContractBroken, match="no such path"):
        answered(200, {}, path="/a/v1/nothing")
