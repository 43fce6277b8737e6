"""How far a grant reaches: every operation that writes is tried with a grant for one academy and for a project.

The operations come from the contracts. One that isn't named here acts on the whole trust, and is refused.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from gateway.identity.matrix import Operation
from gateway.identity.roles import ROLES
from kit.identity.reach import ActsOn
from tests.academy.rated import AMBER, GREEN, add_england, add_rated_trust, publish, rerate
from tests.academy.terms.making import body as term_body
from tests.conftest import Clock
from tests.contracts.test_access_matrix import GUARDED, ask, named
from tests.support.clients import Clients
from tests.support.databases import Sandbox

OURS, THEIRS = GREEN, AMBER
API: Final = "/academy/v1"
WRITING = [(service, one) for service, one in GUARDED if one.method != "GET"]
BY_ID = {one.operation_id: (service, one) for service, one in WRITING}

EXCEPTIONS: Final = {
    ActsOn.ACADEMIES: {
        "import_create", "import_cancel", "import_withdraw",
        "moderation_file_create", "moderation_withdraw", "observation_create", "rating_moderate",
    },
    ActsOn.ACADEMY_OR_TRUST: {
        "post_create", "post_change", "post_retire", "post_restore",
        "term_create", "term_change", "term_retire", "term_restore",
    },
    ActsOn.OWN: {"link_create", "link_end"},
    ActsOn.NOTHING: {"academy_lookup", "criteria_set_preview"},
}  # fmt: skip
OF_TRUST = [(service, one) for service, one in WRITING if one.acts_on is ActsOn.WHOLE_TRUST]


def test_what_a_grant_for_some_academies_may_write_is_named_here() -> None:
    for acts_on, names in EXCEPTIONS.items():
        assert {one.operation_id for _, one in WRITING if one.acts_on is acts_on} == names, acts_on
    assert {one.operation_id for _, one in WRITING if one.acts_on is None} == set()
    assert {"criteria_set_publish", "grant_create", "tenant_create"} <= {one.operation_id for _, one in OF_TRUST}


def role_of(operation: Operation) -> str:
    """A role that may call it, one whose grants can be for some academies where there is one."""
    allowed = [role for role in ROLES.values() if operation.allows(role)]
    return next((role.code for role in allowed if "academies" in role.extents), allowed[0].code)


@pytest.mark.parametrize(("service", "operation"), OF_TRUST, ids=named(OF_TRUST))
async def test_what_acts_on_the_whole_trust_needs_a_grant_for_it(
    client: Clients, service: str, operation: Operation
) -> None:
    role = role_of(operation)
    project: dict[str, Any] = {"academies": [], "projects": [str(uuid4())]}
    for part in ({"academies": [OURS]}, project):
        refused = await ask(await client(service, role, **part), operation)
        assert (refused.status_code, refused.json()["code"]) == (403, "whole-trust-only"), refused.text
    whole = await ask(await client(service, role), operation)
    assert whole.json().get("code") != "whole-trust-only"


Try = Callable[[str, int | None], Awaitable[httpx.Response]]


class Desk:
    """Things of our academy, of another of the trust and of the trust itself; `narrow` has a grant for ours alone."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def client(self, role: str, *, narrow: bool) -> httpx.AsyncClient:
        """Somebody with this role, for our academy or for all; the same person."""
        return await self._clients("academy", role, academies=[OURS] if narrow else None, subject="person:tried")

    async def tried(self, operation_id: str, urn: int | None) -> httpx.Response:
        """The operation on a thing of this academy, or of the trust, under the narrow grant."""
        resource, _, verb = operation_id.rpartition("_")
        tried: Try = getattr(self, f"_{resource}")
        return await tried(verb, urn)

    async def _rating(self, _: str, urn: int | None) -> httpx.Response:
        return await self._moderate(await self.client("improvement-adviser", narrow=True), urn)

    async def _moderate(self, judge: httpx.AsyncClient, urn: int | None) -> httpx.Response:
        whole = await self.client("improvement-adviser", narrow=False)
        newest = (await whole.get(f"{API}/academies/{urn}/ratings")).json()["items"][0]["id"]
        rating = await whole.get(f"{API}/ratings/{newest}")
        body = {"status": "red", "reason": "Seen on a visit.", "lapses_on": "2025-10-31"}
        tag = {"If-Match": rating.headers["ETag"]}
        return await judge.post(f"{API}/ratings/{newest}/moderate", json=body, headers=tag)

    async def _moderated(self, urn: int | None) -> httpx.Response:
        made = await self._moderate(await self.client("improvement-adviser", narrow=False), urn)
        assert made.status_code == 201, made.text
        return made

    async def _moderation(self, _: str, urn: int | None) -> httpx.Response:
        made = await self._moderated(urn)
        judge = await self.client("improvement-adviser", narrow=True)
        tag = {"If-Match": made.headers["ETag"]}
        return await judge.post(f"{API}/moderations/{made.json()['id']}/withdraw", headers=tag)

    async def _moderation_file(self, _: str, urn: int | None) -> httpx.Response:
        made = await self._moderated(urn)
        judge = await self.client("improvement-adviser", narrow=True)
        return await judge.post(
            f"{API}/moderations/{made.json()['id']}/files",
            params={"name": "notes.txt"},
            content=b"What was seen.",
            headers={"Content-Type": "text/plain"},
        )

    async def _post(self, verb: str, urn: int | None) -> httpx.Response:
        role = "trust-admin"
        body = {"title": "Attendance", "role": "headteacher" if urn else "chief-executive", "urn": urn}
        return await self._thing("posts", role, verb, body, {"title": "Attendance and welfare"})

    async def _term(self, verb: str, urn: int | None) -> httpx.Response:
        return await self._thing("terms", "data-manager", verb, term_body(urn=urn), {"ends_on": "2025-12-18"})

    async def _thing(
        self, path: str, role: str, verb: str, body: dict[str, Any], patch: dict[str, Any]
    ) -> httpx.Response:
        whole, narrow = await self.client(role, narrow=False), await self.client(role, narrow=True)
        if verb == "create":
            return await narrow.post(f"{API}/{path}", json=body)
        made = await whole.post(f"{API}/{path}", json=body)
        assert made.status_code == 201, made.text
        place, tag = made.headers["Location"], {"If-Match": made.headers["ETag"]}
        if verb == "change":
            return await narrow.patch(place, json=patch, headers=tag)
        if verb == "restore":
            retired = await whole.post(f"{place}/retire", headers=tag)
            tag = {"If-Match": retired.headers["ETag"]}
        return await narrow.post(f"{place}/{verb}", json={"reason": "It is needed."}, headers=tag)

    async def _observation(self, _: str, urn: int | None) -> httpx.Response:
        narrow = await self.client("data-manager", narrow=True)
        figure = {"urn": urn, "measure": "ks4.attainment_8", "academic_year": "2024/25", "value": 47.5}
        return await narrow.post(f"{API}/observations", json={"observations": [figure]})

    async def _import(self, verb: str, urn: int | None) -> httpx.Response:
        covered = None if urn is None else [urn]
        sender = await self._clients("academy", "data-manager", academies=covered, subject="person:sender")
        sent = await sender.post(
            f"{API}/imports",
            params={"kind": "observations"},
            content=f"urn,measure,academic_year,value\n{urn or OURS},ks4.attainment_8,2024/25,47.5\n",
            headers={"Content-Type": "text/csv"},
        )
        assert sent.status_code == 202, sent.text
        if verb == "create":
            return sent
        narrow = await self.client("data-manager", narrow=True)
        headers = {"If-Match": sent.headers["ETag"]}
        body = {"reason": "Wrong."} if verb == "withdraw" else None
        return await narrow.post(f"{sent.headers['Location']}/{verb}", json=body, headers=headers)


