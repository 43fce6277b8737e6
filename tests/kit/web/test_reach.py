"""Whether a grant reaches what an operation acts on; the whole trust, unless its route says otherwise."""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter

from kit.identity.callers import Caller
from kit.identity.reach import ActsOn
from kit.web.app import Service, create_service
from kit.web.contract import operations_of
from kit.web.security import CallerDep, requires
from tests.kit.sample import ThingOut, sample_client, sample_settings
from tests.support.tokens import trusted_keys

PARTS: list[dict[str, Any]] = [
    {"academies": [135874]},
    {"academies": [], "projects": ["01900000-0000-7000-8000-000000000000"]},
]


@pytest.fixture(scope="module")
def reaching() -> Service:
    """One operation for each reach, and one that names no scope."""
    router = APIRouter(tags=["reach"])

    def add(name: str, caller: Any) -> None:
        async def operate(caller: caller) -> ThingOut:
            """Does something."""
            return ThingOut(id=0, name=caller.subject, note=None)

        for method in ("post", "get"):
            verb = "change" if method == "post" else "view"
            getattr(router, method)(f"/{name}", operation_id=f"{name}_{verb}")(operate)

    add("silent", Annotated[Caller, requires("things:read")])
    add("anybody", CallerDep)
    for acts_on in ActsOn:
        add(acts_on.value, Annotated[Caller, requires("things:read", acts_on=acts_on)])
    return create_service(sample_settings(), title="Reach", description="Reach.", routers=[router], keys=trusted_keys())


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", ["silent", "anybody", *ActsOn])
async def test_what_says_nothing_acts_on_the_whole_trust(reaching: Service, name: str, part: dict[str, Any]) -> None:
    is_refused = name in {"silent", "anybody", "whole_trust"}
    async with sample_client(reaching, **part) as narrow, sample_client(reaching) as whole:
        refused = await narrow.post(f"/sample/v1/{name}")
        assert refused.status_code == (403 if is_refused else 200), refused.text
        if is_refused:
            assert refused.json()["code"] == "whole-trust-only"
        assert (await whole.post(f"/sample/v1/{name}")).status_code == 200
        assert (await narrow.get(f"/sample/v1/{name}")).status_code == 200


def test_the_contract_says_what_each_operation_that_writes_acts_on(reaching: Service) -> None:
    found = {operation["operationId"]: operation for *_, operation in operations_of(reaching.openapi())}
    assert all("x-acts-on" not in found[name] for name in found if name.endswith("_view"))
    assert found["silent_change"]["x-acts-on"] == found["anybody_change"]["x-acts-on"] == "whole_trust"
    assert {found[f"{acts_on}_change"]["x-acts-on"] for acts_on in ActsOn} == set(ActsOn)
