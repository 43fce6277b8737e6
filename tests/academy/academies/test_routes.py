"""The register of schools over HTTP."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.academy.rows import (
    PROSPERE,
    TOLD_AT,
    add,
    add_inspection,
    add_membership,
    add_school,
    add_trust,
)
from tests.conftest import Clock
from tests.support.clients import Clients
from tests.support.databases import Sandbox

ACADEMIES = "/academy/v1/academies"


@pytest.fixture
async def register(database: Sandbox) -> None:
    """Prospere with a secondary, a special school and one that left for Ark; a school of no trust; a stub."""
    async with database.admin() as session:
        prospere = await add_trust(session, "16846", group_id="TR03794", name="Prospere Learning Trust")
        ark = await add_trust(session, "2044", name="Ark Schools")
        await add_school(session, 136105, trust=prospere, name="Chorlton High School", postcode="M21 7SL")
        await add_school(
            session, 142100, trust=prospere, name="Piper Hill", phase="special", la_code="352", la_name="Manchester"
        )
        await add_school(session, 139999, name="Beech Academy", status="closed")
        await add_membership(session, 139999, prospere, joined_on=date(2012, 9, 1), left_on=date(2020, 9, 1))
        await add_membership(session, 139999, ark, joined_on=date(2020, 9, 1))
        await add_school(session, 100000, name="Sir John Cass", phase="primary", type_code="02", type_name="Aided")
        await add_school(
            session, 199999, name="URN 199999", phase=None, status="unknown", is_registered=False, la_code=None,
            laestab=None, ukprn=None,
        )  # fmt: skip


async def listed(reader: httpx.AsyncClient, **params: Any) -> list[int]:
    response = await reader.get(ACADEMIES, params=params)
    assert response.status_code == 200, response.text
    return [academy["urn"] for academy in response.json()["items"]]


@pytest.mark.usefixtures("register")
async def test_the_list_is_the_callers_own_trust_unless_another_is_named(client: Clients) -> None:
    reader = await client("academy", "trustee")
    assert await listed(reader) == [136105, 142100]
    assert await listed(reader, trust="16846") == [136105, 142100]
    assert await listed(reader, trust=str(PROSPERE)) == [136105, 142100]
    assert await listed(reader, trust="2044") == [139999]
    assert await listed(reader, trust="any") == [139999, 136105, 142100, 100000, 199999]
    operator = await client("academy", "platform-operator", trust=None)
    assert await listed(operator) == [139999, 136105, 142100, 100000, 199999]


@pytest.mark.usefixtures("register")
@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"phase": "special"}, [142100]),
        ({"phase": ["special", "secondary"]}, [136105, 142100]),
        ({"q": "chorlton"}, [136105]),
        ({"q": "m21"}, [136105]),
        ({"q": "orlton"}, [136105]),
        ({"q": "HIGH chorl"}, [136105]),
        ({"q": "m217sl"}, [136105]),
        ({"q": "M21 7SL"}, [136105]),
        ({"q": "m21 chorlton"}, [136105]),
        ({"q": "m21 nowhere"}, []),
        ({"q": "%"}, []),
        ({"q": "' & !x:*"}, []),
        ({"q": "142100"}, [142100]),
        ({"q": "8502100"}, [142100]),
        ({"q": "850/2100"}, [142100]),
        ({"q": "850-2100"}, [142100]),
        ({"la": "352"}, [142100]),
        ({"status": "closed"}, []),
        ({"status": "closed", "trust": "any"}, [139999]),
        ({"sort": "-urn"}, [142100, 136105]),
        ({"sort": "-name"}, [142100, 136105]),
        ({"sort": "urn", "trust": "any"}, [100000, 136105, 139999, 142100, 199999]),
    ],
)
async def test_academies_are_filtered_and_sorted(client: Clients, params: dict[str, Any], found: list[int]) -> None:
    assert await listed(await client("academy", "trustee"), **params) == found


@pytest.mark.usefixtures("register")
@pytest.mark.parametrize("sort", ["name", "-name", "urn", "-urn"])
async def test_pages_of_academies_join_up(client: Clients, sort: str) -> None:
    reader = await client("academy", "trustee")
    everything = await listed(reader, trust="any", sort=sort)
    seen: list[int] = []
    params = {"trust": "any", "sort": sort, "limit": "2"}
    while True:
        body = (await reader.get(ACADEMIES, params=params)).json()
        seen += [academy["urn"] for academy in body["items"]]
        if body["next"] is None:
            break
        params["cursor"] = body["next"]
    assert seen == everything


@pytest.mark.usefixtures("register")
async def test_a_trust_that_nobody_knows_is_named_as_the_fault(client: Clients) -> None:
    response = await (await client("academy", "trustee")).get(ACADEMIES, params={"trust": "999999"})
    assert (response.status_code, response.json()["code"]) == (422, "trust-unknown")
    assert response.json()["errors"][0]["parameter"] == "trust"


@pytest.mark.usefixtures("register")
async def test_updated_since_gives_what_changed_and_those_that_left(
    client: Clients, database: Sandbox, clock: Clock
) -> None:
    reader = await client("academy", "trustee")
    since = TOLD_AT + timedelta(days=1)
    assert await listed(reader, updated_since=since.isoformat()) == []
    async with database.admin() as session:
        await session.execute(text("update academy.membership set left_on = '2025-09-20' where urn = 142100"), {})
        await session.execute(
            text("update academy.school set updated_at = :at where urn = 142100"), {"at": since + timedelta(days=1)}
        )
    assert clock.now.date() > date(2025, 9, 20)
    body = (await reader.get(ACADEMIES, params={"updated_since": since.isoformat()})).json()
    (gone,) = body["items"]
    assert (gone["urn"], gone["is_removed"], gone["trust"]["left_on"]) == (142100, True, "2025-09-20")
    assert await listed(reader) == [136105]


@pytest.mark.usefixtures("register")
async def test_a_day_of_leaving_that_was_told_before_is_news_when_it_comes(
    client: Clients, database: Sandbox, clock: Clock
) -> None:
    reader = await client("academy", "trustee")
    async with database.admin() as session:
        await session.execute(text("update academy.membership set left_on = '2025-12-31' where urn = 142100"), {})
    assert await listed(reader) == [136105, 142100]
    before = clock.now
    clock.set(datetime(2026, 1, 1, tzinfo=UTC))
    reader = await client("academy", "trustee")
    assert await listed(reader, updated_since=before.isoformat()) == [142100]


@pytest.mark.usefixtures("register")
@pytest.mark.parametrize("directions", ["from the old one", "from the new one", "both"])
async def test_schools_before_and_after_are_told_from_both_sides(
    client: Clients, database: Sandbox, directions: str
) -> None:
    """Also of a school that the register doesn't have, and nothing twice."""
    new, old, unknown = 136105, 100000, 103831
    async with database.admin() as session:
        for before in (old, unknown):
            if directions != "from the new one":
                successor = {"urn": before, "linked_urn": new, "link_type": "successor_merged"}
                await add(session, "school_link", {**successor, "established_on": date(2010, 9, 1)})
            if directions != "from the old one":
                predecessor = {"urn": new, "linked_urn": before, "link_type": "predecessor_merged"}
                await add(session, "school_link", {**predecessor, "established_on": date(2010, 9, 1)})
    reader = await client("academy", "trustee")
    ours, theirs = [(await reader.get(f"{ACADEMIES}/{urn}")).json() for urn in (new, old)]
    said = {"link_type": "predecessor_merged", "established_on": "2010-09-01"}
    assert ours["predecessors"] == [
        {"urn": old, "name": "Sir John Cass", **said},
        {"urn": unknown, "name": None, **said},
    ]
    assert theirs["successors"] == [
        {"urn": new, "name": "Chorlton High School", **said, "link_type": "successor_merged"}
    ]
    assert ours["successors"] == theirs["predecessors"] == []


