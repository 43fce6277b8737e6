"""The access matrix as a page."""

from typing import Any

from gateway.identity.matrix import matrix, operations
from gateway.identity.roles import ROLES


def _contract(**security: Any) -> dict[str, Any]:
    operation = {"operationId": "rating_list", "responses": {}, **security}
    return {"paths": {"/academy/v1/ratings": {"get": operation, "parameters": []}}}


def _row(page: str) -> list[str]:
    line = next(line for line in page.splitlines() if line.startswith("| `GET"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_role_without_the_scope_has_no_mark() -> None:
    page = matrix({"academy": _contract(security=[{"trellis": ["ratings:moderate"]}])})
    cells = dict(zip(["operation", "needs", "acts on", *ROLES], _row(page), strict=True))
    assert cells["operation"] == "`GET /academy/v1/ratings`"
    assert cells["needs"] == "`ratings:moderate`"
    assert {role for role in ROLES if cells[role] == "●"} == {
        "chief-executive",
        "improvement-adviser",
        "improvement-lead",
    }


def test_all_scopes_of_one_requirement_are_needed_and_one_requirement_is_enough() -> None:
    both = matrix({"a": _contract(security=[{"trellis": ["imports:write", "reference:write"]}])})
    assert _row(both).count("●") == 1
    either = matrix({"a": _contract(security=[{"trellis": ["reference:write"]}, {"trellis": ["ratings:moderate"]}])})
    assert _row(either).count("●") == 4


def test_what_needs_no_token_is_for_anybody_and_what_needs_no_scope_for_any_token() -> None:
    assert _row(matrix({"a": _contract(security=[])}))[1] == "anybody"
    assert _row(matrix({"a": _contract()}))[1] == "anybody"
    assert _row(matrix({"a": _contract(security=[{}])}))[1] == "anybody"
    any_token = _row(matrix({"a": _contract(security=[{"trellis": []}])}))
    assert any_token[1] == "any token"
    assert any_token.count("●") == len(ROLES)


def test_security_of_the_whole_contract_holds_where_an_operation_says_nothing() -> None:
    contract = _contract() | {"security": [{"trellis": ["platform:admin"]}]}
    (operation,) = operations(contract)
    assert [role for role in ROLES.values() if operation.allows(role)] == [ROLES["platform-operator"]]


def test_the_page_names_every_role_and_is_the_same_each_time() -> None:
    contracts = {"b": _contract(), "a": _contract()}
    page = matrix(contracts)
    assert page == matrix(dict(reversed(contracts.items())))
    assert all(f"| {role} |" in page for role in ROLES)
    assert page.index("## a") < page.index("## b")


def test_what_an_operation_acts_on_is_in_words() -> None:
    page = matrix({"a": _contract(security=[{"trellis": ["criteria:write"]}], **{"x-acts-on": "whole_trust"})})
    assert _row(page)[2] == "the whole trust"
    assert _row(matrix({"a": _contract()}))[2] == ""
