"""`POST /identity/v1/demo-token`."""

import csv
import gzip
from uuid import uuid4

import pytest

from gateway.identity.roles import ROLES, Extent, Role
from gateway.identity.tenants.demo import DEMO_TENANTS
from gateway.identity.tokens.schemas import DemoTokenCreate
from tests.gateway.identity.desk import SECOND_TRUST, Desk, said
from tests.support.clients import Clients
from tests.support.tokens import PROSPERE
from trellis.demo.contents import DATA

PATH = "/identity/v1/demo-token"


@pytest.mark.parametrize("role", ROLES.values(), ids=list(ROLES))
async def test_everybody_can_be_tried(desk: Desk, role: Role) -> None:
    needs_academies = Extent.TRUST not in role.extents
    body = {"role": role.code} | ({"academies": [139148]} if needs_academies else {})
    response = await desk.anybody.post(PATH, json=body)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    claims = said(response.json()["access_token"])
    assert set(claims["scope"].split()) == role.scopes
    assert claims.get("trust") == (str(PROSPERE) if role.level == "trust" else None)
    assert claims["leads"] == ([139148] if role.leads else [])


async def test_the_example_of_the_contract_works(desk: Desk) -> None:
    """It is what the portal fills in."""
    for example in DemoTokenCreate.model_json_schema()["examples"]:
        answer = await desk.anybody.post(PATH, json=example)
        assert answer.status_code == 200, answer.text


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


async def test_two_people_of_one_role_can_be_tried_and_one_person_in_two_roles(desk: Desk) -> None:
    async def subject(**body: object) -> str:
        answer = await desk.anybody.post(PATH, json=body)
        assert answer.status_code == 200, answer.text
        found: str = said(answer.json()["access_token"])["sub"]
        return found

    head = {"role": "headteacher", "academies": [139148]}
    assert await subject(**head) == "demo:headteacher"
    first, second = await subject(**head, person="a-nutt"), await subject(**head, person="b-leaf")
    assert len({first, second, "demo:headteacher"}) == 3
    assert await subject(role="chief-executive", person="a-nutt") == first
    # Nobody gets a role's own person by choosing its code as a name.
    assert await subject(role="trustee", person="headteacher") != "demo:headteacher"


@pytest.mark.parametrize("person", ["", "A", "a b", "a:b", "-a", "a-", "a" * 41])
async def test_a_demo_person_has_a_plain_name(desk: Desk, person: str) -> None:
    answer = await desk.anybody.post(PATH, json={"role": "trustee", "person": person})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/person")


async def test_a_research_role_can_be_tried_for_one_project(desk: Desk) -> None:
    project = str(uuid4())
    answer = await desk.anybody.post(PATH, json={"role": "teacher-researcher", "project": project})
    token = answer.json()["access_token"]
    claims = said(token)
    assert (claims["projects"], claims["academies"], claims["trust"]) == ([project], [], str(PROSPERE))
    holder = await desk.holder(token)
    me = (await holder.get("/identity/v1/me")).json()
    assert (me["projects"], me["academies"]) == ([project], [])


@pytest.mark.parametrize(
    ("more", "code"),
    [({}, "extent_unsuitable"), ({"academies": [139148]}, "extent_unclear")],
)
async def test_other_roles_are_not_held_for_a_project(desk: Desk, more: dict[str, object], code: str) -> None:
    body = {"role": "trustee", "project": str(uuid4()), **more}
    error = (await desk.anybody.post(PATH, json=body)).json()["errors"][0]
    assert (error["pointer"], error["code"]) == ("#/project", code)


async def test_elsewhere_there_are_no_demo_people(client: Clients) -> None:
    anybody = await client("identity")
    response = await anybody.post(PATH, json={"role": "trustee"})
    assert (response.status_code, response.json()["code"]) == (404, "not-found")
    # Nor does anybody read what is sent there.
    nonsense = await anybody.post(PATH, content=b"[" * 5000, headers={"Content-Type": "application/json"})
    assert (nonsense.status_code, nonsense.json()["code"]) == (404, "not-found")


async def test_an_academy_of_somebody_else_is_refused_with_those_that_there_are(desk: Desk) -> None:
    for trust, urn, known in (("16846", 141196, "139148"), ("3010", 139148, "141196"), ("16846", 137083, "139148")):
        body = {"role": "headteacher", "trust": trust, "academies": [urn]}
        refused = await desk.anybody.post(PATH, json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, "demo-token-invalid")
        (error,) = refused.json()["errors"]
        assert (error["pointer"], error["code"]) == ("#/academies", "academy_not_of_trust")
        assert str(urn) in error["detail"]
        assert known in error["detail"].partition("it has")[2]


def test_the_demo_trusts_have_the_academies_that_the_demo_loads() -> None:
    with gzip.open(DATA / "group_links.csv.gz", "rt", encoding="latin-1") as file:
        loaded = [(row["Group UID"], int(row["URN"])) for row in csv.DictReader(file)]
    for tenant in DEMO_TENANTS:
        assert tenant.academies == {urn for of, urn in loaded if of == tenant.group_uid}
