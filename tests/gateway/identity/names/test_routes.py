"""`/identity/v1/names`: names for subjects that a caller has read, and for nobody else."""

from uuid import UUID

import httpx
import pytest

from gateway.identity.roles import ROLES
from tests.gateway.identity.desk import SECOND_TRUST, Desk
from tests.support.clients import Clients

PATH = "/identity/v1/names"
ABSENT = "person:01900000-0000-7000-8000-000000000000"


async def names(reader: httpx.AsyncClient, *subjects: str) -> dict[str, tuple[str, str]]:
    """Kind and name by subject."""
    answer = await reader.get(PATH, params={"subject": list(subjects)})
    assert answer.status_code == 200, answer.text
    return {item["subject"]: (item["kind"], item["name"]) for item in answer.json()["items"]}


async def test_a_portal_gets_the_names_of_its_own_trust_by_subject(desk: Desk, client: Clients) -> None:
    person = f"person:{(await desk.invite(email='a@example.org', display_name='A. Nutt'))['id']}"
    nameless = f"person:{(await desk.invite(email='b@example.org'))['id']}"
    machine = f"client:{(await desk.register('Foyer'))['id']}"
    other = await desk.invite(trust=SECOND_TRUST, email="c@example.org", display_name="Elsewhere")
    theirs = f"person:{other['id']}"
    subjects = (person, nameless, machine, theirs, ABSENT, "erased:0f3c", "person:ada", person.upper(), "system")
    for reader in (
        await client("identity", "chief-executive"),
        await client("identity", "headteacher", academies=[139148]),
        await client("identity", "auditor"),
    ):
        assert await names(reader, *subjects) == {person: ("person", "A. Nutt"), machine: ("client", "Foyer")}
    there = await client("identity", "trustee", trust=SECOND_TRUST)
    assert await names(there, *subjects) == {theirs: ("person", "Elsewhere")}


async def test_who_was_erased_has_no_name(desk: Desk, client: Clients) -> None:
    person = await desk.invite(email="a@example.org", display_name="A. Nutt")
    reader = await client("identity", "trustee")
    subject = f"person:{UUID(person['id'])}"
    assert set(await names(reader, subject)) == {subject}
    administrator = await desk.administrator()
    assert (await administrator.post(f"/identity/v1/people/{person['id']}/erase")).status_code == 202
    assert await names(reader, subject) == {}


async def test_names_are_for_people_of_the_trust(desk: Desk, client: Clients) -> None:
    assert (await desk.anybody.get(PATH, params={"subject": ABSENT})).status_code == 401
    for role in ("status-reader", "warehouse", "mis-client", "research-lead"):
        answer = await (await client("identity", role)).get(PATH, params={"subject": ABSENT})
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient-scope")
    without = {code for code, role in ROLES.items() if "posts:read" in role.scopes and "names:read" not in role.scopes}
    # What a job writes down must not hold names: nobody would erase them there.
    assert without == {"service-reader"}


@pytest.mark.parametrize("subjects", [[], [""], ["person:\x00"], ["x" * 101], [ABSENT] * 51])
async def test_subjects_are_named_and_few(client: Clients, subjects: list[str]) -> None:
    answer = await (await client("identity", "trustee")).get(PATH, params={"subject": subjects})
    assert answer.status_code == 422
