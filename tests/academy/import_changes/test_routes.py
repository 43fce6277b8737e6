"""What an import changed, as its sender reads it."""

from typing import Any

import httpx

from academy.import_changes.queries import first_id_of
from kit import clock
from kit.ids import uuid7
from tests.academy.imports.conftest import IMPORTS, Workbench, bench, csv
from tests.support.tokens import OTHER_TRUST

__all__ = ["bench"]

MINE, OTHER = 136105, 139148


def figures(*values: float | str, urn: int = MINE) -> str:
    """Attainment 8 of several years, from 2021/22 on."""
    return csv([(urn, "ks4.attainment_8", f"20{21 + place}/{22 + place}", value) for place, value in enumerate(values)])


async def changes_of(client: httpx.AsyncClient, import_id: str, **params: Any) -> list[dict[str, Any]]:
    """Every change of an import, page by page."""
    items: list[dict[str, Any]] = []
    while True:
        page = await client.get(f"{IMPORTS}/{import_id}/changes", params=params)
        assert page.status_code == 200, page.text
        items += page.json()["items"]
        if page.json()["next"] is None:
            return items
        params["cursor"] = page.json()["next"]


def said(change: dict[str, Any]) -> tuple[Any, ...]:
    before = change["before"] and change["before"]["value"]
    return change["academic_year"], change["change"], before, change["after"]["value"], change["is_current"]


async def test_a_push_is_followed_by_what_it_changed(bench: Workbench) -> None:
    mis = await bench.client("mis-client")
    first = await bench.load(mis, "observations", figures(45, 46))
    second = await bench.load(mis, "observations", figures(45, 47, 48))
    assert [said(one) for one in await changes_of(mis, first["id"], limit=1)] == [
        ("2021/22", "new", None, 45, True),
        ("2022/23", "new", None, 46, False),
    ]
    assert [said(one) for one in await changes_of(mis, second["id"])] == [
        ("2022/23", "changed", 46, 47, True),
        ("2023/24", "new", None, 48, True),
    ]
    assert (second["rows_new"], second["rows_changed"], second["rows_unchanged"]) == (1, 1, 1)


async def test_it_stays_what_it_was_when_a_later_import_is_taken_back(bench: Workbench) -> None:
    mis = await bench.client("mis-client")
    first = await bench.load(mis, "observations", figures(45))
    second = await mis.get(f"{IMPORTS}/{(await bench.load(mis, 'observations', figures(46)))['id']}")
    withdrawn = await mis.post(
        f"{IMPORTS}/{second.json()['id']}/withdraw",
        json={"reason": "Wrong year."},
        headers={"If-Match": second.headers["ETag"]},
    )
    assert withdrawn.status_code == 202, withdrawn.text
    await bench.work()
    assert [said(one) for one in await changes_of(mis, first["id"])] == [("2021/22", "new", None, 45, False)]
    assert [said(one) for one in await changes_of(mis, second.json()["id"])] == [("2021/22", "changed", 45, 46, False)]


async def test_a_reason_in_place_of_a_value_is_shown(bench: Workbench) -> None:
    mis = await bench.client("mis-client")
    await bench.load(mis, "observations", figures(45))
    second = await bench.load(mis, "observations", figures("SUPP"))
    (change,) = await changes_of(mis, second["id"])
    nothing = dict.fromkeys(("lower", "upper", "cohort", "published_band"))
    assert (change["before"], change["after"]) == (
        {"value": 45, "reason": None, **nothing},
        {"value": None, "reason": "suppressed", **nothing},
    )


async def test_a_change_of_a_detail_alone_is_seen(bench: Workbench) -> None:
    mis = await bench.client("mis-client")
    header = "urn,measure,academic_year,value,cohort"
    _, done = [
        await bench.load(mis, "observations", csv([(MINE, "ks4.attainment_8", "2024/25", 45, pupils)], header))
        for pupils in (964, 946)
    ]
    (change,) = await changes_of(mis, done["id"])
    assert (change["before"]["cohort"], change["after"]["cohort"]) == (964, 946)
    assert change["before"]["value"] == change["after"]["value"] == 45


async def test_what_changed_nothing_has_no_changes(bench: Workbench) -> None:
    mis, operator = await bench.client("mis-client"), await bench.client("platform-operator")
    trial = await bench.load(mis, "observations", figures(45), dry_run="true")
    failed = await bench.load(mis, "observations", csv([(MINE, "no.such_measure", "2024/25", 1)]))
    sent = (await bench.send(mis, "observations", figures(45))).json()
    national = (await bench.send(operator, "dfe-ks4", "URN\n1\n", academic_year="2018/19")).json()
    for client, one in ((mis, trial), (mis, failed), (mis, sent), (operator, national)):
        refused = await client.get(f"{IMPORTS}/{one['id']}/changes")
        assert (refused.status_code, refused.json()["code"]) == (409, "import-changes-not-kept"), one
        assert refused.json()["detail"]


async def test_who_may_not_see_the_import_sees_none_of_its_changes(bench: Workbench) -> None:
    mis = await bench.client("mis-client")
    done = await bench.load(mis, "observations", figures(45))
    for stranger in (
        await bench.client("mis-client", academies=[OTHER]),
        await bench.client("mis-client", trust=OTHER_TRUST),
    ):
        assert (await stranger.get(f"{IMPORTS}/{done['id']}/changes")).status_code == 404
    without_figures = await bench.clients("academy", scopes=["imports:read"])
    assert (await without_figures.get(f"{IMPORTS}/{done['id']}/changes")).status_code == 403


async def test_a_mis_client_follows_the_feed(bench: Workbench) -> None:
    mis = await bench.client("mis-client")
    done = await bench.load(mis, "observations", figures(45))
    events = (await mis.get("/academy/v1/events")).json()["items"]
    assert {event["type"].split(".")[3] for event in events} == {"import", "observation"}
    assert {event["data"]["import_id"] for event in events} == {done["id"]}


def test_every_id_that_is_made_from_now_on_is_greater() -> None:
    assert first_id_of(clock.now()) <= uuid7()