@pytest.mark.usefixtures("register")
async def test_one_academy_tells_where_it_comes_from_and_what_inspectors_said(
    client: Clients, database: Sandbox
) -> None:
    async with database.admin() as session:
        await add(session, "school_link", {"urn": 136105, "linked_urn": 105560, "link_type": "predecessor"})
        await add(session, "school_link", {"urn": 136105, "linked_urn": 142100, "link_type": "successor"})
        await add(session, "school_link", {"urn": 136105, "linked_urn": 100000, "link_type": "sixth_form_centre_link"})
        await add_inspection(session, 136105, date(2012, 3, 1), overall_grade="outstanding")
        await add_inspection(session, 136105, date(2019, 3, 1), overall_grade="good")
        await add_inspection(session, 136105, date(2023, 3, 1), kind="ungraded", overall_grade=None)
        await add_inspection(
            session, 136105, date(2026, 1, 20), kind="report_card", overall_grade=None,
            judgements='{"inclusion": "strong_standard"}', safeguarding="met",
        )  # fmt: skip
        await add_inspection(
            session, 136105, date(2026, 1, 19), kind="report_card", superseded_at=TOLD_AT + timedelta(days=1)
        )
    reader = await client("academy", "trustee")
    response = await reader.get(f"{ACADEMIES}/136105")
    body = response.json()
    assert body["trust"]["joined_on"] == "2018-09-01"
    assert body["local_authority"] == {"code": "850", "name": "Hampshire"}
    assert [link["urn"] for link in body["predecessors"]] == [105560]
    assert [(link["urn"], link["name"]) for link in body["successors"]] == [(142100, "Piper Hill")]
    assert [link["urn"] for link in body["other_links"]] == [100000]
    latest = body["latest_inspections"]
    assert (latest["overall_grade"]["overall_grade"], latest["overall_grade"]["joining"]) == ("good", "after")
    assert latest["ungraded"]["inspected_on"] == "2023-03-01"
    assert latest["report_card"]["judgements"] == {"inclusion": "strong_standard"}
    again = await reader.get(f"{ACADEMIES}/136105", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304

    inspections = (await reader.get(f"{ACADEMIES}/136105/inspections")).json()["items"]
    assert [(one["inspected_on"], one["joining"]) for one in inspections] == [
        ("2026-01-20", "after"),
        ("2023-03-01", "after"),
        ("2019-03-01", "after"),
        ("2012-03-01", "before"),
    ]
    first = (await reader.get(f"{ACADEMIES}/136105/inspections", params={"limit": 3})).json()
    rest = await reader.get(f"{ACADEMIES}/136105/inspections", params={"limit": 3, "cursor": first["next"]})
    assert [one["inspected_on"] for one in rest.json()["items"]] == ["2012-03-01"]


@pytest.mark.usefixtures("register")
async def test_an_academy_without_a_trust_has_none(client: Clients) -> None:
    body = (await (await client("academy", "trustee")).get(f"{ACADEMIES}/100000")).json()
    assert (body["trust"], body["memberships"], body["type"]) == (None, [], {"code": "02", "name": "Aided"})
    stub = (await (await client("academy", "trustee")).get(f"{ACADEMIES}/199999")).json()
    assert (stub["is_registered"], stub["phase"], stub["local_authority"]) == (False, None, None)


@pytest.mark.usefixtures("register")
async def test_a_mover_tells_both_of_its_trusts(client: Clients) -> None:
    body = (await (await client("academy", "trustee")).get(f"{ACADEMIES}/139999")).json()
    assert [(one["group_uid"], one["joined_on"], one["left_on"]) for one in body["memberships"]] == [
        ("2044", "2020-09-01", None),
        ("16846", "2012-09-01", "2020-09-01"),
    ]
    assert body["trust"]["group_uid"] == "2044"


async def test_an_unknown_academy_is_not_found(client: Clients) -> None:
    reader = await client("academy", "trustee")
    for path in (f"{ACADEMIES}/999999", f"{ACADEMIES}/999999/inspections"):
        response = await reader.get(path)
        assert (response.status_code, response.json()["code"]) == (404, "academy-not-found")
    for urn in ("0", "10000000", "abc", "-5", "1.5"):
        assert (await reader.get(f"{ACADEMIES}/{urn}")).status_code == 422


@pytest.mark.usefixtures("register")
async def test_a_look_up_gives_what_is_found_and_what_is_not(client: Clients) -> None:
    reader = await client("academy", "status-reader")
    body = {
        "urns": [136105, 999999],
        "ukprns": ["10142100", "99999999"],
        "laestabs": ["850/0000", "850-9999", "1112222"],
    }
    found = (await reader.post(f"{ACADEMIES}/lookup", json=body)).json()
    assert [academy["urn"] for academy in found["found"]] == [100000, 136105, 139999, 142100, 199999][:4]
    assert found["not_found"] == {"urns": [999999], "ukprns": ["99999999"], "laestabs": ["1112222"]}


async def test_a_look_up_takes_a_thousand_identifiers_and_not_more(client: Clients) -> None:
    reader = await client("academy", "trustee")
    urns = list(range(100_000, 101_000))
    answer = await reader.post(f"{ACADEMIES}/lookup", json={"urns": urns})
    assert answer.json()["not_found"]["urns"] == urns
    too_many = await reader.post(f"{ACADEMIES}/lookup", json={"urns": urns[1:], "ukprns": ["10000000", "10000001"]})
    assert (too_many.status_code, too_many.json()["code"]) == (422, "too-many-to-look-up")
    assert [one["code"] for one in too_many.json()["errors"]] == ["too_many_to_look_up"]
    nothing = await reader.post(f"{ACADEMIES}/lookup", json={})
    assert (nothing.status_code, nothing.json()["code"]) == (422, "nothing-to-look-up")
    assert [(one["pointer"], one["code"]) for one in nothing.json()["errors"]] == [("#", "nothing_to_look_up")]
    for body in ({"urns": ["x"]}, {"urns": [0]}, {"ukprns": ["123"]}, {"laestabs": ["abc"]}, {"names": ["x"]}):
        assert (await reader.post(f"{ACADEMIES}/lookup", json=body)).status_code == 422


@pytest.mark.usefixtures("register")
async def test_academies_of_a_trust_come_with_the_days_of_joining_and_leaving(client: Clients) -> None:
    reader = await client("academy", "trustee")
    path = "/academy/v1/trusts/TR03794/academies"
    current = (await reader.get(path)).json()["items"]
    assert [(one["urn"], one["joined_on"], one["is_member"]) for one in current] == [
        (136105, "2018-09-01", True),
        (142100, "2018-09-01", True),
    ]
    past = (await reader.get(path, params={"membership": "past"})).json()["items"]
    assert [(one["urn"], one["left_on"], one["is_member"]) for one in past] == [(139999, "2020-09-01", False)]
    everyone = (await reader.get(path, params={"membership": "all", "limit": 2})).json()
    assert [one["urn"] for one in everyone["items"]] == [139999, 136105]
    rest = await reader.get(path, params={"membership": "all", "limit": 2, "cursor": everyone["next"]})
    assert [one["urn"] for one in rest.json()["items"]] == [142100]
    assert (await reader.get("/academy/v1/trusts/999999/academies")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ACADEMIES),
        ("GET", f"{ACADEMIES}/136105"),
        ("GET", f"{ACADEMIES}/136105/inspections"),
        ("POST", f"{ACADEMIES}/lookup"),
        ("GET", "/academy/v1/trusts/16846/academies"),
    ],
)
async def test_the_register_needs_a_token_with_the_scope(client: Clients, method: str, path: str) -> None:
    body = {"urns": [1]} if method == "POST" else None
    assert (await (await client("academy")).request(method, path, json=body)).status_code == 401
    reader = await client("academy", "trustee", scopes=["events:read"])
    assert (await reader.request(method, path, json=body)).status_code == 403


async def test_mistyped_filters_are_refused(client: Clients) -> None:
    reader = await client("academy", "trustee")
    for params in ({"phases": "primary"}, {"phase": "infant"}, {"la": "85"}, {"updated_since": "yesterday"}):
        assert (await reader.get(ACADEMIES, params=params)).status_code == 422


@pytest.mark.parametrize("urn", ["136105.0", "1_36105", "+136105"])
async def test_an_academy_has_one_address(client: Clients, urn: str) -> None:
    reader = await client("academy", "trustee")
    for response in (
        await reader.get(f"{ACADEMIES}/{urn}"),
        await reader.get("/academy/v1/observations", params={"urn": urn}),
    ):
        assert (response.status_code, response.json()["code"]) == (422, "invalid-request")
