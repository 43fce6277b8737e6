"""`POST /identity/v1/demo-token`."""

import pytest

from gateway.identity.roles import ROLES, Role
from tests.gateway.identity.desk import SECOND_TRUST, Desk, said
from tests.support.clients import Clients
from tests.support.tokens import PROSPERE

PATH = "/identity/v1/demo-token"


@pytest.mark.parametrize("role", ROLES.values(), ids=list(ROLES))
async def test_everybody_can_be_tried(desk: Desk, role: Role) -> None:
    body = {"role": role.code} | ({"academies": [137083]} if role.leads else {})
    response = await desk.anybody.post(PATH, json=body)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    claims = said(response.json()["access_token"])
    assert set(claims["scope"].split()) == role.scopes
    assert claims.get("trust") == (str(PROSPERE) if role.level == "trust" else None)
    assert claims["leads"] == ([137083] if role.leads else [])


async def test_another_trust_can_be_named(desk: Desk) -> None:
    for name in ("3010", "TR02745", str(SECOND_TRUST)):
        answer = await desk.anybody.post(PATH, json={"role": "trustee", "trust": name})
        assert said(answer.json()["access_token"])["trust"] == str(SECOND_TRUST)
    assert (await desk.anybody.post(PATH, json={"role": "trustee", "trust": "1"})).status_code == 404


@pytest.mark.parametrize("body", [{"role": "headteacher"}, {"role": "trustee", "academies": [1]}])
async def test_a_role_reaches_as_far_as_it_can(desk: Desk, body: dict[str, object]) -> None:
    response = await desk.anybody.post(PATH, json=body)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "#/academies"


async def test_elsewhere_there_are_no_demo_people(client: Clients) -> None:
    anybody = await client("identity")
    response = await anybody.post(PATH, json={"role": "trustee"})
    assert (response.status_code, response.json()["code"]) == (404, "demo-tokens-disabled")