@pytest.fixture
async def desk(client: Clients, database: Sandbox, clock: Clock) -> Desk:
    """A rated trust with both academies, on 1 October 2025."""
    async with database.admin() as session:
        await add_rated_trust(session)
        await add_england(session)
    await publish(await client("academy", "chief-executive"))
    await rerate(database)
    return Desk(client)


# Which academies a file is about is found by its job: `tests/academy/imports/applying/test_load_own.py`.
TRIED = sorted((EXCEPTIONS[ActsOn.ACADEMIES] | EXCEPTIONS[ActsOn.ACADEMY_OR_TRUST]) - {"import_create"})


@pytest.mark.parametrize("operation_id", TRIED)
async def test_a_grant_for_one_academy_reaches_it_and_no_other(desk: Desk, operation_id: str) -> None:
    own, other = await desk.tried(operation_id, OURS), await desk.tried(operation_id, THEIRS)
    assert own.status_code not in {401, 403, 404}, own.text
    # Figures are refused one by one, as those of a file are.
    refused = {422} if operation_id == "observation_create" else {403, 404}
    assert other.status_code in refused, other.text
    # What hasn't been applied can't be taken back.
    assert own.is_success or (operation_id, own.status_code) == ("import_withdraw", 409), own.text


@pytest.mark.parametrize("operation_id", sorted(EXCEPTIONS[ActsOn.ACADEMY_OR_TRUST]))
async def test_what_is_of_the_whole_trust_needs_a_grant_for_it(desk: Desk, operation_id: str) -> None:
    refused = await desk.tried(operation_id, None)
    assert (refused.status_code, refused.json()["code"]) == (403, "whole-trust-only")


@pytest.mark.parametrize("operation_id", ["import_cancel", "import_withdraw"])
async def test_an_import_for_the_whole_trust_is_not_found_under_a_grant_for_one_academy(
    desk: Desk, operation_id: str
) -> None:
    assert (await desk.tried(operation_id, None)).status_code == 404


async def test_a_link_of_somebody_else_is_ended_for_the_whole_trust_alone(desk: Desk, client: Clients) -> None:
    maker = await client("academy", "chief-executive")
    made = await maker.post(
        f"{API}/links", json={"resource": "rag-changes", "parameters": {}, "expires_on": "2025-10-31"}
    )
    assert made.status_code == 201, made.text
    place = made.headers["Location"]
    narrow = await desk.client("trust-admin", narrow=True)
    assert (await narrow.delete(place)).status_code == 404
    whole = await desk.client("trust-admin", narrow=False)
    assert (await whole.delete(place)).status_code == 204


async def test_a_preview_shows_the_academies_of_the_grant_alone(desk: Desk, client: Clients) -> None:
    whole = await client("academy", "improvement-adviser")
    (published,) = (await whole.get(f"{API}/criteria-sets")).json()["items"]
    for reader, academies in ((whole, 3), (await desk.client("improvement-adviser", narrow=True), 1)):
        shown = await reader.post(f"{API}/criteria-sets/{published['id']}/preview")
        assert (shown.status_code, shown.json()["academies"]) == (200, academies)


async def test_criteria_offer_nothing_to_do_under_a_grant_for_one_academy(desk: Desk) -> None:
    narrow = await desk.client("improvement-adviser", narrow=True)
    (seen,) = (await narrow.get(f"{API}/criteria-sets")).json()["items"]
    assert seen["actions"] == []
